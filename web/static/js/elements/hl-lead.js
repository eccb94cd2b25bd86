// <hl-lead> around a leader's buttons for one call: sends an order once and says what became of it.
// Listening in is told to nobody else: the answer comes to this page only.

import { FORM_TYPE, FetchError, encoded, request, showProblem, swap } from "./dom.js";

class HlLead extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.outcome = this.querySelector("[data-outcome]");
    this.onLive = (event) => event.detail.topic === "control" && event.detail.kind === "order" && this.told(event.detail);
    document.addEventListener("hl:live", this.onLive);
    this.addEventListener("submit", (event) => this.send(event));
  }

  disconnectedCallback() {
    if (this.isConnected) return;
    document.removeEventListener("hl:live", this.onLive);
    this.wired = false;
  }

  async send(event) {
    event.preventDefault();
    const form = event.target;
    if (form.sending) return;
    const asks = form.getAttribute("data-asks");
    if (asks && !window.confirm(asks)) return;
    form.sending = true;
    try {
      const { body } = await request(form.getAttribute("action"), { method: "POST", headers: FORM_TYPE, body: encoded(form) });
      swap(this.outcome, body);
      this.renew(form);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "没有送到，请再按一次。");
    } finally {
      form.sending = false;
    }
  }

  // The next click on the same button is another order.
  renew(form) {
    const token = form.querySelector("[name=token]");
    const number = Number(token.getAttribute("data-n") || 0) + 1;
    if (!token.hasAttribute("data-stem")) token.setAttribute("data-stem", token.value);
    token.setAttribute("data-n", String(number));
    token.value = `${token.getAttribute("data-stem")}-${number}`.slice(-40);
  }

  async told(note) {
    const shown = this.outcome.querySelector("[data-order-id]");
    if (!shown || !note.data || String(note.data.order) !== shown.getAttribute("data-order-id")) return;
    try {
      const { body } = await request(`/floor/orders/${note.data.order}`);
      swap(this.outcome, body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
    }
  }
}

customElements.define("hl-lead", HlLead);
