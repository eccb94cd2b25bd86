// <hl-drafts>: one panel per open draft, all kept in the page. Changing the tab hides a panel and
// shows another; nothing is thrown away, so what is typed but not yet saved is still there on return.
// A panel comes from the server the first time its tab is opened.

import { FetchError, request, showProblem, swap } from "./dom.js";
import { isKey, keysOn } from "./hl-keys.js";

class HlDrafts extends HTMLElement {
  connectedCallback() {
    this.panels = this.querySelector("[data-panels]");
    this.loading = new Map();
    this.empty = this.querySelector("[data-empty]");
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("hl:open-draft", (event) => this.open(event.detail.id, true));
    document.addEventListener("hl:close-draft", (event) => this.close(event.detail.id));
    document.addEventListener("hl:swapped", () => this.tabsChanged());
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("popstate", () => this.fromAddress());
    const first = this.panels.querySelector("[data-draft]");
    this.active = first ? first.getAttribute("data-draft") : null;
    this.mark();
    // Who came here for a draft (a new one, a conversation taken) writes at once; nobody's focus is taken.
    const asked = new URL(window.location.href).searchParams.has("draft");
    if (asked && document.activeElement === document.body) this.focusFirst();
  }

  tabs() {
    return Array.from(document.querySelectorAll("[data-draft-tab]"));
  }

  panel(id) {
    return Array.from(this.panels.children).find((p) => p.getAttribute("data-draft") === String(id));
  }

  clicked(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("[data-draft-tab]");
    if (!link) return;
    event.preventDefault();
    this.open(link.getAttribute("data-draft-tab"), true);
  }

  // Alt+PageDown and Alt+PageUp go round the tabs.
  key(event) {
    const step = isKey(event, "Alt+PageDown") ? 1 : isKey(event, "Alt+PageUp") ? -1 : 0;
    if (!step || !keysOn()) return;
    const ids = this.tabs().map((tab) => tab.getAttribute("data-draft-tab"));
    if (ids.length < 2) return;
    event.preventDefault();
    this.open(ids[(ids.indexOf(this.active) + step + ids.length) % ids.length], true);
  }

  fromAddress() {
    const id = new URL(window.location.href).searchParams.get("draft");
    if (id) this.open(id, false);
  }

  /** Show the draft; `focus` only when a person asked for it. */
  async open(id, focus) {
    if (!this.panel(id) && !(await this.load(id))) return;
    this.active = String(id);
    Array.from(this.panels.children).forEach((p) => {
      p.hidden = p.getAttribute("data-draft") !== this.active;
    });
    if (this.empty) this.empty.hidden = true;
    this.mark();
    window.history.replaceState(null, "", `/agent?draft=${this.active}`);
    if (focus) this.focusFirst();
  }

  /** One request per draft, however often its tab is asked for meanwhile. */
  load(id) {
    const key = String(id);
    if (!this.loading.has(key)) {
      this.loading.set(key, this.fetch(key).finally(() => this.loading.delete(key)));
    }
    return this.loading.get(key);
  }

  async fetch(id) {
    try {
      const { body } = await request(`/drafts/${id}/panel`);
      const holder = document.createElement("div");
      swap(holder, body);
      const panel = holder.querySelector("[data-draft]");
      if (!panel) return false;
      this.panels.appendChild(panel);
      return true;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "草稿没有打开，请再按一次。");
      return false;
    }
  }

  focusFirst() {
    const panel = this.panel(this.active);
    if (!panel) return;
    const fields = Array.from(panel.querySelectorAll("[data-first], input[name=title], textarea[name=narrative]")).filter((field) => field.getClientRects().length);
    const target = fields.find((field) => !field.value) || fields[fields.length - 1] || panel;
    target.focus();
    if (target.setSelectionRange && target.value) target.setSelectionRange(target.value.length, target.value.length);
  }

  close(id) {
    const panel = this.panel(id);
    if (panel) panel.remove();
    const next = this.tabs().find((tab) => tab.getAttribute("data-draft-tab") !== String(id));
    if (next) {
      this.open(next.getAttribute("data-draft-tab"), true);
      return;
    }
    this.active = null;
    if (this.empty) this.empty.hidden = false;
    window.history.replaceState(null, "", "/agent");
    this.mark();
  }

  // With no draft on the screen the new one is shown at once; the focus stays where it is.
  tabsChanged() {
    this.mark();
    const first = this.tabs()[0];
    if (!this.active && first) this.open(first.getAttribute("data-draft-tab"), false);
  }

  mark() {
    this.tabs().forEach((tab) => {
      if (tab.getAttribute("data-draft-tab") !== this.active) {
        tab.removeAttribute("aria-current");
        return;
      }
      tab.setAttribute("aria-current", "page");
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }
}

customElements.define("hl-drafts", HlDrafts);
