// Marks on the picture: points, strokes, polygons, and the eyedropper.

export class Tools {
  constructor(viewer, controls, actions) {
    Object.assign(this, controls); // kind, shape, radius, picker, hex, eyedropper
    this.viewer = viewer;
    this.actions = actions; // mark(entry), say(text)
    this.points = []; // of what is being drawn
    this.held = false;
    this.guidance = [];
    this.picker.addEventListener("input", () => this.take(this.picker.value));
    this.hex.addEventListener("change", () => this.take(this.hex.value));
    this.kind.addEventListener("change", () => {
      if (this.kind.value === "only-here") this.shape.value = "polygon";
      this.drop();
    });
    this.shape.addEventListener("change", () => this.drop());
    this.eyedropper.addEventListener("click", () => this.dip());
    const { canvas } = viewer;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => this.drop());
    canvas.addEventListener("dblclick", () => this.close());
    viewer.onfit = () => this.draw();
  }

  get color() {
    return this.hex.value;
  }

  take(color) {
    const found = /^#?([0-9a-f]{6})$/i.exec(color.trim());
    if (!found) {
      this.actions.say("a color is # and six hexadecimal digits");
      this.hex.value = this.picker.value;
      return;
    }
    this.picker.value = this.hex.value = `#${found[1].toLowerCase()}`;
  }

  dip(on = this.eyedropper.getAttribute("aria-pressed") !== "true") {
    this.eyedropper.setAttribute("aria-pressed", String(on));
  }

  down(event) {
    if (event.button !== 0) return;
    this.viewer.canvas.setPointerCapture(event.pointerId);
    if (this.eyedropper.getAttribute("aria-pressed") === "true") {
      this.take(this.viewer.colorAt(event));
      this.dip(false);
      return;
    }
    if (this.shape.value === "polygon") {
      this.points.push(this.viewer.place(event));
    } else {
      this.held = true;
      this.points = [this.viewer.place(event)];
    }
    this.draw();
  }

  move(event) {
    if (!this.held) return;
    const [x, y] = this.viewer.place(event);
    const [lastX, lastY] = this.points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) >= Math.max(2, this.brush / 2)) this.points.push([x, y]);
    this.draw();
  }

  up() {
    if (!this.held) return;
    const { points } = this;
    this.drop();
    this.mark(points.length === 1 ? { at: points[0] } : { stroke: points }, { radius: this.brush });
  }

  // A polygon is done.
  close() {
    if (this.shape.value !== "polygon" || !this.points.length) return;
    const points = this.points.filter((p, n, all) => !n || p[0] !== all[n - 1][0] || p[1] !== all[n - 1][1]);
    this.drop();
    if (points.length < 3) this.actions.say("a polygon needs three corners");
    else this.mark({ polygon: points }, {});
  }

  drop() {
    this.held = false;
    this.points = [];
    this.draw();
  }

  get brush() {
    return Math.min(500, Math.max(1, Number(this.radius.value) || 12));
  }

  mark(place, more) {
    const kind = this.kind.value;
    if (kind === "only-here" && !place.polygon) {
      this.actions.say("“only here” takes a polygon");
      return;
    }
    const color = kind === "color" ? { color: this.color } : {};
    this.actions.mark({ frame: this.viewer.frame, kind, ...place, ...more, ...color });
  }

  show(guidance) {
    this.guidance = guidance;
    this.draw();
  }

  draw() {
    const sheet = this.viewer.marks, { film, sides } = this.viewer;
    sheet.width = film.width * sides;
    sheet.height = film.height;
    const pen = sheet.getContext("2d");
    const line = Math.max(1, film.width / 500);
    for (const mark of this.guidance) {
      if (mark.frame === this.viewer.frame) this.outline(pen, mark, line);
    }
    if (this.points.length) {
      const polygon = this.shape.value === "polygon";
      this.outline(pen, polygon ? { polygon: this.points } : { stroke: this.points, radius: this.brush }, line);
    }
  }

  outline(pen, mark, line) {
    const trace = (points, closed) => {
      pen.beginPath();
      points.forEach(([x, y]) => pen.lineTo(x, y));
      if (closed) pen.closePath();
    };
    const circle = ([x, y]) => {
      pen.beginPath();
      pen.arc(x, y, mark.radius ?? 6, 0, 2 * Math.PI);
    };
    if (mark.at) circle(mark.at);
    else if (mark.polygon) trace(mark.polygon, mark.polygon.length > 2);
    else if (mark.stroke?.length === 1) circle(mark.stroke[0]);
    else if (mark.stroke) trace(mark.stroke, false);
    else return;
    for (const [width, color] of [[3 * line, "#000000"], [line, "#ffffff"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = color;
      pen.stroke();
    }
  }
}
