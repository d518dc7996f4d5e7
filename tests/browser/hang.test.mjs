// A server that takes requests and does not answer, and one that has gone.

import assert from "node:assert/strict";
import { createServer, request as ask } from "node:http";
import { after, before, test } from "node:test";

import { launch, SERVICE, shown } from "./browser.mjs";

let browser;
let proxy;
let address;
let mode = "answers"; // or "says nothing", or "stops half way"
before(async () => {
  browser = await launch();
  proxy = createServer((incoming, outgoing) => {
    if (mode === "says nothing") return;
    const { method, url, headers } = incoming;
    const { host } = new URL(SERVICE);
    const onward = ask(SERVICE + url, { method, headers: { ...headers, host } }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      if (mode === "stops half way") outgoing.write("{");
      else answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${proxy.address().port}/dashboard/`;
});
after(async () => {
  await browser.close();
  proxy.closeAllConnections();
  proxy.close();
});

/** The notice at the top, and whether what was shown is pale. */
const notice = (page) =>
  page.evaluate(() => ({
    text: document.getElementById("trouble").textContent,
    stale: document.body.classList.contains("stale"),
  }));

for (const hanging of ["says nothing", "stops half way"]) {
  test(`a server that ${hanging} is said to be gone, and found again`, async () => {
    mode = "answers";
    const page = await browser.newPage();
    await page.goto(`${address}?refresh=5`);
    await shown(page);
    assert.deepEqual(await notice(page), { text: "", stale: false });
    mode = hanging;
    const began = Date.now();
    await page.waitForFunction(() => document.body.classList.contains("stale"), null, {
      timeout: 40_000,
    });
    assert.ok(Date.now() - began >= 10_000, "it gave up too early");
    const { text } = await notice(page);
    assert.match(text, /^Cannot ask the server: It has not answered within 15 s\. What is shown is of /);
    mode = "answers";
    proxy.closeAllConnections();
    await page.waitForFunction(() => !document.body.classList.contains("stale"), null, {
      timeout: 40_000,
    });
    assert.deepEqual(await notice(page), { text: "", stale: false });
    await page.close();
  });
}

test("a server that hangs from the beginning is said too", async () => {
  mode = "answers";
  const page = await browser.newPage();
  await page.route("**/api/page", () => {}); // nobody answers
  await page.goto(address);
  await page.waitForFunction(() => document.getElementById("trouble").textContent !== "", null, {
    timeout: 40_000,
  });
  assert.equal((await notice(page)).text, "It has not answered within 15 s");
  await page.close();
});

test("names in the address that objects have of their own do no harm", async () => {
  mode = "answers";
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${address}?refresh=0&var-__proto__=x&var-constructor=y`);
  await shown(page);
  assert.deepEqual(errors, []);
  assert.deepEqual(await notice(page), { text: "", stale: false });
  await page.close();
});
