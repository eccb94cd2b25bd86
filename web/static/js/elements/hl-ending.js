// <hl-ending>: around a form that ends a draft. What is typed goes along with it, a second press
// while the first is under way does nothing, and an error comes back to its field.

import { FORM_TYPE, FetchError, request, showProblem, swap } from "./dom.js";

class HlEnding extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.addEventListener("submit", (event) => {
      event.preventDefault();
      this.end(event.target, event.submitter);
    });
    ["input", "change"].forEach((kind) => this.addEventListener(kind, (event) => this.touched(event.target)));
  }

  get panel() {
    return this.closest("[data-draft]");
  }

  // The draft's own fields first, then those of the ending's form, which may repeat none of them.
  fields(form, submitter) {
    const draft = this.panel.querySelector("form[data-draft-form]");
    const all = new URLSearchParams(new FormData(draft));
    if (form !== draft) new FormData(form).forEach((value, key) => all.append(key, value));
    if (submitter && submitter.name) all.append(submitter.name, submitter.value);
    return all.toString();
  }

  async end(form, submitter) {
    if (this.panel.hasAttribute("data-ending")) return;
    const asked = new CustomEvent("hl:before-ending", { cancelable: true });
    if (!form.dispatchEvent(asked)) return; // something is to be asked first
    this.panel.setAttribute("data-ending", "");
    const keeper = this.panel.querySelector("hl-draft-form");
    try {
      if (keeper.underway) await keeper.underway;
      const url = form.getAttribute("action");
      const { body } = await request(url, { method: "POST", headers: FORM_TYPE, body: this.fields(form, submitter) });
      this.done(keeper, body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      this.refused(keeper, form, error);
    } finally {
      this.panel.removeAttribute("data-ending");
    }
  }

  done(keeper, html) {
    keeper.finish();
    const panel = this.panel;
    const result = panel.querySelector("[data-result]");
    const work = panel.querySelector("[data-work]");
    work.hidden = true;
    swap(result, html);
    result.hidden = false;
    if (!panel.hidden) result.querySelector("[data-result-focus]").focus();
    document.dispatchEvent(new CustomEvent("hl:draft-ended", { detail: { id: panel.getAttribute("data-draft") } }));
  }

  refused(keeper, form, error) {
    if (error.status === 422) {
      this.markErrors(form, JSON.parse(error.body).errors);
    } else if (error.code || error.status === 401 || error.status === 404) {
      keeper.failed(error);
    } else {
      showProblem(error, "没有提交成功，内容保留在本页。请再按一次。");
    }
  }

  markErrors(form, errors) {
    const draft = this.panel.querySelector("form[data-draft-form]");
    const forms = form === draft ? [draft] : [form, draft];
    this.panel.querySelectorAll("[data-error-for]").forEach((e) => this.clear(e));
    const fields = Object.keys(errors).map((name) => this.mark(forms, name, errors[name]));
    const first = fields.filter(Boolean).sort((a, b) => (a.compareDocumentPosition(b) & 4 ? -1 : 1))[0];
    if (first) first.focus();
  }

  // What is being put right is no longer called wrong; the server looks again at the next save.
  touched(field) {
    if (!field.getAttribute("aria-invalid")) return;
    const message = this.panel.querySelector(`[data-error-for="${field.id}"]`);
    if (message) this.clear(message);
    else field.removeAttribute("aria-invalid");
  }

  clear(message) {
    message.textContent = "";
    message.hidden = true;
    const field = document.getElementById(message.getAttribute("data-error-for"));
    if (field) field.removeAttribute("aria-invalid");
  }

  mark(forms, name, sentence) {
    const named = forms.map((f) => f.elements.namedItem(name)).find(Boolean);
    const field = named && (named.length && !named.tagName ? named[0] : named);
    const seen = field && field.getAttribute("data-proxy") ? document.getElementById(field.getAttribute("data-proxy")) : field;
    if (!seen) return null;
    const message = this.panel.querySelector(`[data-error-for="${seen.id}"]`);
    seen.setAttribute("aria-invalid", "true");
    if (message) {
      message.textContent = sentence;
      message.hidden = false;
    }
    const folded = seen.closest("details:not([open])");
    if (folded) folded.open = true;
    return seen;
  }
}

customElements.define("hl-ending", HlEnding);
