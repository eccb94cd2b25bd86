// <hl-countdown until="…Z" now="…Z">: time left until an instant of the server's clock; stays at zero.

import { duration } from "./hl-timer.js";

class HlCountdown extends HTMLElement {
  connectedCallback() {
    const until = Date.parse(this.getAttribute("until"));
    const now = Date.parse(this.getAttribute("now"));
    if (Number.isNaN(until) || Number.isNaN(now)) return;
    this.left = (until - now) / 1000;
    this.start = performance.now();
    this.setAttribute("role", "timer");
    this.ticking = window.setInterval(() => this.show(), 500);
    this.show();
  }

  disconnectedCallback() {
    window.clearInterval(this.ticking);
  }

  show() {
    const left = this.left - (performance.now() - this.start) / 1000;
    const text = duration(Math.ceil(left));
    if (this.textContent !== text) this.textContent = text;
    if (left > 0) return;
    window.clearInterval(this.ticking);
    this.dispatchEvent(new CustomEvent("hl:due", { bubbles: true }));
  }
}

customElements.define("hl-countdown", HlCountdown);
