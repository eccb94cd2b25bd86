// What was typed into a form outlives a reload, the change to large letters, a lost connection: it is kept for
// this tab alone, with the form's key, so that it is still the same submission. Gone once it was sent, on
// signing out, and after two hours; files are not kept, their names are told.

const STORE = "hl.portal.draft";
const HOURS_MS = 2 * 3600 * 1000;
const SOON_MS = 300;

function stored() {
  try {
    const found = JSON.parse(window.sessionStorage.getItem(STORE) || "null");
    return found && Date.now() - found.at < HOURS_MS ? found : null;
  } catch (error) {
    return undefined; // switched off by the browser: the form works without
  }
}

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
    this.found = false; // whether something was kept of this form before the page was loaded anew
    this.lost = []; // names of files that were chosen before the page was loaded anew
  }

  // True when something typed before was put back. A form the server sent back holds what was typed already.
  restore() {
    const found = stored();
    const fresh = this.form.hasAttribute("data-fresh");
    // The draft brings back what was typed, and what is gone from it is gone: not so the browser's own memory.
    if (found !== undefined) this.form.setAttribute("autocomplete", "off");
    const before = JSON.stringify({ ...values(this.form), key: "" });
    this.found = fresh && Boolean(found);
    if (this.found) {
      fill(this.form, found.values);
      this.step = found.step || 0;
      this.lost = found.files || [];
    } else if (!fresh) this.save();
    this.form.addEventListener("input", () => this.soon());
    this.form.addEventListener("change", () => this.soon());
    window.addEventListener("pagehide", () => { if (this.timer) this.save(); });
    return before !== JSON.stringify({ ...values(this.form), key: "" }) || this.lost.length > 0;
  }

  soon() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), SOON_MS);
  }

  // Sent off. The fields a browser may fill in by itself are remembered by it as well, for whoever goes back.
  send() {
    Array.from(this.form.elements).forEach((field) => field.setAttribute("autocomplete", "off"));
    this.save();
  }

  save() {
    window.clearTimeout(this.timer);
    this.timer = 0;
    if (forgotten) return;
    const files = this.form.querySelector("input[type=file]");
    const names = files ? Array.from(files.files, (one) => one.name) : [];
    const kept = { at: Date.now(), step: this.step, values: values(this.form), files: names.length ? names : this.lost };
    try {
      window.sessionStorage.setItem(STORE, JSON.stringify(kept));
    } catch (error) {
      // full or switched off: the page itself still holds everything
    }
  }
}
