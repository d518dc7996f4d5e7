// The page in use: by keyboard, by mouse, in a small window, with no models and with many.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertFine, launch, open, panelText, shown, shows } from "./browser.mjs";

const RATE = 201; // the panel "Request rate by outcome"
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function opened(path, options) {
  const page = await open(browser, path, options);
  await shown(page);
  return page;
}

test("the keyboard reaches every control, and each shows that it has the focus", async (t) => {
  const page = await opened("/prometheus/?refresh=0");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the panels");
  const reached = [];
  for (let count = 0; count < 300; count += 1) {
    const here = await page.evaluate(() => {
      const { activeElement: element } = document;
      const style = getComputedStyle(element);
      return {
        name: element.getAttribute("aria-label") ?? element.textContent.trim(),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        isBody: element === document.body,
      };
    });
    if (here.isBody) break;
    assert.ok(here.ring, `no ring around ${here.name}`);
    assert.notEqual(here.name, "");
    reached.push(here.name);
    await page.keyboard.press("Tab");
  }
  for (const name of ["Last 15 minutes", "Last 6 hours", "Zoom out", "Light theme", "Overview"]) {
    assert.ok(reached.includes(name), `${name} is not among ${reached}`);
  }
  assert.ok(reached.some((name) => name.startsWith("Model")));
  assert.ok(reached.includes("About Request rate by outcome"));
  t.diagnostic(`${reached.length} stops`);
  await assertFine(page);
  await page.context().close();
});

test("the skip link, a description and a filter, all by keyboard", async () => {
  const page = await opened("/prometheus/?refresh=0", { viewport: { width: 1440, height: 5000 } });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "panels");
  const about = page.locator(`[data-panel="${RATE}"] summary`);
  await about.focus();
  await page.keyboard.press("Enter");
  assert.match(await panelText(page, RATE), /answered in green/);
  await page.keyboard.press("Escape");
  assert.doesNotMatch(await panelText(page, RATE), /answered in green/);
  assert.ok(await about.evaluate((element) => element === document.activeElement));

  const model = page.locator("#variables summary").filter({ hasText: "Model" });
  await model.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab"); // "All"
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.dataset.value);
  await shows(page, () => page.keyboard.press("Space"));
  assert.match(page.url(), /var-model=/);
  const rows = await page.locator("table.data tbody tr").allInnerTexts();
  assert.equal(rows.length, 1);
  assert.ok(rows[0].startsWith(first), `${rows[0]} does not begin with ${first}`);
  await page.keyboard.press("Escape");
  assert.match(await model.innerText(), new RegExp(first.replace(/[^\w]/g, ".")));
  await assertFine(page);
  await page.context().close();
});

test("drag to zoom, and the way back", async () => {
  const page = await opened("/prometheus/?refresh=0");
  const chart = page.locator(`[data-panel="${RATE}"] .u-over`);
  const box = await chart.boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, y, { steps: 5 });
  await shows(page, () => page.mouse.up());
  const range = new URL(page.url()).searchParams;
  const seconds = Number(range.get("to")) - Number(range.get("from"));
  assert.ok(Math.abs(seconds - 180) < 10, `zoomed to ${seconds} s of 900`);
  const back = page.getByRole("button", { name: "Back to now" });
  await shows(page, () => back.click());
  assert.equal(new URL(page.url()).searchParams.get("from"), null);
  assert.ok(await back.isHidden());
  await shows(page, () => page.getByRole("button", { name: "Last hour" }).click());
  assert.equal(new URL(page.url()).searchParams.get("range"), "3600");
  await assertFine(page);
  await page.context().close();
});

test("it asks again by itself, not while hidden, and nothing moves when it does", async () => {
  const page = await opened("/prometheus/?refresh=5");
  let asked = 0;
  page.on("request", (request) => {
    asked += request.url().endsWith("/api/panels");
  });
  const hide = (isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  const first = await page.evaluate(() => document.body.dataset.shown);
  await page.evaluate(() => {
    globalThis.shifted = 0;
  });
  const second = await shown(page, first);
  await shown(page, second);
  assert.ok(asked >= 2);
  assert.equal(await page.evaluate(() => globalThis.shifted), 0);
  await hide(true);
  const atRest = asked;
  await page.waitForTimeout(7000); // longer than the refresh: a request would be seen
  assert.equal(asked, atRest);
  await shows(page, () => hide(false));
  await assertFine(page);
  await page.context().close();
});

test("a server that is gone is said, and what was shown stays", async () => {
  const page = await opened("/prometheus/?refresh=0");
  const before = await panelText(page, RATE);
  await page.route("**/api/panels", (route) => route.abort());
  await page.getByRole("button", { name: "Last hour" }).click();
  await page.getByRole("alert").filter({ hasText: "Cannot ask the server" }).waitFor();
  assert.equal(await panelText(page, RATE), before);
  await page.unroute("**/api/panels");
  await shows(page, () => page.getByRole("button", { name: "Last 15 minutes" }).click());
  assert.equal(await page.getByRole("alert").innerText(), "");
  await page.context().close();
});

test("without charts the same values are tables", async () => {
  const prepare = (page) =>
    page.route("**/api/page", async (route) => {
      const reply = await route.fetch();
      await route.fulfill({ json: { ...(await reply.json()), charts: false } });
    });
  const page = await opened("/prometheus/?refresh=0", { prepare });
  assert.match(await page.locator("#notes").innerText(), /Charts were not built/);
  assert.match(await panelText(page, RATE), /success\s+[\d.]+ req\/s/);
  assert.equal(await page.locator(".uplot").count(), 0);
  await assertFine(page);
  await page.context().close();
});

test("in a window of 360 pixels, light", async () => {
  const options = { viewport: { width: 360, height: 740 }, colorScheme: "light", hasTouch: true };
  for (const path of ["/prometheus/", "/dashboard/?dashboard=inference-metrics"]) {
    const page = await opened(path, options);
    await assertFine(page);
    for (const section of await page.locator(".panel").all()) {
      const box = await section.boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= 360, await section.innerText());
    }
    const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(color, "rgb(243, 245, 248)");
    await page.context().close();
  }
});

test("the theme is chosen and kept", async () => {
  const page = await opened("/dashboard/?refresh=0");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(), "rgb(15, 19, 24)");
  await page.getByRole("button", { name: "Light theme" }).click();
  assert.equal(await ground(), "rgb(243, 245, 248)");
  await page.reload();
  await shown(page);
  assert.equal(await ground(), "rgb(243, 245, 248)");
  await assertFine(page);
  await page.context().close();
});

test("names are text, whatever they look like", async () => {
  const page = await opened("/prometheus/?refresh=0", { viewport: { width: 1440, height: 5000 } });
  const names = await page.locator("table.data tbody th").allInnerTexts();
  assert.ok(names.includes('odd <b>"name"\\</b>'), names.join(", "));
  assert.equal(await page.locator("main td b, main th b").count(), 0);
  await shows(page, async () => {
    await page.locator("#variables summary").filter({ hasText: "Model" }).click();
    await page.getByLabel('odd <b>"name"\\</b>').check();
  });
  const rows = await page.locator("table.data tbody th").allInnerTexts();
  assert.deepEqual(rows, ['odd <b>"name"\\</b>']);
  await assertFine(page);
  await page.context().close();
});
