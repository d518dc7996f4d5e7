// Pictures of the page for the documentation; scripts/screenshots.sh calls it.
//   node tests/browser/screenshots.mjs FOLDER

import { join } from "node:path";

import { launch, open, shown, shows } from "./browser.mjs";

const FOLDER = process.argv[2];
const PICTURES = [
  { name: "dashboard-dark", path: "/prometheus/", height: 1180 },
  { name: "dashboard-light", path: "/prometheus/?dashboard=inference-metrics", colorScheme: "light", height: 1180 },
  { name: "dashboard-history", path: "/dashboard/", height: 760 },
  { name: "dashboard-gpu", path: "/prometheus/", height: 6000, row: "GPU" },
  { name: "dashboard-phone", path: "/prometheus/", width: 360, height: 1100, colorScheme: "light" },
  { name: "dashboard-zoom", path: "/prometheus/", height: 900, zoom: true },
];

async function zoom(page) {
  const chart = page.locator('[data-panel="301"] .u-over');
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  const y = box.y + box.height / 3;
  await page.mouse.move(box.x + box.width * 0.6, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.85, y, { steps: 5 });
  await shows(page, () => page.mouse.up());
  await page.mouse.move(box.x + box.width * 0.5, y, { steps: 5 });
}

const browser = await launch();
for (const { name, path, width = 1360, height, colorScheme = "dark", row, zoom: isZoomed } of PICTURES) {
  const page = await open(browser, path, { viewport: { width, height }, colorScheme });
  await shown(page);
  if (isZoomed) await zoom(page);
  const file = join(FOLDER, `${name}.png`);
  if (row) await page.getByRole("region", { name: row, exact: true }).screenshot({ path: file });
  else await page.screenshot({ path: file });
  if (page.trouble.length > 0) throw new Error(page.trouble.join("\n"));
  console.log(file);
  await page.context().close();
}
await browser.close();
