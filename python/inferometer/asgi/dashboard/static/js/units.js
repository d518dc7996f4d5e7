// Values as people read them, by Grafana's names of units.

const SI = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
];
const IEC = [
  [2 ** 40, "Ti"],
  [2 ** 30, "Gi"],
  [2 ** 20, "Mi"],
  [2 ** 10, "Ki"],
  [1, ""],
];
// Sizes in seconds, the largest first.
const TIME = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];

function scaled(prefixes, unit) {
  // kB, but k req/s.
  const apart = unit.length > 2 ? " " : "";
  return prefixes.map(([size, prefix]) => [size, prefix ? prefix + apart + unit : unit]);
}

function time(base, smallest) {
  const sizes = TIME.map(([size, name]) => [Number((size / base).toPrecision(9)), name]);
  return sizes.filter(([size]) => size >= smallest);
}

// For each unit the steps it is written in: [size of one, name], the largest first.
const UNITS = {
  none: [[1, ""]],
  short: scaled(SI, ""),
  percent: [[1, "%"]],
  percentunit: [[0.01, "%"]],
  s: time(1, 1e-9),
  ms: time(1e-3, 1e-6),
  "µs": time(1e-6, 1e-3),
  ns: time(1e-9, 1),
  bytes: scaled(IEC, "B"),
  decbytes: scaled(SI, "B"),
  Bps: scaled(SI, "B/s"),
  reqps: scaled(SI, "req/s"),
  ops: scaled(SI, "ops/s"),
  cps: scaled(SI, "/s"),
  rps: scaled(SI, "reads/s"),
  watt: scaled(SI, "W"),
  joule: scaled(SI, "J"),
  hertz: scaled(SI, "Hz"),
  celsius: [[1, "°C"]],
};

function stepsOf(unit) {
  return UNITS[unit ?? "none"] ?? (unit ? [[1, unit]] : UNITS.none);
}

/** The step that a value of this size is written in. */
function stepFor(value, unit) {
  const steps = stepsOf(unit);
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size)) {
    return steps.find(([step]) => step === 1) ?? steps[steps.length - 1];
  }
  return steps.find(([step]) => size >= step * 0.9995) ?? steps[steps.length - 1];
}

/** How many decimals show three digits, but for whole numbers none. */
export function decimalsFor(value) {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(size) || Number.isInteger(value)) return 0;
  const rounded = Number(size.toPrecision(3)); // 0.99996 is written 1.00
  return Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(rounded))));
}

function grouped(text) {
  const [whole, fraction] = text.split(".");
  const withCommas = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

function special(value) {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "∞" : "-∞";
}

function written(value, [size, name], decimals) {
  const number = value / size;
  let text = number.toFixed(decimals);
  if (Number(text) === 0) text = text.replace("-", "");
  return { number: grouped(text), unit: name };
}

/** A value in two parts, number and unit. */
export function formatParts(value, unit, decimals) {
  if (!Number.isFinite(value)) return { number: special(value), unit: "" };
  const step = stepFor(value, unit);
  return written(value, step, decimals ?? decimalsFor(value / step[0]));
}

/** A round number, such as a bucket's bound, without zeros that say nothing. */
export function formatBound(value, unit) {
  const { number, unit: name } = formatParts(value, unit);
  return joined({ number: number.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""), unit: name });
}

/** Whether ticks should be powers of two. */
export function isBinary(unit) {
  return unit === "bytes";
}

/** A value as one text. */
export function formatValue(value, unit, decimals) {
  const parts = formatParts(value, unit, decimals);
  return joined(parts);
}

function joined({ number, unit }) {
  if (unit === "") return number;
  return unit === "%" ? `${number}%` : `${number} ${unit}`;
}

/** Ticks of one axis, all written in the same step and with as many decimals. */
export function formatTicks(values, unit) {
  const finite = values.filter((value) => Number.isFinite(value));
  const largest = Math.max(0, ...finite.map(Math.abs));
  const step = stepFor(largest, unit);
  const apart = finite.length > 1 ? Math.abs(finite[1] - finite[0]) / step[0] : largest / step[0];
  const decimals = apart > 0 ? Math.min(9, Math.max(0, Math.ceil(-Math.log10(apart) - 1e-9))) : 0;
  const fits = (places) =>
    finite.every((value) => {
      const number = value / step[0];
      return Math.abs(Number(number.toFixed(places)) - number) < apart * 1e-3;
    });
  const places = fits(decimals) ? decimals : decimals + 1;
  return values.map((value) => joined(written(value, step, places)));
}
