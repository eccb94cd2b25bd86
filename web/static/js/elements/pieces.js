// What a page shows of the telephone comes in one request for all its pieces: after an event of one's own
// calls at once, and every ten seconds besides. An element joins with the name of its piece and says how
// its HTML is put in place; the server sends only what is not as the page has it.

import { FetchError, request } from "./dom.js";

const BURST_MS = 30; // the events of one transaction arrive together
const SETTLE_MS = 150; // between two requests of one's own events
const OTHERS_MS = 2000; // between two requests for what others do: a shift leader hears of every call
const EVERY_MS = 10000; // the queue's length changes without an event for this seat
const RETRY_MS = 2000;
const LONGEST_RETRY_MS = 30000;
export const TOPICS = ["agent", "call", "callback", "control", "draft", "pbx"];

const joined = new Map(); // name → { host, place, mark }
const state = { timer: 0, due: Infinity, asked: -Infinity, busy: false, again: false, retry: RETRY_MS };

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
export function lookSoon(ms = Math.max(BURST_MS, state.asked + SETTLE_MS - Date.now())) {
  const due = Date.now() + ms;
  if (due >= state.due) return;
  window.clearTimeout(state.timer);
  state.due = due;
  state.timer = window.setTimeout(look, ms);
}

async function look() {
  state.due = Infinity;
  if (state.busy) {
    state.again = true;
    return;
  }
  if (!joined.size) return;
  state.busy = true;
  state.asked = Date.now();
  try {
    const have = Array.from(joined, ([name, one]) => name + "." + one.mark).join(",");
    const { body } = await request("/seat/pieces?have=" + have);
    take(JSON.parse(body).pieces);
    state.retry = RETRY_MS;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    failed(error);
  } finally {
    state.busy = false;
  }
  if (!state.again) return;
  state.again = false;
  lookSoon();
}

function take(pieces) {
  joined.forEach((one, name) => {
    one.host.removeAttribute("data-stale");
    if (!pieces[name]) return;
    one.mark = one.place(pieces[name].html) === false ? "" : pieces[name].mark;
  });
}

function failed(error) {
  joined.forEach((one) => one.host.setAttribute("data-stale", ""));
  if (error.status >= 400 && error.status < 500 && error.status !== 429) return;
  lookSoon(state.retry);
  state.retry = Math.min(state.retry * 2, LONGEST_RETRY_MS);
}

// Whether an event is of this seat: its own call, its own state, its own drafts.
function mine(note) {
  const frame = document.querySelector("[data-user]");
  const data = note.data || {};
  if (note.topic === "agent") return Boolean(frame) && String(note.ref) === frame.getAttribute("data-user");
  if (note.topic !== "call" || data.extension === undefined) return note.topic !== "callback" && note.topic !== "pbx";
  return !frame || String(data.extension) === frame.getAttribute("data-extension");
}

function heard(event) {
  if (!TOPICS.includes(event.detail.topic)) return;
  if (mine(event.detail)) lookSoon();
  else lookSoon(Math.max(BURST_MS, state.asked + OTHERS_MS - Date.now()));
}

let listening = false;
function listen() {
  if (listening) return;
  listening = true;
  document.addEventListener("hl:live", heard);
  document.addEventListener("hl:socket", (event) => event.detail.state === "open" && lookSoon());
  document.addEventListener("hl:reset", () => lookSoon());
  window.setInterval(() => document.hidden || lookSoon(), EVERY_MS);
}
