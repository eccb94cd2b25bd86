// <hl-keys>: the keys of the console and the sheet that F1 opens. Function keys and combinations only,
// never a single letter; an input method that composes keeps its keys. May be switched off on the sheet.

import { composing } from "./dom.js";

const SWITCH = "hl.keys";

/** Whether the keys are on; they are unless they were switched off on the sheet. */
export function keysOn() {
  return localStorage.getItem(SWITCH) !== "off";
}

/** The combination a key event is, as the server writes it: `Ctrl+Alt+Shift+K`. */
export function combination(event) {
  const parts = [];
  if (event.ctrlKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey) parts.push("Shift");
  const plain = /^(?:Key([A-Z])|Digit([0-9]))$/.exec(event.code);
  const key = plain && (event.altKey || event.ctrlKey) ? plain[1] || plain[2] : event.key;
  return parts.concat(key.length === 1 ? key.toUpperCase() : key).join("+");
}

/** The person's own combination for the key shipped as `name`. */
export function ownKey(name) {
  const frame = document.querySelector("[data-hotkeys]");
  return (frame && JSON.parse(frame.getAttribute("data-hotkeys"))[name]) || name;
}

/** Whether the event is the person's key shipped as `name`; an input method that composes keeps its keys. */
export function isKey(event, name) {
  return Boolean(event.key) && !composing(event) && combination(event) === ownKey(name);
}

/** Seen by a person: on the page and not inside something hidden or folded. */
function shown(element) {
  return element.getClientRects().length > 0;
}

class HlKeys extends HTMLElement {
  connectedCallback() {
    this.sheet = this.querySelector("dialog");
    this.box = this.querySelector("[data-keys-switch]");
    if (this.box) {
      this.box.checked = this.on;
      this.box.addEventListener("change", () => localStorage.setItem(SWITCH, this.box.checked ? "on" : "off"));
    }
    this.onKey = (event) => this.pressed(event);
    document.addEventListener("keydown", this.onKey);
    if (this.sheet) this.sheet.addEventListener("close", () => this.back && this.back.focus());
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.onKey);
  }

  get on() {
    return keysOn();
  }

  pressed(event) {
    if (composing(event) || event.repeat || !event.key) return; // autofill sends keys without a name
    const key = combination(event);
    if (key === "F1") {
      event.preventDefault();
      this.toggleSheet();
      return;
    }
    if (key === "Escape" && this.foldUp(event)) return;
    if (!this.on || (this.sheet && this.sheet.open)) return;
    const target = this.target(key);
    if (!target) return;
    event.preventDefault();
    this.from = document.activeElement;
    if (target.getAttribute("data-key-does") === "submit") target.requestSubmit();
    else target.click();
  }

  // A key belongs to the nearest thing around the focus that names it, else to the first one in sight.
  target(key) {
    const all = Array.from(document.querySelectorAll(`[data-hotkey="${key}"]`)).filter(shown);
    const focused = document.activeElement;
    return all.find((e) => e.contains(focused)) || all.find((e) => e.tagName !== "FORM" || e.hasAttribute("data-draft-form")) || null;
  }

  toggleSheet() {
    if (!this.sheet) return;
    if (this.sheet.open) {
      this.sheet.close();
      return;
    }
    this.back = document.activeElement;
    this.sheet.showModal();
  }

  // Esc folds the open sheet of the place where the focus is. The focus goes back to the field it was
  // in when a key opened the sheet, else to the sheet's head.
  foldUp(event) {
    const open = document.activeElement && document.activeElement.closest("details[open][data-folds]");
    if (!open) return false;
    event.preventDefault();
    open.open = false;
    const from = this.from;
    this.from = null;
    const field = from && from.matches("input, textarea, select") && shown(from) && !open.contains(from);
    (field ? from : open.querySelector("summary")).focus();
    return true;
  }
}

customElements.define("hl-keys", HlKeys);
