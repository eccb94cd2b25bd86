// <hl-act>: opens the form of an action in its dialog instead of on a page of its own, sends it, and
// shows what was wrong with everything that was typed still there. Without this script the links lead
// to the pages and the forms are sent as forms.

import { isKey } from "./hl-keys.js";
import { FORM_TYPE, FetchError, request, showProblem, swap } from "./dom.js";

const BAR = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `Alt+${n}`);

class HlAct extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.dialog = this.querySelector("dialog");
    if (!this.dialog) return; // the form stands on a page of its own
    this.onClick = (event) => this.clicked(event);
    this.onKey = (event) => this.held(event);
    document.addEventListener("click", this.onClick);
    document.addEventListener("keydown", this.onKey, true);
    this.dialog.addEventListener("submit", (event) => this.submitted(event));
    this.dialog.addEventListener("cancel", (event) => this.leave(event));
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("input", () => { this.touched = true; });
  }

  disconnectedCallback() {
    if (this.isConnected || !this.onClick) return;
    document.removeEventListener("click", this.onClick);
    document.removeEventListener("keydown", this.onKey, true);
    this.wired = false;
  }

  // The keys of the bar belong to the page behind while a form is open.
  held(event) {
    if (this.dialog.open && BAR.some((name) => isKey(event, name))) event.stopPropagation();
  }

  clicked(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0) return;
    const shut = event.target.closest("[data-act-close]");
    if (shut && this.dialog.contains(shut)) {
      event.preventDefault();
      this.dialog.close();
      return;
    }
    const link = event.target.closest("a[data-act]");
    if (!link || this.dialog.open) return;
    event.preventDefault();
    this.open(link);
  }

  async open(link) {
    if (this.busy) return;
    this.busy = true;
    this.from = link.getAttribute("data-do");
    try {
      const { body } = await request(link.getAttribute("href"));
      this.show(body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "表单没有打开，请再按一次。");
    } finally {
      this.busy = false;
    }
  }

  show(html) {
    const body = this.dialog.querySelector("[data-act-body]");
    swap(body, html);
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: body } }));
    this.touched = false;
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    const wrong = body.querySelector("[aria-invalid=true]");
    const fields = Array.from(body.querySelectorAll("input:not([type=hidden]), textarea, select, button"));
    const first = fields.find((field) => field.getClientRects().length > 0);
    const target = wrong && wrong.getClientRects().length > 0 ? wrong : first;
    if (target) target.focus();
  }

  async submitted(event) {
    const form = event.target;
    if (!form.hasAttribute("data-act-form")) return;
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const body = new URLSearchParams(new FormData(form)).toString();
    try {
      const answer = await request(form.getAttribute("action"), { method: "POST", headers: FORM_TYPE, body });
      this.done(answer);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (error.body.includes("data-act-form")) this.show(error.body);
      else showProblem(error, "没有提交成功，内容保留在本页。请再按一次。");
    } finally {
      this.busy = false;
    }
  }

  done(answer) {
    const next = answer.response.headers.get("HX-Redirect");
    if (next) window.location.assign(next);
    else this.show(answer.body);
  }

  // Escape asks before it throws away what was typed.
  leave(event) {
    if (this.touched && !this.warned) {
      event.preventDefault();
      this.warned = true;
      const note = this.dialog.querySelector("[data-act-warn]");
      if (note) note.hidden = false;
    }
  }

  closed() {
    this.warned = false;
    swap(this.dialog.querySelector("[data-act-body]"), "");
    const note = this.dialog.querySelector("[data-act-warn]");
    if (note) note.hidden = true;
    const back = document.querySelector(`[data-do="${this.from}"]`);
    if (back) back.focus();
  }
}

customElements.define("hl-act", HlAct);
