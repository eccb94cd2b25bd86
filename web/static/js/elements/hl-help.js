// Help calls (F9). The key sends at once, so that nobody types while a citizen waits; what is typed
// afterwards stands outside of what is live, and is kept until it was sent.
//
// A region with data-bell="name" rings when something in it carries an attribute of that name with a
// value it did not have before: a help call, a leader's word, an urgent broadcast.

import { FORM_TYPE, FetchError, encoded, request, showProblem, swap } from "./dom.js";
import { ring } from "./tone.js";

const heard = new WeakMap();

function marks(region) {
  const name = region.getAttribute("data-bell");
  return Array.from(region.querySelectorAll(`[${name}]`)).map((one) => one.getAttribute(name));
}

function listen(region) {
  const before = heard.get(region) || [];
  const now = marks(region);
  if (now.some((mark) => !before.includes(mark))) ring();
  heard.set(region, now);
}

document.addEventListener("hl:swapped", (event) => {
  if (event.target.hasAttribute && event.target.hasAttribute("data-bell")) listen(event.target);
});
document.querySelectorAll("[data-bell]").forEach((region) => heard.set(region, marks(region)));

async function send(form, host) {
  if (form.sending) return false; // a double press is one
  form.sending = true;
  try {
    const { body } = await request(form.getAttribute("action"), { method: "POST", headers: FORM_TYPE, body: encoded(form) });
    if (host) host.place(body);
    return true;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    showProblem(error, "没有发出，请检查网络后再按一次。");
    return false;
  } finally {
    form.sending = false;
  }
}

async function hear(url) {
  const token = Array.from(window.crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16)).join("");
  try {
    await request(url, { method: "POST", headers: FORM_TYPE, body: `token=${token}` });
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    showProblem(error, "已应答，但没有开始监听，请到现场监控再试。");
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const own = document.getElementById("help-own");
  if (form.hasAttribute("data-help-ask") && own) {
    event.preventDefault();
    await send(form, own);
  } else if (form.hasAttribute("data-help-say") && own) {
    event.preventDefault();
    if (await send(form, own)) form.reset();
  } else if (form.hasAttribute("data-help-answer")) {
    event.preventDefault();
    const listenAt = form.getAttribute("data-help-answer");
    if ((await send(form, document.getElementById("help-floor"))) && listenAt) await hear(listenAt);
  }
});

// The language of the call one talks in, over whatever page one is on.
document.addEventListener("click", async (event) => {
  const link = event.target.closest && event.target.closest("a[data-language]");
  const dialog = document.getElementById("language-dialog");
  if (!link || !dialog || !dialog.showModal || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    const { body } = await request(link.getAttribute("href"));
    swap(dialog.querySelector("[data-language-at]"), body);
    if (!dialog.open) dialog.showModal();
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    showProblem(error, "没有打开，请再按一次。");
  }
});

// The line to add a word is there while a help call is open, or something is typed in it.
class HlHelp extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.addEventListener("hl:swapped", () => this.show());
    this.addEventListener("htmx:afterSwap", () => this.show());
    this.show();
  }

  show() {
    const form = this.querySelector("[data-help-say]");
    const open = this.querySelector("[data-help-open]") !== null;
    form.hidden = !open && !form.querySelector("input").value;
  }
}

customElements.define("hl-help", HlHelp);
