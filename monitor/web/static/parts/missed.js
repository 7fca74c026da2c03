// Something was there and nothing was reported: what, where and when; it counts like a right verdict.

import { post, query, remove } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house } from "../house.js";
import { dayOf, labelName, percent, roomName, shortClock, t } from "../words.js";
import { attempt, attemptAt, dialog, note } from "./overlay.js";

/** The sounds whose score decides: of the others nothing that people say changes anything. */
const teachable = () => house.labels.filter((/** @type {any} */ one) => !one.life_safety)
  .map((/** @type {any} */ one) => [one.id, labelName(one.id)])
  .sort((/** @type {string[]} */ a, /** @type {string[]} */ b) => a[1].localeCompare(b[1]));

/**
 * Ask what was missed.
 * @param {{at?: string, source?: string}} [known]
 */
export function askMissed({ at = new Date().toISOString(), source = "" } = {}) {
  dialog(t("missed.title"), (close) => {
    const field = (/** @type {string} */ words, /** @type {any} */ control) =>
      h("div", { class: "field" }, h("label", { for: control.id }, words), control);
    const options = (/** @type {[string, string][]} */ each, /** @type {string} */ chosen) =>
      each.map(([value, words]) => h("option", { value, selected: value === chosen }, words));
    const day = h("input", { id: "missed-day", type: "date", required: true, max: dayOf(Date.now()), value: dayOf(at) });
    const time = h("input", { id: "missed-time", type: "time", required: true, value: shortClock(at) });
    const room = h("select", { id: "missed-room", required: true },
      options(house.sources.map((/** @type {any} */ one) => [one.name, roomName(one.name)]), source));
    const sound = h("select", { id: "missed-sound", required: true }, options([["", ""], ...teachable()], ""));
    const refused = h("div", { role: "status" });
    const form = h("form", { class: "stack", onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      const wanted = { label: sound.value, source: room.value, at: `${day.value}T${time.value}` };
      const kept = await attemptAt(sound, refused, () => post("api/missed", wanted));
      if (kept) said(kept, refused, form);
    } }, h("p", { class: "hint" }, t("missed.why")),
      field(t("missed.sound"), sound), field(t("missed.room"), room),
      field(t("missed.day"), day), field(t("missed.time"), time), refused,
      h("p", { class: "acts" }, h("button", { type: "submit", class: "primary" }, icon("check"), t("missed.note"))));
    return [form];

    /** What follows from it. @param {any} kept @param {Element} place @param {Element} whole */
    function said(kept, place, whole) {
      const words = kept.score === null ? t("missed.gate", { room: roomName(kept.source) })
        : t("missed.nearest", { label: labelName(kept.label), score: percent(kept.score), onset: percent(kept.onset) });
      fill(whole, h("p", { role: "status" }, icon("check"), " ", t("missed.noted"), " ", words),
        h("p", { class: "acts" },
          h("a", { class: "button", href: kept.score === null ? query(`#/event/~${encodeURIComponent(kept.at)}`, { source: kept.source }) : `#/sounds/${kept.label}`,
            onclick: close }, kept.score === null ? t("missed.look") : t("missed.suggest")),
          h("button", { type: "button", class: "quiet", onclick: async () => {
            const { label, source, at } = kept;
            if (!(await attempt(async () => (await remove(query("api/missed", { label, source, at })), true)))) return;
            close();
            note(t("missed.taken_back"));
          } }, icon("undo"), t("undo"))));
    }
  });
}

/** @param {{at?: string, source?: string}} [known] */
export const missedButton = (known) => house.may_change &&
  h("button", { type: "button", class: "quiet", onclick: () => askMissed(known) }, icon("unsure"), t("missed.title"));
