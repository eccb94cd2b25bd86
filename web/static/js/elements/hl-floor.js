// <hl-floor src="/floor/changes" mark="…">: the live floor. An event says "look again"; the answer holds
// only the pieces that changed since the mark, and the order of lists that changed. Rows are put in place
// one by one, so that focus, scrolling and what is chosen stay. Filters are attributes of the rows.
//
// ↑ ↓ go through the rows, Enter opens one at the side; its buttons are sent from here, and the answer
// stands beside them.

import { FORM_TYPE, FetchError, encoded, request, showProblem, swap } from "./dom.js";
import { Looking } from "./looking.js";

const TOPICS = ["agent", "call", "pbx", "help", "language"];
const BURST_MS = 40;
const SETTLE_MS = 300;
const EVERY_MS = 3000; // what takes too long stands out without any event
const RETRY_MS = 500;
const LONGEST_WAIT_MS = 15000;

function freshToken() {
  const bytes = window.crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

class HlFloor extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.mark = this.getAttribute("mark");
    this.state = this.getAttribute("data-state") || "";
    this.queue = this.getAttribute("data-queue") || "";
    this.looking = new Looking(() => this.look(), {
      burst: BURST_MS,
      settle: SETTLE_MS,
      retry: RETRY_MS,
      longest: LONGEST_WAIT_MS,
      stale: (old) => this.toggleAttribute("data-stale", old),
    });
    this.looking.follow((note) => this.hears(note), { every: EVERY_MS });
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("keydown", (event) => this.pressed(event));
    this.addEventListener("submit", (event) => this.submitted(event));
    this.filter();
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    this.looking.stop();
    this.wired = false;
  }

  hears(note) {
    if (note.topic === "control" && note.kind === "order") this.told(note.data || {});
    return TOPICS.includes(note.topic);
  }

  async look() {
    const { body } = await request(`${this.getAttribute("src")}?mark=${encodeURIComponent(this.mark)}`);
    this.take(JSON.parse(body));
  }

  take(answer) {
    if (answer.mark === this.mark) return;
    this.mark = answer.mark;
    this.setAttribute("data-now", answer.now); // what the timers that come in are counted from
    const focus = this.focusKey();
    Object.keys(answer.pieces).forEach((key) => this.piece(key, answer.pieces[key]));
    Object.keys(answer.lists).forEach((name) => this.list(name, answer.lists[name]));
    this.kept = null;
    this.filter();
    this.refocus(focus);
  }

  // A panel is filled anew; a row is exchanged, or kept for the list it will stand in.
  piece(key, html) {
    const panel = this.querySelector(`[data-part="${key}"]`);
    if (panel) {
      swap(panel, html);
      return;
    }
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    const row = template.content.firstElementChild;
    const old = this.querySelector(`[data-key="${key}"]`);
    if (old) old.replaceWith(row);
    else {
      this.kept = this.kept || new Map();
      this.kept.set(key, row);
    }
  }

  list(name, keys) {
    const host = this.querySelector(`[data-list="${name}"]`);
    const there = new Map(Array.from(host.children).map((row) => [row.getAttribute("data-key"), row]));
    let place = host.firstElementChild;
    keys.forEach((key) => {
      const row = there.get(key) || (this.kept && this.kept.get(key));
      there.delete(key);
      if (!row) return;
      if (row === place) place = place.nextElementSibling;
      else host.insertBefore(row, place);
    });
    there.forEach((row) => row.remove());
  }

  focusKey() {
    const row = document.activeElement && document.activeElement.closest("[data-key]");
    if (!row || !this.contains(row)) return null;
    return { key: row.getAttribute("data-key"), choose: document.activeElement.getAttribute("data-choose") };
  }

  refocus(focus) {
    if (!focus || (document.activeElement && document.activeElement !== document.body)) return;
    const row = this.querySelector(`[data-key="${focus.key}"]`);
    const link = row && (focus.choose ? row.querySelector(`[data-choose="${focus.choose}"]`) : row.querySelector("a"));
    if (link) link.focus({ preventScroll: true });
  }

  // ---- filters --------------------------------------------------------------------------------

  filter() {
    this.querySelectorAll("[data-list]").forEach((host) => {
      const byState = host.getAttribute("data-list") === "agents";
      let seen = 0;
      Array.from(host.children).forEach((row) => {
        const queues = (row.getAttribute("data-queues") || "").split(" ");
        const fits = (!byState || !this.state || row.getAttribute("data-state") === this.state)
          && (!this.queue || queues.includes(this.queue));
        if (row.hidden === fits) row.hidden = !fits;
        seen += fits ? 1 : 0;
      });
      const scroll = host.closest(".fl-scroll");
      if (scroll.querySelector(".fl-empty")) scroll.querySelector(".fl-empty").hidden = seen > 0;
    });
    this.press("data-filter-state", this.state);
    this.querySelectorAll("[data-filter-state][data-n]").forEach((one) => { // what nobody is in takes no room
      one.hidden = one.getAttribute("data-n") === "0" && one.getAttribute("data-filter-state") !== this.state;
    });
    this.press("data-filter-queue", this.queue);
    const chosen = this.chosen;
    this.querySelectorAll("tr[data-agent]").forEach((row) => {
      row.setAttribute("aria-selected", String(row.getAttribute("data-agent") === chosen));
    });
  }

  press(name, value) {
    this.querySelectorAll(`[${name}]`).forEach((one) => one.setAttribute("aria-pressed", String(one.getAttribute(name) === value)));
  }

  address() {
    const query = new URLSearchParams();
    if (this.chosen) query.set("agent", this.chosen);
    if (this.state) query.set("state", this.state);
    if (this.queue) query.set("queue", this.queue);
    const text = query.toString();
    window.history.replaceState(null, "", text ? `?${text}` : window.location.pathname);
  }

  get chosen() {
    return this.panel.getAttribute("data-agent");
  }

  get panel() {
    return this.querySelector("#fl-chosen");
  }

  // ---- clicks and keys ------------------------------------------------------------------------

  clicked(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("[data-choose]");
    if (link) {
      event.preventDefault();
      this.choose(link.getAttribute("data-choose"));
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-filter-state")) this.state = button.getAttribute("data-filter-state");
    else if (button.hasAttribute("data-filter-queue")) this.queue = button.getAttribute("data-filter-queue");
    else if (button.hasAttribute("data-view")) this.show(button.getAttribute("data-view"));
    else return;
    this.filter();
    this.address();
  }

  show(view) {
    this.press("data-view", view);
    this.querySelectorAll("[data-view-of]").forEach((one) => { one.hidden = one.getAttribute("data-view-of") !== view; });
  }

  // What is live in the panel fetches itself; what is being filled in there stays until another is chosen.
  async choose(id) {
    this.panel.setAttribute("data-agent", id);
    this.filter();
    this.address();
    try {
      const { body } = await request(`/floor/agents/${id}`);
      if (this.chosen === id) swap(this.panel, body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "没有打开，请再点一次。");
    }
  }

  pressed(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const row = document.activeElement && document.activeElement.closest("[data-list] > *");
    if (!row || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling";
    let next = row[step];
    while (next && next.hidden) next = next[step];
    const link = next && next.querySelector("a");
    if (link) link.focus();
  }

  async submitted(event) {
    const form = event.target;
    const word = form.getAttribute("data-order");
    if (!word) return;
    event.preventDefault();
    if (form.sending) return; // a double click is one order
    form.sending = true;
    this.say(`${word}：正在发出…`);
    try {
      const { body } = await request(form.getAttribute("action"), { method: "POST", headers: FORM_TYPE, body: encoded(form) });
      this.said(`${word}：已发出`, body);
      const token = form.querySelector("[name=token]");
      if (token) token.value = freshToken(); // the next click is another order
      this.looking.soon();
      const live = this.panel.querySelector("hl-region");
      if (live) live.refreshSoon();
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.say(`${word}：没有做到`);
      showProblem(error, `${word}没有发出，请检查网络后再按一次。`);
    } finally {
      form.sending = false;
    }
  }

  // What became of an order stands in the answer, and goes on telling; where it tells nothing, that it was sent.
  said(text, body) {
    const place = this.querySelector("[data-said]");
    if (place && body.trim() && !body.includes("<html")) swap(place, body);
    else this.say(text);
  }

  // An order was carried out or failed.
  async told(data) {
    const shown = this.querySelector("[data-said] [data-order-id]");
    if (!shown || String(data.order) !== shown.getAttribute("data-order-id")) return;
    try {
      const { body } = await request(`/floor/orders/${data.order}`);
      this.said("", body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
    }
  }

  say(text) {
    const place = this.querySelector("[data-said]");
    if (place) place.textContent = text;
  }
}

customElements.define("hl-floor", HlFloor);
