// <hl-record-key> around one's own keys: 修改 waits for the next combination that is pressed and sends it; the
// server says whether it may be. Esc gives up; modifiers alone, and what an input method composes, do not count.

import { FORM_TYPE, FetchError, composing, encoded, request, showProblem, swap } from "./dom.js";
import { combination } from "./hl-keys.js";

const MODIFIERS = ["Control", "Alt", "Shift", "Meta", "AltGraph", "CapsLock", "Process"];

class HlRecordKey extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.button = null;
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-record]");
      if (button) this.wait(button);
    });
    this.addEventListener("focusout", () => this.stop());
    this.addEventListener("submit", (event) => this.reset(event));
    this.onKey = (event) => this.pressed(event);
    window.addEventListener("keydown", this.onKey, true); // before the keys of the console
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    window.removeEventListener("keydown", this.onKey, true);
    this.wired = false;
  }

  wait(button) {
    this.stop();
    this.button = button;
    button.textContent = "请按键…";
    button.setAttribute("data-waits", "");
    this.say("请按下新的组合键，Esc 放弃。");
  }

  stop() {
    if (!this.button) return;
    this.button.textContent = "修改";
    this.button.removeAttribute("data-waits");
    this.button = null;
    this.say("");
  }

  say(text) {
    this.querySelector("[data-said]").textContent = text;
  }

  pressed(event) {
    if (!this.button || !event.key) return;
    const plain = !event.ctrlKey && !event.altKey && !event.shiftKey;
    if (event.key === "Tab" && !event.ctrlKey && !event.altKey) return; // the focus goes on, and the waiting ends
    event.preventDefault();
    event.stopImmediatePropagation();
    if (composing(event) || event.repeat || MODIFIERS.includes(event.key)) return;
    const name = this.button.getAttribute("data-record");
    const pressed = combination(event);
    this.stop();
    if (event.key === "Escape" && plain) return;
    this.send("/me/keys", new URLSearchParams({ name: name, combination: pressed }).toString(), name);
  }

  reset(event) {
    const form = event.target.closest("[data-reset]");
    if (!form) return;
    event.preventDefault();
    const name = form.querySelector("[name=name]");
    this.send(form.getAttribute("action"), encoded(form), name ? name.value : "");
  }

  async send(url, body, name) {
    try {
      this.show((await request(url, { method: "POST", body: body, headers: FORM_TYPE })).body, name);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (error.body.includes("data-own")) this.show(error.body, name);
      else showProblem(error, "没有保存，请检查网络后再试。");
    }
  }

  // The rows as they are now, and this very page has the keys at once.
  show(html, name) {
    swap(this, html);
    const own = this.querySelector("[data-own]").getAttribute("data-own");
    document.querySelector(".hl-frame").setAttribute("data-hotkeys", own);
    const all = Array.from(this.querySelectorAll("[data-record]"));
    (all.find((one) => one.getAttribute("data-record") === name) || all[0]).focus();
  }
}

customElements.define("hl-record-key", HlRecordKey);
