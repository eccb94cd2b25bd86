// <hl-check-all> around a checkbox in a table's head: ticks every box of the table's body.

class HlCheckAll extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => {
      const table = this.closest("table");
      if (!table) return;
      table.querySelectorAll('tbody input[type="checkbox"]').forEach((box) => {
        box.checked = event.target.checked;
      });
    });
  }
}

customElements.define("hl-check-all", HlCheckAll);
