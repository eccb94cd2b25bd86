// <hl-place src="/agent/places"> around the address field: places of the city's gazetteer while it is
// typed, by Chinese or by pinyin initials. Taking one writes its name into the address and chooses its
// area; what was typed behind it stays. The field takes any address: a place need not be known.

import { FORM_TYPE, FetchError, composing, request, swap } from "./dom.js";

const PAUSE_MS = 200;
let count = 0;

class HlPlace extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.input = this.querySelector("input");
    count += 1;
    this.build(`places-${count}`);
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("compositionend", () => this.soon());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.shut());
    this.list.addEventListener("mousedown", (event) => this.mouse(event));
  }

  disconnectedCallback() {
    window.clearTimeout(this.timer);
  }

  build(id) {
    this.list = document.createElement("ul");
    this.list.id = id;
    this.list.className = "ag-pick-list ag-place-list";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "地名");
    const attributes = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": id };
    Object.keys(attributes).forEach((name) => this.input.setAttribute(name, attributes[name]));
    this.appendChild(this.list);
    this.at = -1;
  }

  soon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), PAUSE_MS);
  }

  async ask() {
    const typed = this.input.value.trim();
    if (document.activeElement !== this.input) return;
    if (!typed || typed === this.taken) {
      this.shut();
      return;
    }
    try {
      const body = new URLSearchParams({ q: typed }).toString();
      const answer = await request(this.getAttribute("src"), { method: "POST", headers: FORM_TYPE, body });
      if (this.input.value.trim() === typed && document.activeElement === this.input) this.show(answer.body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.shut(); // a help: without it the address is typed as ever
    }
  }

  // Nothing is marked at first: Enter and Tab leave what was typed alone until an arrow has chosen.
  show(html) {
    swap(this.list, html);
    this.items().forEach((item, index) => { item.id = `${this.list.id}-${index}`; });
    this.list.hidden = !this.items().length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.turn();
    this.point(-1);
  }

  turn() {
    const place = this.input.getBoundingClientRect();
    const edge = this.closest("[data-scrolls]").getBoundingClientRect();
    const below = Math.min(edge.bottom, window.innerHeight) - place.bottom;
    const above = place.top - Math.max(edge.top, 0);
    this.list.classList.toggle("ag-pick-up", this.list.offsetHeight > below && above > below);
  }

  items() {
    return Array.from(this.list.children);
  }

  point(at) {
    this.at = at;
    this.items().forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (at < 0) this.input.removeAttribute("aria-activedescendant");
    else {
      this.input.setAttribute("aria-activedescendant", this.items()[at].id);
      this.items()[at].scrollIntoView({ block: "nearest" });
    }
  }

  key(event) {
    if (composing(event) || event.altKey || event.ctrlKey || this.list.hidden) return;
    const size = this.items().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.point(this.at < 0 && step < 0 ? size - 1 : (this.at + step + size) % size);
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.take(this.items()[this.at]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.shut();
    }
  }

  mouse(event) {
    const item = event.target.closest("li");
    if (!item) return;
    event.preventDefault();
    this.take(item);
  }

  take(item) {
    const name = item.getAttribute("data-name");
    const typed = this.input.value.trim();
    if (!typed.includes(name)) this.input.value = name;
    this.taken = this.input.value.trim();
    this.area(item.getAttribute("data-area"));
    this.shut();
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  area(value) {
    const field = this.closest("form").elements.namedItem("area_id");
    if (!field) return;
    field.value = value;
    field.dispatchEvent(new Event("hl:filled"));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  shut() {
    window.clearTimeout(this.timer);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.at = -1;
  }
}

customElements.define("hl-place", HlPlace);
