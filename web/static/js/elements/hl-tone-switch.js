// <hl-tone-switch> around a checkbox: the ring in the page on or off, remembered on this computer.

import { isOn, setOn } from "./tone.js";

class HlToneSwitch extends HTMLElement {
  connectedCallback() {
    const box = this.querySelector("input[type=checkbox]");
    if (!box) return;
    box.checked = isOn();
    box.addEventListener("change", () => setOn(box.checked));
  }
}

customElements.define("hl-tone-switch", HlToneSwitch);
