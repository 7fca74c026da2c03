// How well this house is heard, by what people said: for each sound and version of a model.

import { get } from "../api.js";
import { fill, h } from "../base.js";
import { labelName, percent, t } from "../words.js";

/** @param {HTMLElement} box */
export async function mine(box) {
  const found = await get("api/mine").catch(() => null);
  if (!found?.records.length) return;
  fill(box, h("section", { class: "panel" }, h("h2", null, t("mine.title")), h("p", { class: "hint" }, t("mine.hint")),
    h("ul", { class: "lines" }, found.records.map(line))));
}

/** @param {any} one */
function line(one) {
  const shares = [one.precision !== null && t("mine.precision", { share: percent(one.precision) }),
    one.recall !== null && t("mine.recall", { share: percent(one.recall) })].filter(Boolean);
  return h("li", null, h("a", { href: `#/sounds/${one.label}` }, labelName(one.label)),
    one.classifier && h("small", null, ` ${one.classifier} ${one.version ?? ""}`.trimEnd()), ": ",
    t("mine.counts", { right: one.right, wrong: one.wrong, missed: one.missed }), shares.length > 0 && h("strong", null, " ", shares.join(", ")));
}
