// What the elements share: fetching a fragment, putting it in place, and knowing when not to.

/** The server could not be reached, or answered with an error. `status` is 0 without an answer. */
export class FetchError extends Error {
  constructor(status, body, code = "") {
    super(`request failed: ${status}`);
    this.status = status;
    this.body = body;
    this.code = code;
  }
}

/** Fetch text of our own server; a redirect to the login page counts as 401. */
export async function request(url, options = {}) {
  const headers = Object.assign({ "HX-Request": "true" }, options.headers);
  if (!options.method) headers["HL-Background"] = "1"; // what a page reads by itself keeps no session awake
  let response;
  try {
    response = await fetch(url, Object.assign({ credentials: "same-origin" }, options, { headers }));
  } catch (error) {
    throw new FetchError(0, String(error));
  }
  const body = await response.text();
  const turnedAway = response.redirected && new URL(response.url).pathname.startsWith("/login");
  if (turnedAway) throw new FetchError(401, body);
  if (!response.ok) throw new FetchError(response.status, body, response.headers.get("HL-Code") || "");
  return { body, response };
}

/** Replace the children of `host` by `html`; htmx learns of what came in. */
export function swap(host, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  while (host.firstChild) host.removeChild(host.firstChild);
  host.appendChild(template.content);
  if (window.htmx) window.htmx.process(host);
}

/** Tell a person what went wrong: the server's own sentence, else `text`. */
export function showProblem(error, text) {
  const notices = document.getElementById("notices");
  if (!notices) return;
  const holder = document.createElement("div");
  if (error.body && error.body.includes("hl-notice")) swap(holder, error.body);
  if (!holder.firstElementChild) {
    const note = document.createElement("div");
    note.className = "hl-notice";
    note.setAttribute("data-tone", "warn");
    note.setAttribute("role", "alert");
    note.textContent = text;
    holder.appendChild(note);
    window.setTimeout(() => note.remove(), 8000);
  }
  while (holder.firstChild) notices.appendChild(holder.firstChild);
}

/** True while an input method is composing: keys belong to it, not to us. */
export function composing(event) {
  return event.isComposing || event.keyCode === 229;
}

/** True when `element` takes text or a choice that a swap would lose. */
export function takesInput(element) {
  return Boolean(element) && /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}

/** Body of a form as the server expects it. */
export function encoded(form) {
  return new URLSearchParams(new FormData(form)).toString();
}

export const FORM_TYPE = { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" };

/** Time of day in the city, for "saved at". */
export function clockTime(date = new Date()) {
  return date.toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
}
