// Step 2: ten seconds of each room, and what is to be done about it.

import { fill, h } from "../base.js";
import { number, t } from "../words.js";
import { trial, verdictLines } from "./trial.js";

/** @type {import("../pages/setup.js").Step} */
export default function listen(place, shared) {
  /** @type {any[]} */
  const trials = [];
  if (!shared.choices.sources.length) {
    place.append(h("p", { class: "empty" }, t("setup.nothing_chosen")), h("p", null, h("a", { href: "#/setup/1" }, t("setup.step.find"))));
    return undefined;
  }
  const cards = shared.choices.sources.map(card);
  place.append(h("p", null, h("button", { type: "button", class: "primary", onclick: () => cards.forEach((/** @type {any} */ one) => one.start()) },
    t("setup.listen_all"))), h("div", { class: "sources" }, cards));
  return () => trials.forEach((one) => one.stop());

  /** @param {any} source */
  function card(source) {
    const outcome = h("div", null, source.judged.length ? verdictLines(source.judged, source.kind) : h("p", { class: "hint" }, t("setup.not_yet")));
    const button = h("button", { type: "button", onclick: start }, t("setup.listen_again"));
    const box = h("article", { class: "panel source" }, h("h3", null, source.room), outcome, h("p", null, button));
    box.start = start;
    return box;

    function start() {
      const one = trial({ kind: source.kind, device: source.device, name: source.room }, { judged });
      trials.push(one);
      fill(outcome, one);
    }

    /** @param {any} line */
    async function judged(line) {
      source.judged = line.judged;
      fill(outcome, verdictLines(line.judged, source.kind),
        h("p", { class: "hint" }, t("setup.levels", { floor: number(line.floor_dbfs, 0), loudest: number(line.loudest_dbfs, 0) })));
      await shared.save({});
    }
  }
}
