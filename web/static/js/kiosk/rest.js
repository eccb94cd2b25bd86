// A minute without a touch: a countdown over the last fifteen seconds, then what was filled in goes.

const REST_MS = 60000;
const WARN_MS = 45000;
const TOUCHES = ["pointerdown", "keydown", "touchstart"];

export class KioskRest {
  constructor(box, over) {
    this.box = box;
    this.over = over;
    this.timer = 0;
    TOUCHES.forEach((name) => document.addEventListener(name, () => this.touch(), true));
  }

  start() {
    this.last = Date.now();
    if (!this.timer) this.timer = window.setInterval(() => this.look(), 500);
  }

  touch() {
    this.last = Date.now();
    this.box.hidden = true;
  }

  look() {
    const quiet = Date.now() - this.last;
    if (quiet >= REST_MS || quiet < 0) {
      this.over();
      return;
    }
    this.box.querySelector("[data-left]").textContent = String(Math.ceil((REST_MS - quiet) / 1000));
    if (quiet < WARN_MS || !this.box.hidden) return;
    this.box.hidden = false;
    this.box.querySelector("[data-stay]").focus();
  }

  stop() {
    window.clearInterval(this.timer);
    this.timer = 0;
    this.box.hidden = true;
  }
}
