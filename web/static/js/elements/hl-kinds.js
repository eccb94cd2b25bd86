// <hl-kinds> around a form with a select named kind: shows the fields that apply to the chosen kind
// (data-for="daily weekly"), and sends no others. Without scripts all are there, and what does not apply
// is not looked at.

class HlKinds extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.select = this.querySelector("select[name=kind]");
    this.select.addEventListener("change", () => this.show());
    window.addEventListener("pageshow", () => this.show());
    this.show();
  }

  show() {
    this.querySelectorAll("[data-for]").forEach((part) => {
      const applies = part.getAttribute("data-for").split(" ").includes(this.select.value);
      part.hidden = !applies;
      part.querySelectorAll("input, select").forEach((field) => { field.disabled = !applies; });
    });
  }
}

customElements.define("hl-kinds", HlKinds);
