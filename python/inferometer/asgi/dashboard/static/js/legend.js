// The table below a chart: what the lines are, and their values; also the chart's text alternative.

import { canvasColor } from "./colors.js";
import { h, setText } from "./dom.js";
import { calcName, reduce } from "./reduce.js";

export class Legend {
  constructor(panel) {
    const wanted = panel.options?.legend?.calcs ?? [];
    this.calcs = wanted.filter(calcName);
    if (this.calcs.length === 0) this.calcs = ["lastNotNull"];
    this.rows = h("tbody");
    const heads = this.calcs.map((calc) => h("th", { scope: "col", class: "numeric" }, calcName(calc)));
    const table = h(
      "table",
      { class: "legend" },
      h("caption", { class: "unseen" }, `${panel.title}: values of the lines`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Series"), heads)),
      this.rows,
    );
    const label = `${panel.title}, values`;
    const attributes = { class: "scroll legend-box", tabindex: "0", role: "region" };
    this.element = h("div", { ...attributes, "aria-label": label }, table);
  }

  /** Shows series, each with its colour; those that are 0 all the time come last. */
  update(all) {
    const isBusy = (one) => one.values.some((value) => value !== null && value !== 0);
    const series = [...all.filter(isBusy), ...all.filter((one) => !isBusy(one))];
    this.element.style.setProperty("--rows", String(Math.min(series.length, 4)));
    while (this.rows.rows.length > series.length) this.rows.deleteRow(-1);
    series.forEach((one, index) => {
      const row = this.rows.rows[index] ?? this.rows.appendChild(this.makeRow());
      const [key, name] = row.cells[0].children;
      key.style.backgroundColor = canvasColor(one.color);
      setText(name, one.name);
      name.title = one.name;
      this.calcs.forEach((calc, at) => {
        setText(row.cells[at + 1], one.field.format(reduce(one.values, calc)));
      });
    });
  }

  makeRow() {
    const values = this.calcs.map(() => h("td", { class: "numeric" }));
    const name = h("th", { scope: "row" }, h("span", { class: "key" }), h("span"));
    return h("tr", {}, name, values);
  }
}
