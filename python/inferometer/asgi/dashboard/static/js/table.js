// Tables that sort, of one value for each set of labels.

import { colorClass } from "./colors.js";
import { h, setText } from "./dom.js";
import { Field } from "./field.js";
import { readSeries } from "./frames.js";
import { reduce } from "./reduce.js";

const KNOWN = ["merge", "organize"];

function keyOf(labels) {
  return JSON.stringify(Object.entries(labels).sort());
}

/** One row for each set of labels, one column for each query: Grafana's "merge". */
function merged(panel, answers) {
  const several = panel.targets.length > 1;
  const columns = panel.targets.map(({ refId }) => (several ? `Value #${refId}` : "Value"));
  const rows = new Map();
  const labelNames = new Set();
  for (const series of readSeries(panel, answers)) {
    const labels = Object.fromEntries(
      Object.entries(series.labels).filter(([name]) => name !== "__name__"),
    );
    Object.keys(labels).forEach((name) => labelNames.add(name));
    const key = keyOf(labels);
    if (!rows.has(key)) rows.set(key, { key, ...labels });
    rows.get(key)[several ? `Value #${series.ref}` : "Value"] = reduce(series.values, "lastNotNull");
  }
  return { names: [...labelNames, ...columns], values: new Set(columns), rows: [...rows.values()] };
}

function organized(panel, table) {
  const organize = (panel.transformations ?? []).find(({ id }) => id === "organize")?.options ?? {};
  const { excludeByName = {}, indexByName = {}, renameByName = {} } = organize;
  const place = (name) => indexByName[name] ?? table.names.length;
  return table.names
    .filter((name) => !excludeByName[name])
    .sort((a, b) => place(a) - place(b))
    .map((name) => {
      const heading = renameByName[name] || name;
      const isValue = table.values.has(name);
      return { name, heading, isValue, field: new Field(panel, heading) };
    });
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

export class TablePanel {
  constructor(frame) {
    this.frame = frame;
    const [first] = frame.panel.options?.sortBy ?? [];
    this.sorted = first ? { heading: first.displayName, descending: Boolean(first.desc) } : null;
    this.head = h("tr");
    this.rows = h("tbody");
    this.headings = [];
    const label = `${frame.panel.title}, table`;
    frame.body.append(
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
        h("table", { class: "data" }, h("thead", {}, this.head), this.rows),
      ),
    );
    const unknown = (frame.panel.transformations ?? []).filter(({ id }) => !KNOWN.includes(id));
    this.trouble = unknown.map(({ id }) => `The transformation ${id} is not known to this page.`);
  }

  /** Shows answers; returns whether there was anything to show. */
  update(answers) {
    const table = merged(this.frame.panel, answers);
    this.columns = organized(this.frame.panel, table);
    this.data = table.rows;
    this.draw();
    return table.rows.length > 0;
  }

  draw() {
    this.drawHead();
    const by = this.columns.find(({ heading }) => heading === this.sorted?.heading);
    const rows = [...this.data].sort((a, b) => {
      if (!by) return 0;
      const [left, right] = [a[by.name] ?? null, b[by.name] ?? null];
      if (left === null || right === null) return (left === null) - (right === null); // none: last
      const order = compare(left, right) * (this.sorted.descending ? -1 : 1);
      return order || a.key.localeCompare(b.key);
    });
    while (this.rows.rows.length > rows.length) this.rows.deleteRow(-1);
    rows.forEach((row, index) => {
      const line = this.rows.rows[index] ?? this.rows.insertRow();
      this.drawRow(line, row);
    });
  }

  drawRow(line, row) {
    if (line.cells.length !== this.columns.length) {
      const cells = this.columns.map(({ isValue }, index) =>
        h(index === 0 && !isValue ? "th" : "td", index === 0 && !isValue ? { scope: "row" } : {}),
      );
      line.replaceChildren(...cells);
    }
    this.columns.forEach(({ name, isValue, field }, index) => {
      const cell = line.cells[index];
      const value = row[name] ?? null;
      setText(cell, isValue ? field.format(value) : (value ?? "–"));
      cell.className = isValue ? "numeric" : "";
      if (isValue && field.custom.cellOptions?.type?.startsWith("color-")) {
        cell.classList.add(...[colorClass(field.colorOf(value))].filter(Boolean));
        cell.title = field.stateOf(value);
      }
    });
  }

  drawHead() {
    const headings = this.columns.map(({ heading }) => heading);
    if (headings.join("\n") !== this.headings.join("\n")) {
      this.headings = headings;
      this.head.replaceChildren(
        ...this.columns.map(({ heading, isValue }) =>
          h(
            "th",
            { scope: "col", class: isValue ? "numeric" : "" },
            h("button", { type: "button", onclick: () => this.sortBy(heading, isValue) }, heading),
          ),
        ),
      );
    }
    this.columns.forEach(({ heading }, index) => {
      const cell = this.head.cells[index];
      const isSorted = heading === this.sorted?.heading;
      if (!isSorted) cell.removeAttribute("aria-sort");
      else cell.setAttribute("aria-sort", this.sorted.descending ? "descending" : "ascending");
    });
  }

  sortBy(heading, isValue) {
    const again = this.sorted?.heading === heading;
    this.sorted = { heading, descending: again ? !this.sorted.descending : isValue };
    this.draw();
  }
}
