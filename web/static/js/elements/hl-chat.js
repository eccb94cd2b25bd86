// <hl-chat chat="7">: a conversation in writing at the seat. Lines come by events; the field below is never
// swapped, and what was typed stays until the server has it. <hl-offers> rings once for each new offer.

import { FetchError, encoded, FORM_TYPE, request, showProblem } from "./dom.js";
import { isKey } from "./hl-keys.js";
import { HlRegion } from "./hl-region.js";
import { Looking } from "./looking.js";
import { ring } from "./tone.js";

const EVERY_MS = 15000;

class HlChat extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.lines = this.querySelector("[data-lines]");
    this.tidy();
    this.looking = new Looking(() => this.look(), { burst: 0, longest: EVERY_MS });
    this.looking.follow((note) => note.topic === "chat" && String(note.ref) === this.getAttribute("chat"), { every: EVERY_MS });
    this.form = this.querySelector("[data-write]");
    if (this.form) this.wire();
    this.down();
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    this.looking.stop();
    this.wired = false;
  }

  wire() {
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.form.addEventListener("keydown", (event) => {
      if (!isKey(event, "Ctrl+Enter")) return;
      event.preventDefault();
      event.stopPropagation(); // the same key elsewhere saves the draft
      this.send();
    });
    const end = this.querySelector("[data-end]");
    end.addEventListener("submit", (event) => { event.preventDefault(); this.post(end).then((done) => done && this.looking.soon()); });
  }

  async send() {
    const field = this.form.querySelector("textarea");
    const key = this.form.querySelector("[name=key]");
    const text = field.value;
    if (!text.trim() || this.sending) return;
    this.sending = true;
    if (await this.post(this.form)) {
      key.value = Math.random().toString(36).slice(2, 14) + Date.now().toString(36);
      if (field.value === text) field.value = "";
    }
    this.sending = false;
    field.focus();
    this.looking.soon();
  }

  async post(form) {
    try {
      await request(form.getAttribute("action"), { method: "POST", body: encoded(form), headers: FORM_TYPE });
      return true;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "没有发出，内容还在输入框里，请再试一次。");
      return false;
    }
  }

  tidy() {
    const told = this.lines.querySelector("[data-chat-state]");
    if (told) told.remove();
  }

  down() {
    this.lines.scrollTop = this.lines.scrollHeight;
  }

  async look() {
    const all = this.lines.querySelectorAll("[data-line]");
    const last = all.length ? all[all.length - 1].getAttribute("data-line") : "0";
    const { body } = await request(`/chats/${this.getAttribute("chat")}/lines?after=${last}`);
    this.take(body);
  }

  take(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    let fresh = 0;
    holder.content.querySelectorAll("[data-line]").forEach((line) => {
      if (this.lines.querySelector(`[data-line="${line.getAttribute("data-line")}"]`)) return;
      this.lines.appendChild(line);
      fresh += 1;
    });
    if (fresh) {
      this.down();
      this.dispatchEvent(new CustomEvent("hl:said", { bubbles: true }));
    }
    const told = holder.content.querySelector("[data-chat-state]");
    const state = this.querySelector("[data-state]");
    if (!told) return;
    if (state.textContent !== told.textContent) state.textContent = told.textContent;
    if (told.getAttribute("data-over") !== "1" || !this.form) return;
    this.querySelectorAll("form").forEach((form) => { form.hidden = true; });
  }
}

class HlOffers extends HlRegion {
  connectedCallback() {
    if (!this.wired) this.addEventListener("hl:swapped", () => this.announce());
    super.connectedCallback();
    this.known = this.known || this.ids();
  }

  ids() {
    return Array.from(this.querySelectorAll("[data-offer]")).map((e) => e.getAttribute("data-offer"));
  }

  announce() {
    const now = this.ids();
    if (now.some((id) => !this.known.includes(id))) ring();
    this.known = now;
  }
}

customElements.define("hl-chat", HlChat);
customElements.define("hl-offers", HlOffers);
