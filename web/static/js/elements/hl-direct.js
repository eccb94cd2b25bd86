// <hl-direct> around a button: a direct answer (直办) in two keys. The first opens the small form with the
// result chosen and, where nothing is written there yet, with what the agent wrote down; the second ends it.

class HlDirect extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.addEventListener("click", () => this.start());
  }

  start() {
    const panel = this.closest("[data-draft]");
    const ending = panel.querySelector("form[action$='/record']");
    const note = ending.elements.namedItem("note");
    const story = panel.querySelector("form[data-draft-form]").elements.namedItem("narrative");
    ending.querySelector("input[name=code][value=direct_answer]").checked = true;
    if (!note.value.trim()) note.value = story.value.trim().slice(0, note.maxLength);
    panel.querySelectorAll("details[data-folds][open]").forEach((other) => { other.open = false; });
    ending.closest("details").open = true;
    note.focus();
    note.setSelectionRange(note.value.length, note.value.length);
  }
}

customElements.define("hl-direct", HlDirect);
