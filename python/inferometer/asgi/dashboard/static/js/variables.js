// Choices for the dashboard's variables: all values, or some of them.

import { h, setText } from "./dom.js";

const ALL = "$__all";
const MANY = 8; // from here on there is a field to search in

class Choice {
  constructor(variable, state, onChange) {
    this.variable = variable;
    this.state = state;
    this.onChange = onChange;
    this.options = [];
    this.chosen = h("span", { class: "chosen" });
    this.summary = h("summary", {}, h("span", { class: "label" }, variable.label), this.chosen);
    this.search = h("input", {
      type: "search",
      placeholder: "Search",
      "aria-label": `Search in ${variable.label}`,
      oninput: () => this.drawList(),
      // Enter would send the form.
      onkeydown: (event) => event.key === "Enter" && event.preventDefault(),
    });
    this.list = h("div", { class: "options" });
    this.trouble = h("p", { class: "hint" });
    this.box = h(
      "fieldset",
      { class: "drop" },
      h("legend", { class: "unseen" }, variable.label),
      this.search,
      this.list,
      this.trouble,
    );
    this.element = h("details", { class: "choice" }, this.summary, this.box);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.element.open) return;
      this.element.open = false;
      this.summary.focus();
      event.stopPropagation();
    });
    this.draw();
  }

  get values() {
    const values = this.state.variables[this.variable.name] ?? [];
    if (values.length === 0 && !this.variable.all) return this.options.slice(0, 1);
    return values.includes(ALL) ? [] : values;
  }

  set(values) {
    if (values.length > 0) this.state.variables[this.variable.name] = values;
    else delete this.state.variables[this.variable.name];
    this.draw();
    this.onChange();
  }

  toggle(value, isOn) {
    if (!this.variable.multi) this.set([value]);
    else if (isOn) this.set([...this.values, value]);
    else this.set(this.values.filter((one) => one !== value));
  }

  update({ options, error }) {
    this.trouble.hidden = !error && options.length > 0;
    setText(this.trouble, error ?? "There are no values yet.");
    if (JSON.stringify(options) === JSON.stringify(this.options)) return;
    this.options = options;
    this.search.hidden = options.length < MANY;
    this.draw();
  }

  draw() {
    const { values } = this;
    const text = values.length > 2 ? `${values.length} chosen` : values.join(", ");
    setText(this.chosen, text || "All");
    this.drawList();
  }

  drawList() {
    // Values that were chosen stay, also where the series have gone.
    const all = [...new Set([...this.options, ...this.values])].sort();
    const wanted = this.search.value.toLowerCase();
    const shown = all.filter((value) => value.toLowerCase().includes(wanted));
    const kind = this.variable.multi ? "checkbox" : "radio";
    const focused = document.activeElement?.dataset?.value;
    const entry = (value, text, isOn, onchange) => {
      const input = h("input", { type: kind, name: this.variable.name, "data-value": value, onchange });
      input.checked = isOn;
      return h("label", {}, input, h("span", {}, text));
    };
    const entries = shown.map((value) =>
      entry(value, value, this.values.includes(value), (event) =>
        this.toggle(value, event.target.checked),
      ),
    );
    if (this.variable.all) {
      entries.unshift(entry(ALL, "All", this.values.length === 0, () => this.set([])));
    }
    this.list.replaceChildren(...entries);
    if (focused !== undefined && this.element.open) {
      this.list.querySelector(`[data-value="${CSS.escape(focused)}"]`)?.focus();
    }
  }
}

export class Variables {
  constructor(place, state, onChange) {
    this.place = place;
    this.state = state;
    this.onChange = onChange;
    this.choices = [];
    this.known = {};
    place.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("click", (event) => {
      // What was clicked may be gone by now: a list is drawn anew.
      if (!event.target.isConnected) return;
      for (const { element } of this.choices) {
        if (!element.contains(event.target)) element.open = false;
      }
    });
  }

  /** Choices for another dashboard. */
  show(variables) {
    this.known = {};
    this.choices = variables.map((variable) => new Choice(variable, this.state, this.onChange));
    this.place.replaceChildren(...this.choices.map(({ element }) => element));
  }

  update(found) {
    this.known = found;
    for (const choice of this.choices) {
      if (found[choice.variable.name]) choice.update(found[choice.variable.name]);
    }
  }

  /** Labels of those of some variables that have no values at all. */
  empty(names) {
    return this.choices
      .filter(({ variable }) => names.includes(variable.name))
      .filter(({ variable }) => this.known[variable.name]?.options?.length === 0)
      .map(({ variable }) => variable.name);
  }
}
