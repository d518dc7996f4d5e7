// What is shown, of when, how often: kept in the address, so that it can be sent to others.

export const RANGES = [
  { seconds: 900, label: "15 m", name: "Last 15 minutes" },
  { seconds: 3600, label: "1 h", name: "Last hour" },
  { seconds: 21600, label: "6 h", name: "Last 6 hours" },
];
export const REFRESHES = [
  { seconds: 0, label: "Off" },
  { seconds: 5, label: "5 s" },
  { seconds: 10, label: "10 s" },
  { seconds: 30, label: "30 s" },
  { seconds: 60, label: "1 m" },
];
// The server itself waits 10 s for Prometheus, and then says so in the panels.
export const PATIENCE = 15;
const SHORTEST = 10;
const LONGEST = 31 * 86400;

function parsed(text, fallback) {
  const value = Number(text);
  return text !== null && text !== "" && Number.isFinite(value) ? value : fallback;
}

export class State {
  constructor(search, page) {
    const parameters = new URLSearchParams(search);
    const wanted = parameters.get("dashboard");
    const known = page.dashboards.some((dashboard) => dashboard.uid === wanted);
    this.uid = known ? wanted : page.dashboards[0].uid;
    this.live = parsed(parameters.get("range"), RANGES[0].seconds);
    this.live = Math.min(LONGEST, Math.max(SHORTEST, this.live));
    this.refresh = parsed(parameters.get("refresh"), 5);
    if (!REFRESHES.some(({ seconds }) => seconds === this.refresh)) this.refresh = 5;
    const start = parsed(parameters.get("from"), null);
    const end = parsed(parameters.get("to"), null);
    this.fixed = null;
    if (start !== null && end !== null) this.setFixed(start, end);
    this.variables = Object.create(null); // whoever wrote the address chose the names
    for (const [key, value] of parameters) {
      if (!key.startsWith("var-")) continue;
      const name = key.slice("var-".length);
      this.variables[name] = [...(this.variables[name] ?? []), value];
    }
  }

  /** A range that does not move with the clock. */
  setFixed(start, end) {
    const seconds = Math.min(LONGEST, Math.max(SHORTEST, end - start));
    const middle = (start + end) / 2;
    this.fixed = { start: middle - seconds / 2, end: middle + seconds / 2 };
  }

  setLive(seconds) {
    this.live = seconds;
    this.fixed = null;
  }

  get seconds() {
    return this.fixed ? this.fixed.end - this.fixed.start : this.live;
  }

  toSearch() {
    const parameters = new URLSearchParams({ dashboard: this.uid, range: this.live });
    parameters.set("refresh", this.refresh);
    if (this.fixed) {
      parameters.set("from", this.fixed.start.toFixed(1));
      parameters.set("to", this.fixed.end.toFixed(1));
    }
    for (const [name, values] of Object.entries(this.variables)) {
      for (const value of values) parameters.append(`var-${name}`, value);
    }
    return `?${parameters}`;
  }

  /** Seconds after which a server that has not answered is said to be gone. */
  get patience() {
    return Math.max(PATIENCE, 3 * this.refresh);
  }

  /** What the server is asked; of variables only those that the dashboard has. */
  request(dashboard, panels, points) {
    const names = new Set(dashboard.variables.map((variable) => variable.name));
    const chosen = Object.entries(this.variables).filter(([name]) => names.has(name));
    return {
      dashboard: this.uid,
      seconds: this.seconds,
      end: this.fixed ? this.fixed.end : null,
      points,
      panels,
      variables: Object.fromEntries(chosen),
    };
  }
}
