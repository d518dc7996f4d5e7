// Series over time: a chart with its values in words below it, or the values alone.

import { makeChart, momentText, stacked, valuesAt } from "./chart.js";
import { seriesColor } from "./colors.js";
import { h } from "./dom.js";
import { Field } from "./field.js";
import { hasValue, readSeries, timesOf } from "./frames.js";
import { Hover } from "./hover.js";
import { Legend } from "./legend.js";

export class TimeseriesPanel {
  constructor(frame, page) {
    this.frame = frame;
    this.page = page;
    this.field = new Field(frame.panel);
    this.isStacked = ["normal", "percent"].includes(this.field.custom.stacking?.mode);
    this.legend = new Legend(frame.panel);
    this.place = h("div", { class: "chart", "aria-hidden": "true" });
    this.hover = new Hover();
    this.chart = null;
    if (page.uPlot) {
      frame.body.append(h("div", { class: "chart-box" }, this.place, this.hover.element));
      this.place.addEventListener("mouseleave", () => this.hover.hide());
      new ResizeObserver(() => this.resize()).observe(this.place);
    }
    frame.body.append(this.legend.element);
    frame.body.classList.toggle("no-chart", !page.uPlot);
  }

  /** Shows answers; returns whether there was anything to show. */
  update(answers) {
    const series = readSeries(this.frame.panel, answers).filter(hasValue);
    series.forEach((one, index) => {
      one.color = one.field.fixedColor() ?? seriesColor(index);
    });
    this.series = series;
    this.legend.update(series);
    if (this.page.uPlot && series.length > 0) this.draw(answers);
    return series.length > 0;
  }

  draw(answers) {
    const first = answers.find((answer) => answer.count > 1) ?? answers[0];
    this.times = timesOf(first);
    const plain = this.series.map(({ values }) =>
      values.map((value) => (value === null || Number.isFinite(value) ? value : null)),
    );
    const data = [this.times, ...(this.isStacked ? stacked(plain) : plain)];
    // Another set of lines, or of colours, is another chart.
    const key = JSON.stringify(this.series.map(({ name, color }) => [name, color]));
    if (this.chart && key === this.key) {
      this.chart.setData(data);
      return;
    }
    this.key = key;
    this.chart?.destroy();
    this.frame.setEmpty(""); // a hidden place has no size
    this.chart = makeChart(this.page.uPlot, this.place, this.series, data, {
      field: this.field,
      isStacked: this.isStacked,
      range: () => this.page.xRange(),
      marks: () => this.page.marks(),
      onSelect: (start, end) => this.page.zoom(start, end),
      onHover: (plot, index) => this.showHover(plot, index),
    });
  }

  showHover(plot, index) {
    const isHere = this.place.matches(":hover");
    if (!isHere || index === null || index === undefined || plot.cursor.left < 0) {
      this.hover.hide();
      return;
    }
    const lines = valuesAt(this.series, index).map(({ name, color, field, value }) => ({
      name,
      color,
      text: field.format(value),
    }));
    const left = plot.cursor.left + plot.over.offsetLeft;
    this.hover.show(momentText(this.times[index]), lines, left, this.place.clientWidth);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (this.chart && width > 0 && height > 0) this.chart.setSize({ width, height });
  }

  /** The theme has changed: uPlot keeps colours. */
  repaint(answers) {
    this.key = null;
    if (answers) this.update(answers);
  }
}
