// What the page asks the server. Never a query: a dashboard, panels, a range, values of variables.

import { PATIENCE } from "./state.js";

async function read(response) {
  let body;
  try {
    body = await response.json();
  } catch {
    throw new Error(`The server answered ${response.status} without JSON`);
  }
  if (!response.ok) throw new Error(body.error ?? `The server answered ${response.status}`);
  return body;
}

/** Asks, and gives up where the whole answer is not there in time: a server that hangs says nothing. */
async function ask(path, options, abort, patience) {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort.abort();
  }, patience * 1000);
  try {
    return await read(await fetch(path, { ...options, signal: abort.signal }));
  } catch (error) {
    if (isLate) throw new Error(`It has not answered within ${patience} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function post(path, body, abort, patience) {
  const headers = { "content-type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) }, abort, patience);
}

/** The dashboards, the source, whether charts were built in. */
export function loadPage() {
  return ask("api/page", {}, new AbortController(), PATIENCE);
}

/** The series of panels; `patience` in seconds. */
export function loadPanels(request, abort, patience) {
  return post("api/panels", request, abort, patience);
}

/** The values of variables. */
export function loadVariables(request, abort, patience) {
  return post("api/variables", request, abort, patience);
}

/** uPlot, whose own file makes a global of it. */
export function loadCharts() {
  return new Promise((resolve) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = "static/vendor/uPlot.min.css";
    const script = document.createElement("script");
    script.src = "static/vendor/uPlot.iife.min.js";
    script.onload = () => resolve(globalThis.uPlot ?? null);
    script.onerror = () => resolve(null);
    document.head.append(style, script);
  });
}
