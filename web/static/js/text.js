// The citizen's page of a conversation: fetches what is new every few seconds and sends without a reload.
// Without this script the page works by its forms alone. What was typed stays until the server has it.

const EVERY_MS = 2500;
const LONGEST_MS = 20000;
const lines = document.querySelector("[data-lines]");
const state = document.querySelector("[data-state]");
const write = document.querySelector("[data-write]");
const problem = document.querySelector("[data-problem]");
let wait = EVERY_MS;
let timer = 0;
let busy = false;

function last() {
  const all = lines.querySelectorAll("[data-line]");
  return all.length ? all[all.length - 1].getAttribute("data-line") : "0";
}

function down() {
  lines.scrollTop = lines.scrollHeight;
}

function take(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const told = holder.content.querySelector("[data-chat-state]");
  let fresh = 0;
  holder.content.querySelectorAll("[data-line]").forEach((line) => {
    if (lines.querySelector(`[data-line="${line.getAttribute("data-line")}"]`)) return;
    lines.appendChild(line);
    fresh += 1;
  });
  if (fresh) down();
  if (!told) return;
  if (state.textContent !== told.textContent) state.textContent = told.textContent;
  if (told.getAttribute("data-over") === "1" && write) window.location.reload();
}

function say(title, text) {
  problem.textContent = "";
  if (!title) return;
  const box = document.createElement("div");
  const head = document.createElement("strong");
  const words = document.createElement("p");
  box.className = "tx-problem";
  box.setAttribute("role", "alert");
  head.textContent = title;
  words.textContent = text;
  box.append(head, words);
  problem.appendChild(box);
}

async function look() {
  window.clearTimeout(timer);
  if (busy) return;
  busy = true;
  try {
    const answer = await fetch(`/text/lines?after=${last()}`, { credentials: "same-origin", headers: { "HX-Request": "true" } });
    if (answer.status === 404) { window.location.assign("/text"); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    take(await answer.text());
    wait = EVERY_MS;
  } catch (error) {
    wait = Math.min(wait * 2, LONGEST_MS);
  } finally {
    busy = false;
  }
  timer = window.setTimeout(look, document.hidden ? wait * 4 : wait);
}

async function send(event) {
  event.preventDefault();
  const field = write.querySelector("textarea");
  const key = write.querySelector("[name=key]");
  const button = write.querySelector("button");
  const text = field.value;
  if (!text.trim() || button.disabled) return;
  button.disabled = true;
  try {
    const body = new URLSearchParams({ text: text, key: key.value });
    const answer = await fetch("/text/say", { method: "POST", body: body, credentials: "same-origin", headers: { "HX-Request": "true", Accept: "application/json" } });
    if (answer.ok) {
      key.value = Math.random().toString(36).slice(2, 14) + Date.now().toString(36);
      if (field.value === text) field.value = "";
      say("", "");
    } else {
      const told = await answer.json();
      say(told.title, told.message);
    }
  } catch (error) {
    say("没有发出", "网络不通，内容还在输入框里。请稍后再点“发送”，不会重复。");
  } finally {
    button.disabled = false;
    field.focus();
  }
  look();
}

down();
if (write) {
  write.addEventListener("submit", send);
  write.querySelector("textarea").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey && !event.isComposing) send(event);
  });
  document.addEventListener("visibilitychange", () => document.hidden || look());
  look();
}
