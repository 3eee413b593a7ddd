// What the page asks the desk for.  All addresses are relative: the token is the path's first part.

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function asked(path, options) {
  const reply = await fetch(path, options);
  if (!reply.ok) throw new Refused(reply.status, await reply.text());
  return reply;
}

export const get = async (path, signal) => (await asked(path, { signal })).json();

export const post = async (path, said) =>
  (await asked(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(said),
  })).json();

export const send = async (path, file) =>
  (await asked(path, { method: "POST", headers: { "Content-Type": file.type }, body: file })).json();

// The frame's pixels as they are: no color management may change what is compared.  `how` says
// whether it may be a quick one ("quick"), and what is done where its color is not made: "made":
// nothing, "wait": it is waited for.  Gives {image, final}, or null where it is not made.
export async function picture(frame, view, how, signal) {
  const reply = await asked(`api/frame/${frame}.png?view=${view}&how=${how}`, { signal });
  if (reply.status === 204) return null;
  const image = await createImageBitmap(await reply.blob(), { colorSpaceConversion: "none" });
  return { image, final: reply.headers.get("Pycolor-Final") === "yes" };
}

// A small picture, to be played: {image, final}; it is gray as long as its color is not made.
export async function small(frame) {
  const reply = await asked(`api/small/${frame}.jpg`, {});
  const final = reply.headers.get("Pycolor-Final") === "yes";
  return { image: await createImageBitmap(await reply.blob()), final };
}

// Whether the color of a frame is made.
export async function isMade(frame) {
  const reply = await fetch(`api/thumbnail/${frame}.jpg`).catch(() => null);
  return reply?.headers.get("Pycolor-Final") === "yes";
}
