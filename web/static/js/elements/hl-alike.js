// <hl-alike src="/drafts/7/alike">: open tickets about the same matter, asked for while the form of the
// draft is typed in: when the keys have rested for a moment, and only when what is told has changed.
// It never touches the form; a failure leaves what was shown, for the next key asks again.

import { FORM_TYPE, FetchError, encoded, request, swap } from "./dom.js";

const REST_MS = 500;
const TOLD = ["title", "narrative", "address", "type", "confidentiality"];

class HlAlike extends HTMLElement {
  connectedCallback() {
    this.panel = this.closest("[data-draft]");
    this.form = this.panel && this.panel.querySelector("form[data-draft-form]");
    if (!this.form) return;
    this.onTold = () => this.soon();
    ["input", "change", "compositionend"].forEach((kind) => this.form.addEventListener(kind, this.onTold));
    this.soon();
  }

  disconnectedCallback() {
    window.clearTimeout(this.timer);
    if (!this.form) return;
    ["input", "change", "compositionend"].forEach((kind) => this.form.removeEventListener(kind, this.onTold));
  }

  told() {
    const fields = new FormData(this.form);
    return TOLD.map((name) => fields.get(name)).join("\u0000");
  }

  soon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), REST_MS);
  }

  async ask() {
    const told = this.told();
    if (this.busy || told === this.asked) return;
    this.busy = true;
    try {
      const { body } = await request(this.getAttribute("src"), { method: "POST", headers: FORM_TYPE, body: encoded(this.form) });
      this.asked = told;
      this.place(body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
    } finally {
      this.busy = false;
    }
    if (this.isConnected && this.told() !== told) this.soon();
  }

  // What is under the hand stays: a list that moves while a person aims at it takes the wrong line.
  place(html) {
    if (html === this.last) return;
    if (this.contains(document.activeElement)) {
      this.asked = null;
      return;
    }
    this.last = html;
    swap(this, html);
  }
}

customElements.define("hl-alike", HlAlike);
