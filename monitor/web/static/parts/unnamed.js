// What keeps coming and has no name: it gets one, is part of another sound, or needs none.

import { post } from "../api.js";
import { h, icon } from "../base.js";
import { house } from "../house.js";
import { labelName, roomName, t } from "../words.js";
import { attempt, note } from "./overlay.js";
import { chooseSound } from "./verdict.js";

/**
 * The question of the week.
 * @param {any} one
 * @param {() => void} again draws what is asked now
 * @param {(one: any) => void} nameIt
 */
export function unnamed(one, again, nameIt) {
  /** @param {object} said @param {string} words */
  const answer = async (said, words) => {
    const done = await attempt(async () => (await post(`api/unnamed/${one.id}`, said), true));
    if (done) note(words);
    again();
  };
  const partOf = () => chooseSound(t("unnamed.part_of"), null,
    (label) => answer({ answer: "part_of", label }, t("unnamed.is_part_of", { label: labelName(label) })));
  return h("section", { class: "panel ask" }, h("h2", null, t("teach.what_is_it")),
    h("p", null, t("teach.keeps_coming", { n: one.times, days: one.days, hour: one.hour, room: roomName(one.source) })),
    house.may_change && h("p", { class: "acts" },
      h("button", { type: "button", class: "primary", onclick: () => nameIt(one) }, icon("check"), t("teach.name_it")),
      h("button", { type: "button", onclick: partOf }, icon("sounds"), t("unnamed.part_of")),
      h("button", { type: "button", onclick: () => answer({ answer: "ignored" }, t("unnamed.is_ignored")) }, icon("cross"), t("teach.ignore"))));
}
