// <hl-filter for="…"> shows only what holds the typed text; <hl-tree> is walked with the arrow keys.
// Without scripts both are what they hold: an input that does nothing, a list of links.

import { composing } from "./dom.js";

class HlFilter extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    if (!this.input) return;
    this.input.addEventListener("input", () => this.apply());
    this.input.addEventListener("keydown", (event) => {
      if (composing(event)) return;
      if (event.key === "Enter" || event.key === "ArrowDown") {
        const first = this.target().querySelector("li:not([hidden]) > a[data-hit], tr:not([hidden]) a");
        if (!first) return;
        event.preventDefault();
        first.focus();
      }
    });
  }

  target() {
    return document.getElementById(this.getAttribute("for"));
  }

  apply() {
    const wanted = this.input.value.trim().toLowerCase();
    let shown = 0;
    this.target().querySelectorAll("[data-text]").forEach((item) => {
      const hit = !wanted || item.getAttribute("data-text").includes(wanted);
      const link = item.querySelector(":scope > a");
      if (link) link.toggleAttribute("data-hit", Boolean(wanted) && hit);
      item.hidden = !hit;
      if (hit) shown += 1;
    });
    if (wanted) this.showWay();
    const none = this.target().querySelector(".ad-none") || document.getElementById(`${this.getAttribute("for")}-none`);
    if (none) none.hidden = shown > 0;
  }

  // What lies above a hit is shown and opened, or nobody would see the hit.
  showWay() {
    this.target().querySelectorAll("a[data-hit]").forEach((link) => {
      let item = link.parentElement.parentElement.closest("li");
      while (item) {
        item.hidden = false;
        const fold = item.querySelector(":scope > details");
        if (fold) fold.open = true;
        item = item.parentElement.closest("li");
      }
    });
  }
}

class HlTree extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => this.key(event));
    const chosen = this.querySelector("a[aria-current]");
    if (chosen) chosen.scrollIntoView({ block: "nearest" });
  }

  links() {
    return Array.from(this.querySelectorAll("li > a")).filter((link) => link.offsetParent !== null);
  }

  key(event) {
    const link = event.target.closest("li > a");
    if (!link || event.altKey || event.ctrlKey) return;
    const links = this.links();
    const at = links.indexOf(link);
    const fold = link.parentElement.querySelector(":scope > details");
    let next = null;
    if (event.key === "ArrowDown") next = links[at + 1];
    else if (event.key === "ArrowUp") next = links[at - 1];
    else if (event.key === "ArrowRight" && fold) fold.open = true;
    else if (event.key === "ArrowLeft") {
      if (fold && fold.open) fold.open = false;
      else {
        const above = link.parentElement.parentElement.closest("li");
        next = above ? above.querySelector(":scope > a") : null;
      }
    } else return;
    event.preventDefault();
    if (next) next.focus();
  }
}

customElements.define("hl-filter", HlFilter);
customElements.define("hl-tree", HlTree);
