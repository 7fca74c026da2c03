// When each sound is heard: a row for each, an hour a column, darker where it is heard more often.

import { h } from "../base.js";
import { labelName, number, t } from "../words.js";

const SHOWN = 12;
const STEPS = 5;

/**
 * A table, so that a screen reader can walk through it.
 * @param {{label: string, hours: number[], count: number}[]} rows
 * @param {string} title
 * @param {(value: number) => string} words of an hour's value
 */
export function heatMap(rows, title = t("heat.title"), words = (count) => number(count, 0)) {
  const shown = rows.slice(0, SHOWN);
  const hour = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return h("table", { class: "heat" }, h("caption", { class: "unseen" }, title),
    h("thead", null, h("tr", null, h("td", null), Array.from({ length: 24 }, (_, n) =>
      h("th", { scope: "col" }, h("span", { class: n % 6 === 0 ? "" : "unseen" }, hour(n)))))),
    h("tbody", null, shown.map((row) => {
      const most = Math.max(...row.hours);
      return h("tr", null, h("th", { scope: "row" }, h("a", { href: `#/sounds/${row.label}` }, labelName(row.label))),
        row.hours.map((count, n) => h("td", { "data-step": count ? Math.max(1, Math.round((STEPS * count) / most)) : 0,
          title: `${t("heat.hour", { hour: hour(n) })} ${words(count)}` }, h("span", { class: "unseen" }, words(count)))));
    })));
}
