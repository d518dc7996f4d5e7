// Dials.

import { colorClass } from "./colors.js";
import { h, setText, svg } from "./dom.js";
import { hasValue, readSeries } from "./frames.js";
import { reduce } from "./reduce.js";

const BEGIN = 150; // degrees, clockwise from the right
const SWEEP = 240;

function point(share, radius) {
  const angle = ((BEGIN + SWEEP * share) * Math.PI) / 180;
  return `${(50 + radius * Math.cos(angle)).toFixed(2)} ${(50 + radius * Math.sin(angle)).toFixed(2)}`;
}

function arc(from, to, radius) {
  if (to <= from) return "";
  const large = SWEEP * (to - from) > 180 ? 1 : 0;
  return `M${point(from, radius)} A${radius} ${radius} 0 ${large} 1 ${point(to, radius)}`;
}

class Dial {
  constructor() {
    this.bar = svg("path", { class: "dial-bar" });
    this.bands = svg("g", {});
    this.number = h("p", { class: "big" });
    this.state = h("p", { class: "state" });
    this.name = h("p", { class: "name" });
    this.element = h(
      "div",
      { class: "dial" },
      svg(
        "svg",
        { viewBox: "0 0 100 82", "aria-hidden": "true" },
        svg("path", { class: "dial-back", d: arc(0, 1, 38) }),
        this.bar,
        this.bands,
      ),
      h("div", { class: "dial-text" }, this.number, this.state),
      this.name,
    );
  }

  show(series, calc) {
    const { field } = series;
    const value = reduce(series.values, calc);
    const low = field.min ?? 0;
    const high = field.max ?? (field.unit === "percentunit" ? 1 : 100);
    const share = (at) => Math.min(1, Math.max(0, (at - low) / (high - low)));
    setText(this.number, field.format(value));
    setText(this.state, field.stateOf(value));
    setText(this.name, series.name);
    this.element.className = `dial ${colorClass(field.colorOf(value))}`;
    this.bar.setAttribute("d", value === null ? "" : arc(0, share(value), 38));
    const bands = field.steps.map((step, index) => {
      const next = field.steps[index + 1];
      const from = Number.isFinite(step.value) ? share(field.threshold(step)) : 0;
      const to = next ? share(field.threshold(next)) : 1;
      return svg("path", { class: `dial-band ${colorClass(step.color)}`, d: arc(from, to, 46) });
    });
    this.bands.replaceChildren(...bands);
  }
}

export class GaugePanel {
  constructor(frame) {
    this.frame = frame;
    this.calc = frame.panel.options?.reduceOptions?.calcs?.[0] ?? "lastNotNull";
    this.dials = [];
  }

  /** Shows answers; returns whether there was anything to show. */
  update(answers) {
    const series = readSeries(this.frame.panel, answers).filter(hasValue);
    while (this.dials.length > series.length) this.dials.pop().element.remove();
    series.forEach((one, index) => {
      if (!this.dials[index]) {
        this.dials[index] = new Dial();
        this.frame.body.append(this.dials[index].element);
      }
      this.dials[index].show(one, this.calc);
    });
    return series.length > 0;
  }
}
