// The strip of shots: only those in sight are in the page, so that 800 scroll as 8 do.

import { isMade } from "./api.js";

const PITCH = 124; // pixels from one shot to the next
const AT_ONCE = 2; // thumbnails that are asked for: a frame never waits behind all that was passed
const REST = 80; // milliseconds after which the strip stands still
const SIGNS = { new: "·", accepted: "✓", rejected: "✗", changed: "△" };
export const WARNINGS = { jump: "color jump", hues: "two hues", gray: "gray patch", skin: "skin", doubt: "doubt" };
const OPEN = { rejected: 0, changed: 1, new: 2, accepted: 3 };

export class Strip {
  constructor(elements, onchoose) {
    Object.assign(this, elements); // strip, reel, find, order, count
    this.onchoose = onchoose;
    this.shots = [];
    this.listed = []; // indices of shots, in the order of the strip
    this.chosen = -1;
    this.needs = []; // of each shot: {score, warnings}, or nothing yet
    this.tiles = new Map();
    this.made = new Set(); // digests of shots whose color was made since the page was opened
    this.images = new Map(); // address → thumbnail, so that it is not fetched again
    this.strip.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()), { passive: true });
    for (const field of [this.find, this.order]) {
      field.addEventListener("input", () => {
        this.list();
        this.choose(this.chosen);
      });
    }
    this.loading = 0; // thumbnails that are on their way
    new ResizeObserver(() => this.draw()).observe(this.strip);
  }

  show(shots) {
    this.shots = shots;
    this.needs = this.matched();
    this.list();
  }

  // What is known of shots, by the first frame that each has to itself.
  tell(found) {
    this.found = found;
    this.needs = this.matched();
    this.list();
  }

  matched() {
    const starts = Object.keys(this.found ?? {}).map(Number).sort((a, b) => a - b);
    let at = 0;
    return this.shots.map(({ start, stop }) => {
      while (at < starts.length && starts[at] < start) at++;
      return starts[at] < stop ? this.found[starts[at]] : undefined;
    });
  }

  list() {
    const word = this.find.value.trim().toLowerCase();
    const warned = (n) => this.needs[n]?.warnings.some(({ kind }) => WARNINGS[kind].includes(word));
    const fits = (shot, n) =>
      !word || warned(n) || String(n + 1) === word || shot.shown_state.startsWith(word) || shot.notes.toLowerCase().includes(word);
    this.listed = this.shots.map((_, n) => n).filter((n) => fits(this.shots[n], n));
    const { shots } = this;
    if (this.order.value === "open") {
      this.listed.sort((a, b) => OPEN[shots[a].shown_state] - OPEN[shots[b].shown_state] || a - b);
    } else if (this.order.value === "need") {
      const done = (n) => Number(shots[n].shown_state === "accepted");
      const need = (n) => this.needs[n]?.score ?? 0;
      this.listed.sort((a, b) => done(a) - done(b) || need(b) - need(a) || a - b);
    } else if (this.order.value === "length") {
      this.listed.sort((a, b) => shots[b].stop - shots[b].start - shots[a].stop + shots[a].start || a - b);
    }
    const accepted = shots.filter((shot) => shot.shown_state === "accepted").length;
    const looked = this.needs.filter(Boolean).length;
    const looking = looked && looked < shots.length ? `, looked through ${looked}` : "";
    this.count.textContent = `${this.listed.length} of ${shots.length} shots, ${accepted} accepted${looking}`;
    this.reel.style.width = `${this.listed.length * PITCH}px`;
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    this.draw();
  }

  // The color of a shot is made: its thumbnail is gray no longer.
  async colored(n) {
    const { digest, start, stop } = this.shots[n];
    if (this.made.has(digest) || !(await isMade((start + stop) >> 1))) return;
    this.made.add(digest);
    if (this.shots[n]?.digest !== digest) return;
    this.tiles.get(n)?.remove();
    this.tiles.delete(n);
    this.draw();
  }

  choose(n) {
    this.chosen = n;
    const at = this.listed.indexOf(n);
    if (at >= 0) {
      const left = at * PITCH, { strip } = this;
      if (left < strip.scrollLeft) strip.scrollLeft = left;
      if (left + PITCH > strip.scrollLeft + strip.clientWidth) strip.scrollLeft = left + PITCH - strip.clientWidth;
    }
    for (const [index, tile] of this.tiles) tile.setAttribute("aria-selected", String(index === n));
    this.draw();
    this.strip.setAttribute("aria-activedescendant", `shot-${n}`);
  }

  // The shot that stands so many places further in the strip.
  beside(n, steps) {
    const at = this.listed.indexOf(n);
    if (at < 0) return Math.min(this.shots.length - 1, Math.max(0, n + steps));
    return this.listed[Math.min(this.listed.length - 1, Math.max(0, at + steps))];
  }

  draw() {
    const { scrollLeft, clientWidth } = this.strip;
    const first = Math.max(0, Math.floor(scrollLeft / PITCH) - 2);
    const stop = Math.min(this.listed.length, Math.ceil((scrollLeft + clientWidth) / PITCH) + 2);
    const wanted = new Set(this.listed.slice(first, stop));
    for (const [n, tile] of this.tiles) {
      if (!wanted.has(n)) {
        tile.remove();
        this.tiles.delete(n);
      }
    }
    for (let at = first; at < stop; at++) {
      const n = this.listed[at];
      if (this.tiles.has(n)) continue;
      const tile = this.tile(n);
      tile.style.left = `${at * PITCH}px`;
      this.tiles.set(n, tile);
      this.reel.append(tile);
    }
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.load(), REST);
  }

  // Asks for the thumbnails of the tiles that are in the page.
  load() {
    for (const tile of this.tiles.values()) {
      if (this.loading >= AT_ONCE) return;
      const image = tile.firstChild;
      if (image.hasAttribute("src")) continue;
      this.loading++;
      const done = () => {
        this.loading--;
        this.load();
      };
      image.addEventListener("load", done, { once: true });
      image.addEventListener("error", done, { once: true });
      image.src = image.dataset.src;
    }
  }

  tile(n) {
    const shot = this.shots[n];
    const tile = document.createElement("div");
    tile.id = `shot-${n}`;
    tile.className = `shot ${shot.shown_state}`;
    tile.setAttribute("role", "option");
    tile.setAttribute("aria-selected", String(n === this.chosen));
    tile.setAttribute("aria-label", `shot ${n + 1}, ${shot.shown_state}, ${shot.stop - shot.start} frames`);
    const made = this.made.has(shot.digest) ? "&made" : "";
    const src = `api/thumbnail/${(shot.start + shot.stop) >> 1}.jpg?of=${shot.digest.slice(0, 12)}${made}`;
    const image = this.images.get(src) ?? document.createElement("img");
    if (!image.dataset.src) {
      image.alt = "";
      image.dataset.src = src;
      this.images.set(src, image);
      if (this.images.size > 200) this.images.delete(this.images.keys().next().value);
    }
    const words = document.createElement("span");
    words.textContent = `${SIGNS[shot.shown_state]} ${n + 1}  ${shot.stop - shot.start} fr`;
    tile.append(image, words);
    const warnings = this.needs[n]?.warnings ?? [];
    if (warnings.length) {
      const sign = document.createElement("span");
      sign.className = "warning";
      sign.textContent = `⚠ ${WARNINGS[warnings[0].kind]}${warnings.length > 1 ? ` +${warnings.length - 1}` : ""}`;
      tile.title = warnings.map((warning) => warning.text).join("; ");
      tile.setAttribute("aria-label", `${tile.getAttribute("aria-label")}; look at: ${tile.title}`);
      tile.append(sign);
    }
    tile.addEventListener("click", () => this.onchoose(n));
    return tile;
  }
}
