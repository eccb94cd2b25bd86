// <hl-phone src="/agent/banner">: the banner of the call that rings at my own telephone.
// Events only say "look again"; what is shown always comes from the server, so a reload or a lost
// socket shows the same. It never takes the focus: the container is a polite live region.

import { FetchError, request, swap } from "./dom.js";
import { ring } from "./tone.js";

const RING_EVERY_MS = 3000;
const RETRY_MS = 2000;

class HlPhone extends HTMLElement {
  connectedCallback() {
    this.ringing = this.sessions();
    this.pageTitle = document.title;
    this.onLive = (event) => event.detail.topic === "call" && this.concernsMe(event.detail) && this.look();
    this.onSocket = (event) => event.detail.state === "open" && this.look();
    document.addEventListener("hl:live", this.onLive);
    document.addEventListener("hl:socket", this.onSocket);
    this.onReset = () => this.look();
    document.addEventListener("hl:reset", this.onReset);
    this.announce([]);
  }

  disconnectedCallback() {
    document.removeEventListener("hl:live", this.onLive);
    document.removeEventListener("hl:socket", this.onSocket);
    document.removeEventListener("hl:reset", this.onReset);
    window.clearInterval(this.bell);
    window.clearTimeout(this.retry);
  }

  // A shift leader hears of every call; only those of my own telephone make me look.
  concernsMe(note) {
    const data = note.data || {};
    const mine = this.getAttribute("extension");
    if (note.kind === "ended" || data.extension === undefined) return true;
    return String(data.extension) === mine;
  }

  sessions() {
    return Array.from(this.querySelectorAll("[data-session]")).map((e) => e.getAttribute("data-session"));
  }

  async look() {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    window.clearTimeout(this.retry);
    try {
      const { body } = await request(this.getAttribute("src"));
      this.show(body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (error.status !== 401) this.retry = window.setTimeout(() => this.look(), RETRY_MS);
    } finally {
      this.busy = false;
    }
    if (this.again) {
      this.again = false;
      this.look();
    }
  }

  show(html) {
    const before = this.ringing;
    if (html.trim() !== this.last) swap(this, html);
    this.last = html.trim();
    this.ringing = this.sessions();
    this.announce(before);
  }

  announce(before) {
    const fresh = this.ringing.filter((id) => !before.includes(id));
    if (fresh.length) ring();
    window.clearInterval(this.bell);
    document.title = this.pageTitle;
    if (!this.ringing.length) return;
    document.title = `● 来电 · ${this.pageTitle}`;
    this.bell = window.setInterval(ring, RING_EVERY_MS);
  }
}

customElements.define("hl-phone", HlPhone);
