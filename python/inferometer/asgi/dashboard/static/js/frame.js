// What is around every panel: heading, description, links, trouble, and the place of its contents.

import { h, setText } from "./dom.js";
import { Field } from "./field.js";

/** Only one description is open at a time; Escape closes it. */
function closeOthers(opened) {
  for (const other of document.querySelectorAll("details.about[open]")) {
    if (other !== opened) other.open = false;
  }
}

function about(panel, heading) {
  const limits = new Field(panel).describeSteps();
  const links = panel.links.map((link) =>
    h("li", {}, h("a", { href: link.url, rel: "noopener noreferrer", target: "_blank" }, link.title)),
  );
  const summary = h("summary", { "aria-label": `About ${heading}`, title: `About ${heading}` }, "i");
  const details = h(
    "details",
    { class: "about" },
    summary,
    h(
      "div",
      { class: "about-text" },
      h("p", {}, panel.description || "It has no description."),
      limits ? h("p", { class: "limits" }, `Colours: ${limits}.`) : null,
      links.length > 0 ? h("ul", {}, links) : null,
    ),
  );
  details.addEventListener("toggle", () => details.open && closeOthers(details));
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    summary.focus();
    event.stopPropagation();
  });
  return details;
}

document.addEventListener("click", (event) => {
  closeOthers(event.target.closest?.("details.about") ?? null);
});

export class Frame {
  constructor(panel) {
    this.panel = panel;
    const id = `panel-${panel.id}`;
    this.note = h("p", { class: "note", hidden: true });
    this.body = h("div", { class: "body", hidden: true });
    this.empty = h("p", { class: "empty" }, "Loading");
    this.element = h(
      "section",
      { class: `panel kind-${panel.type}`, "aria-labelledby": id, "data-panel": panel.id },
      h("div", { class: "panel-head" }, h("h3", { id }, panel.title), about(panel, panel.title)),
      this.note,
      this.empty,
      this.body,
    );
    const { x, w, h: height } = panel.gridPos;
    this.element.style.setProperty("--x", String(x + 1));
    this.element.style.setProperty("--w", String(w));
    this.element.style.setProperty("--h", String(height));
    this.element.classList.add(w <= 4 ? "small" : w <= 12 ? "medium" : "large");
  }

  /** Shows why there is nothing to show; "" shows the contents. */
  setEmpty(text) {
    setText(this.empty, text);
    this.empty.hidden = text === "";
    this.body.hidden = text !== "";
  }

  /** A line above the contents; "" is none. */
  setNote(text, isError = false) {
    setText(this.note, text);
    this.note.hidden = text === "";
    this.note.classList.toggle("error", isError);
  }
}
