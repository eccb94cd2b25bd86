// <hl-close-draft draft="7"> around a link: closes the tab of an ended draft without leaving the page.

class HlCloseDraft extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      if (!event.target.closest("a") || !document.querySelector("hl-drafts")) return;
      event.preventDefault();
      document.dispatchEvent(new CustomEvent("hl:close-draft", { detail: { id: this.getAttribute("draft") } }));
    });
  }
}

customElements.define("hl-close-draft", HlCloseDraft);
