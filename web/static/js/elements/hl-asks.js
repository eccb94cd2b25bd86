// <hl-asks> in the form of a draft: marks what the chosen type asks for while it is empty, says it in one
// line above the help, and stops the first attempt to save where the matter hangs on it. The second
// attempt saves: a citizen who does not know is never refused.

import { ownKey } from "./hl-keys.js";

const EMPTY = (field) => !field || !field.value.trim();

class HlAsks extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.form = this.closest("[data-draft]").querySelector("form[data-draft-form]");
    this.onChange = () => this.look();
    ["input", "change"].forEach((kind) => this.form.addEventListener(kind, this.onChange));
    this.form.addEventListener("hl:before-ending", (event) => this.before(event));
    this.closest("[data-draft]").addEventListener("click", (event) => this.appeal(event.target.closest("[data-appeal]")));
    this.look();
  }

  // 申诉 beside an earlier ticket of the caller: the form becomes its appeal, what is typed stays.
  appeal(button) {
    if (!button) return;
    const number = this.form.elements.namedItem("appeal_of");
    this.type.value = "appeal";
    number.value = button.getAttribute("data-appeal");
    [this.type, number].forEach((field) => field.dispatchEvent(new Event("change", { bubbles: true })));
    const story = this.form.elements.namedItem("narrative");
    (story.value.trim() ? number : story).focus();
  }

  get type() {
    return this.form.elements.namedItem("type");
  }

  asked(attribute = "data-asked-by") {
    const code = this.type.value;
    return Array.from(this.form.querySelectorAll(`[${attribute}]`)).filter((one) => one.getAttribute(attribute).split(" ").includes(code));
  }

  // A place is an area or an address: either will do.
  open(holder) {
    const field = holder.querySelector("[name]");
    if (field.name !== "area_id") return EMPTY(field);
    return EMPTY(field) && EMPTY(this.form.elements.namedItem("address"));
  }

  word(holder) {
    const field = holder.querySelector("[name]");
    return field.name === "area_id" ? "地点" : holder.querySelector("label").firstChild.textContent.trim();
  }

  look() {
    const asked = this.asked();
    const open = asked.filter((holder) => this.open(holder));
    this.form.querySelectorAll("[data-asked-by]").forEach((holder) => holder.toggleAttribute("data-to-ask", open.includes(holder)));
    const folded = asked.find((holder) => holder.closest("details:not([open])"));
    if (folded && this.opened !== this.type.value) folded.closest("details").open = true;
    this.opened = this.type.value;
    this.say(asked, open);
  }

  say(asked, open) {
    const type = this.type.selectedOptions[0].textContent.trim();
    const line = [asked.length ? `${type}要问` : `${type}`, open.map((one) => this.word(one)).join("、"), this.stopped === this.key(open) ? "stop" : ""].join("|");
    if (line === this.line) return;
    this.line = line;
    this.textContent = "";
    const head = document.createElement("b");
    const rest = document.createElement("span");
    head.textContent = asked.length ? `${type}要问` : type;
    if (!asked.length) rest.textContent = "没有必问的项目";
    else if (!open.length) rest.textContent = "已问齐";
    else {
      rest.textContent = open.map((one) => this.word(one)).join("、");
      rest.setAttribute("data-open", "");
    }
    this.append(head, rest);
  }

  key(open) {
    return `${this.type.value}:${open.map((one) => this.word(one)).join()}`;
  }

  // Once per type and gap: the focus goes to what is missing, and the next press saves.
  before(event) {
    const once = this.asked("data-once-by").filter((holder) => this.open(holder));
    if (!once.length || this.stopped === this.key(once)) return;
    this.stopped = this.key(once);
    event.preventDefault();
    const field = once[0].querySelector("[name]");
    const folded = field.closest("details:not([open])");
    if (folded) folded.open = true;
    field.focus();
    const rest = this.querySelector("span");
    rest.textContent = `请问清${once.map((one) => this.word(one)).join("、")}；确实问不到的，再按一次 ${ownKey("Ctrl+Enter")} 保存`;
    rest.setAttribute("data-stopped", "");
    this.line = "";
  }
}

customElements.define("hl-asks", HlAsks);
