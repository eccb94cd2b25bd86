// <hl-upload list="#files-1"> around the upload form: files are sent one by one as soon as they are
// chosen or dropped, each with its own bar and its own answer. Without scripts the form sends all at once.

import { swap } from "./dom.js";

const LIST_FRESH = 200;

class HlUpload extends HTMLElement {
  connectedCallback() {
    if (this.form) return;
    this.form = this.querySelector("form");
    this.input = this.querySelector("input[type=file]");
    if (!this.form || !this.input) return;
    this.queue = this.querySelector("[data-part=queue]");
    this.waiting = [];
    this.setAttribute("data-ready", "");
    this.hint();
    this.input.addEventListener("change", () => this.take(this.input.files));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.take(this.input.files);
    });
    this.drop();
  }

  hint() {
    const hint = this.querySelector("[data-part=hint]");
    if (hint) hint.textContent = "可选多个，也可拖到这里";
  }

  drop() {
    const zone = this.querySelector("[data-part=drop]");
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.setAttribute("data-over", "");
    });
    zone.addEventListener("dragleave", () => zone.removeAttribute("data-over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.removeAttribute("data-over");
      this.take(event.dataTransfer.files);
    });
  }

  take(files) {
    Array.from(files || []).forEach((file) => this.waiting.push({ file, row: this.row(file) }));
    this.input.value = "";
    this.next();
  }

  row(file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const bar = document.createElement("progress");
    const word = document.createElement("span");
    name.className = "hl-file-name";
    name.textContent = file.name;
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `上传 ${file.name}`);
    word.className = "hl-meta";
    word.textContent = "等待";
    row.append(name, bar, word);
    this.queue.appendChild(row);
    return { row, bar, word };
  }

  next() {
    if (this.sending || !this.waiting.length) return;
    this.sending = true;
    const one = this.waiting.shift();
    this.send(one.file, one.row, () => {
      this.sending = false;
      this.next();
    });
  }

  // Not fetch: only XMLHttpRequest tells how much has been sent.
  send(file, shown, done) {
    const body = new FormData(this.form);
    body.delete("files");
    body.append("files", file, file.name);
    const call = new XMLHttpRequest();
    call.open("POST", this.form.action);
    call.setRequestHeader("HX-Request", "true");
    call.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const share = Math.floor((event.loaded / event.total) * 100);
      shown.bar.value = share;
      shown.word.textContent = share < 100 ? `${share}%` : "检查中";
    });
    call.addEventListener("load", () => {
      if (call.status === LIST_FRESH) this.kept(call.responseText, shown);
      else this.refused(file, call.responseText, shown);
      done();
    });
    call.addEventListener("error", () => {
      this.refused(file, "", shown);
      done();
    });
    call.send(body);
  }

  kept(html, shown) {
    shown.row.remove();
    const list = document.querySelector(this.getAttribute("list"));
    if (list) swap(list, html);
  }

  refused(file, html, shown) {
    const holder = document.createElement("div");
    holder.innerHTML = html;
    const title = holder.querySelector("strong");
    const text = holder.querySelector("p");
    shown.row.setAttribute("data-state", "refused");
    shown.row.textContent = `${file.name}：${title ? title.textContent : "没有保存"}。${text ? text.textContent.trim() : "连接中断，请重新选择。"}`;
  }
}

customElements.define("hl-upload", HlUpload);
