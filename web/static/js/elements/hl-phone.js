// <hl-phone>: the banner of the call that rings at my own telephone.
// What is shown always comes from the server, so a reload or a lost socket shows the same. It never
// takes the focus: the container is a polite live region.

import { swap } from "./dom.js";
import { join, leave } from "./pieces.js";
import { ring } from "./tone.js";

const RING_EVERY_MS = 3000;

class HlPhone extends HTMLElement {
  connectedCallback() {
    this.ringing = this.sessions();
    this.pageTitle = document.title;
    join("banner", this, (html) => this.show(html));
    this.announce([]);
  }

  disconnectedCallback() {
    leave("banner", this);
    window.clearInterval(this.bell);
  }

  sessions() {
    return Array.from(this.querySelectorAll("[data-session]")).map((e) => e.getAttribute("data-session"));
  }

  show(html) {
    const before = this.ringing;
    if (html.trim() !== this.last) swap(this, html);
    this.last = html.trim();
    this.ringing = this.sessions();
    this.announce(before);
  }

  announce(before) {
    const fresh = this.ringing.filter((id) => !before.includes(id));
    if (fresh.length) ring();
    window.clearInterval(this.bell);
    document.title = this.pageTitle;
    if (!this.ringing.length) return;
    document.title = `● 来电 · ${this.pageTitle}`;
    this.bell = window.setInterval(ring, RING_EVERY_MS);
  }
}

customElements.define("hl-phone", HlPhone);
