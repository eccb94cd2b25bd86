// <hl-status>: the line at the foot of every page. It says what is true of the connection, of the
// telephone system and of the age of what is on the screen.

const LOOK_AGAIN = 20000; // milliseconds; a node that died sends no event

const SOCKET = {
  open: ["good", "连接正常"],
  closed: ["bad", "连接中断，正在重连；页面内容可能不是最新"],
  ended: ["bad", "登录已失效，请重新登录；已填写的内容仍在页面上"],
};

function clockText(date) {
  return date.toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
}

class HlStatus extends HTMLElement {
  connectedCallback() {
    this.socketLight = this.querySelector("[data-part=socket]");
    this.phones = this.querySelector("[data-part=phones]");
    this.updated = this.querySelector("[data-part=updated]");
    this.wasOpen = false;
    this.timer = setInterval(() => document.hidden || this.fetchPhones(), LOOK_AGAIN);
    this.onSocket = (event) => this.showSocket(event.detail.state);
    this.onLive = (event) => this.heard(event.detail);
    this.onReset = () => this.fetchPhones();
    document.addEventListener("hl:socket", this.onSocket);
    document.addEventListener("hl:live", this.onLive);
    document.addEventListener("hl:reset", this.onReset);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("hl:socket", this.onSocket);
    document.removeEventListener("hl:live", this.onLive);
    document.removeEventListener("hl:reset", this.onReset);
  }

  showSocket(state) {
    const [tone, words] = SOCKET[state] || SOCKET.closed;
    this.socketLight.setAttribute("data-state", tone);
    this.socketLight.textContent = words;
    if (state !== "open") return;
    if (this.wasOpen) this.fetchPhones(); // something may have been missed while it was away
    this.wasOpen = true;
    this.touch();
  }

  heard(detail) {
    this.touch();
    if (detail.topic === "pbx") this.fetchPhones();
  }

  touch() {
    this.updated.textContent = "数据更新 " + clockText(new Date());
  }

  async fetchPhones() {
    let response;
    try {
      response = await fetch("/status/line", { headers: { "HX-Request": "true", "HL-Background": "1" } });
    } catch (error) {
      return; // offline: the light of the socket says so, and its return fetches this anew
    }
    if (response.ok) this.phones.innerHTML = await response.text();
  }
}

customElements.define("hl-status", HlStatus);
