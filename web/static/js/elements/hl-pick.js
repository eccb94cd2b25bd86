// <hl-pick> around a <select>: type to choose, by Chinese or by pinyin initials. The select stays the
// field of the form (and all there is without scripts); the input only finds an option of it.

import { composing } from "./dom.js";

const MOST = 12;
let count = 0;

class HlPick extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.select = this.querySelector("select");
    if (!this.select) return;
    count += 1;
    this.build(`pick-${count}`);
    this.select.addEventListener("hl:filled", () => this.showChosen());
    this.showChosen();
  }

  build(id) {
    const input = document.createElement("input");
    const list = document.createElement("ul");
    input.id = `${id}-input`;
    list.id = `${id}-list`;
    input.type = "text";
    input.autocomplete = "off";
    input.className = "form-control";
    input.placeholder = this.getAttribute("placeholder") || "";
    const attributes = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": list.id };
    Object.keys(attributes).forEach((name) => input.setAttribute(name, attributes[name]));
    list.setAttribute("role", "listbox");
    list.className = "ag-pick-list";
    list.hidden = true;
    this.adopt(input, list);
    this.input = input;
    this.list = list;
    this.matches = [];
    this.at = -1;
    input.addEventListener("input", () => this.search());
    input.addEventListener("focus", () => input.select());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.leave());
    list.addEventListener("mousedown", (event) => this.mouse(event));
    this.appendChild(input);
    this.appendChild(list);
  }

  // The label, the description and the error message now speak of the input.
  adopt(input, list) {
    const label = this.select.id ? document.querySelector(`label[for="${this.select.id}"]`) : null;
    if (label) {
      label.setAttribute("for", input.id);
      list.setAttribute("aria-label", label.textContent.trim());
    }
    const described = this.select.getAttribute("aria-describedby");
    if (described) input.setAttribute("aria-describedby", described);
    const message = document.querySelector(`[data-error-for="${this.select.id}"]`);
    if (message) message.setAttribute("data-error-for", input.id);
    this.select.setAttribute("data-proxy", input.id);
    this.select.hidden = true;
    this.select.tabIndex = -1;
  }

  options() {
    return Array.from(this.select.options).filter((option) => option.value);
  }

  text(option) {
    return option.getAttribute("data-path") || option.textContent.trim();
  }

  showChosen() {
    const option = this.select.selectedOptions[0];
    this.input.value = option && option.value ? this.text(option) : "";
  }

  // Best first: the name begins so, the initials begin so, the path holds it, the initials hold it.
  score(option, wanted) {
    const name = option.textContent.trim().toLowerCase();
    const initials = option.getAttribute("data-initials") || "";
    if (name.startsWith(wanted)) return 0;
    if (initials.startsWith(wanted)) return 1;
    if (this.text(option).toLowerCase().includes(wanted)) return 2;
    return initials.includes(wanted) ? 3 : 9;
  }

  search() {
    const wanted = this.input.value.trim().toLowerCase();
    const found = this.options().map((option) => [this.score(option, wanted), option]);
    this.matches = found.filter((pair) => pair[0] < 9).sort((a, b) => a[0] - b[0]).slice(0, MOST).map((pair) => pair[1]);
    this.at = this.matches.length ? 0 : -1;
    this.draw();
  }

  draw() {
    this.list.textContent = "";
    this.matches.forEach((option, index) => {
      const item = document.createElement("li");
      item.id = `${this.list.id}-${index}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(index === this.at));
      item.textContent = this.text(option);
      this.list.appendChild(item);
    });
    this.list.hidden = !this.matches.length;
    this.turn();
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.point();
  }

  // Upwards where the room below is too small: nobody should scroll to see what may be chosen.
  turn() {
    const place = this.input.getBoundingClientRect();
    const frame = this.closest("[data-scrolls]") || document.documentElement;
    const edge = frame.getBoundingClientRect();
    const below = Math.min(edge.bottom, window.innerHeight) - place.bottom;
    const above = place.top - Math.max(edge.top, 0);
    this.list.classList.toggle("ag-pick-up", this.list.offsetHeight > below && above > below);
  }

  point() {
    Array.from(this.list.children).forEach((item, index) => item.setAttribute("aria-selected", String(index === this.at)));
    if (this.at < 0) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    this.input.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (composing(event) || event.altKey || event.ctrlKey) return;
    const shown = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) {
        this.search();
        return;
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.at = (this.at + step + this.matches.length) % this.matches.length;
      this.point();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (shown) this.choose(this.matches[this.at]);
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      event.stopPropagation();
      this.shut();
      this.showChosen();
    }
  }

  mouse(event) {
    const item = event.target.closest("li");
    if (!item) return;
    event.preventDefault();
    this.choose(this.matches[Array.from(this.list.children).indexOf(item)]);
  }

  choose(option) {
    this.select.value = option ? option.value : "";
    this.showChosen();
    this.shut();
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  shut() {
    this.list.hidden = true;
    this.matches = [];
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  // Leaving with an open list takes what is marked; with an emptied input, nothing is chosen.
  leave() {
    const typed = this.input.value.trim();
    if (!typed) this.choose(null);
    else if (!this.list.hidden && this.matches.length) this.choose(this.matches[this.at]);
    else this.showChosen();
    this.shut();
  }
}

customElements.define("hl-pick", HlPick);
