// What the page asks the server. Never a query: a dashboard, panels, a range, values of variables.

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

async function post(path, body, signal) {
  return read(
    await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    }),
  );
}

/** The dashboards, the source, whether charts were built in. */
export async function loadPage() {
  return read(await fetch("api/page"));
}

/** The series of panels. */
export function loadPanels(request, signal) {
  return post("api/panels", request, signal);
}

/** The values of variables. */
export function loadVariables(request, signal) {
  return post("api/variables", request, signal);
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
