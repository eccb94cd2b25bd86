// <hl-region src="/callbacks/rows" topics="callback call" every="10" settle="250">: a part of the
// page that fetches itself again when something it shows has changed: at once, then at most every
// `settle` milliseconds however busy the floor is. It holds no form that is typed into: should focus
// be in an input of it all the same, the swap waits until the focus has left. With `piece="tabs"` it is
// a piece of the telephone (pieces.js), which comes together with the others.

import { FetchError, request, swap, takesInput } from "./dom.js";
import { join, leave, lookSoon } from "./pieces.js";

const SETTLE_MS = 250;
const BURST_MS = 30; // the events of one transaction arrive together
const LONGEST_WAIT_MS = 30000;

export class HlRegion extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.piece = this.getAttribute("piece");
    this.onFocusOut = () => this.waiting && this.refreshSoon();
    this.addEventListener("focusout", this.onFocusOut);
    if (this.piece) join(this.piece, this, (html) => this.place(html));
    else this.follow();
  }

  follow() {
    this.retryMs = 1000;
    this.settle = Number(this.getAttribute("settle")) || SETTLE_MS;
    this.asked = 0;
    this.topics = (this.getAttribute("topics") || "").split(" ").filter(Boolean);
    this.onLive = (event) => this.hears(event.detail) && this.refreshSoon();
    this.onSocket = (event) => event.detail.state === "open" && this.caughtUp();
    this.onReset = () => this.refreshSoon();
    document.addEventListener("hl:live", this.onLive);
    document.addEventListener("hl:socket", this.onSocket);
    document.addEventListener("hl:reset", this.onReset);
    const every = Number(this.getAttribute("every"));
    if (every) this.poll = window.setInterval(() => document.hidden || this.refresh(), every * 1000);
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    if (this.piece) leave(this.piece, this);
    document.removeEventListener("hl:live", this.onLive);
    document.removeEventListener("hl:socket", this.onSocket);
    document.removeEventListener("hl:reset", this.onReset);
    this.removeEventListener("focusout", this.onFocusOut);
    window.clearInterval(this.poll);
    window.clearTimeout(this.timer);
    this.wired = false;
  }

  // With `refs`, only what is shown here matters: elements carry their id as data-ref.
  hears(note) {
    if (!this.topics.includes(note.topic)) return false;
    return !this.hasAttribute("refs") || this.querySelector(`[data-ref="${note.topic}-${note.ref}"]`) !== null;
  }

  // The first opening belongs to the page that has just been rendered; later ones follow a gap.
  caughtUp() {
    if (this.opened) this.refreshSoon();
    this.opened = true;
  }

  refreshSoon(ms = Math.max(BURST_MS, this.asked + this.settle - Date.now())) {
    if (this.piece) {
      lookSoon();
      return;
    }
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.refresh(), ms);
  }

  async refresh() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.asked = Date.now();
    try {
      const { body } = await request(this.getAttribute("src"));
      this.retryMs = 1000;
      this.removeAttribute("data-stale");
      this.place(body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.failed(error);
    } finally {
      this.busy = false;
    }
    if (this.again) {
      this.again = false;
      this.refreshSoon();
    }
  }

  failed(error) {
    this.setAttribute("data-stale", "");
    if (error.status >= 400 && error.status < 500) return;
    this.refreshSoon(this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_WAIT_MS);
  }

  // False when it cannot be put in place now.
  place(html) {
    const focused = document.activeElement;
    const inside = focused && focused !== this && this.contains(focused);
    const open = this.querySelector("details[open]");
    if ((inside && takesInput(focused)) || open) {
      this.waiting = true;
      if (open && !this.piece) this.refreshSoon(3000);
      return false;
    }
    this.waiting = false;
    const key = inside ? focused.getAttribute("data-key") : null;
    if (html === this.last) return true;
    this.last = html;
    swap(this, html);
    const again = key && Array.from(this.querySelectorAll("[data-key]")).find((e) => e.getAttribute("data-key") === key);
    if (again) again.focus({ preventScroll: true });
    this.dispatchEvent(new CustomEvent("hl:swapped", { bubbles: true }));
    return true;
  }
}

customElements.define("hl-region", HlRegion);
