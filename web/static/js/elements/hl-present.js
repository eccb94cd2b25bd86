// <hl-present ticket="17">: names who else has this ticket open and who is typing. The page says that
// it is here, answers newcomers, and forgets whom it has not heard of for a while.

import { FORM_TYPE, FetchError, request } from "./dom.js";

const AGAIN_MS = 60000;
const FORGET_MS = 100000;
const TYPING_MS = 20000;

class HlPresent extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.people = new Map();
    this.ticket = Number(this.getAttribute("ticket"));
    this.me = Number(document.querySelector("[data-user]").getAttribute("data-user"));
    this.onLive = (event) => this.heard(event.detail);
    this.onInput = () => this.types();
    this.onHide = () => this.leave();
    this.onSocket = (event) => event.detail.state === "open" && this.say("here", true);
    document.addEventListener("hl:live", this.onLive);
    document.addEventListener("hl:socket", this.onSocket);
    document.addEventListener("input", this.onInput);
    window.addEventListener("pagehide", this.onHide);
    this.timer = window.setInterval(() => this.tick(), 10000);
    this.saidAt = 0;
    this.typedAt = 0;
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    document.removeEventListener("hl:live", this.onLive);
    document.removeEventListener("hl:socket", this.onSocket);
    document.removeEventListener("input", this.onInput);
    window.removeEventListener("pagehide", this.onHide);
    window.clearInterval(this.timer);
    this.wired = false;
  }

  async say(state, ask = false) {
    this.saidAt = Date.now();
    const body = `state=${state}&ask=${ask}`;
    const headers = Object.assign({ "HL-Background": "1" }, FORM_TYPE);
    try {
      await request(`/tickets/${this.ticket}/presence`, { method: "POST", headers, body });
    } catch (error) {
      if (!(error instanceof FetchError)) throw error; // nobody misses it; the status line tells of a break
    }
  }

  types() {
    if (Date.now() - this.typedAt < TYPING_MS) return;
    this.typedAt = Date.now();
    this.say("typing");
  }

  leave() {
    navigator.sendBeacon(`/tickets/${this.ticket}/presence`, new URLSearchParams({ state: "gone" }));
  }

  heard(note) {
    if (note.topic !== "presence" || note.ref !== this.ticket || note.data.user === this.me) return;
    if (note.data.state === "gone") this.people.delete(note.data.user);
    else this.people.set(note.data.user, Object.assign({ at: Date.now() }, note.data));
    if (note.data.ask) window.setTimeout(() => this.say("here"), Math.random() * 1000);
    this.draw();
  }

  tick() {
    if (!document.hidden && Date.now() - this.saidAt > AGAIN_MS) this.say("here");
    this.people.forEach((one, user) => {
      if (Date.now() - one.at > FORGET_MS) this.people.delete(user);
      else if (one.state === "typing" && Date.now() - one.at > 2 * TYPING_MS) one.state = "here";
    });
    this.draw();
  }

  draw() {
    const all = Array.from(this.people.values());
    const words = all.map((one) => `${one.name}${one.unit ? `（${one.unit}）` : ""}${one.state === "typing" ? "正在填写" : "正在查看"}`);
    const text = words.join("，");
    if (text === this.shown) return;
    this.shown = text;
    this.hidden = !text;
    this.querySelector("[data-who]").textContent = text;
  }
}

customElements.define("hl-present", HlPresent);
