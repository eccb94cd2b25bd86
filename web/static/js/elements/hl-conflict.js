// <hl-conflict>: shows what was typed here beside what was saved elsewhere, field by field.
// The fields of the form stay as they are until a person chooses.

import { swap } from "./dom.js";

class HlConflict extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.home = this.closest("hl-draft-form");
    this.home.addEventListener("hl:conflict", (event) => this.show(event.detail.html));
    this.addEventListener("click", (event) => this.clicked(event));
  }

  show(html) {
    swap(this, html);
    this.hidden = false;
    this.scrollIntoView({ block: "nearest" });
  }

  clicked(event) {
    const button = event.target.closest("button[data-take]");
    if (!button) return;
    const side = button.getAttribute("data-take");
    this.querySelectorAll("[data-field]").forEach((row) => this.take(row, side));
    const version = this.querySelector("[data-version]").getAttribute("data-version");
    swap(this, "");
    this.hidden = true;
    this.home.decided(version);
    const title = this.home.form.elements.namedItem("title");
    if (title) title.focus();
  }

  // "each": what is ticked per field; "theirs": everything that was saved elsewhere; "ours": nothing changes.
  take(row, side) {
    const theirs = row.querySelector("input[value=theirs]");
    if (side === "ours" || (side === "each" && !(theirs && theirs.checked))) return;
    const field = this.home.form.elements.namedItem(row.getAttribute("data-field"));
    if (!field) return;
    field.value = row.getAttribute("data-theirs");
    field.dispatchEvent(new Event("hl:filled", { bubbles: true }));
  }
}

customElements.define("hl-conflict", HlConflict);
