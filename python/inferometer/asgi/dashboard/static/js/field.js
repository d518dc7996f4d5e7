// What a panel says about its values: unit, decimals, bounds, colours; for all and for some series.

import { formatParts, formatValue } from "./units.js";

const STATES = {
  green: "OK",
  yellow: "Warning",
  orange: "High",
  red: "Critical",
};

function fits(matcher, name, ref) {
  const wanted = matcher?.options;
  if (matcher?.id === "byName") return wanted === name;
  if (matcher?.id === "byFrameRefID") return wanted === ref;
  if (matcher?.id !== "byRegexp") return false;
  try {
    const [, pattern, flags] = /^\/(.*)\/([a-z]*)$/s.exec(wanted) ?? [null, `^(?:${wanted})$`, ""];
    return new RegExp(pattern, flags).test(name);
  } catch {
    return false;
  }
}

/** The settings of one series or column. */
export class Field {
  constructor(panel, name = "", ref = "") {
    const config = panel.fieldConfig ?? {};
    const merged = { ...config.defaults, custom: { ...config.defaults?.custom } };
    for (const override of config.overrides ?? []) {
      if (!fits(override.matcher, name, ref)) continue;
      for (const { id, value } of override.properties ?? []) {
        if (id.startsWith("custom.")) merged.custom[id.slice("custom.".length)] = value;
        else merged[id] = value;
      }
    }
    this.unit = merged.unit ?? "none";
    this.decimals = merged.decimals ?? undefined;
    this.min = merged.min ?? undefined;
    this.max = merged.max ?? undefined;
    this.name = merged.displayName ?? name;
    this.noValue = merged.noValue ?? "";
    this.color = merged.color ?? {};
    this.custom = merged.custom;
    this.mappings = merged.mappings ?? [];
    const steps = merged.thresholds?.steps ?? [];
    this.percentSteps = merged.thresholds?.mode === "percentage";
    this.steps = steps.map(({ color, value }) => ({ color, value: value ?? -Infinity }));
  }

  /** A threshold's value in the field's unit. */
  threshold(step) {
    if (!this.percentSteps || !Number.isFinite(step.value)) return step.value;
    const low = this.min ?? 0;
    return low + ((this.max ?? 100) - low) * (step.value / 100);
  }

  /** The name of the colour that a value has by the thresholds, null without thresholds. */
  colorOf(value) {
    if (value === null || Number.isNaN(value)) return null;
    const reached = this.steps.filter((step) => value >= this.threshold(step));
    return reached.length > 0 ? reached[reached.length - 1].color : null;
  }

  /** What a value's colour means, for those who do not see it; "" where there is but one colour. */
  stateOf(value) {
    if (this.steps.length < 2) return "";
    return STATES[this.colorOf(value)] ?? "";
  }

  fixedColor() {
    return this.color.mode === "fixed" ? this.color.fixedColor : null;
  }

  mapped(value) {
    for (const mapping of this.mappings) {
      const found = mapping.type === "value" ? mapping.options?.[String(value)] : null;
      if (found?.text) return found.text;
    }
    return null;
  }

  parts(value) {
    const text = this.mapped(value);
    if (text !== null) return { number: text, unit: "" };
    return formatParts(value, this.unit, this.decimals);
  }

  format(value) {
    if (value === null) return this.noValue || "–";
    return this.mapped(value) ?? formatValue(value, this.unit, this.decimals);
  }

  /** The thresholds in words: "green below 100 ms, red from 500 ms". */
  describeSteps() {
    if (this.steps.length < 2) return "";
    return this.steps
      .map((step, index) =>
        index === 0
          ? `${step.color} below ${formatValue(this.threshold(this.steps[1]), this.unit)}`
          : `${step.color} from ${formatValue(this.threshold(step), this.unit)}`,
      )
      .join(", ");
  }
}
