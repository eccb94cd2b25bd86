// <hl-chart kind="bars|lines" label="…" most="12"><table>…</table></hl-chart>: draws the table it holds,
// and keeps it behind a key. Columns whose head has data-series are drawn; a cell says data-value (empty:
// nothing to show), and may say data-n (of how many), data-note, data-href (what a click opens) and
// data-faint (too few to be compared). `src` fetches the table first. Without ECharts the table stays.
// Figures are percentages unless `digits` says how many digits plain numbers have; `lying` lays bars down,
// the first row at the top; rows of lines stand newest first unless order="oldest".
//
// Colours are those of the page (--hl-chart-1 …), and series differ by shape or pattern as well, so that
// nobody needs to tell colours apart. The chart is drawn anew with the theme and with its size.

import { FetchError, request, swap } from "./dom.js";

const SYMBOLS = ["circle", "rect", "triangle", "diamond"];
const DASHES = ["solid", "dashed", "dotted", "solid"];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** What a table says: labels of its rows, and per series the cells. */
export function readTable(table) {
  const heads = Array.from(table.tHead.rows[0].cells);
  const places = heads.map((cell, place) => place).filter((place) => heads[place].hasAttribute("data-series"));
  const rows = Array.from(table.tBodies[0].rows).filter((row) => row.querySelector("[data-value]"));
  const cell = (one) => ({
    value: one.getAttribute("data-value") === "" ? null : Number(one.getAttribute("data-value")),
    n: one.getAttribute("data-n"),
    note: (one.getAttribute("data-note") || "").trim(),
    href: one.getAttribute("data-href"),
    faint: one.getAttribute("data-faint") === "1",
  });
  return {
    labels: rows.map((row) => row.querySelector("th").textContent.trim()),
    series: places.map((place) => ({
      name: heads[place].getAttribute("data-series"),
      cells: rows.map((row) => cell(row.cells[place])),
    })),
  };
}

export class HlChart extends HTMLElement {
  connectedCallback() {
    if (this.wired) return;
    this.wired = true;
    this.onTheme = () => this.draw();
    this.themes = new MutationObserver(this.onTheme);
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-size"] });
    if ("ResizeObserver" in window) {
      this.sizes = new ResizeObserver(() => this.chart && this.chart.resize());
      this.sizes.observe(this);
    }
    this.load();
  }

  disconnectedCallback() {
    if (this.isConnected || !this.wired) return;
    this.wired = false;
    this.themes.disconnect();
    if (this.sizes) this.sizes.disconnect();
    if (this.chart) this.chart.dispose();
    this.chart = null;
  }

  async load() {
    if (this.hasAttribute("src") && !this.querySelector("table")) {
      try {
        const { body } = await request(this.getAttribute("src"));
        swap(this, body);
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        this.setAttribute("data-stale", "");
      }
    }
    this.table = this.querySelector("table");
    if (!this.table || !window.echarts) return;
    this.canvas = document.createElement("div");
    this.canvas.className = "hl-chart-canvas";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${this.getAttribute("label") || "图表"}，数字见表格`);
    this.key = document.createElement("button");
    this.key.type = "button";
    this.key.className = "btn btn-outline-secondary btn-sm hl-chart-key";
    this.key.addEventListener("click", () => this.turn());
    if (this.hasAttribute("lying")) this.canvas.style.height = `${28 * this.table.tBodies[0].rows.length + 40}px`;
    this.insertBefore(this.canvas, this.table);
    this.insertBefore(this.key, this.canvas);
    this.show(HlChart.turned.has(this.getAttribute("label")) ? "table" : "chart");
    this.draw();
  }

  // What was chosen stays when the panel is fetched anew.
  turn() {
    const next = this.getAttribute("data-drawn") === "chart" ? "table" : "chart";
    const label = this.getAttribute("label");
    if (next === "table") HlChart.turned.add(label);
    else HlChart.turned.delete(label);
    this.show(next);
    this.draw();
  }

  show(what) {
    this.setAttribute("data-drawn", what);
    this.key.textContent = what === "chart" ? "看表格" : "看图";
    this.key.setAttribute("data-key", `chart-${this.getAttribute("label")}`);
  }

  draw() {
    if (!this.canvas || this.getAttribute("data-drawn") !== "chart") return;
    if (this.chart) this.chart.dispose();
    this.chart = window.echarts.init(this.canvas);
    this.data = readTable(this.table);
    this.chart.setOption(this.getAttribute("kind") === "bars" ? this.bars() : this.lines());
    this.chart.on("click", (point) => this.open(point));
  }

  // Which row of the table a point is.
  row(point) {
    const asTold = this.getAttribute("kind") === "bars" || this.getAttribute("order") === "oldest";
    return asTold ? point.dataIndex : this.data.labels.length - 1 - point.dataIndex;
  }

  /** A value as people read it. */
  written(value) {
    const digits = this.getAttribute("digits");
    if (value === null) return "—";
    if (digits === null) return `${value.toFixed(1)}%`;
    return value.toLocaleString("zh-CN", { minimumFractionDigits: Number(digits), maximumFractionDigits: Number(digits) });
  }

  open(point) {
    const series = this.data.series[point.seriesIndex];
    const cell = series && series.cells[this.row(point)];
    if (cell && cell.href) window.location.assign(cell.href);
  }

  base() {
    return {
      animation: false,
      color: [1, 2, 3, 4].map((place) => colour(`--hl-chart-${place}`)),
      textStyle: { color: colour("--hl-text"), fontFamily: colour("--hl-font") },
      legend: { top: 2, left: 8, textStyle: { color: colour("--hl-text") }, itemHeight: 10 },
      tooltip: {
        renderMode: "richText",
        trigger: "axis",
        backgroundColor: colour("--hl-raised"),
        borderColor: colour("--hl-line-strong"),
        textStyle: { color: colour("--hl-text") },
        formatter: (points) => this.tip(points),
      },
    };
  }

  tip(points) {
    const told = points.map((point) => {
      const cell = this.data.series[point.seriesIndex].cells[this.row(point)];
      return `${point.seriesName} ${this.written(cell.value)}${cell.n === null ? "" : `  n=${cell.n}`}${cell.note ? `  ${cell.note}` : ""}`;
    });
    return [points[0].axisValue].concat(told).join("\n");
  }

  axis(more) {
    return Object.assign({
      axisLabel: { color: colour("--hl-text-soft") },
      axisLine: { lineStyle: { color: colour("--hl-line-strong") } },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: colour("--hl-line") } },
    }, more);
  }

  values() {
    if (this.hasAttribute("digits")) return this.axis({ type: "value", min: 0, minInterval: this.getAttribute("digits") === "0" ? 1 : 0 });
    return this.axis({ type: "value", min: 0, max: 100, axisLabel: { color: colour("--hl-text-soft"), formatter: "{value}%" } });
  }

  // Rows lie newest first in the table; time runs to the right in the chart.
  lines() {
    const told = this.getAttribute("order") === "oldest";
    const turned = (list) => (told ? list.slice() : list.slice().reverse());
    const labels = turned(this.data.labels);
    const lowest = Math.min(100, ...this.data.series.map((one) => Math.min(100, ...one.cells.map((cell) => (cell.value === null ? 100 : cell.value)))));
    return Object.assign(this.base(), {
      // Half of the last label stands right of the last point.
      grid: { top: 34, right: Math.max(24, 4 * String(labels[labels.length - 1] || "").length), bottom: 8, left: 8, containLabel: true },
      xAxis: this.axis({ type: "category", data: labels, boundaryGap: false }),
      yAxis: Object.assign(this.values(), this.hasAttribute("digits") ? {} : { min: Math.max(0, Math.floor(lowest / 10) * 10 - 10) }),
      series: this.data.series.map((one, place) => ({
        name: one.name,
        type: "line",
        symbol: SYMBOLS[place % SYMBOLS.length],
        symbolSize: 7,
        lineStyle: { type: DASHES[place % DASHES.length], width: 2 },
        data: turned(one.cells).map((cell) => cell.value),
      })),
    });
  }

  // Too few to be compared: an outline.
  bar(cell, place) {
    const ink = colour(`--hl-chart-${place + 1}`);
    if (!cell.faint) return { value: cell.value };
    return { value: cell.value, itemStyle: { color: colour("--hl-surface"), borderColor: ink, borderWidth: 1, decal: { symbol: "none" } } };
  }

  // Names down the side, each bar with its figure; the first row at the top.
  lying() {
    const soft = colour("--hl-text-soft");
    return Object.assign(this.base(), this.data.series.length < 2 ? { legend: { show: false } } : {}, {
      grid: { top: this.data.series.length < 2 ? 8 : 34, right: 64, bottom: 4, left: 8, containLabel: true },
      xAxis: this.values(),
      yAxis: this.axis({ type: "category", data: this.data.labels, inverse: true, axisLabel: { color: soft, width: 150, overflow: "truncate" } }),
      series: this.data.series.map((one) => ({
        name: one.name,
        type: "bar",
        barMaxWidth: 18,
        label: { show: true, position: "right", color: colour("--hl-text"), fontSize: 11, formatter: (point) => this.written(one.cells[point.dataIndex].value) },
        data: one.cells.map((cell) => cell.value),
      })),
    });
  }

  bars() {
    if (this.hasAttribute("lying")) return this.lying();
    const most = Number(this.getAttribute("most")) || this.data.labels.length;
    this.data.labels = this.data.labels.slice(0, most);
    this.data.series.forEach((one) => { one.cells = one.cells.slice(0, most); });
    const soft = colour("--hl-text-soft");
    return Object.assign(this.base(), {
      grid: { top: 46, right: 16, bottom: 4, left: 8, containLabel: true },
      xAxis: this.axis({ type: "category", data: this.data.labels, axisLabel: { color: soft, interval: 0, width: 64, overflow: "truncate", fontSize: 11 } }),
      yAxis: this.values(),
      series: this.data.series.map((one, place) => ({
        name: one.name,
        type: "bar",
        barMaxWidth: 22,
        barGap: "10%",
        label: {
          show: place === 0,
          position: "top",
          color: soft,
          fontSize: 10,
          formatter: (point) => (one.cells[point.dataIndex].n === null ? "" : `n=${one.cells[point.dataIndex].n}`),
        },
        itemStyle: place % 2 ? { decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4, color: colour("--hl-surface") } } : {},
        data: one.cells.map((cell) => this.bar(cell, place)),
      })),
    });
  }
}

HlChart.turned = new Set();
customElements.define("hl-chart", HlChart);
