// <hl-region src="/callbacks/rows" topics="callback call" every="10" settle="250">: a part of the
// page that fetches itself again when something it shows has changed: at once, then at most every
// `settle` milliseconds however busy the floor is. It holds no form that is typed into: should focus
// be in an input of it all the same, the swap waits until the focus has left. With `piece="tabs"` it is
// a piece of the telephone (pieces.js), which comes together with the others.

import { request, swap, takesInput } from "./dom.js";
import { Looking } from "./looking.js";
import { join, leave, lookSoon } from "./pieces.js";

const SETTLE_MS = 250;
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
    const every = Number(this.getAttribute("every")) * 1000;
    this.topics = (this.getAttribute("topics") || "").split(" ").filter(Boolean);
    this.looking = new Looking(() => this.refresh(), {
      settle: Number(this.getAttribute("settle")) || SETTLE_MS,
      longest: every || LONGEST_WAIT_MS,
      stale: (old) => this.toggleAttribute("data-stale", old),
    });
    this.looking.follow((note) => this.hears(note), { every: every, opened: () => this.caughtUp() });
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    if (this.piece) leave(this.piece, this);
    else this.looking.stop();
    this.removeEventListener("focusout", this.onFocusOut);
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

  refreshSoon(ms) {
    if (this.piece) lookSoon();
    else this.looking.soon(ms);
  }

  async refresh() {
    const { body } = await request(this.getAttribute("src"));
    this.place(body);
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
