// Colours for canvases: names of Grafana's, resolved in the present theme.

const NAMED = ["green", "yellow", "orange", "red", "blue", "purple"];
const PALETTE = 12;
const cache = new Map();

/** Forgets what was resolved: the theme has changed. */
export function forgetColors() {
  cache.clear();
}

function variable(name) {
  const known = cache.get(name);
  if (known) return known;
  const probe = document.getElementById("announcer");
  probe.style.color = `var(${name})`;
  const resolved = getComputedStyle(probe).color;
  probe.style.color = "";
  cache.set(name, resolved);
  return resolved;
}

/** A colour of the theme, as rgb(). */
export function themeColor(name) {
  return variable(`--${name}`);
}

/** The CSS class that colours text as Grafana's colour does; "" for colours without a name. */
export function colorClass(color) {
  const base = /^(?:(?:super-)?(?:light|dark)-|semi-dark-)?(\w+)$/.exec(color ?? "")?.[1];
  return NAMED.includes(base) ? `is-${base}` : "";
}

/** Grafana's colour as a canvas takes it. */
export function canvasColor(color) {
  if (!color) return themeColor("muted");
  const name = colorClass(color).slice(3);
  return name ? themeColor(name) : color;
}

/** The colour of the nth series. */
export function seriesColor(index) {
  return themeColor(`series-${index % PALETTE}`);
}

/** An rgb() colour with an alpha. */
export function faded(color, alpha) {
  const numbers = color.match(/[\d.]+/g);
  if (!color.startsWith("rgb") || numbers === null) return color;
  return `rgba(${numbers.slice(0, 3).join(", ")}, ${alpha})`;
}
