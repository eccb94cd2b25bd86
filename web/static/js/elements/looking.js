// How an element keeps up with the server: it looks when it hears that something changed, looks again when
// that was while it looked, and tries later, with growing pauses, when the server could not be reached.

import { FetchError } from "./dom.js";

const BURST_MS = 30; // the events of one transaction arrive together
const RETRY_MS = 1000;
const LONGEST_MS = 30000;

/** Whether a failed look is worth another by itself: what the server refused it will refuse again. */
function passes(error) {
  return error.status < 400 || error.status >= 500 || error.status === 429;
}

/**
 * Calls `look` (async; throws FetchError), one at a time. What is heard within `burst` ms is one look, and
 * two looks are `settle` ms apart. Pauses after a failure grow from `retry` to `longest` ms. `stale(true)`
 * and `stale(false)` say whether what is shown may be old.
 */
export class Looking {
  constructor(look, options = {}) {
    const usual = { burst: BURST_MS, settle: 0, retry: RETRY_MS, longest: LONGEST_MS, stale: () => {} };
    Object.assign(this, usual, options);
    this.look = look;
    this.pause = this.retry;
    this.asked = -Infinity;
    this.due = Infinity;
  }

  /**
   * Listen until `stop`. `hears(note)` answers whether an event is a reason to look; `opened` is called when
   * the line to the server is there (again); besides, every `every` ms while the page is seen.
   */
  follow(hears, { every = 0, opened = () => this.soon() } = {}) {
    this.listeners = {
      "hl:live": (event) => hears(event.detail) && this.soon(),
      "hl:socket": (event) => event.detail.state === "open" && opened(),
      "hl:reset": () => this.soon(),
    };
    Object.keys(this.listeners).forEach((name) => document.addEventListener(name, this.listeners[name]));
    if (every) this.poll = window.setInterval(() => document.hidden || this.retrying || this.soon(), every);
  }

  stop() {
    this.stopped = true;
    Object.keys(this.listeners).forEach((name) => document.removeEventListener(name, this.listeners[name]));
    window.clearInterval(this.poll);
    window.clearTimeout(this.timer);
  }

  /** How long until the next look may be, with `settle` ms between it and the last one. */
  wait(settle = this.settle) {
    return Math.max(this.burst, this.asked + settle - window.performance.now());
  }

  /** Look within `ms`, unless a look is due before: a burst never puts off the one that is due. */
  soon(ms = this.wait()) {
    const due = window.performance.now() + ms;
    if (this.stopped || due >= this.due) return;
    window.clearTimeout(this.timer);
    this.due = due;
    this.timer = window.setTimeout(() => this.now(), ms);
  }

  async now() {
    this.due = Infinity;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.retrying = false;
    this.asked = window.performance.now();
    try {
      await this.look();
      this.pause = this.retry;
      this.stale(false);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.failed(error);
    } finally {
      this.busy = false;
    }
    if (!this.again) return;
    this.again = false;
    this.soon();
  }

  failed(error) {
    this.stale(true);
    if (!passes(error)) return;
    this.retrying = true;
    this.soon(this.pause);
    this.pause = Math.min(this.pause * 2, this.longest);
  }
}
