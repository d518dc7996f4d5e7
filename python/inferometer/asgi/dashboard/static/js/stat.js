// One number, or one for each series, with its course behind it.

import { colorClass } from "./colors.js";
import { h, setText, svg } from "./dom.js";
import { hasValue, readSeries } from "./frames.js";
import { reduce } from "./reduce.js";

function course(values) {
  const known = values.filter((value) => value !== null && Number.isFinite(value));
  if (known.length < 2) return "";
  const low = Math.min(...known);
  const high = Math.max(...known);
  const height = (value) => (high > low ? 38 - ((value - low) / (high - low)) * 34 : 22);
  const parts = [];
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      drawing = false;
      return;
    }
    const x = ((index / (values.length - 1)) * 100).toFixed(2);
    parts.push(`${drawing ? "L" : "M"}${x} ${height(value).toFixed(2)}`);
    drawing = true;
  });
  return parts.join("");
}

class Value {
  constructor(withGraph) {
    this.number = h("span", { class: "number" });
    this.unit = h("span", { class: "unit" });
    this.state = h("span", { class: "state" });
    this.name = h("span", { class: "name" });
    this.path = withGraph ? svg("path", { class: "course" }) : null;
    this.element = h(
      "div",
      { class: "value" },
      this.name,
      h("p", { class: "big" }, this.number, this.unit),
      this.state,
      this.path
        ? svg(
            "svg",
            { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" },
            this.path,
          )
        : null,
    );
  }

  show(series, calc, withName) {
    const { field } = series;
    const value = reduce(series.values, calc);
    const { number, unit } = value === null ? { number: field.format(null), unit: "" } : field.parts(value);
    setText(this.number, number);
    setText(this.unit, unit === "%" ? unit : unit && ` ${unit}`);
    setText(this.state, field.stateOf(value));
    this.state.hidden = this.state.textContent === "";
    setText(this.name, withName ? series.name : "");
    this.name.hidden = !withName;
    const color = field.fixedColor() ?? (field.color.mode === "thresholds" ? field.colorOf(value) : null);
    this.element.className = `value ${colorClass(color)}`;
    this.path?.setAttribute("d", course(series.values));
  }
}

export class StatPanel {
  constructor(frame) {
    this.frame = frame;
    this.calc = frame.panel.options?.reduceOptions?.calcs?.[0] ?? "lastNotNull";
    this.withGraph = (frame.panel.options?.graphMode ?? "area") === "area";
    this.values = [];
  }

  /** Shows answers; returns whether there was anything to show. */
  update(answers) {
    const series = readSeries(this.frame.panel, answers).filter(hasValue);
    while (this.values.length > series.length) this.values.pop().element.remove();
    series.forEach((one, index) => {
      if (!this.values[index]) {
        this.values[index] = new Value(this.withGraph);
        this.frame.body.append(this.values[index].element);
      }
      this.values[index].show(one, this.calc, series.length > 1);
    });
    return series.length > 0;
  }
}
