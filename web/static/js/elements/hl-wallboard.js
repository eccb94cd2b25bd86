// <hl-wallboard src="…/figures">: six panels one after the other. It asks for the figures every five
// seconds; when no answer came for fifteen it greys out and says of when the figures are. Nobody touches it.

const ASK_MS = 5000;
const STALE_MS = 15000;
const SHOW_MS = 12000;

function pick(data, path) {
  return path.split(".").reduce((found, name) => (found === undefined || found === null ? found : found[name]), data);
}

function clockWords(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

function make(name, text, className) {
  const found = document.createElement(name);
  if (text !== undefined) found.textContent = String(text);
  if (className) found.className = className;
  return found;
}

function empty(host) {
  while (host.firstChild) host.removeChild(host.firstChild);
}

class HlWallboard extends HTMLElement {
  connectedCallback() {
    this.panels = Array.from(this.querySelectorAll("[data-panel]"));
    this.shown = 0;
    this.answered = 0;
    this.dots = this.part("dots");
    this.panels.forEach(() => this.dots.appendChild(make("i")));
    this.show(0);
    this.ask();
    this.timers = [
      window.setInterval(() => this.ask(), ASK_MS),
      window.setInterval(() => this.show(this.shown + 1), SHOW_MS),
      window.setInterval(() => this.judge(), 1000),
    ];
  }

  disconnectedCallback() {
    this.timers.forEach((timer) => window.clearInterval(timer));
  }

  part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }

  show(number) {
    this.shown = number % this.panels.length;
    this.panels.forEach((panel, place) => panel.toggleAttribute("data-shown", place === this.shown));
    Array.from(this.dots.children).forEach((dot, place) => dot.toggleAttribute("data-on", place === this.shown));
    this.part("title").textContent = this.panels[this.shown].getAttribute("data-title");
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    const stop = new AbortController();
    const late = window.setTimeout(() => stop.abort(), STALE_MS);
    try {
      const options = { credentials: "omit", cache: "no-store", signal: stop.signal, headers: { Accept: "application/json" } };
      const response = await fetch(this.getAttribute("src"), options);
      if (response.status === 404) this.close();
      if (response.ok) this.fill(await response.json());
    } catch (error) {
      // No answer: `judge` says so when it has lasted.
    } finally {
      window.clearTimeout(late);
      this.asking = false;
      this.judge();
    }
  }

  // The address was revoked: nothing of it stays on the wall.
  close() {
    this.timers.forEach((timer) => window.clearInterval(timer));
    empty(this);
    this.appendChild(make("p", "此大屏地址已停用", "wb-closed"));
    this.closed = true;
  }

  judge() {
    if (this.closed) return;
    const stale = !this.answered || Date.now() - this.answered >= STALE_MS;
    this.toggleAttribute("data-stale", stale);
    const state = this.part("state");
    const words = stale ? (this.at ? `数据停在 ${this.at}` : "没有数据") : `数据 ${this.at}`;
    if (state.textContent !== words) state.textContent = words;
  }

  fill(data) {
    this.answered = Date.now();
    this.at = data.at;
    this.querySelectorAll("[data-text]").forEach((one) => {
      const value = pick(data, one.getAttribute("data-text"));
      one.textContent = value === undefined || value === null ? "—" : String(value);
    });
    this.querySelectorAll("[data-seconds]").forEach((one) => {
      one.textContent = clockWords(pick(data, one.getAttribute("data-seconds")));
    });
    this.querySelectorAll("[data-list]").forEach((one) => this.list(one, pick(data, one.getAttribute("data-list"))));
    this.querySelectorAll("[data-empty]").forEach((one) => {
      one.toggleAttribute("hidden", pick(data, one.getAttribute("data-empty")).length > 0);
    });
    this.peers(this.querySelector("[data-peers]"), data.units);
    this.part("behind").textContent = data.behind ? `工单数字统计至 ${data.behind}` : "";
  }

  list(host, rows) {
    empty(host);
    rows.forEach((row) => {
      const item = make("li");
      item.appendChild(make("b", row.n));
      item.appendChild(make("span", row.word));
      host.appendChild(item);
    });
  }

  peers(host, groups) {
    empty(host);
    groups.forEach((group) => {
      const column = make("div");
      column.appendChild(make("h2", group.group));
      const list = make("ol");
      group.units.forEach((unit) => {
        const item = make("li");
        item.appendChild(make("span", unit.name));
        item.appendChild(make("b", `${unit.rate}%`));
        item.appendChild(make("i", `${unit.n} 件`));
        list.appendChild(item);
      });
      column.appendChild(list);
      if (group.unnamed) column.appendChild(make("p", `另 ${group.unnamed} 个单位不足 ${group.least} 件，不列名`));
      host.appendChild(column);
    });
  }
}

customElements.define("hl-wallboard", HlWallboard);
