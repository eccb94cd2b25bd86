// <hl-snippets src="/agent/snippets">: text snippets into the field that is being typed in. Alt+C opens the
// list; `;code` and a blank (or Tab) puts one in without it. What stands in the field is never replaced but
// for the code itself, an input method that composes is left alone, and Ctrl+Z takes an insertion back.

import { FetchError, composing, request, swap } from "./dom.js";

const CODE = /[;；]([a-z0-9]{1,12})$/i;
const GAP = /_{2,}/;
const MOST = 9;

/** A field of this page that takes running text. */
function takesText(element) {
  return Boolean(element) && (element.tagName === "TEXTAREA" || (element.tagName === "INPUT" && element.type === "text" && element.getAttribute("role") !== "combobox"));
}

class HlSnippets extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.box = this.querySelector("[data-box]");
    this.search = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.every = [];
    this.onFocus = (event) => takesText(event.target) && event.target !== this.search && this.note(event.target);
    this.onInput = (event) => takesText(event.target) && this.typed(event);
    this.onKey = (event) => this.tab(event);
    this.onClick = (event) => event.target.closest("[data-snippets-open]") && this.toggle();
    document.addEventListener("focusin", this.onFocus);
    document.addEventListener("input", this.onInput);
    document.addEventListener("compositionend", this.onInput);
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("click", this.onClick);
    this.search.addEventListener("input", () => this.draw());
    this.search.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => this.mouse(event));
    this.box.addEventListener("focusout", (event) => this.box.contains(event.relatedTarget) || this.shut(false));
    this.load();
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.onClick);
    document.removeEventListener("focusin", this.onFocus);
    document.removeEventListener("input", this.onInput);
    document.removeEventListener("compositionend", this.onInput);
    document.removeEventListener("keydown", this.onKey, true);
  }

  async load() {
    try {
      const { body } = await request(this.getAttribute("src"));
      const holder = document.createElement("ul");
      swap(holder, body);
      this.every = Array.from(holder.children);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error; // without them the form works as ever
    }
  }

  note(field) {
    this.field = field;
  }

  // ---- by code

  typed(event) {
    const field = event.target;
    if (event.isComposing || field.selectionStart !== field.selectionEnd) return;
    const before = field.value.slice(0, field.selectionStart);
    if (before.endsWith(" ")) this.expand(field, before.slice(0, -1), 1);
  }

  tab(event) {
    if (event.key !== "Tab" || event.shiftKey || composing(event) || !takesText(event.target)) return;
    const field = event.target;
    if (this.expand(field, field.value.slice(0, field.selectionStart), 0)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  expand(field, before, more) {
    const found = CODE.exec(before);
    const item = found && this.every.find((one) => one.getAttribute("data-code") === found[1].toLowerCase());
    if (!item) return false;
    field.setSelectionRange(before.length - found[0].length, before.length + more);
    this.insert(field, item.getAttribute("data-body"));
    return true;
  }

  // ---- by list

  async toggle() {
    if (!this.box.hidden) {
      this.shut(true);
      return;
    }
    if (!this.field || !this.field.isConnected || !this.field.getClientRects().length) {
      this.field = document.querySelector("[data-draft]:not([hidden]) textarea[name=narrative]");
    }
    if (!this.field) return;
    this.at = [this.field.selectionStart, this.field.selectionEnd];
    this.search.value = "";
    this.box.hidden = false;
    this.draw();
    this.search.focus();
    await this.load();
    if (!this.box.hidden) this.draw();
  }

  shown() {
    const wanted = this.search.value.trim().toLowerCase();
    return this.every.map((one) => [this.score(one, wanted), one]).filter((pair) => pair[0] < 9)
      .sort((a, b) => a[0] - b[0]).slice(0, MOST).map((pair) => pair[1]);
  }

  score(item, wanted) {
    const code = item.getAttribute("data-code");
    const title = item.getAttribute("data-title").toLowerCase();
    if (code.startsWith(wanted)) return 0;
    if (item.getAttribute("data-initials").startsWith(wanted) || title.startsWith(wanted)) return 1;
    return title.includes(wanted) || item.getAttribute("data-body").toLowerCase().includes(wanted) ? 2 : 9;
  }

  draw() {
    const items = this.shown().map((one) => one.cloneNode(true));
    this.list.textContent = "";
    items.forEach((item, index) => { item.id = `${this.list.id}-${index}`; this.list.appendChild(item); });
    if (!items.length) {
      const none = document.createElement("li");
      none.className = "ag-none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.setAttribute("aria-selected", "false");
      none.textContent = this.every.length ? "没有相符的常用语" : "还没有常用语，可在“常用语”页新建";
      this.list.appendChild(none);
    }
    this.point(items.length ? 0 : -1);
  }

  point(index) {
    this.index = index;
    Array.from(this.list.children).forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    if (index < 0) this.search.removeAttribute("aria-activedescendant");
    else {
      this.search.setAttribute("aria-activedescendant", this.list.children[index].id);
      this.list.children[index].scrollIntoView({ block: "nearest" });
    }
  }

  key(event) {
    if (composing(event)) return;
    const size = this.index < 0 ? 0 : this.list.children.length;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && size) {
      event.preventDefault();
      this.point((this.index + (event.key === "ArrowDown" ? 1 : -1) + size) % size);
    } else if (event.key === "Enter" && !event.ctrlKey) {
      event.preventDefault();
      if (size) this.choose(this.list.children[this.index]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.shut(true);
    }
  }

  mouse(event) {
    event.preventDefault();
    const item = event.target.closest("li[data-body]");
    if (item) this.choose(item);
  }

  choose(item) {
    const body = item.getAttribute("data-body");
    this.shut(true);
    this.insert(this.field, body);
  }

  shut(back) {
    if (this.box.hidden) return;
    this.box.hidden = true;
    if (!back || !this.field) return;
    this.field.focus();
    this.field.setSelectionRange(this.at[0], this.at[1]);
  }

  // As if it were typed, so that the browser can take it back; a line field gets one line.
  insert(field, body) {
    const text = field.tagName === "INPUT" ? body.split("\n").join(" ") : body;
    const start = field.selectionStart;
    field.focus();
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, start, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const gap = GAP.exec(text);
    if (gap) field.setSelectionRange(start + gap.index, start + gap.index + gap[0].length);
  }
}

customElements.define("hl-snippets", HlSnippets);
