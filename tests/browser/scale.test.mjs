// As many models as MODELS says: none, or a hundred. From the process' own history.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertFine, launch, open, panelText, shown } from "./browser.mjs";

const MODELS = Number(process.env.MODELS);
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const uid of ["triton-metrics", "inference-metrics"]) {
  test(`${uid} with ${MODELS} models`, async (t) => {
    const path = `/dashboard/?dashboard=${uid}&refresh=5`;
    const page = await open(browser, path, { viewport: { width: 1440, height: 6000 } });
    const began = Date.now();
    await shown(page);
    t.diagnostic(`shown after ${Date.now() - began} ms`);
    // A rate needs two samples of a service that has just been started.
    await page.waitForFunction((models) => {
      const rows = (within) => document.querySelectorAll(`${within} tbody tr`).length;
      return rows("table.data") === models && rows('[data-panel="202"]') === models;
    }, MODELS);
    const rate = await panelText(page, 202); // "Request rate by model"
    if (MODELS === 0) assert.match(rate, /No model is loaded\./);
    const alerts = await page.locator(".kind-alertlist").innerText();
    assert.match(alerts, /Alerts need Prometheus/);
    assert.match(await page.locator("#source").innerText(), /own history/);
    await assertFine(page);
    await page.context().close();
  });
}
