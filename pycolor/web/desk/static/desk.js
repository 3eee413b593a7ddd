// The desk: what the parts of the page say to each other, and the keys.
import { get, post, send } from "./api.js";
import { Copier } from "./copier.js";
import { Deliver } from "./deliver.js";
import { Panel } from "./panel.js";
import { Player } from "./player.js";
import { Strip } from "./strip.js";
import { Tools } from "./tools.js";
import { Viewer } from "./viewer.js";

const by = (id) => document.getElementById(id);
const CONFLICT = 409;
const LOOK_AGAIN = 2000; // milliseconds, for what another page has changed

let state, viewer, player, tools, copier, at = -1; // at: the shot that is looked at
let saving = Promise.resolve(); // changes go one after the other

const say = (text) => { by("message").textContent = text; };
const shotAt = (frame) => state.shots.findIndex((shot) => frame < shot.stop);

function timecode(frame) {
  const { rate, timecode: start } = state.film;
  const fps = Math.round(rate);
  const [h, m, s, f] = (start || "00:00:00:00").split(/[:;]/).map(Number);
  if ((start || "").includes(";")) return `frame ${frame}`; // drop frame: told per shot
  const all = ((h * 60 + m) * 60 + s) * fps + f + frame;
  const two = (v) => String(v).padStart(2, "0");
  const seconds = Math.floor(all / fps);
  return [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60, all % fps].map(two).join(":");
}

const strip = new Strip(
  { strip: by("strip"), reel: by("reel"), find: by("find"), order: by("order"), count: by("count") },
  (n) => go(state.shots[n].start),
);
const panel = new Panel(by, {
  set: (shot, values) => change({ do: "set", shot, values }),
  go: (frame) => go(frame),
  unmark: (shot, entry) => change({ do: "unmark", shot, entry }),
});

async function go(frame, direction = 1) {
  frame = Math.min(state.film.frames - 1, Math.max(0, frame));
  viewer.frame = frame;
  const number = shotAt(frame);
  if (number !== at) {
    at = number;
    strip.choose(at);
    panel.show(at, state.shots[at]);
    panel.warn(strip.needs[at]?.warnings ?? []);
  }
  tell(frame);
  by("export").href = `api/frame/${frame}.png?view=color&download`;
  by("export").download = `frame-${String(frame).padStart(6, "0")}.png`;
  tools.drop();
  tools.show(state.shots[at].guidance);
  try {
    if (await viewer.show(frame)) viewer.ahead(direction, state.film.frames);
  } catch (error) {
    say(error.message);
  }
}

// -- changes --------------------------------------------------------------------------------------

function change(said) {
  saving = saving.then(() => changed(() => post("api/edit", { ...said, revision: state.revision })));
  return saving;
}

async function changed(ask) {
  try {
    const answer = await ask();
    for (const { at: first, removed, shots } of answer.parts) state.shots.splice(first, removed, ...shots);
    Object.assign(state, { revision: answer.revision, undo: answer.undo, redo: answer.redo });
    say("");
    redraw(); // the next change need not wait for the picture
    return true;
  } catch (error) {
    if (error.status === CONFLICT) await load();
    else if (at >= 0) panel.show(at, state.shots[at]);
    say(error.message);
    return false;
  }
}

async function redraw() {
  viewer.revision = state.revision;
  for (const step of ["undo", "redo"]) {
    by(step).disabled = !state[step];
    by(step).title = `${step === "undo" ? "Z" : "Shift+Z"}${state[step] ? `: ${state[step]}` : ""}`;
  }
  strip.show(state.shots);
  at = -1;
  await go(viewer.frame);
}

async function load() {
  state = await get("api/state");
  panel.palette(state.palette, (color) => tools.take(color));
  if (viewer) await redraw();
}

const review = (verdict) => {
  const said = { shot: at, state: verdict, seen: state.shots[at].digest, reviewer: by("reviewer").value };
  if (viewer.shown?.revision !== state.revision || shotAt(viewer.shown.frame) !== at) {
    say("wait until the frame is shown");
    return;
  }
  if (!viewer.shown.final && verdict === "accepted") {
    say("wait until the frame is as it will be in the film: its shot is being colored");
    return;
  }
  if (state.shots[at].shown_state === verdict) said.state = "new"; // once more takes it back
  change({ do: "review", ...said });
};

const moveCut = (by_) => {
  const frame = state.shots[at].start + by_;
  if (at > 0) change({ do: "move-cut", shot: at, frame });
};

// The shot's opening: a gradual one lies with its middle on the cut.
function openSo() {
  const { start } = state.shots[at];
  const kind = by("opening").value, frames = Number(by("opening-frames").value) || 2;
  const first = kind === "cut" ? start : start - Math.floor(frames / 2);
  change({ do: "transition", shot: at, kind, start: first, stop: kind === "cut" ? start : first + frames });
}

// -- playing --------------------------------------------------------------------------------------

function play(direction) {
  if (viewer.view !== "color") look("color");
  by("quick").hidden = true;
  player.play(direction, viewer.frame, state.shots[at], state.film.rate);
}

const tell = (frame) => {
  by("place").value = `frame ${frame} of ${state.film.frames} · ${timecode(frame)}`;
};

// The frame at which the film stands is shown as it is.
function stop() {
  if (!player.playing) return undefined;
  player.stop();
  return go(viewer.frame);
}

// -- an editor of pictures ---------------------------------------------------------------------------

async function toEditor() {
  const { frame } = viewer;
  say(`frame ${frame} is being written …`);
  try {
    const { path } = await post("api/editor", { frame });
    await navigator.clipboard?.writeText(path).catch(() => {});
    say(`open ${path} in an editor; as soon as it is saved there, it leads this shot`);
  } catch (error) {
    say(error.message);
  }
}

// -- keys -----------------------------------------------------------------------------------------

const look = (view) => {
  viewer.view = view;
  for (const button of by("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  by("wipe-label").hidden = view !== "wipe";
  go(viewer.frame);
};

function nextOpen() {
  const { shots } = state;
  for (let n = 1; n <= shots.length; n++) {
    const other = (at + n) % shots.length;
    if (shots[other].shown_state !== "accepted") return go(shots[other].start);
  }
  say("all shots are accepted");
  return undefined;
}

const toShot = (steps) => go(state.shots[strip.beside(at, steps)].start);

const KEYS = {
  arrowleft: (shift) => go(viewer.frame - (shift ? 10 : 1), -1),
  arrowright: (shift) => go(viewer.frame + (shift ? 10 : 1)),
  arrowup: () => toShot(-1),
  arrowdown: () => toShot(1),
  home: () => go(state.shots[at].start),
  end: () => go(state.shots[at].stop - 1),
  j: () => play(-1),
  k: stop,
  l: () => play(1),
  a: () => review("accepted"),
  r: () => review("rejected"),
  n: nextOpen,
  z: (shift) => change({ do: shift ? "redo" : "undo" }),
  s: () => change({ do: "split", frame: viewer.frame }),
  m: () => change({ do: "merge", shot: at }),
  e: () => tools.dip(),
  x: toEditor,
  c: () => copier.open(at),
  ",": () => moveCut(-1),
  ".": () => moveCut(1),
  "+": () => viewer.zoomed(1.5),
  "=": () => viewer.zoomed(1.5),
  "-": () => viewer.zoomed(1 / 1.5),
  0: () => viewer.zoomed(0),
  1: () => look("color"),
  2: () => look("gray"),
  3: () => look("wipe"),
  4: () => look("side"),
  5: () => look("chroma"),
  6: () => look("doubt"),
  w: () => {
    by("order").value = by("order").value === "need" ? "film" : "need";
    strip.list();
    strip.choose(at);
  },
  "?": () => by("keys").showModal(),
  enter: () => tools.close(),
  escape: () => tools.drop(),
};

function pressed(event) {
  const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, dialog");
  const sliding = event.target.matches("input[type=range]") && event.key.startsWith("Arrow");
  const pushing = event.target.closest("button, a") && event.key === "Enter";
  if (typing || sliding || pushing || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() !== "z") return;
  const act = KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  if (!"jlk".includes(event.key.toLowerCase())) stop();
  act(event.shiftKey);
}

// -- the page -------------------------------------------------------------------------------------

function wire() {
  const clicks = {
    accept: () => review("accepted"),
    reject: () => review("rejected"),
    undo: () => change({ do: "undo" }),
    redo: () => change({ do: "redo" }),
    split: () => change({ do: "split", frame: viewer.frame }),
    merge: () => change({ do: "merge", shot: at }),
    earlier: () => moveCut(-1),
    later: () => moveCut(1),
    help: () => by("keys").showModal(),
    "zoom-in": () => viewer.zoomed(1.5),
    "zoom-out": () => viewer.zoomed(1 / 1.5),
    "zoom-fit": () => viewer.zoomed(0),
    "to-editor": toEditor,
    "same-as": () => change({ do: "same-as", shot: at, as: Number(by("same").value) - 1 }),
    "copy-to": () => copier.open(at),
    "keep-color": keepColor,
    "draw-to": () => change({ do: "palette", shot: at, colors: state.palette }),
    "open-so": openSo,
  };
  for (const [id, act] of Object.entries(clicks)) by(id).addEventListener("click", act);
  for (const button of by("views").children) {
    button.addEventListener("click", () => look(button.dataset.view));
  }
  by("wipe").addEventListener("input", () => {
    viewer.split = by("wipe").value / 1000;
    viewer.show();
  });
  by("still").addEventListener("change", () => drop(by("still").files));
  by("stage").addEventListener("dragover", (event) => event.preventDefault());
  by("stage").addEventListener("drop", (event) => {
    event.preventDefault();
    drop(event.dataTransfer.files);
  });
  by("frame").addEventListener("pointerdown", stop);
  document.addEventListener("keydown", pressed);
  by("reviewer").value = localStorage.getItem("reviewer") ?? "";
  by("reviewer").addEventListener("change", () => localStorage.setItem("reviewer", by("reviewer").value));
}

async function keepColor() {
  const colors = [...new Set([...state.palette, tools.color])];
  try {
    state.palette = (await post("api/palette", { colors })).palette;
    panel.palette(state.palette, (color) => tools.take(color));
  } catch (error) {
    say(error.message);
  }
}

function drop(files) {
  const [file] = files;
  if (!file) return;
  // An exported frame that comes back says by its name which frame it is.
  const named = /frame-(\d+)/.exec(file.name);
  const frame = named ? Number(named[1]) : viewer.frame;
  saving = saving.then(async () => {
    const path = `api/still?frame=${frame}&revision=${state.revision}`;
    if (await changed(() => send(path, file))) await go(frame);
    by("still").value = "";
  });
}

async function lookAgain() {
  if (document.hidden) return;
  try {
    const found = await get(`api/state?since=${state.revision}`);
    if (found.shots && found.revision !== state.revision) {
      await saving;
      if (found.revision !== state.revision) {
        await load();
        say("the plan was changed elsewhere; this is its newest state");
      }
    }
    const needs = await get(`api/needs?since=${lookAgain.needs ?? 0}`);
    if (needs.shots) {
      lookAgain.needs = needs.serial;
      strip.tell(needs.shots);
      strip.choose(at);
      panel.warn(strip.needs[at]?.warnings ?? []);
    }
    const [latest] = found.news.slice(-1);
    if (latest && latest.number > (lookAgain.number ?? 0)) {
      lookAgain.number = latest.number;
      say(latest.text);
    }
  } catch {
    say("the desk does not answer; is it still running?");
  }
}

async function begin() {
  await load();
  by("film").textContent = document.title = `${state.film.name} · pycolor desk`;
  panel.choices(state);
  viewer = new Viewer(state.film, {
    stage: by("stage"), box: by("picture"), canvas: by("frame"), marks: by("marks"),
  });
  player = new Player(viewer, tell);
  tools = new Tools(viewer, {
    kind: by("kind"), shape: by("shape"), radius: by("radius"),
    picker: by("picker"), hex: by("hex"), eyedropper: by("eyedropper"),
  }, { say, mark: (entry) => change({ do: "mark", ...entry }) });
  viewer.onshown = (final) => { by("quick").hidden = final; };
  viewer.onsettled = () => viewer.ahead(1, state.film.frames);
  viewer.oncolored = () => strip.colored(at);
  wire();
  copier = new Copier(by, { copy: change, shots: () => state.shots, say });
  new Deliver(by, say);
  await redraw();
  lookAgain.number = state.news.at(-1)?.number;
  setInterval(lookAgain, LOOK_AGAIN);
}

begin().catch((error) => say(error.message));
