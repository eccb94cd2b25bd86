// What was typed into a form outlives a reload, the change to large letters, a lost connection: it is kept for
// this tab alone, with the form's key, so that it is still the same submission; changed after it was sent, it is
// another one. Gone once it was sent, on
// signing out, and two hours after the last word of it, from the open form as well; files are not kept, their
// names are told.

const STORE = "hl.portal.draft";
const HOURS_MS = 2 * 3600 * 1000;
const MINUTE_MS = 60 * 1000;
const SOON_MS = 300;

const old = (at) => Date.now() - at >= HOURS_MS;

// What is kept; null for nothing, and for what was too old and is gone now.
function stored() {
  try {
    const found = JSON.parse(window.sessionStorage.getItem(STORE) || "null");
    if (!found || !old(found.at)) return found;
    window.sessionStorage.removeItem(STORE);
    return null;
  } catch (error) {
    return undefined; // switched off by the browser: the form works without
  }
}

// On every page of the portal, now and as long as it is open.
stored();
window.setInterval(stored, MINUTE_MS);

let forgotten = false; // nothing of this page is kept any more

export function forget() {
  forgotten = true;
  try {
    window.sessionStorage.removeItem(STORE);
  } catch (error) {
    // nothing was kept either
  }
}

function values(form) {
  const found = {};
  Array.from(form.elements).forEach((field) => {
    if (!field.name || field.type === "file") return;
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked) found[field.name] = field.value;
      else if (!(field.name in found)) found[field.name] = null;
    } else found[field.name] = field.value;
  });
  return found;
}

// All that is told, as one text; without the key.
const told = (form) => JSON.stringify({ ...values(form), key: "" });

function newKey() {
  const bytes = window.crypto.getRandomValues(new Uint8Array(18));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

function fill(form, found) {
  Array.from(form.elements).forEach((field) => {
    if (!field.name || field.type === "file" || !(field.name in found)) return;
    const value = found[field.name];
    if (field.type === "checkbox" || field.type === "radio") field.checked = field.value === value;
    else if (value !== null) field.value = value;
  });
}

export class Draft {
  constructor(form) {
    this.form = form;
    this.timer = 0;
    this.step = 0;
    this.at = 0; // when something was typed or chosen last; 0: nothing was
    this.found = false; // whether something was kept of this form before the page was loaded anew
    this.sent = ""; // what was sent under this key without an answer: the server may have it
    this.waiting = []; // names of files the server has of this form: they wait for its key alone
    this.lost = []; // names of files that were chosen before the page was loaded anew
  }

  // True when something typed before was put back. A form the server sent back holds what was typed already.
  restore() {
    const found = stored();
    const fresh = this.form.hasAttribute("data-fresh");
    // The draft brings back what was typed, and what is gone from it is gone: not so the browser's own memory.
    if (found !== undefined) this.form.setAttribute("autocomplete", "off");
    const before = told(this.form);
    this.found = fresh && Boolean(found);
    if (this.found) {
      fill(this.form, found.values);
      this.at = found.at;
      this.sent = found.sent || "";
      this.step = found.step || 0;
      this.lost = found.files || [];
    } else if (!fresh) {
      this.at = found ? found.at : Date.now();
      this.save();
    }
    this.form.addEventListener("input", () => this.typed());
    this.form.addEventListener("change", () => this.typed());
    window.setInterval(() => this.empty(), MINUTE_MS);
    window.addEventListener("pagehide", () => { if (this.timer) this.save(); });
    return before !== told(this.form) || this.lost.length > 0;
  }

  typed() {
    this.at = Date.now();
    this.soon();
  }

  // Left alone for so long, the form shows nobody what was written in it.
  empty() {
    if (!this.at || !old(this.at)) return;
    forget();
    window.location.replace(window.location.pathname);
  }

  soon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), SOON_MS);
  }

  // Sent off; what is not what was sent before gets a key of its own, or it would be taken for the same.
  // The fields a browser may fill in by itself are remembered by it as well, for whoever goes back.
  send() {
    const now = told(this.form);
    if (this.sent && this.sent !== now) this.form.elements.namedItem("key").value = newKey();
    this.sent = now;
    this.waiting = Array.from(this.form.querySelectorAll(".pt-files li"), (one) => one.childNodes[0].textContent.trim());
    Array.from(this.form.elements).forEach((field) => field.setAttribute("autocomplete", "off"));
    this.at = Date.now(); // what is under way is not emptied
    this.save();
  }

  save() {
    window.clearTimeout(this.timer);
    this.timer = 0;
    if (forgotten || !this.at || old(this.at)) return;
    const files = this.form.querySelector("input[type=file]");
    const names = this.waiting.concat(files ? Array.from(files.files, (one) => one.name) : []);
    const kept = { at: this.at, step: this.step, sent: this.sent, values: values(this.form) };
    kept.files = names.length ? names : this.lost;
    try {
      window.sessionStorage.setItem(STORE, JSON.stringify(kept));
    } catch (error) {
      // full or switched off: the page itself still holds everything
    }
  }
}
