// An alert that waits for somebody.

import { h, icon } from "../base.js";
import { ago, clock, ruleName, t, timeTag } from "../words.js";
import { iconOf } from "./glyph.js";

/**
 * @param {{severity: string, rule: string, raised_at: string, label?: string, times?: number, places?: string, test?: boolean}} alert
 * @param {Node} about what was heard
 * @param {[string, () => any][]} acts what one can do; the first is what one mostly wants
 */
export function alertBox({ severity, rule, raised_at, label = "", times = 1, places = "", test = false }, about, acts) {
  return h("article", { class: `alert ${test ? "test" : severity}` },
    h("span", { class: "glyph" }, icon(label ? iconOf(label) : "alarm")),
    h("div", null,
      h("h2", null, ruleName(rule), " ", test && h("span", { class: "tag" }, t("alert.test")), " ", times > 1 && h("span", { class: "tag" }, t("alert.times", { n: times }))),
      h("p", null, places, places && " · ", timeTag(raised_at, clock), " · ", ago(raised_at)),
      about),
    acts.length > 0 && h("div", { class: "acts" }, acts.map(([words, act], place) =>
      h("button", { type: "button", class: place === 0 && "primary", onclick: act }, words))));
}
