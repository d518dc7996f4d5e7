// The box at the pointer that says what a chart shows there.

import { canvasColor } from "./colors.js";
import { h } from "./dom.js";

const MOST_LINES = 10;

export class Hover {
  constructor() {
    this.element = h("div", { class: "hover", "aria-hidden": "true", hidden: true });
  }

  hide() {
    this.element.hidden = true;
  }

  /** Shows lines of {color, name, text} at a place within the parent. */
  show(heading, lines, left, width) {
    const rest = lines.length - MOST_LINES;
    this.element.replaceChildren(
      h("p", {}, heading),
      ...lines.slice(0, MOST_LINES).map(({ color, name, text }) => {
        const key = h("span", { class: "key" });
        if (color) key.style.backgroundColor = canvasColor(color);
        return h("p", {}, color ? key : null, h("span", { class: "hover-name" }, name), h("b", {}, text));
      }),
      ...(rest > 0 ? [h("p", { class: "more" }, `and ${rest} more`)] : []),
    );
    this.element.hidden = false;
    const right = left > width / 2;
    this.element.style.left = right ? "auto" : `${left + 12}px`;
    this.element.style.right = right ? `${width - left + 12}px` : "auto";
  }
}
