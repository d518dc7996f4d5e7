// What the server answers, as panels use it.

import { Field } from "./field.js";
import { toNumber } from "./reduce.js";

/** The series of all of a panel's queries, with their settings. */
export function readSeries(panel, answers) {
  const shown = new Set(panel.targets.map((target) => target.refId));
  return answers
    .filter((answer) => shown.has(answer.ref))
    .flatMap((answer) =>
      answer.series.map((one) => {
        const field = new Field(panel, one.name, answer.ref);
        return {
          name: field.name,
          ref: answer.ref,
          labels: one.labels,
          start: answer.start,
          step: answer.step,
          values: one.values.map(toNumber),
          field,
        };
      }),
    );
}

/** The moments of a range query. */
export function timesOf(answer) {
  return Array.from({ length: answer.count }, (_, index) => answer.start + index * answer.step);
}

/** Whether a series has any number at all. */
export function hasValue(series) {
  return series.values.some((value) => value !== null && !Number.isNaN(value));
}
