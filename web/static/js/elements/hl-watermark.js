// <hl-watermark text="张三 zhang" ticket="…18 digits…">: who looks at this and when, faintly over the whole
// page. The picture is a data: SVG set through the style object, which the content policy allows; it is
// drawn anew every minute and put back when somebody takes it away.

const MINUTE = 60000;
const WIDTH = 360;
const HEIGHT = 190;

function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

class HlWatermark extends HTMLElement {
  connectedCallback() {
    this.host = this.parentNode;
    this.draw();
    if (this.timer) return;
    this.timer = window.setInterval(() => this.draw(), MINUTE);
    this.guard = new MutationObserver(() => this.isConnected || this.host.appendChild(this));
    this.guard.observe(this.host, { childList: true });
  }

  draw() {
    const at = new Date().toLocaleString("zh-CN", {
      hour12: false,
      timeZone: "Asia/Shanghai",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    const lines = [this.getAttribute("text") || "", at, this.getAttribute("ticket") || ""].filter(Boolean);
    const dark = document.documentElement.getAttribute("data-theme") !== "light";
    const texts = lines.map((line, index) => `<text x="0" y="${index * 20}">${escaped(line)}</text>`).join("");
    const holder = document.createElement("template");
    holder.innerHTML =
      `<svg width="${WIDTH}" height="${HEIGHT}"><g transform="translate(24 ${HEIGHT - 40}) rotate(-20)" ` +
      `font-family="sans-serif" font-size="14" fill="${dark ? "#fff" : "#000"}" ` +
      `fill-opacity="${dark ? "0.07" : "0.055"}">${texts}</g></svg>`;
    const svg = new XMLSerializer().serializeToString(holder.content.firstChild);
    this.style.backgroundImage = `url("data:image/svg+xml,${encodeURIComponent(svg)}")`;
  }
}

customElements.define("hl-watermark", HlWatermark);
