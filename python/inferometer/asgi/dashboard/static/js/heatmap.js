// Histograms over time: a column for each moment, a row for each bucket.

import { canvasColor, faded, themeColor } from "./colors.js";
import { h, setText } from "./dom.js";
import { readSeries, timesOf } from "./frames.js";
import { Hover } from "./hover.js";
import { clock, tickTexts } from "./moments.js";
import { formatBound, formatValue } from "./units.js";

const BOTTOM = 22;
const TOP = 6;
const RIGHT = 8;

function bound(series) {
  const le = series.labels.le;
  return le === undefined || le === "+Inf" ? Infinity : Number(le);
}

/** From cumulative buckets to what is in each, lowest first. */
export function bucketsOf(series) {
  const sorted = [...series].sort((a, b) => bound(a) - bound(b));
  return sorted.map((one, row) => ({
    high: bound(one),
    low: row === 0 ? 0 : bound(sorted[row - 1]),
    counts: one.values.map((value, column) => {
      if (value === null) return null;
      const below = row === 0 ? 0 : (sorted[row - 1].values[column] ?? 0);
      return Math.max(0, value - below);
    }),
  }));
}

/** Rows without anything above and below are left out, but for one of each. */
export function trimmed(buckets, least) {
  const filled = buckets.map(({ counts }) => counts.some((count) => count > least));
  const first = filled.indexOf(true);
  if (first < 0) return [];
  return buckets.slice(Math.max(0, first - 1), filled.lastIndexOf(true) + 2);
}

export class HeatmapPanel {
  constructor(frame, page) {
    this.frame = frame;
    this.page = page;
    const options = frame.panel.options ?? {};
    this.unit = options.yAxis?.unit ?? "short";
    this.exponent = options.color?.exponent ?? 0.5;
    this.least = options.filterValues?.le ?? 1e-9;
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.hover = new Hover();
    this.scale = h("p", { class: "scale" });
    this.rows = h("tbody");
    const caption = h("caption", {}, `${frame.panel.title}: the newest column`);
    const heads = h("tr", {}, h("th", { scope: "col" }, "Bucket"), h("th", { scope: "col" }, "Count"));
    const table = h("table", { class: "unseen" }, caption, h("thead", {}, heads), this.rows);
    this.place = h("div", { class: "chart" }, this.canvas);
    frame.body.append(
      h("div", { class: "chart-box" }, this.place, this.hover.element),
      this.scale,
      table,
    );
    this.canvas.addEventListener("mousemove", (event) => this.point(event));
    this.canvas.addEventListener("mouseleave", () => this.hover.hide());
    new ResizeObserver(() => this.draw()).observe(this.place);
  }

  /** Shows answers; returns whether there was anything to show. */
  update(answers) {
    const all = bucketsOf(readSeries(this.frame.panel, answers));
    this.buckets = trimmed(all, this.least);
    if (this.buckets.length === 0) return false;
    this.times = timesOf(answers[0]);
    this.most = Math.max(...this.buckets.flatMap(({ counts }) => counts.map((count) => count ?? 0)));
    const shown = formatValue(this.most, "short", this.most < 10 ? 1 : 0);
    setText(this.scale, `up to ${shown} in a cell; stronger colour is more`);
    this.tell();
    this.frame.setEmpty(""); // a hidden place has no size
    this.draw();
    return true;
  }

  /** The newest column in words. */
  tell() {
    const column = this.times.length - 1;
    const lines = this.buckets.map((bucket) => [this.name(bucket), bucket.counts[column]]);
    this.rows.replaceChildren(
      ...lines.map(([name, count]) =>
        h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, this.count(count))),
      ),
    );
  }

  count(value) {
    return value === null ? "–" : formatValue(value, "short", value < 10 && value % 1 ? 1 : 0);
  }

  name({ low, high }) {
    if (high === Infinity) return `above ${formatBound(low, this.unit)}`;
    return `${formatBound(low, this.unit)} to ${formatBound(high, this.unit)}`;
  }

  layout() {
    const texts = this.buckets.map(({ high }) => (high === Infinity ? "more" : formatBound(high, this.unit)));
    const left = Math.max(...texts.map((text) => text.length)) * 6.4 + 12;
    const width = this.place.clientWidth - left - RIGHT;
    const height = this.place.clientHeight - TOP - BOTTOM;
    const [start, end] = this.page.xRange();
    return { texts, left, width, height, start, end, row: height / this.buckets.length };
  }

  draw() {
    if (!this.buckets?.length || this.place.clientWidth < 40) return;
    const box = this.layout();
    const ratio = globalThis.devicePixelRatio || 1;
    this.canvas.width = this.place.clientWidth * ratio;
    this.canvas.height = this.place.clientHeight * ratio;
    const ctx = this.canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.font = "11px system-ui, sans-serif";
    this.drawCells(ctx, box);
    this.drawAxes(ctx, box);
  }

  drawCells(ctx, { left, width, row, start, end }) {
    const hot = canvasColor("orange");
    const step = this.times.length > 1 ? this.times[1] - this.times[0] : end - start;
    const across = (time) => left + ((time - start) / (end - start)) * width;
    this.buckets.forEach(({ counts }, index) => {
      const y = TOP + (this.buckets.length - 1 - index) * row;
      counts.forEach((count, column) => {
        if (count === null || count <= this.least) return;
        const right = Math.min(across(this.times[column]), left + width);
        const x = Math.max(left, right - (step / (end - start)) * width);
        if (right <= x) return;
        ctx.fillStyle = faded(hot, 0.12 + 0.88 * (count / this.most) ** this.exponent);
        const gap = right - x > 5 ? 1 : 0;
        ctx.fillRect(x, y + 0.5, right - x - gap, Math.max(1, row - 1));
      });
    });
  }

  drawAxes(ctx, { texts, left, width, height, start, end, row }) {
    ctx.fillStyle = themeColor("muted");
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(14 / row));
    texts.forEach((text, index) => {
      if (index % every === 0) ctx.fillText(text, left - 6, TOP + height - index * row - row / 2);
    });
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    const ticks = this.timeTicks(start, end, Math.max(2, Math.floor(width / 80)));
    tickTexts(ticks).forEach((text, index) => {
      const x = left + ((ticks[index] - start) / (end - start)) * width;
      if (x > left + 14 && x < left + width - 14) ctx.fillText(text, x, TOP + height + 6);
    });
  }

  timeTicks(start, end, most) {
    const nice = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
    const wanted = (end - start) / most;
    const step = nice.find((one) => one >= wanted) ?? 86400 * Math.ceil(wanted / 86400);
    const offset = new Date(start * 1000).getTimezoneOffset() * 60;
    const first = Math.ceil((start - offset) / step) * step + offset;
    const ticks = [];
    for (let tick = first; tick <= end; tick += step) ticks.push(tick);
    return ticks;
  }

  point(event) {
    if (!this.buckets?.length) return;
    const { left, width, height, start, end, row } = this.layout();
    const x = event.offsetX - left;
    const index = this.buckets.length - 1 - Math.floor((event.offsetY - TOP) / row);
    const bucket = this.buckets[index];
    if (!bucket || x < 0 || x > width || event.offsetY > TOP + height) {
      this.hover.hide();
      return;
    }
    const time = start + (x / width) * (end - start);
    const column = this.times.findIndex((one) => one >= time);
    if (column < 0) return;
    const text = this.count(bucket.counts[column]);
    const lines = [{ name: this.name(bucket), text }];
    this.hover.show(clock(this.times[column]), lines, event.offsetX, this.place.clientWidth);
  }

  repaint() {
    this.draw();
  }
}
