// The last change that was made without the configuration, taken back with one tap.

import { post } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house } from "../house.js";
import { t } from "../words.js";
import { attempt, note } from "./overlay.js";

/** @param {HTMLElement} place @param {any} last @param {() => Promise<void>} done */
export function undoButton(place, last, done) {
  if (!last || !house.may_change) return fill(place);
  const what = Object.entries(last.values).map(([key, value]) => `${key.replace(/^(labels|rules)\./, "")} ${words(value, key.startsWith("rules."))}`).join(", ");
  return fill(place, h("button", { type: "button", onclick: async () => {
    if (!(await attempt(async () => (await post("api/sounds/undo", {}), true)))) return;
    note(t("sounds.undone", { what }));
    await done();
  } }, icon("undo"), t("sounds.undo", { what })));
}

/** What stands at a place. @param {any} value @param {boolean} rule */
function words(value, rule) {
  if (value === null || value === undefined) return t(rule ? "undo.gone" : "sounds.as_file");
  return rule ? t(value ? "undo.rule" : "sounds.off") : value;
}
