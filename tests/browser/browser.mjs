// A real browser for tests, and what they all want to know of a page.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const { chromium } = await import(pathToFileURL(process.env.PLAYWRIGHT));

export const SERVICE = process.env.SERVICE;
export const PROMETHEUS = process.env.PROMETHEUS;

/** Chromium; as root it has no sandbox of its own. */
export function launch() {
  const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM, args });
}

/** A page that notes whatever goes wrong in it: errors, refusals of the policy, requests elsewhere. */
export async function open(browser, path, { prepare = async () => {}, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
    timezoneId: "UTC",
    ...options,
  });
  const page = await context.newPage();
  const trouble = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) trouble.push(message.text());
  });
  page.on("pageerror", (error) => trouble.push(String(error.stack)));
  page.on("request", (request) => {
    if (!request.url().startsWith(SERVICE) && !request.url().startsWith("data:")) {
      trouble.push(`asked ${request.url()}`);
    }
  });
  await page.addInitScript(() => {
    globalThis.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  page.trouble = trouble;
  await prepare(page);
  await page.goto(SERVICE + path);
  return page;
}

/** Waits until the page has shown an answer, or another one than the last time. */
export async function shown(page, than = "") {
  await page.waitForFunction((last) => (document.body.dataset.shown ?? "") !== last, than);
  return page.evaluate(() => document.body.dataset.shown);
}

/** Does something and waits until the page has shown what came of it. */
export async function shows(page, action) {
  const before = await page.evaluate(() => document.body.dataset.shown ?? "");
  await action();
  return shown(page, before);
}

/** Nothing went wrong, and the page is as wide as its window. */
export async function assertFine(page) {
  assert.deepEqual(page.trouble, []);
  const [inner, wanted] = await page.evaluate(() => [
    document.documentElement.clientWidth,
    document.documentElement.scrollWidth,
  ]);
  assert.ok(wanted <= inner, `the page is ${wanted} wide in a window of ${inner}`);
}

/** The text of a panel, as it is read. */
export function panelText(page, id) {
  return page.locator(`[data-panel="${id}"]`).innerText();
}
