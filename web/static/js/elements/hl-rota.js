// <hl-rota kinds="A:0 C:1">: a week to be filled with the keyboard. Arrows move between cells, Enter goes
// down, Ctrl+R fills the rest of the row, Ctrl+D takes the cell above, Ctrl+Enter saves. A cell shows the
// shade of its kind, and that it was changed; leaving the page with changes asks first.

import { isKey } from "./hl-keys.js";

class HlRota extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.form = this.querySelector("form");
    if (!this.form) return;
    this.shades = new Map((this.getAttribute("kinds") || "").split(" ").map((pair) => pair.split(":")));
    this.rows = Array.from(this.querySelectorAll("tbody tr")).map((row) => Array.from(row.querySelectorAll(".sh-cell")));
    this.rows.forEach((cells) => cells.forEach((cell) => this.paint(cell)));
    this.addEventListener("input", (event) => this.typed(event.target));
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusin", (event) => {
      if (event.target.classList.contains("sh-cell")) event.target.select();
    });
    this.form.addEventListener("submit", () => { this.sent = true; });
    this.leaving = (event) => {
      if (this.sent || !this.changed()) return;
      event.preventDefault();
      event.returnValue = "";
    };
    window.addEventListener("beforeunload", this.leaving);
  }

  disconnectedCallback() {
    if (this.leaving) window.removeEventListener("beforeunload", this.leaving);
  }

  changed() {
    return Array.from(this.form.elements).some((field) =>
      field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
  }

  typed(field) {
    if (field.classList.contains("sh-cell")) this.paint(field);
  }

  paint(cell) {
    const code = cell.value.trim().toUpperCase();
    if (this.shades.has(code)) cell.setAttribute("data-shade", this.shades.get(code));
    else cell.removeAttribute("data-shade");
    cell.toggleAttribute("data-moved", cell.value !== cell.defaultValue);
    if (cell.value !== cell.defaultValue) cell.removeAttribute("aria-invalid");
  }

  put(cell, value) {
    if (cell.readOnly) return;
    cell.value = value;
    this.paint(cell);
  }

  place(cell) {
    const row = this.rows.findIndex((cells) => cells.includes(cell));
    return [row, row < 0 ? -1 : this.rows[row].indexOf(cell)];
  }

  go(row, column) {
    const cell = (this.rows[row] || [])[column];
    if (cell) cell.focus();
  }

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (isKey(event, "Ctrl+Enter")) {
      event.preventDefault();
      const button = this.form.querySelector('button[type="submit"]');
      if (button) button.click();
      return;
    }
    const cell = event.target;
    if (!cell.classList.contains("sh-cell") || event.altKey || event.metaKey) return;
    const [row, column] = this.place(cell);
    if (event.ctrlKey) this.fill(event, cell, row, column);
    else this.move(event, cell, row, column);
  }

  fill(event, cell, row, column) {
    const key = event.key.toLowerCase();
    if (key === "r") {
      event.preventDefault();
      this.rows[row].slice(column + 1).forEach((one) => this.put(one, cell.value));
    } else if (key === "d" && row > 0) {
      event.preventDefault();
      this.put(cell, this.rows[row - 1][column].value);
    }
  }

  move(event, cell, row, column) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [1, 0] };
    const step = steps[event.key];
    if (!step) return;
    // Sideways only from a cell that is wholly chosen or at its end: the caret still moves within it.
    const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
    const edge = step[1] < 0 ? cell.selectionEnd === 0 : cell.selectionStart === cell.value.length;
    if (step[1] !== 0 && !whole && !edge) return;
    event.preventDefault();
    this.go(row + step[0], column + step[1]);
  }
}

customElements.define("hl-rota", HlRota);
