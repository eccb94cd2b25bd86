// <hl-begin data-for="…"> around a select of texts: the chosen one is put into the field at the cursor,
// or fills it when it is empty. What was typed is never overwritten. With data-use, which article of
// knowledge was put in is told to the server.

import { FORM_TYPE, FetchError, request, showProblem } from "./dom.js";

class HlBegin extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.hidden = false; // of no use without this script
    const choice = this.querySelector("select");
    choice.addEventListener("change", () => {
      const chosen = choice.options[choice.selectedIndex];
      this.put(choice.value);
      this.keep(chosen.getAttribute("data-article"));
      choice.selectedIndex = 0;
    });
  }

  async keep(article) {
    const url = this.getAttribute("data-use");
    if (!article || !url) return;
    try {
      await request(url, { method: "POST", headers: FORM_TYPE, body: `article_id=${article}` });
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "文字已填入，但没有记下引用的知识，请再选一次。");
    }
  }

  put(text) {
    const field = document.getElementById(this.getAttribute("data-for"));
    if (!field || !text) return;
    const at = field.value ? field.selectionStart : 0;
    const before = field.value.slice(0, at);
    const after = field.value.slice(at);
    const head = before + (before && !before.endsWith("\n") ? "\n" : "") + text;
    field.value = head + (after && !after.startsWith("\n") ? "\n" : "") + after;
    const end = head.length;
    field.focus();
    field.setSelectionRange(end, end);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("hl-begin", HlBegin);
