// Rows of panels, which can be folded.

import { AlertListPanel } from "./alertlist.js";
import { h, remember } from "./dom.js";
import { Frame } from "./frame.js";
import { GaugePanel } from "./gauge.js";
import { HeatmapPanel } from "./heatmap.js";
import { StatPanel } from "./stat.js";
import { TablePanel } from "./table.js";
import { TimeseriesPanel } from "./timeseries.js";

const KINDS = {
  alertlist: AlertListPanel,
  gauge: GaugePanel,
  heatmap: HeatmapPanel,
  stat: StatPanel,
  table: TablePanel,
  timeseries: TimeseriesPanel,
};

/** Panels by row, from the top down and from left to right, as they are read. */
function byRow(panels) {
  const sorted = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  const rows = [];
  for (const panel of sorted) {
    if (panel.type === "row") rows.push({ row: panel, panels: [] });
    else {
      if (rows.length === 0) rows.push({ row: null, panels: [] });
      rows[rows.length - 1].panels.push(panel);
    }
  }
  return rows;
}

function wasFolded(key, otherwise) {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? otherwise : kept === "1";
  } catch {
    return otherwise;
  }
}

export class Grid {
  constructor(dashboard, page) {
    this.page = page;
    this.shown = [];
    this.asked = false; // the first answer follows when it is known what can be seen
    // Panels far from the window are not asked about: a query costs whoever answers it.
    this.observer = new IntersectionObserver((changes) => this.onScroll(changes), {
      rootMargin: "500px",
    });
    this.element = h("div", { class: "rows" });
    for (const { row, panels } of byRow(dashboard.panels)) {
      this.element.append(this.makeRow(dashboard.uid, row, panels));
    }
  }

  onScroll(changes) {
    let isNews = false;
    for (const { target, isIntersecting } of changes) {
      const entry = this.shown.find(({ frame }) => frame.element === target);
      isNews ||= isIntersecting && !entry.isNear;
      entry.isNear = isIntersecting;
    }
    if (!this.asked) this.page.refresh();
    else if (isNews) this.page.refreshSoon();
    this.asked = true;
  }

  /** No more of it. */
  close() {
    this.observer.disconnect();
  }

  makeRow(uid, row, panels) {
    const entries = panels.map((panel) => this.makePanel(panel));
    const grid = h("div", { class: "grid" }, entries.map(({ frame }) => frame.element));
    if (row === null) return grid;
    const key = `inferometer-folded-${uid}-${row.id}`;
    const id = `row-${row.id}`;
    const button = h("button", { type: "button", "aria-controls": id }, row.title);
    grid.id = id;
    const fold = (isFolded) => {
      grid.hidden = isFolded;
      button.setAttribute("aria-expanded", String(!isFolded));
      entries.forEach((entry) => {
        entry.isFolded = isFolded;
      });
    };
    fold(wasFolded(key, Boolean(row.collapsed)));
    button.addEventListener("click", () => {
      fold(!grid.hidden);
      remember(key, grid.hidden ? "1" : "0");
      if (!grid.hidden) this.page.refresh();
    });
    return h("section", { class: "row", "aria-label": row.title }, h("h2", {}, button), grid);
  }

  makePanel(panel) {
    const frame = new Frame(panel);
    const Kind = KINDS[panel.type];
    const entry = { panel, frame, view: Kind ? new Kind(frame, this.page) : null, answers: null };
    entry.isFolded = false;
    entry.isNear = false;
    this.observer.observe(frame.element);
    if (!Kind) frame.setEmpty(`Panels of the kind ${panel.type} are not known to this page.`);
    this.shown.push(entry);
    return entry;
  }

  /** The ids of panels that can be seen, or soon, and have queries. */
  wanted() {
    return this.shown
      .filter(({ isFolded, isNear }) => isNear && !isFolded)
      .filter(({ panel, view }) => view && panel.type !== "alertlist")
      .map(({ panel }) => panel.id);
  }

  update(answer) {
    for (const entry of this.shown) {
      const { panel, view } = entry;
      if (panel.type === "alertlist") view.updateAlerts(answer.alerts, answer.end);
      else if (view && answer.panels[panel.id]) this.updatePanel(entry, answer.panels[panel.id]);
    }
  }

  updatePanel(entry, answers) {
    const { frame, view } = entry;
    entry.answers = answers;
    const errors = [...new Set(answers.map(({ error }) => error).filter(Boolean))];
    const leftOut = answers.reduce((sum, answer) => sum + answer.left_out, 0);
    const notes = [...(view.trouble ?? []), ...errors];
    if (leftOut > 0) notes.push(`${leftOut} more series are not shown: choose some.`);
    const something = view.update(answers);
    if (something) {
      frame.setEmpty("");
      frame.setNote(notes.join(" "), errors.length > 0);
    } else {
      frame.setEmpty(errors.join(" ") || this.reason(entry.panel));
      frame.setNote("");
      frame.empty.classList.toggle("error", errors.length > 0);
    }
  }

  /** Why a panel without an error has nothing to show. */
  reason(panel) {
    const missing = this.page.emptyVariables(panel.variables ?? []);
    if (missing.includes("gpu")) return "No GPU is visible to this server.";
    if (missing.includes("model")) return "No model is loaded.";
    if (missing.length > 0) return `There are no values for ${missing.join(", ")}.`;
    return "No data in this time range.";
  }

  /** The theme has changed. */
  repaint() {
    for (const { view, answers } of this.shown) view?.repaint?.(answers);
  }
}
