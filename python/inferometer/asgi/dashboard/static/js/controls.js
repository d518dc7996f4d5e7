// Time range, refresh, theme, and which dashboard.

import { h, remember, setText } from "./dom.js";
import { clock } from "./moments.js";
import { RANGES, REFRESHES } from "./state.js";

/** Buttons for the ranges; for a zoomed one, the way back and the ways on. */
export class TimeControl {
  constructor(place, zoomedPlace, state, onChange) {
    this.state = state;
    this.onChange = onChange;
    this.buttons = RANGES.map(({ seconds, label, name }) =>
      h("button", { type: "button", "aria-label": name, title: name, onclick: () => this.live(seconds) }, label),
    );
    const step = (label, name, change) =>
      h("button", { type: "button", "aria-label": name, title: name, onclick: () => this.move(change) }, label);
    this.back = h("button", { type: "button", class: "back", onclick: () => this.live(state.live) }, "Back to now");
    this.steps = h(
      "span",
      { class: "segments" },
      step("◀", "Earlier", (start, end) => [start - (end - start) / 2, end - (end - start) / 2]),
      step("−", "Zoom out", (start, end) => [start - (end - start) / 2, end + (end - start) / 2]),
      step("+", "Zoom in", (start, end) => [start + (end - start) / 4, end - (end - start) / 4]),
      step("▶", "Later", (start, end) => [start + (end - start) / 2, end + (end - start) / 2]),
    );
    this.shown = h("span", { class: "shown" });
    place.append(h("span", { class: "segments" }, this.buttons), this.steps);
    zoomedPlace.append(this.shown, this.back);
    this.draw();
  }

  live(seconds) {
    this.state.setLive(seconds);
    this.changed();
  }

  move(change) {
    const now = Date.now() / 1000;
    const { start, end } = this.state.fixed ?? { start: now - this.state.live, end: now };
    const [from, to] = change(start, end);
    this.state.setFixed(from, Math.min(to, now));
    this.changed();
  }

  changed() {
    const focused = document.activeElement;
    this.draw();
    if (focused === this.back && this.back.hidden) this.buttons[0].focus();
    this.onChange();
  }

  draw() {
    const { fixed, live } = this.state;
    this.back.hidden = fixed === null;
    setText(this.shown, fixed ? `${clock(fixed.start)} – ${clock(fixed.end)}` : "");
    this.buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(!fixed && RANGES[index].seconds === live));
    });
  }
}

/** How often the page asks again. */
export function makeRefresh(place, state, onChange) {
  const select = h(
    "select",
    { id: "refresh-select", onchange: () => onChange(Number(select.value)) },
    REFRESHES.map(({ seconds, label }) => h("option", { value: seconds }, label)),
  );
  select.value = String(state.refresh);
  place.append(h("label", { for: "refresh-select" }, "Refresh"), select);
}

/** Dark, light, or as the system has it. */
export function makeThemeButton(button, onChange) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const draw = () => setText(button, isDark() ? "Light theme" : "Dark theme");
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember("inferometer-theme", root.dataset.theme);
    draw();
    onChange();
  });
  system.addEventListener("change", () => {
    draw();
    onChange();
  });
  draw();
}

/** Links to the dashboards. */
export function makeDashboardLinks(place, dashboards, state, onChange) {
  const links = dashboards.map(({ uid, title }) => {
    const link = h("a", { href: `?dashboard=${encodeURIComponent(uid)}` }, title);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onChange(uid);
    });
    return link;
  });
  place.append(...links);
  const draw = () =>
    dashboards.forEach(({ uid }, index) => {
      if (uid === state.uid) links[index].setAttribute("aria-current", "page");
      else links[index].removeAttribute("aria-current");
    });
  draw();
  return draw;
}
