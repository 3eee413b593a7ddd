// One frame on a canvas, pixel by pixel; the next ones are fetched ahead.
import { picture } from "./api.js";

const AHEAD = 3;
const MOST_BYTES = 400e6; // of decoded pictures

export class Viewer {
  constructor(film, elements) {
    Object.assign(this, elements); // stage, box, canvas, marks
    this.film = film;
    this.frame = 0;
    this.view = "color";
    this.split = 0.5;
    this.zoom = 1;
    this.revision = 0;
    this.shown = null; // what the canvas holds: {frame, view, revision, final}
    this.kept = new Map(); // "view:frame:revision" → promise of a picture
    this.drawing = 0;
    this.fetching = null; // what is asked for now
    new ResizeObserver(() => this.fit()).observe(this.stage);
  }

  parts(view) {
    return ["color", "gray", "doubt"].includes(view) ? [view] : ["color", "gray"];
  }

  key(frame, view) {
    return `${view}:${frame}:${view === "gray" ? 0 : this.revision}`;
  }

  // A promise of a picture {image, final}, or of null; only final ones are kept.
  fetched(frame, view, how) {
    const key = this.key(frame, view);
    let found = this.kept.get(key);
    if (found) {
      this.kept.delete(key);
    } else {
      found = picture(frame, view, how);
      found.then((made) => { if (!made?.final) this.forget(key, found); }, () => this.forget(key, found));
    }
    this.kept.set(key, found); // the newest last
    const most = Math.max(8, Math.floor(MOST_BYTES / (4 * this.film.width * this.film.height)));
    for (const old of this.kept.keys()) {
      if (this.kept.size <= most) break;
      this.kept.get(old).then((made) => made?.image.close(), () => {});
      this.kept.delete(old);
    }
    return found;
  }

  forget(key, found) {
    if (this.kept.get(key) === found) this.kept.delete(key);
  }

  // Draws a frame as soon as it is there.  One is asked for at a time, so that who steps quickly
  // waits for where they are and not for all they passed.  Tells whether it is still the one wanted.
  async show(frame = this.frame) {
    this.frame = frame;
    const turn = ++this.drawing;
    document.body.classList.add("busy");
    await this.fetching?.catch(() => {});
    if (turn !== this.drawing) return false;
    const { view } = this;
    try {
      this.fetching = Promise.all(this.parts(view).map((v) => this.fetched(frame, v, "quick")));
      if (!this.put(await this.fetching, frame, view)) return false;
    } finally {
      if (turn === this.drawing) document.body.classList.remove("busy");
    }
    if (turn === this.drawing && !this.shown.final) this.settle(frame, view, turn);
    return turn === this.drawing;
  }

  // A quick picture is replaced by the film's as soon as that is made.
  async settle(frame, view, turn) {
    while (turn === this.drawing) {
      const images = await Promise.all(this.parts(view).map((v) => this.fetched(frame, v, "wait"))).catch(() => null);
      if (turn !== this.drawing) return;
      if (images?.every((made) => made?.final)) {
        this.put(images, frame, view);
        this.onsettled?.();
        return;
      }
      if (!images) await new Promise((done) => setTimeout(done, 1000));
    }
  }

  put(images, frame, view) {
    if (view !== this.view) return false;
    const { revision } = this;
    const final = images.every((made) => made.final);
    this.draw(images.map((made) => made.image), view);
    this.shown = { frame, view, revision, final };
    this.canvas.dataset.shown = `${frame} ${view} ${revision}${final ? "" : " quick"}`;
    this.onshown?.(final);
    return true;
  }

  // A small picture in place of the frame, while the film is played.
  play(image, frame, final) {
    const { width, height } = image; // the page makes it large again
    this.frame = frame;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.canvas.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0, width, height);
    this.shown = null;
    this.canvas.dataset.shown = `${frame} play${final ? "" : " gray"}`;
  }

  // The next frames, one by one, as long as nothing else is wanted; those that are made.
  async ahead(direction, stop) {
    const turn = this.drawing;
    for (let n = 1; n <= AHEAD; n++) {
      const frame = this.frame + direction * n;
      if (frame < 0 || frame >= stop) return;
      for (const view of this.parts(this.view)) {
        await this.fetched(frame, view, "made").catch(() => {});
        if (turn !== this.drawing) return;
      }
    }
    if (this.shown?.final && this.view === "color") this.oncolored?.();
  }

  draw(images, view) {
    const [first, second] = images;
    const wide = first.width, tall = first.height;
    this.canvas.width = view === "side" ? 2 * wide : wide;
    this.canvas.height = tall;
    const pen = this.canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(first, 0, 0);
    if (view === "side") pen.drawImage(second, wide, 0);
    if (view === "wipe") {
      const at = Math.round(this.split * wide);
      if (at > 0) pen.drawImage(second, 0, 0, at, tall, 0, 0, at, tall);
      pen.fillStyle = "#ffffff";
      pen.fillRect(at, 0, Math.max(1, Math.round(wide / 800)), tall);
    }
    if (view === "chroma") this.flatten(pen, second);
    this.fit();
  }

  // Color alone: the same for every lightness, on middle gray.
  flatten(pen, gray) {
    const { width, height } = this.canvas;
    const color = pen.getImageData(0, 0, width, height);
    const sheet = new OffscreenCanvas(width, height).getContext("2d");
    sheet.drawImage(gray, 0, 0);
    const luma = sheet.getImageData(0, 0, width, height).data;
    for (let i = 0; i < luma.length; i += 4) {
      for (let c = 0; c < 3; c++) color.data[i + c] += 128 - luma[i + c];
    }
    pen.putImageData(color, 0, 0);
  }

  get sides() {
    return this.view === "side" ? 2 : 1;
  }

  fit() {
    const wide = this.film.width * this.sides, tall = this.film.height;
    const scale = Math.min(this.stage.clientWidth / wide, this.stage.clientHeight / tall) * this.zoom;
    this.box.style.width = `${Math.max(1, Math.floor(wide * scale))}px`;
    this.box.style.height = `${Math.max(1, Math.floor(tall * scale))}px`;
    this.onfit?.();
  }

  zoomed(factor) {
    const { stage } = this;
    const across = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth;
    const down = (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight;
    this.zoom = factor ? Math.min(16, Math.max(1, this.zoom * factor)) : 1;
    this.fit();
    stage.scrollLeft = across * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = down * stage.scrollHeight - stage.clientHeight / 2;
  }

  // Where a pointer is, in pixels of the film as it is shown.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.film;
    const x = ((event.clientX - box.left) / box.width) * width * this.sides;
    const y = ((event.clientY - box.top) / box.height) * height;
    const round = (v, most) => Math.round(Math.min(most, Math.max(0, v)) * 10) / 10;
    return [round(x % width, width), round(y, height)];
  }

  // The color under a pointer, #rrggbb.
  colorAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = (v, low, size, pixels) =>
      Math.min(pixels - 1, Math.max(0, Math.floor(((v - low) / size) * pixels)));
    const x = at(event.clientX, box.left, box.width, this.canvas.width);
    const y = at(event.clientY, box.top, box.height, this.canvas.height);
    const [r, g, b] = this.canvas.getContext("2d").getImageData(x, y, 1, 1).data;
    return `#${[r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
  }
}
