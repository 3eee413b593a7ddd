// What is decided on the shot that is looked at.

const option = (value, text) => {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
};

const swatch = (color) => {
  const made = document.createElement("span");
  made.className = "swatch";
  made.style.background = color;
  return made;
};

const told = (entry) => {
  const copied = /^stills\/alike-(\d+)-/.exec(entry.path ?? "");
  if (entry.kind === "picture" && copied) return `like frame ${Number(copied[1])}`;
  const where = entry.frame === undefined ? "" : `, frame ${entry.frame}`;
  const what = entry.path ?? entry.colors?.join(" ") ?? entry.color ?? "";
  return `${entry.kind} ${what}${where}`;
};

export class Panel {
  constructor(by, actions) {
    this.by = by; // id → element
    this.actions = actions; // set(values), unmark(entry), go(frame)
    this.number = -1;
    const set = (name, value) => actions.set(this.number, { [name]: value });
    for (const name of ["saturation", "warmth"]) {
      by(name).addEventListener("input", () => this.numbers());
      by(name).addEventListener("change", () => set(name, Number(by(name).value)));
      by(name).addEventListener("dblclick", () => set(name, name === "saturation" ? 1 : 0));
    }
    for (const name of ["treatment", "model", "look", "notes"]) {
      by(name).addEventListener("change", () => set(name, by(name).value));
    }
  }

  choices(state) {
    this.by("treatment").replaceChildren(...state.treatments.map((name) => option(name, name)));
    const models = state.models.map((name) => option(name, name));
    this.by("model").replaceChildren(option("", "the film's"), ...models);
    this.by("look").replaceChildren(...state.looks.map((name) => option(name, name || "the film's")));
    this.by("preset").replaceChildren(
      ...Object.entries(state.presets).map(([name, text]) => option(name, text)),
    );
  }

  show(number, shot) {
    const { by } = this;
    const other = number !== this.number;
    this.number = number;
    by("shot-number").textContent = number + 1;
    by("shot-state").textContent = shot.shown_state === "changed" ? "changed since accepted" : shot.shown_state;
    by("shot-state").className = `state ${shot.shown_state}`;
    const opening = shot.opening ? `, opens with a ${shot.opening.kind}` : "";
    const who = shot.reviewer ? ` · ${shot.state} by ${shot.reviewer}` : "";
    by("shot-place").textContent =
      `frames ${shot.start} to ${shot.stop - 1} · ${shot.timecode}${opening}${who}`;
    for (const name of ["treatment", "look", "saturation", "warmth"]) by(name).value = shot[name];
    by("model").value = shot.model ?? "";
    by("opening").value = shot.opening?.kind ?? "cut";
    if (shot.opening?.stop > shot.opening?.start) {
      by("opening-frames").value = shot.opening.stop - shot.opening.start;
    }
    if (other || document.activeElement !== by("notes")) by("notes").value = shot.notes;
    this.numbers();
    by("guidance").replaceChildren(...shot.guidance.map((entry, n) => this.entry(entry, n)));
    by("earlier").disabled = by("later").disabled = by("open-so").disabled = number === 0;
  }

  // What to look at in the shot, and where.
  warn(warnings) {
    this.by("warnings").replaceChildren(
      ...warnings.map(({ text, frame }) => {
        const line = document.createElement("li");
        const there = document.createElement("button");
        there.textContent = `⚠ ${text}`;
        there.title = `go to frame ${frame}`;
        there.addEventListener("click", () => this.actions.go(frame));
        line.append(there);
        return line;
      }),
    );
  }

  numbers() {
    for (const name of ["saturation", "warmth"]) {
      this.by(`${name}-shown`).value = Number(this.by(name).value).toFixed(2);
    }
  }

  entry(entry, n) {
    const line = document.createElement("li");
    const words = document.createElement("span");
    if (typeof entry.color === "string") words.append(swatch(entry.color), " ");
    words.append(told(entry));
    const away = document.createElement("button");
    away.textContent = "Remove";
    away.setAttribute("aria-label", `remove ${told(entry)}`);
    away.addEventListener("click", () => this.actions.unmark(this.number, n));
    line.append(words, away);
    return line;
  }

  palette(colors, choose) {
    this.by("palette").replaceChildren(
      ...colors.map((color) => {
        const made = document.createElement("button");
        made.style.background = color;
        made.title = color;
        made.setAttribute("aria-label", `take ${color}`);
        made.addEventListener("click", () => choose(color));
        return made;
      }),
    );
  }
}
