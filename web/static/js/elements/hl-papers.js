// <hl-papers src="/drafts/7/papers"> beside the form of a draft: which papers the chosen category needs and
// what the registry says of them. It reads the category and, when asked to verify, the ID number of the form;
// it never writes to the form.

import { FORM_TYPE, FetchError, request, showProblem, swap } from "./dom.js";

class HlPapers extends HTMLElement {
  connectedCallback() {
    const panel = this.closest("[data-draft]");
    this.form = panel && panel.querySelector("form[data-draft-form]");
    if (!this.form || this.wired) return;
    this.wired = true;
    this.form.addEventListener("change", (event) => event.target.name === "category_id" && this.load());
    this.addEventListener("click", (event) => this.clicked(event));
    if (this.field("category_id").value) this.load();
  }

  field(name) {
    return this.form.elements.namedItem(name);
  }

  async load() {
    const category = this.field("category_id").value;
    const url = this.getAttribute("src") + (category ? "?category_id=" + encodeURIComponent(category) : "");
    try {
      const answer = await request(url);
      if (this.field("category_id").value === category) swap(this, answer.body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      swap(this, ""); // a help: without it the form works as ever
    }
  }

  clicked(event) {
    if (event.target.closest("[data-check]")) this.check(event.target.closest("[data-ask]"));
    const back = event.target.closest("[data-back]");
    if (back) this.post(back.getAttribute("data-src"), [["consent_id", back.getAttribute("data-back")]], "正在撤回");
  }

  check(ask) {
    const kinds = Array.from(ask.querySelectorAll("[data-kind]")).map((one) => ["kinds", one.value]);
    const agree = ask.querySelector("[data-agree]").checked;
    const channel = ask.querySelector("[data-channel]").value;
    const told = [["channel", channel], ["id_number", this.field("id_number").value]];
    this.post(ask.getAttribute("data-src"), [...kinds, ...told, ...(agree ? [["agree", "true"]] : [])], "正在核验");
  }

  async post(url, pairs, words) {
    if (this.busy) return;
    this.busy = true;
    const state = this.querySelector("[data-state]");
    if (state) state.textContent = words;
    const category = this.field("category_id").value;
    const body = new URLSearchParams([...pairs, ...(category ? [["category_id", category]] : [])]).toString();
    try {
      const answer = await request(url, { method: "POST", headers: FORM_TYPE, body });
      swap(this, answer.body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (state) state.textContent = "";
      showProblem(error, "没有核验，请稍后再试。");
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("hl-papers", HlPapers);
