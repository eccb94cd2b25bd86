// <hl-controls>: the buttons of the call at my telephone. The server says which acts
// are possible and what became of the last one; here they are fetched again when something happened,
// sent once, and the dialogs are opened. Dialogs lie beside the part that is swapped, so that nothing
// typed in them is lost when the call moves on.

import { FORM_TYPE, FetchError, composing, encoded, request, showProblem, swap, takesInput } from "./dom.js";
import { forget, join, leave, lookSoon } from "./pieces.js";

class HlControls extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.live = this.querySelector("[data-live-part]");
    this.dialog = this.querySelector("[data-dialog]");
    join("controls", this, (html) => this.show(html));
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("submit", (event) => this.submitted(event));
    this.addEventListener("input", (event) => event.target.matches("[data-find]") && this.find(event.target));
    this.addEventListener("change", () => this.chosen());
    this.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("close", () => this.closed());
    lookSoon();
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    leave("controls", this);
    this.wired = false;
  }

  // What is typed in the small forms stays: they are left alone until the focus has gone.
  show(html) {
    const focused = document.activeElement;
    const inside = this.live.contains(focused);
    if (inside && takesInput(focused)) return false;
    const key = inside ? focused.getAttribute("data-key") : null;
    swap(this.live, html);
    const again = key && this.live.querySelector(`[data-key="${key}"]`);
    if (again) again.focus({ preventScroll: true });
    if (this.dialog.open && !this.live.querySelector("[data-call]")) this.dialog.close();
    return true;
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      showProblem({}, button.title);
    } else if (button.hasAttribute("data-opens")) {
      this.open(button);
    } else if (button.hasAttribute("data-closes")) {
      this.dialog.close();
    }
  }

  async open(button) {
    this.back = document.activeElement;
    try {
      const { body } = await request(button.getAttribute("data-opens"));
      swap(this.dialog, body);
      if (!this.dialog.open) this.dialog.showModal();
      const first = this.dialog.querySelector("[autofocus]");
      if (first) first.focus();
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "没有打开，请再按一次。");
    }
  }

  async submitted(event) {
    const form = event.target.closest("form[data-order]");
    if (!form) return;
    event.preventDefault();
    if (form.sending) return; // a double click is one order
    form.sending = true;
    const by = event.submitter;
    const url = by && by.hasAttribute("formaction") ? by.getAttribute("formaction") : form.getAttribute("action");
    try {
      const { body } = await request(url, { method: "POST", headers: FORM_TYPE, body: encoded(form) });
      if (this.dialog.open) this.dialog.close();
      swap(this.live, body);
      forget("controls");
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "没有送到，通话没有变化。请再按一次。");
      forget("controls");
      lookSoon();
    } finally {
      form.sending = false;
    }
  }

  closed() {
    swap(this.dialog, "");
    if (this.back && this.back.isConnected) this.back.focus();
  }

  // Typing shows who fits; the first who is free is chosen. A number that fits nobody is dialled.
  find(input) {
    const typed = input.value.trim().toLowerCase();
    let first = null;
    this.dialog.querySelectorAll(".sc-choice").forEach((line) => {
      const radio = line.querySelector("input");
      line.hidden = typed !== "" && !line.getAttribute("data-text").includes(typed);
      radio.checked = false;
      if (!line.hidden && !radio.disabled && !first) first = radio;
    });
    if (first && typed) first.checked = true;
    const outside = this.dialog.querySelector("[data-outside]");
    const number = /^[\d\s+()-]{3,}$/.test(typed) && !first;
    outside.hidden = !number;
    if (number) outside.textContent = `呼叫外线 ${typed}`;
    this.chosen();
  }

  chosen() {
    const radio = this.dialog.querySelector("input[name=target]:checked");
    const queue = radio !== null && radio.value.startsWith("queue:");
    this.dialog.querySelectorAll("[data-not-queue]").forEach((button) => {
      button.classList.toggle("disabled", queue);
      button.setAttribute("aria-disabled", String(queue));
      if (queue) button.title = "队列只能转接";
      else button.removeAttribute("title");
    });
  }

  key(event) {
    if (composing(event) || !event.target.matches("[data-find]")) return;
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const radios = Array.from(this.dialog.querySelectorAll(".sc-choice:not([hidden]) input:not([disabled])"));
    if (!radios.length) return;
    event.preventDefault();
    const at = radios.findIndex((radio) => radio.checked);
    const next = radios[(at + (event.key === "ArrowDown" ? 1 : -1) + radios.length) % radios.length];
    next.checked = true;
    next.scrollIntoView({ block: "nearest" });
    this.chosen();
  }
}

customElements.define("hl-controls", HlControls);
