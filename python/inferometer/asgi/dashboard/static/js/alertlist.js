// The alerts that are pending or firing.

import { h } from "./dom.js";
import { duration } from "./moments.js";

const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;
const HIDDEN_LABELS = new Set(["alertname", "severity"]);

function matches(labels, [, name, op, quoted]) {
  const value = labels[name] ?? "";
  const wanted = quoted.replace(/\\(.)/g, "$1");
  if (op === "=") return value === wanted;
  if (op === "!=") return value !== wanted;
  try {
    return new RegExp(`^(?:${wanted})$`).test(value) === (op === "=~");
  } catch {
    return false;
  }
}

/** The alerts that a panel's options ask for. */
export function chosenAlerts(alerts, options = {}) {
  const matchers = [...(options.alertInstanceLabelFilter ?? "").matchAll(MATCHER)];
  const states = options.stateFilter ?? { firing: true, pending: true };
  return alerts
    .filter((alert) => states[alert.state])
    .filter((alert) => (alert.labels.alertname ?? "").includes(options.alertName ?? ""))
    .filter((alert) => matchers.every((matcher) => matches(alert.labels, matcher)))
    .slice(0, options.maxItems ?? 100);
}

function isSafe(url) {
  return /^https?:\/\//i.test(url ?? "");
}

function item(alert, now) {
  const { labels, annotations, state } = alert;
  const severity = labels.severity ?? "";
  const since = Date.parse(alert.since) / 1000;
  const others = Object.entries(labels)
    .filter(([name]) => !HIDDEN_LABELS.has(name))
    .map(([name, value]) => `${name}=${value}`);
  const runbook = annotations.runbook_url;
  return h(
    "li",
    { class: `alert ${state} severity-${/^\w+$/.test(severity) ? severity : "other"}` },
    h(
      "p",
      { class: "alert-head" },
      h("span", { class: "badge" }, state === "firing" ? "Firing" : "Pending"),
      h("strong", {}, labels.alertname ?? "?"),
      severity ? h("span", { class: "severity" }, severity) : null,
      Number.isFinite(since) ? h("span", { class: "since" }, `for ${duration(now - since)}`) : null,
    ),
    annotations.summary ? h("p", {}, annotations.summary) : null,
    h(
      "p",
      { class: "labels" },
      others.join(" · "),
      isSafe(runbook) ? h("a", { href: runbook, rel: "noopener noreferrer", target: "_blank" }, "Runbook") : null,
    ),
  );
}

export class AlertListPanel {
  constructor(frame) {
    this.frame = frame;
    this.list = h("ul", { class: "alerts" });
    const label = `${frame.panel.title}, list`;
    frame.body.append(
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, this.list),
    );
  }

  /** Shows alerts; says so if there are none. */
  updateAlerts(answer, now) {
    if (answer.error) {
      this.frame.setEmpty(answer.error);
      return;
    }
    const alerts = chosenAlerts(answer.alerts, this.frame.panel.options);
    this.frame.setEmpty(alerts.length > 0 ? "" : "No alert is pending or firing.");
    const shown = JSON.stringify(alerts.map((alert) => [alert, Math.floor(now / 30)]));
    if (shown === this.shown) return; // focus on a link stays where it is
    this.shown = shown;
    this.list.replaceChildren(...alerts.map((alert) => item(alert, now)));
  }
}
