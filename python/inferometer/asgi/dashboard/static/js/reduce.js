// From a series to one number.

/** Values as the server sends them: null is nothing, text stands for what JSON has not. */
export function toNumber(value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return value;
  if (value === "NaN") return NaN;
  return value === "+Inf" ? Infinity : -Infinity;
}

const CALCS = {
  lastNotNull: (known) => known[known.length - 1],
  firstNotNull: (known) => known[0],
  max: (known) => Math.max(...known),
  min: (known) => Math.min(...known),
  mean: (known) => known.reduce((sum, value) => sum + value, 0) / known.length,
  sum: (known) => known.reduce((sum, value) => sum + value, 0),
  count: (known) => known.length,
  range: (known) => Math.max(...known) - Math.min(...known),
};
CALCS.last = CALCS.lastNotNull;
CALCS.first = CALCS.firstNotNull;

const NAMES = {
  last: "Last",
  lastNotNull: "Last",
  first: "First",
  firstNotNull: "First",
  max: "Max",
  min: "Min",
  mean: "Mean",
  sum: "Sum",
  count: "Count",
  range: "Range",
};

/** What a calculation is called; null if it is not known. */
export function calcName(calc) {
  return NAMES[calc] ?? null;
}

/** One number of a series, null if it has none. NaN counts as none, as in Grafana. */
export function reduce(values, calc) {
  const known = values.filter((value) => value !== null && !Number.isNaN(value));
  if (known.length === 0 || !CALCS[calc]) return null;
  return CALCS[calc](known);
}
