// <hl-draft-form>: keeps the form of one draft on the server while it is typed.
// Saved one second after the last key, within three however long somebody types on, and at once when a
// field is left; one save under way at a time.
// One page writes at a time: the first that begins names itself, others that show the same draft (another
// tab, another seat) say so and stop; what was typed in both is laid side by side.
// A failure never touches the fields: it says so, tries again with growing pauses, and the page
// warns before it is left. Nothing is put into the browser's storage: it is personal data.

import { FORM_TYPE, FetchError, clockTime, encoded, request, showProblem } from "./dom.js";

const PAUSE_MS = 1000;
const LONGEST_MS = 2500; // from the first key that is not saved; the way to the server comes on top
const LONGEST_RETRY_MS = 30000;
const PAGE = Math.random().toString(36).slice(2, 14).padEnd(8, "0"); // tells pages apart, nothing else

class HlDraftForm extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.form = this.querySelector("form");
    this.state = this.querySelector("[data-save-state]");
    this.alert = this.querySelector("[data-save-alert]");
    this.retryMs = 1000;
    this.saved = encoded(this.form);
    this.addEventListener("input", () => this.touched());
    this.addEventListener("change", () => this.touched());
    this.addEventListener("compositionend", () => this.touched());
    this.addEventListener("click", (event) => event.target.closest("[data-go-on]") && this.goOn());
    this.addEventListener("focusout", () => this.dirty() && this.save());
    this.onOnline = () => this.failing && this.save();
    this.onSocket = (event) => event.detail.state === "open" && this.onOnline();
    this.onLive = (event) => this.heard(event.detail);
    this.onLeave = (event) => {
      if (!this.dirty()) return;
      event.preventDefault();
      event.returnValue = "";
    };
    window.addEventListener("online", this.onOnline);
    document.addEventListener("hl:socket", this.onSocket);
    document.addEventListener("hl:live", this.onLive);
    window.addEventListener("beforeunload", this.onLeave);
  }

  disconnectedCallback() {
    window.removeEventListener("online", this.onOnline);
    document.removeEventListener("hl:socket", this.onSocket);
    document.removeEventListener("hl:live", this.onLive);
    window.removeEventListener("beforeunload", this.onLeave);
    window.clearTimeout(this.timer);
    this.form = null;
  }

  dirty() {
    return !this.ended && this.form !== null && encoded(this.form) !== this.saved;
  }

  touched() {
    if (this.ended || !this.dirty()) return;
    this.say("正在输入…");
    this.since = this.since || Date.now();
    this.saveSoon(Math.max(0, Math.min(PAUSE_MS, this.since + LONGEST_MS - Date.now())));
  }

  saveSoon(ms) {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), ms);
  }

  get version() {
    return this.form.elements.namedItem("version").value;
  }

  set version(value) {
    const before = this.version;
    this.form.elements.namedItem("version").value = value;
    this.saved = this.saved.replace(`version=${before}`, `version=${value}`);
  }

  /** Save what is in the form now. Resolves to true when the server has it. */
  async save() {
    window.clearTimeout(this.timer);
    if (this.underway) {
      this.once = true;
      return this.underway;
    }
    if (!this.dirty()) return true;
    if (this.undecided) return false; // two texts stand beside each other: a person chooses first
    this.underway = this.send();
    const done = await this.underway;
    this.underway = null;
    if (this.once && done) {
      this.once = false;
      return this.save();
    }
    return done;
  }

  async send() {
    this.since = 0;
    const body = encoded(this.form);
    const headers = this.writing ? FORM_TYPE : Object.assign({ "HL-Page": PAGE }, FORM_TYPE);
    try {
      const { response } = await request(this.getAttribute("src"), { method: "POST", headers, body });
      this.writing = true;
      this.saved = body;
      this.version = response.headers.get("HL-Version");
      this.succeeded();
      return true;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.failed(error);
      return false;
    }
  }

  succeeded() {
    this.failing = false;
    this.turnedAway = false;
    this.retryMs = 1000;
    this.warn("");
    this.say(`已保存 ${clockTime()}`);
    if (this.dirty()) this.saveSoon(PAUSE_MS);
  }

  failed(error) {
    this.failing = true;
    this.say("未保存");
    if (error.code === "version_conflict") {
      this.undecided = true;
      this.warn("");
      this.dispatchEvent(new CustomEvent("hl:conflict", { detail: { html: error.body } }));
      return;
    }
    if (error.status === 410 || error.status === 404) {
      this.closeHere();
      return;
    }
    if (error.status === 401) {
      if (!this.turnedAway) showProblem(error, "登录已失效。");
      this.turnedAway = true;
      this.warn("登录已失效，内容保留在本页。请在新标签页登录，登录后会自动保存。");
    } else {
      this.warn(`未保存，内容保留在本页，${Math.round(this.retryMs / 1000)} 秒后重试。`);
    }
    this.saveSoon(this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  heard(note) {
    if (this.passedOn(note)) this.closeHere();
    else if (this.writtenElsewhere(note)) this.stopHere();
  }

  writtenElsewhere(note) {
    const panel = this.closest("[data-draft]");
    if (note.topic !== "draft" || note.kind !== "written" || this.ended) return false;
    return String(note.ref) === panel.getAttribute("data-draft") && note.data.page !== PAGE;
  }

  // Unsaved text here is laid beside the other at once; else this page waits until a person goes on here.
  stopHere() {
    this.writing = false;
    if (this.dirty() || this.underway) {
      this.save();
      return;
    }
    this.say("在别处填写");
    this.warn("这份草稿正在另一个标签页或坐席上填写，本页不再保存，以免盖掉那边的内容。", "在这里继续填写");
  }

  /** Take up what was saved elsewhere and go on here; the other page is told in its turn. */
  async goOn() {
    const id = this.closest("[data-draft]").getAttribute("data-draft");
    try {
      const { body } = await request(`/drafts/${id}/panel`);
      const holder = document.createElement("template");
      holder.innerHTML = body;
      this.takeUp(holder.content.querySelector("form[data-draft-form]"));
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.failed(error);
    }
  }

  takeUp(theirs) {
    if (!this.dirty()) {
      Array.from(theirs.elements).filter((field) => field.name).forEach((field) => {
        const mine = this.form.elements.namedItem(field.name);
        if (field.type === "checkbox") mine.checked = field.checked;
        else mine.value = field.value;
        mine.dispatchEvent(new Event("hl:filled", { bubbles: true }));
      });
    }
    this.warn("");
    this.saved = "";
    this.save();
    this.form.elements.namedItem("title").focus();
  }

  // Ended at another seat, or handed to somebody else: an event about this draft that is not our doing.
  passedOn(note) {
    const panel = this.closest("[data-draft]");
    if (note.topic !== "draft" || String(note.ref) !== panel.getAttribute("data-draft")) return false;
    if (this.ended || panel.hasAttribute("data-ending")) return false;
    if (note.kind === "ended") return true;
    const me = document.querySelector("[data-user]").getAttribute("data-user");
    return note.kind === "changed" && String(note.data.owner_id) !== me;
  }

  closeHere() {
    this.finish();
    this.say("不再保存");
    this.warn("这份草稿已在别处结束或移交，这里不再保存。需要的文字请先复制，再关闭标签。");
  }

  /** A person has chosen; `version` is the one that was saved elsewhere. */
  decided(version) {
    this.undecided = false;
    this.version = version;
    this.saved = "";
    return this.save();
  }

  /** The draft has ended: nothing more to save, nothing to warn of. */
  finish() {
    this.ended = true;
    window.clearTimeout(this.timer);
  }

  say(text) {
    if (this.state) this.state.textContent = text;
  }

  /** A sentence above the keys; with `offer` a button to go on here. */
  warn(text, offer = "") {
    if (!this.alert || this.alert.textContent === text + offer) return;
    this.alert.textContent = text;
    this.alert.hidden = !text;
    if (!offer) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-outline-primary btn-sm";
    button.setAttribute("data-go-on", "");
    button.textContent = offer;
    this.alert.appendChild(button);
  }
}

customElements.define("hl-draft-form", HlDraftForm);
