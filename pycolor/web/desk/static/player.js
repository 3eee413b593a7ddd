// A shot played at the film's speed, in a loop, of small pictures.  It stands where none is there
// yet: in the first loop, if the machine is slow; what the page is too slow for is left out.
import { small } from "./api.js";

const AHEAD = 24; // pictures that are asked for before they are due
const AT_ONCE = 4;
const MOST = 300; // pictures that are kept

export class Player {
  constructor(viewer, told) {
    this.viewer = viewer;
    this.told = told; // told(frame): a frame is shown
    this.direction = 0;
    this.kept = new Map(); // frame → {image, final}, of this shot
  }

  get playing() {
    return this.direction !== 0;
  }

  // Plays from a frame on, until `stop`.
  async play(direction, frame, { start, stop }, rate) {
    this.stop();
    const turn = (this.turn = (this.turn ?? 0) + 1);
    Object.assign(this, { direction, frame, first: start, length: stop - start, asked: 0 });
    this.viewer.drawing++; // what was to be shown is not wanted any more
    this.revision = this.viewer.revision;
    const begun = () => this.kept.get(this.at(6)) || this.length < 7;
    this.fetch(turn);
    for (let n = 0; n < 40 && !begun() && turn === this.turn; n++) await new Promise((done) => setTimeout(done, 25));
    let since = null;
    const draw = (now) => {
      if (turn !== this.turn || !this.playing) return;
      since ??= now;
      const due = Math.min(Math.floor(((now - since) * rate) / 1000), this.length);
      if (due > 0) {
        let steps = due;
        while (steps > 0 && !this.kept.get(this.at(steps))) steps--;
        since = steps === due ? since + (due * 1000) / rate : now;
        if (steps > 0) {
          this.frame = this.at(steps);
          this.show(this.kept.get(this.frame));
        } else {
          since = now - 1000 / rate;
        }
        this.fetch(turn);
      }
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  // The frame that is due so many frames later.
  at(steps) {
    const { length } = this;
    const place = (this.frame - this.first + this.direction * steps) % length;
    return this.first + ((place + length) % length);
  }

  show({ image, final }) {
    this.viewer.play(image, this.frame, final);
    this.told(this.frame);
  }

  // Asks for what is due next, a few at once.
  fetch(turn) {
    for (let n = 0; n < Math.min(AHEAD, this.length) && this.asked < AT_ONCE; n++) {
      const frame = this.at(n);
      if (this.kept.has(frame)) continue;
      this.kept.set(frame, null);
      for (const old of this.kept.keys()) {
        if (this.kept.size <= MOST) break;
        this.kept.get(old)?.image.close();
        this.kept.delete(old);
      }
      this.asked++;
      small(frame)
        .then((made) => {
          if (turn !== this.turn) made.image.close();
          else if (made.final) this.kept.set(frame, made);
          else {
            this.kept.set(frame, made);
            setTimeout(() => this.kept.delete(frame), 2000); // it may have its color by then
          }
        })
        .catch(() => this.kept.delete(frame))
        .finally(() => {
          if (turn !== this.turn) return;
          this.asked--;
          if (this.playing) this.fetch(turn);
        });
    }
  }

  stop() {
    this.direction = 0;
    this.turn = (this.turn ?? 0) + 1;
    for (const made of this.kept.values()) made?.image.close();
    this.kept.clear();
  }
}
