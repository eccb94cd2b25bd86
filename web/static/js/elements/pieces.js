// What a page shows of the telephone comes in one request for all its pieces: after an event of one's own
// calls at once, and every ten seconds besides. An element joins with the name of its piece and says how
// its HTML is put in place; the server sends only what is not as the page has it.

import { request } from "./dom.js";
import { Looking } from "./looking.js";

const SETTLE_MS = 150; // between two requests of one's own events
const OTHERS_MS = 2000; // between two requests for what others do: a shift leader hears of every call
const EVERY_MS = 10000; // the queue's length changes without an event for this seat
const RETRY_MS = 2000;
export const TOPICS = ["agent", "call", "callback", "control", "draft", "pbx"];

const joined = new Map(); // name → { host, place, mark }
const looking = new Looking(look, { settle: SETTLE_MS, retry: RETRY_MS, longest: EVERY_MS, stale: stale });

/**
 * Fetch the piece `name` for `host` from now on. `place(html)` puts it in place and answers false when it
 * cannot now (somebody types there): it is handed the piece once more with the next look.
 */
export function join(name, host, place) {
  if (!joined.size) listen();
  joined.set(name, { host: host, place: place, mark: "" });
}

/** `host` is gone from the page. */
export function leave(name, host) {
  const found = joined.get(name);
  if (found && found.host === host) joined.delete(name);
}

/** What the page shows of the piece came from elsewhere: fetch it with the next look in any case. */
export function forget(name) {
  if (joined.has(name)) joined.get(name).mark = "";
}

/** Look within `ms`, unless a look is due before. */
export function lookSoon(ms) {
  looking.soon(ms);
}

async function look() {
  if (!joined.size) return;
  const have = Array.from(joined, ([name, one]) => name + "." + one.mark).join(",");
  const { body } = await request("/seat/pieces?have=" + have);
  take(JSON.parse(body).pieces);
}

function take(pieces) {
  joined.forEach((one, name) => {
    if (!pieces[name]) return;
    one.mark = one.place(pieces[name].html) === false ? "" : pieces[name].mark;
  });
}

function stale(old) {
  joined.forEach((one) => one.host.toggleAttribute("data-stale", old));
}

// Whether an event is of this seat: its own call, its own state, its own drafts.
function mine(note) {
  const frame = document.querySelector("[data-user]");
  const data = note.data || {};
  if (note.topic === "agent") return Boolean(frame) && String(note.ref) === frame.getAttribute("data-user");
  if (note.topic !== "call" || data.extension === undefined) return note.topic !== "callback" && note.topic !== "pbx";
  return !frame || String(data.extension) === frame.getAttribute("data-extension");
}

function hears(note) {
  if (!TOPICS.includes(note.topic)) return false;
  if (mine(note)) return true;
  looking.soon(looking.wait(OTHERS_MS));
  return false;
}

let listening = false;
function listen() {
  if (listening) return;
  listening = true;
  looking.follow(hears, { every: EVERY_MS });
}
