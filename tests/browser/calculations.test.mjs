// Units, reductions, buckets: what needs no browser.

import assert from "node:assert/strict";
import { test } from "node:test";

const STATIC = new URL("../../python/inferometer/asgi/dashboard/static/js/", import.meta.url);
const { formatBound, formatTicks, formatValue } = await import(new URL("units.js", STATIC));
const { reduce, toNumber } = await import(new URL("reduce.js", STATIC));
const { Field } = await import(new URL("field.js", STATIC));
const { State } = await import(new URL("state.js", STATIC));

test("values in their units", () => {
  const cases = [
    [0, "s", undefined, "0 s"],
    [0.00001234, "s", undefined, "12.3 µs"],
    [0.5, "s", undefined, "500 ms"],
    [2, "s", undefined, "2 s"],
    [90, "s", undefined, "1.50 min"],
    [1500, "ms", undefined, "1.50 s"],
    [0.25, "ms", undefined, "250 µs"],
    [25000, "µs", undefined, "25 ms"],
    [0.123456, "percentunit", undefined, "12.3%"],
    [1, "percentunit", 1, "100.0%"],
    [47.5, "percent", 1, "47.5%"],
    [1536, "bytes", undefined, "1.50 KiB"],
    [8 * 2 ** 30, "bytes", undefined, "8 GiB"],
    [123456, "short", undefined, "123 k"],
    [1234567, "none", 0, "1,234,567"],
    [19.97, "reqps", undefined, "20.0 req/s"],
    [1234, "reqps", undefined, "1.23 k req/s"],
    [-0.0001, "none", 2, "0.00"],
    [NaN, "s", undefined, "NaN"],
    [Infinity, "s", undefined, "∞"],
    [3, "parsec", undefined, "3 parsec"],
    [999.9996, "ms", undefined, "1.00 s"],
  ];
  for (const [value, unit, decimals, want] of cases) {
    assert.equal(formatValue(value, unit, decimals), want, `${value} ${unit}`);
  }
});

test("ticks of an axis share a step, and bounds have no zeros that say nothing", () => {
  assert.deepEqual(formatTicks([0, 0.05, 0.1], "s"), ["0 ms", "50 ms", "100 ms"]);
  assert.deepEqual(formatTicks([0, 0.5, 1, 1.5], "s"), ["0.0 s", "0.5 s", "1.0 s", "1.5 s"]);
  assert.deepEqual(formatTicks([0, 0.25, 0.5], "percentunit"), ["0%", "25%", "50%"]);
  assert.deepEqual(formatTicks([], "s"), []);
  assert.equal(formatBound(0.01, "s"), "10 ms");
  assert.equal(formatBound(0.0025, "s"), "2.5 ms");
  assert.equal(formatBound(10, "short"), "10");
});

test("one number of a series", () => {
  const values = ["NaN", 1, null, 5, "NaN"].map(toNumber);
  assert.equal(reduce(values, "lastNotNull"), 5);
  assert.equal(reduce(values, "max"), 5);
  assert.equal(reduce(values, "mean"), 3);
  assert.equal(reduce([null, NaN], "last"), null);
  assert.equal(reduce(values, "unknown"), null);
  assert.equal(toNumber("+Inf"), Infinity);
});

test("colours by thresholds, with words for those who do not see them", () => {
  const steps = [
    { color: "green", value: null },
    { color: "yellow", value: 0.5 },
    { color: "red", value: 0.8 },
  ];
  const defaults = { unit: "percentunit", thresholds: { mode: "absolute", steps } };
  const overrides = [
    { matcher: { id: "byName", options: "x" }, properties: [{ id: "unit", value: "s" }] },
    { matcher: { id: "byRegexp", options: "/^y/i" }, properties: [{ id: "decimals", value: 3 }] },
  ];
  const panel = { fieldConfig: { defaults, overrides } };
  const field = new Field(panel);
  assert.deepEqual([0.2, 0.5, 0.9].map((value) => field.colorOf(value)), ["green", "yellow", "red"]);
  assert.deepEqual([0.2, 0.5, 0.9].map((value) => field.stateOf(value)), ["OK", "Warning", "Critical"]);
  assert.equal(field.describeSteps(), "green below 50%, yellow from 50%, red from 80%");
  assert.equal(new Field(panel, "x").format(0.9), "900 ms");
  assert.equal(new Field(panel, "Yes").format(0.9), "90.000%");
  assert.equal(field.format(null), "–");
});

test("the address keeps what was chosen, and refuses what cannot be", () => {
  const page = { dashboards: [{ uid: "a" }, { uid: "b" }] };
  const state = new State("?dashboard=b&range=3600&refresh=30&var-model=x&var-model=y", page);
  assert.equal(new State(state.toSearch(), page).toSearch(), state.toSearch());
  assert.deepEqual({ ...state.variables }, { model: ["x", "y"] });
  const dashboard = { variables: [{ name: "model" }] };
  const request = state.request(dashboard, [1], 200);
  assert.deepEqual([request.dashboard, request.seconds, request.end], ["b", 3600, null]);
  const odd = new State("?dashboard=none&range=-5&refresh=7&from=x&to=1", page);
  assert.deepEqual([odd.uid, odd.live, odd.refresh, odd.fixed], ["a", 10, 5, null]);
  assert.deepEqual([state.patience, odd.patience], [90, 15]);
  for (const name of ["__proto__", "constructor", "toString"]) {
    const named = new State(`?var-${name}=x&var-${name}=y`, page);
    assert.deepEqual(named.variables[name], ["x", "y"]);
    assert.equal(new State(named.toSearch(), page).toSearch(), named.toSearch());
    assert.deepEqual(named.request(dashboard, [1], 200).variables, {});
  }
});
