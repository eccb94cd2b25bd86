// One question a screen on phones: the sections of the one form are shown one after the other. The form, its
// fields and what is sent are the same as without script; on a wide screen all sections stand below each other.
// A step is an entry of the history, so that the browser's back goes one step back.

import { tell, unsay } from "./checks.js";
import { summary } from "./summary.js";

const PHONE = "(max-width: 40em)";

export class Steps {
  constructor(form, draft) {
    this.form = form;
    this.draft = draft;
    this.sections = Array.from(form.querySelectorAll("[data-step]"));
    this.words = JSON.parse(form.getAttribute("data-words"));
    this.narrow = window.matchMedia(PHONE);
    this.title = document.title;
    this.at = 0;
    this.problem = document.querySelector("[data-problem]");
    this.sections.forEach((section) => this.dress(section));
    this.bar = this.tools();
    form.addEventListener("submit", (event) => this.submit(event));
    form.addEventListener("input", (event) => this.mended(event.target));
    form.addEventListener("change", (event) => this.mended(event.target));
    window.addEventListener("popstate", (event) => {
      if (!this.on) return;
      if (event.state) { this.show(event.state.step || 0, true); return; }
      // A place within the page, as the link past the head is: the same step.
      window.history.replaceState({ step: this.at }, "");
      this.show(this.at, false);
    });
    // Old browsers know only the old way to listen to a width.
    const turn = () => this.lay(false);
    if (this.narrow.addEventListener) this.narrow.addEventListener("change", turn);
    else this.narrow.addListener(turn);
  }

  get on() { return this.narrow.matches; }
  get last() { return this.sections.length - 1; }

  begin() {
    const wrong = this.sections.findIndex((section) => section.querySelector(".pt-wrong"));
    const state = window.history.state;
    const kept = this.draft.found && state ? state.step : null; // an empty form begins at its first step
    // What the server sent back opens where it is wrong; where nothing is, at the end, to be sent again.
    if (!this.form.hasAttribute("data-fresh")) this.at = wrong >= 0 ? wrong : this.last;
    else this.at = typeof kept === "number" ? kept : this.draft.step;
    this.at = Math.min(Math.max(this.at, 0), this.last);
    if (state && state.step !== this.at) window.history.replaceState({ step: this.at }, "");
    this.pointers();
    this.lay(true);
  }

  // ---- how it looks ----
  dress(section) {
    const head = document.createElement("h2");
    head.className = "pt-step-head";
    head.tabIndex = -1;
    const count = document.createElement("span");
    count.className = "pt-step-count";
    count.textContent = `第 ${this.sections.indexOf(section) + 1} 步，共 ${this.sections.length} 步`;
    if (section.hasAttribute("data-optional")) count.textContent += "，可不填";
    head.append(count, section.getAttribute("data-step"));
    section.prepend(head);
  }

  tools() {
    const progress = document.createElement("progress");
    progress.className = "pt-progress";
    progress.max = this.sections.length;
    progress.setAttribute("aria-label", "填写进度");
    this.form.prepend(progress);
    const bar = document.createElement("div");
    bar.className = "pt-step-bar";
    bar.setAttribute("data-unread", "");
    this.back = button("上一步", "pt-button pt-quiet", () => this.previous());
    this.forth = button("下一步", "pt-button", () => this.next());
    bar.append(this.back, this.forth, this.form.querySelector("button[type=submit]"));
    this.form.append(bar);
    this.progress = progress;
    return bar;
  }

  // From one page to steps and back, as the width is; nothing is emptied.
  lay(quiet) {
    this.form.classList.toggle("pt-stepping", this.on);
    document.querySelectorAll("[data-whole-only]").forEach((part) => { part.hidden = this.on; });
    document.querySelectorAll("[data-steps-only]").forEach((part) => { part.hidden = !this.on; });
    if (this.on) this.show(this.at, !quiet);
    else {
      document.title = this.title;
      this.sections.forEach((section) => { section.hidden = false; });
      this.form.querySelector("button[type=submit]").hidden = false;
    }
  }

  show(step, focus) {
    this.at = Math.min(Math.max(step, 0), this.last);
    const end = this.at === this.last;
    this.sections.forEach((section, index) => { section.hidden = index !== this.at; });
    this.progress.value = this.at + 1;
    this.back.hidden = this.at === 0 || this.reviewing;
    this.forth.hidden = end;
    this.forth.textContent = this.reviewing ? "回到核对" : "下一步";
    this.form.querySelector("button[type=submit]").hidden = !end;
    if (end) summary(this.sections.slice(0, -1), this.form.querySelector("[data-summary]"), (index) => this.change(index));
    const head = this.sections[this.at].querySelector(".pt-step-head");
    document.title = `${head.querySelector("span").textContent} · ${this.title}`;
    this.draft.step = this.at;
    this.draft.soon();
    document.dispatchEvent(new CustomEvent("portal:step"));
    if (!focus) return;
    window.scrollTo(0, 0);
    head.focus();
  }

  // ---- going on and back ----
  get reviewing() { return Boolean(window.history.state && window.history.state.review); }

  go(step, state) {
    window.history.replaceState({ ...window.history.state, step: this.at }, "");
    window.history.pushState({ step, from: this.at, ...state }, "");
    this.show(step, true);
  }

  next() {
    if (!this.right(this.sections[this.at])) return;
    if (this.reviewing) window.history.back();
    else this.go(this.at + 1);
  }

  previous() {
    const state = window.history.state;
    if (state && state.from === this.at - 1) { window.history.back(); return; }
    window.history.replaceState({ step: this.at - 1 }, "");
    this.show(this.at - 1, true);
  }

  change(step) { this.go(step, { review: true }); }

  // ---- whether it is right ----
  right(section) {
    const fields = Array.from(section.querySelectorAll("input:not([type=hidden]):not([type=radio]), textarea"));
    const wrong = fields.filter((field) => !tell(field, this.words));
    if (wrong.length) wrong[0].focus();
    return !wrong.length;
  }

  // Enter in a field goes on; at the end all steps are looked at, and the first that is not right opens.
  submit(event) {
    if (!this.on) {
      // Files that cannot be taken would cost the whole sending; all else is the server's to judge.
      const files = this.form.querySelector("input[type=file]");
      if (tell(files, this.words)) this.draft.send();
      else { event.preventDefault(); files.focus(); }
      return;
    }
    if (this.at !== this.last) { event.preventDefault(); this.next(); return; }
    const wrong = this.sections.findIndex((section) => !this.right(section));
    if (wrong < 0) { this.draft.send(); return; }
    event.preventDefault();
    if (wrong !== this.at) this.change(wrong);
    this.right(this.sections[wrong]);
  }

  mended(field) {
    if (field.getAttribute("aria-invalid") !== "true" && field.type !== "file") return;
    unsay(field);
    this.sections.forEach((section) => {
      if (field.type === "file" && section.contains(field)) section.querySelectorAll("p.pt-wrong").forEach((one) => one.remove());
    });
    if (this.problem && !this.form.querySelector(".pt-wrong")) this.problem.hidden = true;
  }

  // The sentence on top leads to the steps it is about.
  pointers() {
    if (!this.problem) return;
    const list = document.createElement("ul");
    list.className = "pt-pointers";
    this.sections.forEach((section, index) => {
      const told = section.querySelector(".pt-wrong");
      if (!told) return;
      const item = document.createElement("li");
      const words = `第 ${index + 1} 步 ${section.getAttribute("data-step")}：${told.textContent}`;
      item.append(button(words, "pt-link", () => {
        if (index !== this.at) this.go(index, {});
        const field = section.querySelector("[aria-invalid=true], input[type=file]");
        if (field) field.focus();
      }));
      list.append(item);
    });
    list.setAttribute("data-steps-only", "");
    if (list.children.length) this.problem.append(list);
  }
}

function button(words, classes, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = classes;
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
}
