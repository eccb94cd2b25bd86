// <hl-knowledge src="/knowledge/suggest">: knowledge beside the form of a draft. It asks for articles
// while the form or its own search is typed in; one key puts an answer into the form that ends the
// draft as a direct answer. It never writes over what was typed: an answer is added, a title only
// filled when there is none. Beside a conversation in writing it also asks by what the citizen wrote, and
// the same key puts the passage into the reply, as much as one message holds; pressed again, what follows.

import { FORM_TYPE, FetchError, composing, request, showProblem, swap } from "./dom.js";
import { ownKey } from "./hl-keys.js";

const PAUSE_MS = 350;
const SAID_MOST = 2000; // of what the citizen wrote, the last of it
const STOPS = "。！？；\n";
const WATCHED = ["title", "narrative", "category_id", "area_id"];

/** The beginning of `text` that fits into `room` characters: whole sentences, or as much as fits of the first. */
function passage(text, room) {
  if (room <= 0) return "";
  if (text.length <= room) return text;
  for (let at = room - 1; at > 0; at -= 1) if (STOPS.includes(text[at])) return text.slice(0, at + 1);
  return text.slice(0, room);
}

class HlKnowledge extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.panel = this.closest("[data-draft]");
    this.draft = this.panel.querySelector("form[data-draft-form]");
    this.search = this.querySelector("input[name=q]");
    this.hits = this.querySelector("[data-hits]");
    this.state = this.querySelector("[data-state]");
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("input", (event) => { event.stopPropagation(); this.soon(); });
    this.querySelector("form").addEventListener("submit", (event) => this.submitted(event));
    this.onInput = (event) => WATCHED.includes(event.target.name) && this.soon();
    this.draft.addEventListener("input", this.onInput);
    this.draft.addEventListener("change", (event) => {
      if (event.isTrusted && event.target.name === "type") this.typeChosen = true;
      this.onInput(event);
    });
    this.given = new Map(); // article → how much of its answer has gone into replies
    this.panel.addEventListener("hl:said", () => this.soon());
    this.ask();
  }

  disconnectedCallback() {
    window.clearTimeout(this.timer);
  }

  soon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), PAUSE_MS);
  }

  body(final) {
    const wanted = new URLSearchParams();
    WATCHED.forEach((name) => {
      const field = this.draft.elements.namedItem(name);
      if (field && field.value) wanted.append(name, field.value);
    });
    const said = this.said();
    if (said) wanted.append("said", said);
    if (this.search.value.trim()) wanted.append("q", this.search.value.trim());
    if (final) wanted.append("final", "true");
    return wanted.toString();
  }

  // What the citizen wrote in the conversation of this draft, while it goes on.
  said() {
    if (!this.reply()) return "";
    const lines = Array.from(this.panel.querySelectorAll('hl-chat [data-side="them"] .tx-text'), (one) => one.textContent);
    return lines.join("\n").slice(-SAID_MOST);
  }

  // The field of the reply, while the conversation goes on.
  reply() {
    const field = this.panel.querySelector("hl-chat [data-write] textarea");
    return field && !field.form.hidden ? field : null;
  }

  async ask(final = false) {
    window.clearTimeout(this.timer);
    const body = this.body(final);
    if (body === this.asked) return;
    this.asked = body;
    try {
      const answer = await request(this.getAttribute("src"), { method: "POST", headers: FORM_TYPE, body });
      if (this.asked !== body) return; // something newer was asked meanwhile
      this.show(answer.body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.asked = null;
      this.say(error.status === 401 ? "登录已失效" : "没有取到知识，继续输入会再试");
    }
  }

  // Hits that somebody is choosing from stay under his fingers.
  show(html) {
    const focused = this.hits.contains(document.activeElement);
    if (focused) return;
    swap(this.hits, html);
    this.say("");
  }

  async submitted(event) {
    event.preventDefault();
    await this.ask(true);
    const first = this.hits.querySelector("[data-take]");
    if (first) first.focus();
  }

  takes() {
    return Array.from(this.hits.querySelectorAll("[data-take]"));
  }

  key(event) {
    if (composing(event) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      this.leave(event);
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = this.takes();
    const at = all.indexOf(document.activeElement);
    if (at < 0 && (event.target !== this.search || event.key === "ArrowUp")) return;
    event.preventDefault();
    const next = event.key === "ArrowDown" ? all[Math.min(at + 1, all.length - 1)] : all[at - 1];
    (next || this.search).focus();
  }

  leave(event) {
    event.preventDefault();
    const back = this.from && this.from.isConnected ? this.from : this.draft.elements.namedItem("title");
    back.focus();
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-find")) this.find();
    if (button.hasAttribute("data-take")) this.take(button);
    if (button.hasAttribute("data-complain")) this.complain(button, button.getAttribute("data-complain"));
    if (button.hasAttribute("data-missing")) this.missing(button);
  }

  find() {
    if (!this.contains(document.activeElement)) this.from = document.activeElement;
    this.search.focus();
    this.search.select();
  }

  // ---- an answer into the form

  async take(button) {
    const hit = button.closest("[data-article]");
    if (this.reply()) {
      if (this.answer(hit, button.querySelector("[data-answer]").textContent)) await this.keep(hit.getAttribute("data-article"));
      return;
    }
    const ending = this.panel.querySelector("form[action$='/record']");
    if (!ending) return;
    this.fill(ending.elements.namedItem("note"), button.querySelector("[data-answer]").textContent);
    const direct = ending.querySelector("input[name=code][value=direct_answer]");
    if (direct) direct.checked = true;
    this.head(button.getAttribute("data-question"));
    this.unfold(ending);
    await this.keep(hit.getAttribute("data-article"));
  }

  // As much of the answer as the message still holds, up to the end of a sentence; returns whether any of it.
  answer(hit, text) {
    const field = this.reply();
    const article = hit.getAttribute("data-article");
    const from = this.given.get(article) || 0;
    const before = field.value.trim() ? `${field.value.trim()}\n` : "";
    const part = passage(text.slice(from), field.maxLength - before.length);
    field.focus();
    if (!part) {
      this.say("这条回复已写满，请先发送再填");
      return false;
    }
    field.value = before + part.trim();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const end = from + part.length;
    const rest = text.slice(end).trim();
    this.given.set(article, rest ? end : 0);
    this.say(`已填入回复；${ownKey("Ctrl+Enter")} 发送${rest ? `，发送后再按 ${ownKey("Alt+K")} 填其余部分` : ""}`);
    return true;
  }

  fill(note, answer) {
    const before = note.value.trim();
    if (before.includes(answer)) return;
    note.value = before ? `${before}\n${answer}` : answer;
    note.dispatchEvent(new Event("input", { bubbles: true }));
  }

  head(question) {
    const title = this.draft.elements.namedItem("title");
    const type = this.draft.elements.namedItem("type");
    if (!title.value.trim()) {
      title.value = question;
      title.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (!this.typeChosen && type.value === "help") {
      type.value = "consult";
      type.dispatchEvent(new Event("change", { bubbles: true }));
      this.typed = true;
    }
  }

  unfold(ending) {
    const fold = ending.closest("details");
    this.panel.querySelectorAll("details[data-folds][open]").forEach((other) => { other.open = other === fold; });
    fold.open = true;
    const note = ending.elements.namedItem("note");
    note.focus();
    note.setSelectionRange(0, 0);
    note.scrollTop = 0;
    this.say(`已填入直接答复${this.typed ? "，类型改为咨询" : ""}；${ownKey("Ctrl+Enter")} 结束`);
  }

  // The edition is kept with the draft at once, so that it outlives this page.
  async keep(article) {
    const url = `/drafts/${this.panel.getAttribute("data-draft")}/knowledge`;
    try {
      await request(url, { method: "POST", headers: FORM_TYPE, body: `article_id=${article}` });
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "答复已填入，但没有记下引用的知识，请再选一次。");
    }
  }

  // ---- what is wrong or missing

  async complain(button, kind) {
    const hit = button.closest("[data-article]");
    const more = button.closest(".kn-hit-more");
    const body = new URLSearchParams({ kind, article_id: hit.getAttribute("data-article") }).toString();
    const told = await this.report(body);
    if (told) swap(more, told);
  }

  async missing(button) {
    const title = this.draft.elements.namedItem("title").value.trim();
    const note = this.search.value.trim() || title;
    if (!note) {
      this.find();
      this.say("请先输入要找的问题");
      return;
    }
    button.disabled = true;
    const told = await this.report(new URLSearchParams({ kind: "not_found", note }).toString());
    button.disabled = false;
    if (told) swap(this.state, told);
  }

  async report(body) {
    try {
      return (await request("/knowledge/feedback", { method: "POST", headers: FORM_TYPE, body })).body;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "反馈没有送出，请再点一次。");
      return null;
    }
  }

  say(text) {
    this.state.textContent = text;
  }
}

customElements.define("hl-knowledge", HlKnowledge);
