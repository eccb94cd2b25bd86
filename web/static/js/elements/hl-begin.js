// <hl-begin data-for="…"> around a select of texts: the chosen one is put into the field at the cursor,
// or fills it when it is empty. What was typed is never overwritten.

class HlBegin extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.hidden = false; // of no use without this script
    const choice = this.querySelector("select");
    choice.addEventListener("change", () => {
      this.put(choice.value);
      choice.selectedIndex = 0;
    });
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
