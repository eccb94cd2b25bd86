// <hl-advice src="…"> beside the form of a draft: while title and text are typed, the classifier's three likeliest
// categories beside the field, each with one key. Nothing is filled in by itself, and a form that is typed
// in is never touched: only a press of a button takes a suggestion.

import { FORM_TYPE, FetchError, request, swap } from "./dom.js";

const PAUSE_MS = 500;
const FIELDS = ["title", "narrative"];

class HlAdvice extends HTMLElement {
  connectedCallback() {
    const panel = this.closest("[data-draft]");
    this.form = panel && panel.querySelector("form[data-draft-form]");
    if (!this.form || this.wired) return;
    this.wired = true;
    this.asked = "";
    this.onInput = (event) => FIELDS.includes(event.target.name) && this.soon();
    this.onChange = (event) => event.target.name === "category_id" && this.mark();
    this.form.addEventListener("input", this.onInput);
    this.form.addEventListener("change", this.onChange);
    this.addEventListener("click", (event) => this.take(event.target.closest("[data-take]")));
    this.soon();
  }

  disconnectedCallback() {
    window.clearTimeout(this.timer);
  }

  field(name) {
    return this.form.elements.namedItem(name);
  }

  soon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), PAUSE_MS);
  }

  async ask() {
    const body = new URLSearchParams(FIELDS.map((name) => [name, this.field(name).value])).toString();
    if (body === this.asked || this.underway) return;
    this.asked = body;
    this.underway = true;
    try {
      const answer = await request(this.getAttribute("src"), { method: "POST", headers: FORM_TYPE, body });
      swap(this, answer.body);
      this.mark();
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      swap(this, ""); // advice is a help: without it the form works as ever
    } finally {
      this.underway = false;
    }
    const now = new URLSearchParams(FIELDS.map((name) => [name, this.field(name).value])).toString();
    if (now !== body) this.soon();
  }

  take(button) {
    if (!button) return;
    const field = this.field(button.getAttribute("data-take"));
    if (!field) return;
    field.value = button.value;
    field.dispatchEvent(new Event("hl:filled"));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    this.mark();
  }

  // What a person has taken looks different from what is only proposed.
  mark() {
    this.querySelectorAll("[data-take]").forEach((button) => {
      const field = this.field(button.getAttribute("data-take"));
      button.setAttribute("aria-pressed", String(Boolean(field) && field.value === button.value));
    });
  }
}

customElements.define("hl-advice", HlAdvice);
