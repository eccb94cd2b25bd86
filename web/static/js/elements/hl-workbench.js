// <hl-workbench>: rows by keyboard (arrows, space, Enter), and one action for many tickets at once, sent
// in batches so that a bar can say how far it is. Each ticket is done by itself; what was refused is
// listed with its reason. Without this element the form posts all at once and shows the same report.
//
// `shortcut`: the key as it is shipped, Alt+S unless told; with `lone` it also does the row that has
// the focus when none is ticked, and so does a button [data-one] of a row. A button whose data-needs is
// "any" takes tickets in every state.

import { isKey, keysOn } from "./hl-keys.js";
import { FetchError, composing, request, showProblem } from "./dom.js";

const BATCH = 20;
const MOST = 500;

class HlWorkbench extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("[data-bulk]");
    this.report = this.querySelector("[data-report]");
    if (!this.form || this.wired) return;
    this.wired = true;
    this.bar = this.form.querySelector("progress");
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("change", (event) => this.changed(event));
    this.addEventListener("keydown", (event) => this.keyed(event));
    this.form.addEventListener("submit", (event) => this.submitted(event));
    this.form.querySelector("[data-none]").addEventListener("click", () => this.pick([]));
    document.addEventListener("keydown", (event) => this.shortcut(event));
    this.querySelector("[data-rows]").addEventListener("htmx:afterSwap", () => this.show());
    this.show();
  }

  boxes() {
    return Array.from(this.querySelectorAll('input[type="checkbox"][name="ticket"]'));
  }

  picked() {
    return this.boxes().filter((box) => box.checked);
  }

  pick(chosen) {
    this.boxes().forEach((box) => {
      box.checked = chosen.includes(box);
    });
    this.show();
  }

  changed(event) {
    if (event.target.matches("[data-all]")) this.pick(event.target.checked ? this.boxes() : []);
    else this.show();
  }

  show() {
    const picked = this.picked();
    const needs = this.form.querySelector("[data-needs]").getAttribute("data-needs");
    const fit = picked.filter((box) => this.fits(box, needs));
    this.boxes().forEach((box) => {
      const row = box.closest("[data-row]");
      if (box.checked) row.setAttribute("data-picked", "");
      else row.removeAttribute("data-picked");
    });
    this.form.hidden = picked.length === 0 && !this.busy;
    const of = needs === "any" ? "" : `，其中待签收 ${fit.length} 件`;
    this.form.querySelector("[data-picked]").textContent = `已选 ${picked.length} 件${of}`;
    this.form.querySelector("[data-needs]").disabled = fit.length === 0 || Boolean(this.busy);
  }

  fits(box, needs) {
    return needs === "any" || box.getAttribute("data-state") === needs;
  }

  // One row by itself, whatever else is ticked.
  clicked(event) {
    const button = event.target.closest("[data-one]");
    if (!button || this.busy) return;
    const row = button.closest("[data-row]");
    event.preventDefault();
    this.alone(row);
  }

  alone(row) {
    const box = row && row.querySelector('input[type="checkbox"][name="ticket"]');
    if (!box) return;
    this.pick([box]);
    this.form.querySelector("[data-needs]").click();
  }

  keyed(event) {
    const row = event.target.closest("[data-row]");
    if (!row || composing(event) || event.altKey || event.ctrlKey || event.metaKey) return;
    const rows = Array.from(this.querySelectorAll("[data-row]"));
    const at = rows.indexOf(row);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = rows[at + step];
      if (next) {
        row.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }
      event.preventDefault();
    } else if (event.key === " " && event.target === row) {
      const box = row.querySelector('input[name="ticket"]');
      if (box) box.checked = !box.checked;
      this.show();
      event.preventDefault();
    } else if (event.key === "Enter" && event.target === row) {
      const link = row.querySelector("[data-open]") || row.querySelector("a");
      if (link) link.click();
      else window.location.assign(`/tickets/${row.id.split("-")[1]}`);
      event.preventDefault();
    }
  }

  shortcut(event) {
    if (!isKey(event, this.getAttribute("shortcut") || "Alt+S") || !keysOn()) return;
    if (!this.form.hidden) {
      event.preventDefault();
      this.form.querySelector("[data-needs]").click();
    } else if (this.hasAttribute("lone") && document.activeElement) {
      event.preventDefault();
      this.alone(document.activeElement.closest("[data-row]"));
    }
  }

  async submitted(event) {
    event.preventDefault();
    const wanted = event.submitter || this.form.querySelector("[data-needs]");
    const state = wanted.getAttribute("data-needs");
    const boxes = this.picked().filter((box) => this.fits(box, state)).slice(0, MOST);
    if (boxes.length === 0 || this.busy) return;
    this.busy = true;
    this.bar.hidden = false;
    this.bar.max = boxes.length;
    const rows = [];
    for (let start = 0; start < boxes.length; start += BATCH) {
      const part = boxes.slice(start, start + BATCH);
      this.bar.value = start;
      if (!(await this.send(part, rows))) break;
    }
    this.busy = false;
    this.bar.hidden = true;
    this.tell(boxes, rows);
    this.pick([]);
    const list = this.querySelector("[data-rows]");
    if (window.htmx && list.hasAttribute("hx-get")) window.htmx.trigger(list, "hl:refresh");
  }

  async send(part, rows) {
    const body = new URLSearchParams();
    part.forEach((box) => body.append("ticket", box.value));
    const headers = { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" };
    try {
      const { body: text } = await request(this.form.action, { method: "POST", body: body.toString(), headers });
      rows.push(...JSON.parse(text).rows);
      return true;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      showProblem(error, "连接中断，剩下的工单没有办理。请检查后再试。");
      return false;
    }
  }

  tell(boxes, rows) {
    const names = new Map(boxes.map((box) => [box.value.split(":")[0], box.getAttribute("data-label")]));
    const failed = rows.filter((row) => !row.done);
    this.report.hidden = false;
    this.report.textContent = `已办理 ${rows.length - failed.length} 件，未办理 ${boxes.length - rows.length + failed.length} 件。`;
    if (failed.length === 0) return;
    const list = document.createElement("ul");
    failed.forEach((row) => {
      const line = document.createElement("li");
      line.textContent = `${names.get(String(row.id)) || row.id}：${row.title}。${row.message}`;
      list.appendChild(line);
    });
    this.report.appendChild(list);
  }
}

customElements.define("hl-workbench", HlWorkbench);
