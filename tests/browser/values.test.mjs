// What each panel says is what Prometheus' API says of the same moments.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { assertFine, launch, open, PROMETHEUS, SERVICE, shown } from "./browser.mjs";

const STATIC = new URL("../../python/inferometer/asgi/dashboard/static/js/", import.meta.url);
const { formatBound, formatValue } = await import(new URL("units.js", STATIC));

// The range ends in the past: no scrape can change it between the page's question and ours.
const END = Math.floor(Date.now() / 1000) - 5;
const START = END - 60;

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function ask(path, parameters) {
  const reply = await fetch(`${PROMETHEUS}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await reply.json();
  assert.equal(body.status, "success", JSON.stringify(body));
  return body.data;
}

/** A panel's query as Grafana would fill it in when all values are chosen. */
function filled(expr, intervals) {
  return expr
    .replaceAll("$__rate_interval", intervals.rate)
    .replace(/\$(job|instance|model|gpu)\b/g, ".+");
}

/** Series by name, with Prometheus' own values. */
async function series(target, { start, step, count }) {
  const query = filled(target.expr, { rate: "4s" });
  const end = start + step * (count - 1);
  const data = target.instant
    ? await ask("query", { query, time: start })
    : await ask("query_range", { query, start, end, step });
  const result = data.resultType === "scalar" ? [{ metric: {}, value: data.result }] : data.result;
  return result
    .map(({ metric, values, value }) => ({
      labels: metric,
      name: target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? ""),
      points: (values ?? [value]).map(([at, text]) => [Number(at), Number(text)]),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function known(points) {
  return points.map(([, value]) => value).filter((value) => !Number.isNaN(value));
}

function fieldOf(panel, name) {
  const { defaults, overrides } = panel.fieldConfig;
  const field = { unit: defaults.unit, decimals: defaults.decimals };
  for (const { matcher, properties } of overrides) {
    if (matcher.options !== name) continue;
    for (const { id, value } of properties) field[id] = value;
  }
  return field;
}

function text(panel, name, value) {
  const { unit, decimals } = fieldOf(panel, name);
  return value === undefined ? "–" : formatValue(value, unit, decimals);
}

async function cells(locator) {
  return locator.evaluateAll((rows) =>
    rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())),
  );
}

const CHECKS = {
  async stat(panel, answers, place) {
    const [found] = answers;
    const want = found.series.map(({ points }) => text(panel, "", known(points).at(-1)));
    const got = await place.locator(".big").allInnerTexts();
    assert.deepEqual(got.map((one) => one.replace(/\s+/g, " ")), want, panel.title);
    return want.length;
  },
  async gauge(panel, answers, place) {
    const want = answers[0].series.map(({ points }) => text(panel, "", known(points).at(-1)));
    assert.deepEqual(await place.locator(".big").allInnerTexts(), want, panel.title);
    return want.length;
  },
  async timeseries(panel, answers, place) {
    const found = answers.flatMap((answer) => answer.series).filter(({ points }) => known(points).length);
    const want = found.map(({ name, points }) => {
      const values = known(points);
      return [name, text(panel, name, values.at(-1)), text(panel, name, Math.max(...values))];
    });
    const got = await cells(place.locator(".legend tbody tr"));
    const order = (a, b) => (a[0] < b[0] ? -1 : 1);
    assert.deepEqual(got.sort(order), want.sort(order), panel.title);
    return want.length;
  },
  async heatmap(panel, answers, place) {
    const bounded = answers[0].series.map((one) => ({ ...one, le: Number(one.labels.le.replace("+Inf", "Infinity")) }));
    bounded.sort((a, b) => a.le - b.le);
    const end = answers[0].start + answers[0].step * (answers[0].count - 1);
    const at = ({ points }) => points.find(([time]) => Math.abs(time - end) < 1e-3)?.[1] ?? 0;
    const want = bounded.map((one, row) => Math.max(0, at(one) - (row > 0 ? at(bounded[row - 1]) : 0)));
    const names = bounded.map(({ le }, row) => {
      const unit = panel.options.yAxis.unit;
      if (le === Infinity) return `above ${formatBound(bounded[row - 1].le, unit)}`;
      return `${formatBound(row > 0 ? bounded[row - 1].le : 0, unit)} to ${formatBound(le, unit)}`;
    });
    const got = await cells(place.locator("tbody tr"));
    for (const [name, count] of got) {
      const value = want[names.indexOf(name)];
      const shownCount = formatValue(value, "short", value < 10 && value % 1 ? 1 : 0);
      assert.equal(count, shownCount, `${panel.title}: ${name}`);
    }
    return got.length;
  },
  async table(panel, answers, place) {
    const organize = panel.transformations.find(({ id }) => id === "organize").options;
    const label = Object.keys(organize.indexByName).find((name) => !name.startsWith("Value"));
    const headings = panel.targets.map(({ refId }) => organize.renameByName[`Value #${refId}`]);
    const rows = new Map();
    answers.forEach((answer, column) => {
      for (const { labels, points } of answer.series) {
        const row = rows.get(labels[label]) ?? [];
        row[column] = known(points).at(-1);
        rows.set(labels[label], row);
      }
    });
    const want = [...rows].map(([name, values]) => [
      name,
      ...headings.map((heading, column) => text(panel, heading, values[column])),
    ]);
    const order = (a, b) => (a[0] < b[0] ? -1 : 1);
    const got = await cells(place.locator("table.data tbody tr"));
    assert.deepEqual(got.sort(order), want.sort(order), panel.title);
    return want.length;
  },
};

async function check(uid, document) {
  const search = `?dashboard=${uid}&from=${START}&to=${END}&refresh=0`;
  const page = await open(browser, `/prometheus/${search}`, { viewport: { width: 1440, height: 6000 } });
  const replied = page.waitForResponse((reply) => reply.url().endsWith("/api/panels"));
  const answered = await (await replied).json();
  await shown(page);
  let compared = 0;
  for (const panel of document.panels) {
    const place = page.locator(`[data-panel="${panel.id}"]`);
    if (!CHECKS[panel.type]) continue;
    const asked = answered.panels[panel.id];
    const answers = await Promise.all(
      panel.targets.map(async (target, index) => {
        assert.equal(asked[index].error, null, panel.title);
        return { ...asked[index], series: await series(target, asked[index]) };
      }),
    );
    if (answers.every((answer) => answer.series.every(({ points }) => known(points).length === 0))) {
      assert.notEqual(await place.locator(".empty").innerText(), "", panel.title);
      continue;
    }
    compared += await CHECKS[panel.type](panel, answers, place);
  }
  await assertFine(page);
  await page.context().close();
  return compared;
}

const files = JSON.parse(process.env.DASHBOARDS);
for (const file of files) {
  const document = JSON.parse(readFileSync(file, "utf8"));
  test(`panels of ${document.title}`, async (t) => {
    const compared = await check(document.uid, document);
    t.diagnostic(`${compared} values, rows and lines compared with ${PROMETHEUS}`);
    assert.ok(compared > 40, `compared only ${compared}`);
  });
}

test("alerts", async () => {
  const page = await open(browser, "/prometheus/?refresh=0");
  await shown(page);
  const { alerts } = await ask("alerts", {});
  const want = alerts
    .filter(({ labels }) => labels.alertname !== "Watchdog")
    .map(({ labels, state }) => `${state} ${labels.alertname}`)
    .sort();
  assert.ok(want.length > 0);
  const items = page.locator(".kind-alertlist li");
  const got = await items.evaluateAll((list) =>
    list.map((item) => {
      const state = item.querySelector(".badge").textContent.toLowerCase();
      return `${state} ${item.querySelector("strong").textContent}`;
    }),
  );
  assert.deepEqual(got.sort(), want);
  const firing = want.filter((one) => one.startsWith("firing")).length;
  assert.match(await page.locator("#alert-chip").innerText(), new RegExp(`^${firing} firing`));
  await assertFine(page);
  assert.ok(page.url().startsWith(SERVICE));
});
