// What was decided on a shot, copied to shots that look like it: they are shown first, to be chosen.
import { get } from "./api.js";

const PAUSE = 1000; // milliseconds, while shots are still being looked at

export class Copier {
  constructor(by, actions) {
    this.by = by; // id → element
    this.actions = actions; // copy(said), shots(), say(text)
    this.number = -1;
    this.tiles = new Map(); // shot → its tile's check box
    this.touched = new Map(); // shot → whether a person wants it
    by("copy-likeness").addEventListener("input", () => this.choose(true));
    by("copy-none").addEventListener("click", () => {
      for (const shot of this.tiles.keys()) this.touched.set(shot, false);
      this.choose();
    });
    by("copier").addEventListener("close", () => {
      for (const image of by("copy-shots").querySelectorAll("img")) image.removeAttribute("src");
      by("copy-shots").replaceChildren();
    });
    by("copy-go").addEventListener("click", () => this.go());
  }

  open(number) {
    const { by } = this;
    this.number = number;
    this.found = [];
    this.touched.clear();
    this.tiles.clear();
    by("copy-shots").replaceChildren();
    by("copy-from").textContent = number + 1;
    by("copy-shots").removeAttribute("data-all");
    by("copier").showModal();
    this.look();
  }

  async look() {
    const { by, number } = this;
    while (by("copier").open && number === this.number) {
      let told;
      try {
        told = await get(`api/alike?shot=${number}`);
      } catch (error) {
        by("copy-count").value = error.message;
        return;
      }
      if (number !== this.number) return;
      if (told.shots.length !== this.found.length) this.show(told.shots);
      const open = told.looked < told.all;
      by("copy-looked").value = open ? `looked at ${told.looked} of ${told.all} shots …` : "";
      by("copy-shots").toggleAttribute("data-all", !open);
      if (!open) return;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }

  show(found) {
    this.found = found;
    this.tiles.clear();
    this.by("copy-shots").replaceChildren(...found.map((each) => this.tile(each)));
    this.choose();
  }

  tile({ shot, likeness }) {
    const known = this.actions.shots()[shot];
    const tile = document.createElement("li"), label = document.createElement("label");
    const box = document.createElement("input"), image = document.createElement("img");
    const words = document.createElement("span");
    box.type = "checkbox";
    box.addEventListener("change", () => {
      this.touched.set(shot, box.checked);
      this.choose();
    });
    image.alt = "";
    image.loading = "lazy";
    image.src = `api/thumbnail/${(known.start + known.stop) >> 1}.jpg?of=${known.digest.slice(0, 12)}`;
    const state = known.shown_state === "new" ? "" : ` · ${known.shown_state}`;
    words.textContent = `shot ${shot + 1} · ${Math.floor(100 * likeness)} %${state}`;
    label.append(image, box, " ", words);
    tile.append(label);
    this.tiles.set(shot, box);
    return tile;
  }

  // What is as alike as the slider says is chosen, but for what is accepted; a person's word goes first.
  choose(anew = false) {
    if (anew) this.touched.clear();
    const least = Number(this.by("copy-likeness").value);
    this.by("copy-likeness-shown").value = `${least} %`;
    for (const { shot, likeness } of this.found) {
      const likely = 100 * likeness >= least && this.actions.shots()[shot].shown_state !== "accepted";
      this.tiles.get(shot).checked = this.touched.get(shot) ?? likely;
    }
    const count = this.chosen.length;
    this.by("copy-count").value = `${count} of ${this.found.length} chosen`;
    this.by("copy-go").disabled = !count;
    this.by("copy-go").textContent = count ? `Copy to ${count} shot${count === 1 ? "" : "s"}` : "Copy";
  }

  get chosen() {
    return [...this.tiles].filter(([, box]) => box.checked).map(([shot]) => shot);
  }

  async go() {
    const { by } = this;
    const groups = ["colors", "grade", "model"].filter((group) => by(`copy-${group}`).checked);
    const to = this.chosen;
    if (!groups.length || !to.length) return;
    by("copier").close();
    this.actions.say(`copying to ${to.length} shot${to.length === 1 ? "" : "s"} …`);
    const done = await this.actions.copy({ do: "copy", shot: this.number, to, groups });
    if (done) this.actions.say(`copied to ${to.length} shot${to.length === 1 ? "" : "s"}; Z takes it back`);
  }
}
