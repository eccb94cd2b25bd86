// <hl-score> around a score sheet: shows what the marks chosen so far come to, by the formula of the page.
// A dash while an item is not marked; the server counts anew when the sheet is sent.

class HlScore extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", () => this.count());
    this.count();
  }

  count() {
    const marks = Array.from(this.querySelectorAll("select[name=mark]"));
    const shown = this.querySelector("[data-total]");
    if (!shown) return;
    if (this.querySelector("input[name=fatal]:checked")) {
      shown.textContent = "0.0";
      return;
    }
    const applying = marks.filter((mark) => mark.value !== "na");
    const whole = applying.reduce((sum, mark) => sum + Number(mark.getAttribute("data-points")), 0);
    const open = marks.some((mark) => mark.value === "");
    const given = applying.reduce((sum, mark) => sum + Number(mark.value), 0);
    shown.textContent = open || !whole ? "—" : (Math.round((1000 * given) / whole) / 10).toFixed(1);
  }
}

customElements.define("hl-score", HlScore);
