// <hl-print> around a button: it opens the printer's window of the browser.

class HlPrint extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    if (button) button.addEventListener("click", () => window.print());
  }
}

customElements.define("hl-print", HlPrint);
