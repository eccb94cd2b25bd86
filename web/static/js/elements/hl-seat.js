// <hl-seat piece="state">: the agent's state. What is shown always comes from the server,
// so reload, second tab and the leader's hand look the same. F8 opens its choices; arrows walk through
// them. It takes the focus only when a person asked for it, and gives it back.

import { FORM_TYPE, FetchError, request, showProblem, swap } from "./dom.js";
import { forget, join, leave, lookSoon } from "./pieces.js";

const DUE_MS = 2000; // the leader ends work after a call a little later than the clock here
const ARROWS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

class HlSeat extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.piece = this.getAttribute("piece");
    join(this.piece, this, (html) => this.place(html));
    this.addEventListener("hl:due", () => lookSoon(DUE_MS));
    this.addEventListener("submit", (event) => this.send(event));
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("keydown", (event) => this.walk(event));
    if (!this.firstElementChild) lookSoon();
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    leave(this.piece, this);
    this.wired = false;
  }

  get menu() {
    return this.querySelector("details[data-seat-menu]");
  }

  clicked(event) {
    if (!event.target.closest("[data-seat-open]")) return;
    event.stopPropagation(); // the page closes menus that a click was not in
    this.back = this.contains(document.activeElement) ? this.back : document.activeElement;
    this.menu.open = true;
    const first = this.menu.querySelector("[data-seat-first]") || this.menu.querySelector("button:not([disabled])");
    if (first) first.focus();
  }

  // Arrows go from one choice to the next; Tab works as everywhere.
  walk(event) {
    const here = event.target.closest("button");
    if (event.isComposing || !ARROWS[event.key] || !here) return;
    const all = Array.from(this.querySelectorAll("button:not([disabled])")).filter((e) => e.getClientRects().length && !e.hasAttribute("data-hotkey"));
    const place = all.indexOf(here);
    if (place < 0) return;
    event.preventDefault();
    all[(place + ARROWS[event.key] + all.length) % all.length].focus();
  }

  async send(event) {
    event.preventDefault();
    if (this.sending) return;
    this.sending = true;
    const form = event.target;
    const body = new URLSearchParams(new FormData(form));
    const by = event.submitter;
    if (by && by.name) body.append(by.name, by.value);
    try {
      await request(form.getAttribute("action"), { method: "POST", headers: FORM_TYPE, body: body.toString() });
      this.fold();
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "没有提交成功，状态没有改变。请再按一次。");
    } finally {
      this.sending = false;
    }
    ["state", "head"].forEach(forget);
    lookSoon(0);
  }

  // The choice is made: the focus goes back to where the person was.
  fold() {
    const folded = this.querySelector("details.st-fold");
    if (folded) folded.open = false;
    if (!this.menu || !this.menu.open) return;
    this.menu.open = false;
    if (this.back && this.back.isConnected && this.back !== document.body) this.back.focus();
    this.back = null;
  }

  place(html) {
    const focused = document.activeElement;
    const inside = focused && this.contains(focused);
    const key = inside ? focused.getAttribute("data-key") : null;
    const unticked = new Set(Array.from(this.querySelectorAll("input[name=queues]:not(:checked)")).map((e) => e.value));
    const open = this.menu && this.menu.open;
    const unfolded = this.querySelector("details.st-fold[open]") !== null;
    swap(this, html);
    if (open && this.menu) this.menu.open = true;
    const fold = this.querySelector("details.st-fold");
    if (unfolded && fold) fold.open = true;
    this.querySelectorAll("input[name=queues]").forEach((box) => { box.checked = !unticked.has(box.value); });
    if (!inside) return;
    const same = key && Array.from(this.querySelectorAll("[data-key]")).find((e) => e.getAttribute("data-key") === key && e.getClientRects().length);
    const next = same || (open && this.querySelector("[data-seat-first]")) || this.querySelector("summary, button");
    if (next) next.focus({ preventScroll: true });
  }
}

customElements.define("hl-seat", HlSeat);
