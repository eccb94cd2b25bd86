// The citizens' portal with script: one question a screen on phones, what was typed outlives a reload, places
// while an address is typed, one click is one submission, reading aloud in elder mode. Without it every page
// works as it is.

import { aloud } from "./portal/aloud.js";
import { Draft, forget } from "./portal/draft.js";
import { Steps } from "./portal/steps.js";

const PAUSE_MS = 250;

// ---- the form: kept while it is written, step by step on phones ----
const stepped = document.querySelector("form[data-words]");
if (stepped) {
  const draft = new Draft(stepped);
  const kept = document.querySelector("[data-kept]");
  if (draft.restore()) {
    kept.hidden = false;
    if (draft.lost.length) kept.querySelector("span").textContent = `照片和文件需要重新选择：${draft.lost.join("、")}。`;
    kept.querySelector("button").addEventListener("click", () => {
      forget();
      window.location.replace(window.location.pathname);
    });
  }
  new Steps(stepped, draft).begin();
}
if (document.querySelector("[data-sent-off]")) forget();
document.querySelectorAll("form[action='/portal/sign-out']").forEach((form) => form.addEventListener("submit", forget));

// ---- one click is one submission ----
document.querySelectorAll("form[data-once]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return; // a step before the last
    const button = form.querySelector("button[type=submit]");
    if (form.getAttribute("data-sent")) { event.preventDefault(); return; }
    form.setAttribute("data-sent", "1");
    if (button) { button.setAttribute("aria-disabled", "true"); button.textContent = "正在提交…"; }
  });
});
// Back from another page: the form may be sent again, its key makes that harmless.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
const problem = document.querySelector("[data-problem]");
if (problem) problem.focus();

// ---- places ----
function places(holder) {
  const input = holder.querySelector("input:not([type=hidden])");
  const area = holder.querySelector("input[type=hidden]");
  const list = document.createElement("ul");
  let timer = 0;
  let at = -1;
  let taken = input.value.trim();
  list.id = "spots";
  list.className = "pt-spots";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "地名");
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", "spots");
  holder.appendChild(list);

  function shut() {
    window.clearTimeout(timer);
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function point(next) {
    at = next;
    Array.from(list.children).forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", list.children[at].id);
    else input.removeAttribute("aria-activedescendant");
  }
  function take(item) {
    const name = item.getAttribute("data-name");
    if (!input.value.includes(name)) input.value = name;
    taken = input.value.trim();
    area.value = item.getAttribute("data-area");
    shut();
    input.focus();
  }
  async function ask() {
    const typed = input.value.trim();
    if (!typed || typed === taken) { shut(); return; }
    try {
      const body = new URLSearchParams({ q: typed.slice(0, 60) });
      const answer = await fetch(holder.getAttribute("data-places"), { method: "POST", body, credentials: "same-origin" });
      if (!answer.ok || input.value.trim() !== typed) { shut(); return; }
      list.innerHTML = await answer.text();
      Array.from(list.children).forEach((item, index) => { item.id = `spot-${index}`; });
      list.hidden = !list.children.length;
      input.setAttribute("aria-expanded", String(!list.hidden));
      point(-1);
    } catch (error) {
      shut(); // a help: without it the address is typed as ever
    }
  }
  input.addEventListener("input", () => {
    if (!taken || !input.value.includes(taken)) area.value = "";
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || list.hidden) return;
    const size = list.children.length;
    if (event.key === "ArrowDown") { event.preventDefault(); point((at + 1) % size); }
    else if (event.key === "ArrowUp") { event.preventDefault(); point(at <= 0 ? size - 1 : at - 1); }
    else if (event.key === "Enter" && at >= 0) { event.preventDefault(); take(list.children[at]); }
    else if (event.key === "Escape") { event.preventDefault(); shut(); }
  });
  input.addEventListener("blur", shut);
  list.addEventListener("mousedown", (event) => {
    const item = event.target.closest("li");
    event.preventDefault();
    if (item) take(item);
  });
}
document.querySelectorAll("[data-places]").forEach(places);

const reader = document.querySelector("[data-read-aloud]");
if (reader) aloud(reader);
