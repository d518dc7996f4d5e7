// The page: asks, shows, waits, asks again.

import { chosenAlerts } from "./alertlist.js";
import { loadCharts, loadPage, loadPanels, loadVariables } from "./api.js";
import { forgetColors } from "./colors.js";
import { makeDashboardLinks, makeRefresh, makeThemeButton, TimeControl } from "./controls.js";
import { h, setText } from "./dom.js";
import { Grid } from "./grid.js";
import { clock, duration } from "./moments.js";
import { State } from "./state.js";
import { Variables } from "./variables.js";

const VARIABLES_EVERY = 30; // seconds
const part = (id) => document.getElementById(id);

function points() {
  return Math.min(400, Math.max(120, Math.round(document.documentElement.clientWidth / 6)));
}

class Page {
  constructor(page, uPlot) {
    this.page = page;
    this.uPlot = uPlot;
    this.state = new State(location.search, page);
    this.answer = null;
    this.asked = 0;
    this.variablesAt = 0;
    this.timer = null;
    this.abort = null;
    const anew = () => this.refresh();
    this.drawLinks = makeDashboardLinks(part("dashboards"), page.dashboards, this.state, (uid) => {
      this.state.uid = uid;
      this.showDashboard();
    });
    this.time = new TimeControl(part("time"), part("zoomed"), this.state, () => {
      this.variablesAt = 0;
      this.refresh();
    });
    makeRefresh(part("refresh"), this.state, (seconds) => {
      this.state.refresh = seconds;
      anew();
    });
    makeThemeButton(part("theme"), () => {
      forgetColors();
      this.grid.repaint();
    });
    this.variables = new Variables(part("variables"), this.state, () => {
      this.variablesAt = 0;
      this.refresh();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) clearTimeout(this.timer);
      else anew();
    });
    this.showDashboard();
  }

  get dashboard() {
    return this.page.dashboards.find(({ uid }) => uid === this.state.uid);
  }

  showDashboard() {
    const { dashboard } = this;
    document.title = `${dashboard.title} · inferometer`;
    setText(part("title"), dashboard.title);
    setText(part("description"), dashboard.description);
    this.drawLinks();
    this.variables.show(dashboard.variables);
    this.variablesAt = 0;
    this.grid?.close();
    this.grid = new Grid(dashboard, this);
    part("panels").replaceChildren(this.grid.element);
    this.drawNotes();
  }

  // --- what panels ask of the page ---------------------------------------------------------------

  xRange() {
    return [this.answer.start, this.answer.end];
  }

  marks() {
    return this.answer.annotations.flatMap(({ colour, marks }) =>
      marks.map((mark) => ({ ...mark, colour })),
    );
  }

  zoom(start, end) {
    this.state.setFixed(start, end);
    this.time.draw();
    this.refresh();
  }

  emptyVariables(names) {
    return this.variables.empty(names);
  }

  // --- asking ------------------------------------------------------------------------------------

  async refresh() {
    clearTimeout(this.timer);
    this.abort?.abort();
    const mine = (this.asked += 1);
    const abort = new AbortController();
    this.abort = abort;
    history.replaceState(null, "", this.state.toSearch());
    const request = this.state.request(this.dashboard, this.grid.wanted(), points());
    const { patience } = this.state;
    try {
      if (Date.now() / 1000 - this.variablesAt > VARIABLES_EVERY) {
        const found = await loadVariables({ ...request, panels: [] }, abort, patience);
        if (mine !== this.asked) return;
        this.variables.update(found);
        this.variablesAt = Date.now() / 1000;
      }
      const answer = await loadPanels(request, abort, patience);
      if (mine !== this.asked) return;
      this.answer = answer;
      setText(part("trouble"), "");
      document.body.classList.remove("stale");
      this.grid.update(answer);
      this.drawSource();
      this.drawAlerts();
      this.drawEvents();
      document.body.dataset.shown = String(mine); // what tests wait for
    } catch (error) {
      if (mine !== this.asked) return;
      const since = this.answer ? ` What is shown is of ${clock(this.answer.end)}.` : "";
      setText(part("trouble"), `Cannot ask the server: ${error.message}.${since}`);
      document.body.classList.add("stale");
    }
    this.later();
  }

  /** Asks again once scrolling has come to rest. */
  refreshSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), 150);
  }

  later() {
    if (this.state.refresh > 0 && !document.hidden) {
      this.timer = setTimeout(() => this.refresh(), this.state.refresh * 1000);
    }
  }

  // --- what is around the panels -----------------------------------------------------------------

  drawNotes() {
    const { source, charts } = this.page;
    this.events = h("details", { class: "events", hidden: true }, h("summary"), h("ol"));
    const notes = [];
    if (!charts || !this.uPlot) {
      notes.push("Charts were not built into this installation: series are shown as tables of values.");
    }
    if (source.kind === "history" && source.left_out > 0) {
      notes.push(`${source.left_out} series are not kept for lack of memory.`);
    }
    const links = this.dashboard.links.map(({ title, url }) =>
      h("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, title),
    );
    part("notes").replaceChildren(
      ...notes.map((text) => h("p", { class: "note" }, text)),
      ...(links.length > 0 ? [h("p", { class: "links" }, links)] : []),
      this.events,
    );
  }

  drawSource() {
    const { source, end } = this.answer;
    const of =
      source.kind === "prometheus"
        ? `Prometheus at ${source.url}`
        : `This process' own history, the last ${duration(source.seconds)}`;
    setText(part("source"), `${of} · ${clock(end)}`);
  }

  drawAlerts() {
    const chip = part("alert-chip");
    const { alerts, error } = this.answer.alerts;
    chip.hidden = Boolean(error);
    const panel = this.dashboard.panels.find(({ type }) => type === "alertlist");
    const chosen = chosenAlerts(alerts, panel?.options);
    const count = (state) => chosen.filter((alert) => alert.state === state).length;
    const [firing, pending] = [count("firing"), count("pending")];
    const pendingText = pending > 0 ? `, ${pending} pending` : "";
    const text = firing + pending === 0 ? "No alerts" : `${firing} firing${pendingText}`;
    chip.className = `chip ${firing > 0 ? "firing" : pending > 0 ? "pending" : "fine"}`;
    chip.href = panel ? `#panel-${panel.id}` : "#panels";
    setText(chip, text);
    // Said aloud when it changes, not at every refresh.
    if (!error && this.said !== undefined && this.said !== text) setText(part("announcer"), text);
    this.said = text;
  }

  drawEvents() {
    const marks = this.answer.annotations.flatMap(({ marks }) => marks);
    marks.sort((a, b) => b.start - a.start);
    this.events.hidden = marks.length === 0;
    const [summary, list] = this.events.children;
    setText(summary, `Events in this range: ${marks.length}`);
    list.replaceChildren(
      ...marks.map(({ start, end, title, text }) => {
        const lasted = end > start ? `, for ${duration(end - start)}` : "";
        return h("li", {}, h("b", {}, title), ` ${text.trim()} at ${clock(start)}${lasted}`);
      }),
    );
  }
}

async function begin() {
  try {
    const page = await loadPage();
    new Page(page, page.charts ? await loadCharts() : null);
  } catch (error) {
    setText(part("title"), "The dashboard cannot be shown");
    setText(part("trouble"), error.message);
  }
}

begin();
