// <hl-sound wave="/calls/7/waveform"> around an <audio>: the shape of the sound with marks on it, speed,
// and keys: space plays and pauses, ← → move by five seconds, Home and End jump. Without the shape (mp3,
// a server that is away) the browser's own player stays.

import { FetchError, request } from "./dom.js";
import { duration } from "./hl-timer.js";

const STEP = 5; // seconds
const LONG_STEP = 30;
const COLOURS = { agent: "--hl-accent", hold: "--hl-warn", mute: "--hl-bad" };

class HlSound extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.audio = this.querySelector("audio");
    this.canvas = this.querySelector("[data-wave]");
    this.shape = { seconds: 0, peaks: [], marks: [] };
    this.redraw = () => this.draw();
    window.addEventListener("resize", this.redraw);
    this.load();
  }

  disconnectedCallback() {
    window.removeEventListener("resize", this.redraw);
    if (this.audio) this.audio.pause();
  }

  async load() {
    try {
      const { body } = await request(this.getAttribute("wave"));
      this.shape = JSON.parse(body);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      return;
    }
    if (this.shape.state !== "sound") return;
    this.controls();
    this.list();
    this.setAttribute("data-ready", "");
    this.querySelector("[data-player]").hidden = false;
    this.shown();
  }

  controls() {
    const { audio, canvas } = this;
    this.button = this.querySelector("[data-play]");
    this.button.addEventListener("click", () => this.toggle());
    const speed = this.querySelector("[data-speed]");
    speed.addEventListener("change", () => { audio.playbackRate = Number(speed.value); });
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.length);
      canvas.focus();
    });
    this.addEventListener("keydown", (event) => this.pressed(event));
    ["timeupdate", "seeked", "loadedmetadata", "ended"].forEach((name) => audio.addEventListener(name, () => this.shown()));
    ["play", "pause"].forEach((name) => audio.addEventListener(name, () => this.playing()));
    audio.addEventListener("error", () => this.failed());
  }

  get length() {
    const known = this.audio.duration;
    return Number.isFinite(known) && known > 0 ? known : this.shape.seconds;
  }

  pressed(event) {
    if (event.target.matches("select, [data-marks] button") || event.ctrlKey || event.altKey) return;
    const step = event.shiftKey ? LONG_STEP : STEP;
    const to = {
      ArrowLeft: this.audio.currentTime - step, ArrowRight: this.audio.currentTime + step,
      Home: 0, End: this.length,
    };
    if (event.key === " ") {
      event.preventDefault();
      this.toggle();
    } else if (event.key in to) {
      event.preventDefault();
      this.seek(to[event.key]);
    }
  }

  toggle() {
    if (this.audio.paused) this.audio.play().catch(() => this.failed());
    else this.audio.pause();
  }

  seek(seconds) {
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.length));
    this.shown();
  }

  playing() {
    const on = !this.audio.paused;
    this.button.setAttribute("aria-label", on ? "暂停" : "播放");
    const use = this.button.querySelector("use");
    const icon = use && use.getAttribute("href");
    if (icon) use.setAttribute("href", icon.replace(/#\w+$/, on ? "#pause" : "#play"));
  }

  failed() {
    const note = this.querySelector("[data-sound-note]");
    note.textContent = "录音没有播放出来，请刷新页面后重试；30 分钟已过的，请重新填写原因。";
    note.hidden = false;
  }

  shown() {
    const now = this.audio.currentTime;
    this.querySelector("[data-time]").textContent = `${duration(now)} / ${duration(this.length)}`;
    this.canvas.setAttribute("aria-valuemax", String(Math.round(this.length)));
    this.canvas.setAttribute("aria-valuenow", String(Math.round(now)));
    this.canvas.setAttribute("aria-valuetext", `${duration(now)}，共 ${duration(this.length)}`);
    this.draw();
  }

  list() {
    const holder = this.querySelector("[data-marks]");
    holder.textContent = "";
    this.shape.marks.forEach((mark) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      const until = mark.until === null ? "" : `–${duration(mark.until)}`;
      button.type = "button";
      button.setAttribute("data-kind", mark.kind);
      button.textContent = `${mark.word} ${duration(mark.at)}${until} ${mark.who}`.trim();
      button.addEventListener("click", () => this.seek(mark.at));
      line.appendChild(button);
      holder.appendChild(line);
    });
    holder.hidden = !this.shape.marks.length;
  }

  draw() {
    const { canvas, shape } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width: width, height: height });
    const paint = canvas.getContext("2d");
    const style = getComputedStyle(this);
    const colour = (name) => style.getPropertyValue(name).trim();
    paint.clearRect(0, 0, width, height);
    const strip = Math.round(5 * ratio);
    const middle = (height - strip) / 2;
    const played = this.length ? (this.audio.currentTime / this.length) * width : 0;
    const bar = width / Math.max(shape.peaks.length, 1);
    shape.peaks.forEach((peak, index) => {
      const tall = Math.max(ratio, (peak / 100) * (middle - ratio));
      paint.fillStyle = colour(index * bar < played ? "--hl-accent" : "--hl-line-strong");
      paint.fillRect(index * bar, middle - tall, Math.max(bar - 0.4 * ratio, 0.6), tall * 2);
    });
    shape.marks.forEach((mark) => {
      const at = (mark.at / (this.length || 1)) * width;
      const end = mark.until === null ? at + 2 * ratio : (mark.until / (this.length || 1)) * width;
      paint.fillStyle = colour(COLOURS[mark.kind] || "--hl-text");
      const whole = mark.until === null;
      paint.fillRect(at, whole ? 0 : height - strip, Math.max(end - at, 2 * ratio), whole ? height : strip);
    });
    paint.fillStyle = colour("--hl-text");
    paint.fillRect(Math.min(played, width - 2 * ratio), 0, 2 * ratio, height - strip);
  }
}

customElements.define("hl-sound", HlSound);
