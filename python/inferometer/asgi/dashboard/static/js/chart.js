// A chart of uPlot's: axes with units, limits, marks, a crosshair that all charts share.

import { canvasColor, faded, themeColor } from "./colors.js";
import { clock, tickTexts } from "./moments.js";
import { formatTicks, isBinary } from "./units.js";

const POWERS_OF_TWO = Array.from({ length: 50 }, (_, power) => 2 ** power);
const MOST_FILLED = 6;
const FONT = "11px system-ui, sans-serif";

/** Lines at thresholds, with their value in words. */
function drawLimits(plot, field) {
  if (field.custom.thresholdsStyle?.mode?.startsWith("line") !== true) return;
  const { ctx, bbox } = plot;
  for (const step of field.steps) {
    const value = field.threshold(step);
    const { min, max } = plot.scales.y;
    if (!Number.isFinite(value) || value < min || value > max) continue;
    const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
    const color = canvasColor(step.color);
    ctx.save();
    ctx.strokeStyle = color;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillStyle = color;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    ctx.fillText(`limit ${field.format(value)}`, bbox.left + bbox.width - 4, y - 2);
    ctx.restore();
  }
}

/** When alerts fired and servers restarted. */
function drawMarks(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const mark of marks) {
    const left = plot.valToPos(mark.start, "x", true);
    const right = plot.valToPos(mark.end, "x", true);
    const color = canvasColor(mark.colour);
    ctx.fillStyle = faded(color, 0.06);
    ctx.fillRect(left, bbox.top, Math.max(0, right - left), bbox.height);
    ctx.fillStyle = faded(color, 0.8);
    ctx.fillRect(left, bbox.top, devicePixelRatio, bbox.height);
  }
  ctx.restore();
}

/** The end of the range: values begin and end with it, not with the first and last sample. */
function yRange(field) {
  return (plot, low, high) => {
    const least = field.min ?? Math.min(low ?? 0, 0);
    let most = field.max ?? high ?? 1;
    if (field.max === undefined) most = most > least ? least + (most - least) * 1.08 : least + 1;
    return [least, most];
  };
}

function axes(field) {
  const shared = () => ({
    stroke: themeColor("muted"),
    grid: { stroke: themeColor("grid"), width: 1 },
    ticks: { show: false },
    font: FONT,
  });
  const widthOf = (texts) => {
    const longest = Math.max(3, ...(texts ?? []).map((text) => text.length));
    return Math.min(86, longest * 6.4 + 14);
  };
  return [
    { ...shared(), space: 64, size: 26, values: (plot, ticks) => tickTexts(ticks) },
    {
      ...shared(),
      space: 30,
      size: (plot, texts) => widthOf(texts),
      values: (plot, ticks) => formatTicks(ticks, field.unit),
      ...(isBinary(field.unit) ? { incrs: POWERS_OF_TWO } : {}),
    },
  ];
}

function line(one, isFilled) {
  const { custom } = one.field;
  const color = canvasColor(one.color);
  const opacity = isFilled ? (custom.fillOpacity ?? 0) / 100 : 0;
  return {
    label: one.name,
    stroke: color,
    width: custom.lineWidth ?? 1,
    fill: opacity > 0 ? faded(color, opacity) : undefined,
    points: { show: custom.showPoints === "always" },
    spanGaps: false,
  };
}

/** Values on top of each other, the last series on top. */
export function stacked(columns) {
  const sums = [];
  return columns.map((values) =>
    values.map((value, index) => {
      if (value === null) return null;
      sums[index] = (sums[index] ?? 0) + value;
      return sums[index];
    }),
  );
}

/**
 * A chart.
 * @param uPlot its constructor
 * @param place where it goes
 * @param series the lines: name, color, field
 * @param options field: of the panel; isStacked; marks(); onSelect(start, end); onHover(plot, index)
 */
export function makeChart(uPlot, place, series, data, options) {
  const { field, isStacked } = options;
  const bands = isStacked
    ? series.slice(1).map((_, index) => ({ series: [index + 2, index + 1] }))
    : undefined;
  return new uPlot(
    {
      width: Math.max(80, place.clientWidth),
      height: Math.max(60, place.clientHeight),
      padding: [8, 10, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: "page", setSeries: false },
        drag: { x: true, y: false, setScale: false, dist: 8 },
        points: { size: 6 },
        y: false,
      },
      scales: { x: { time: true, range: () => options.range() }, y: { range: yRange(field) } },
      axes: axes(field),
      // Grounds of many lines over each other say nothing.
      series: [{}, ...series.map((one) => line(one, isStacked || series.length <= MOST_FILLED))],
      bands,
      hooks: {
        draw: [
          (plot) => {
            drawMarks(plot, options.marks());
            drawLimits(plot, field);
          },
        ],
        setCursor: [(plot) => options.onHover(plot, plot.cursor.idx)],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 8) return;
            options.onSelect(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    data,
    place,
  );
}

/** What a chart shows at a moment, the largest first; text for the box at the pointer. */
export function valuesAt(series, index) {
  return series
    .map((one) => ({ name: one.name, color: one.color, field: one.field, value: one.values[index] ?? null }))
    .filter(({ value }) => value !== null)
    .sort((a, b) => b.value - a.value);
}

/** The heading of that box. */
export function momentText(seconds) {
  return clock(seconds);
}
