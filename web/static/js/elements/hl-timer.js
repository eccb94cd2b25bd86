// <hl-timer since="…Z" now="…Z">: time passed since an instant of the server's clock. Without `now` it is
// that of the nearest thing around with data-now.
// The desk computer's clock may be wrong by minutes, so only the difference since the page came in
// is taken from it.

const running = new Set();
let ticking = 0;

function tick() {
  running.forEach((timer) => timer.show());
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${two(minutes)}:${two(whole % 60)}`;
}

class HlTimer extends HTMLElement {
  connectedCallback() {
    const since = Date.parse(this.getAttribute("since"));
    const around = this.closest("[data-now]");
    const now = Date.parse(this.getAttribute("now") || (around && around.getAttribute("data-now")));
    if (Number.isNaN(since) || Number.isNaN(now)) return;
    this.elapsed = (now - since) / 1000;
    this.start = performance.now();
    this.setAttribute("role", "timer");
    running.add(this);
    if (!ticking) ticking = window.setInterval(tick, 1000);
    this.show();
  }

  disconnectedCallback() {
    running.delete(this);
    if (!running.size) {
      window.clearInterval(ticking);
      ticking = 0;
    }
  }

  show() {
    const text = duration(this.elapsed + (performance.now() - this.start) / 1000);
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("hl-timer", HlTimer);
