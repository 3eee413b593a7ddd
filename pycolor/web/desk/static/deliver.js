// The film is made while one works on.
import { get, post } from "./api.js";

const PAUSE = 700; // milliseconds

export class Deliver {
  constructor(by, say) {
    this.by = by;
    this.say = say;
    this.watching = false;
    by("deliver").addEventListener("click", () => this.start());
    by("cancel").addEventListener("click", () => this.ask(() => post("api/delivery/cancel", {})));
    this.watch();
  }

  start() {
    const { by } = this;
    const said = { preset: by("preset").value, name: by("name").value, overwrite: by("overwrite").checked };
    return this.ask(() => post("api/delivery", said));
  }

  async ask(question) {
    try {
      this.show(await question());
      this.watch();
    } catch (error) {
      this.say(error.message);
    }
  }

  async watch() {
    if (this.watching) return;
    this.watching = true;
    try {
      let told;
      do {
        told = await get("api/delivery");
        this.show(told);
        if (told.state === "running") await new Promise((done) => setTimeout(done, PAUSE));
      } while (told.state === "running");
    } catch (error) {
      this.say(error.message);
    } finally {
      this.watching = false;
    }
  }

  show(told) {
    const { by } = this;
    const running = told.state === "running";
    by("deliver").disabled = running;
    by("cancel").disabled = !running;
    by("deliver").textContent = told.state === "canceled" ? "Resume" : "Deliver";
    by("progress").hidden = !running;
    if (told.total) {
      by("progress").max = told.total;
      by("progress").value = told.done;
    } else {
      by("progress").removeAttribute("value");
    }
    const count = told.total ? `${told.done} of ${told.total}` : `${told.done}`;
    const texts = {
      none: "",
      running: `${told.name}: ${told.stage}, ${count} frames`,
      done: `${told.folder}/${told.name} is done. ${told.lines.join(" ")}`,
      canceled: `${told.name} was canceled; what is made is kept.`,
      failed: told.lines.join(" "),
    };
    by("delivery").textContent = texts[told.state];
    const begun = by("delivery").dataset.state !== told.state && told.state !== "none";
    by("delivery").dataset.state = told.state;
    if (begun) by("delivery").scrollIntoView({ block: "nearest" });
  }
}
