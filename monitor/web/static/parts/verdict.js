// Right, wrong, it was something else, not sure: one tap, and it can be taken back.

import { post, put, remove } from "../api.js";
import { h, icon } from "../base.js";
import { house } from "../house.js";
import { labelName, t } from "../words.js";
import { iconOf } from "./glyph.js";
import { attempt, dialog, note } from "./overlay.js";

export const VERDICTS = /** @type {const} */ (["right", "wrong", "unsure"]);
const ICONS = { right: "check", wrong: "cross", unsure: "unsure" };

/** Emits `judged` with an event as it is now. */
export const judged = new EventTarget();

/** @type {(() => void) | undefined} */
let lastUndo;

/** Take the last verdict back. */
export const undoLast = () => lastUndo?.();

/**
 * Say what an event was; the same word again takes it back.
 * @param {any} event
 * @param {"right" | "wrong" | "unsure"} verdict
 * @param {string} [label]
 */
export async function judge(event, verdict, label) {
  const before = event.verdict;
  if (before?.verdict === verdict && label === undefined) return retract(event);
  const now = await attempt(() => put(`api/events/${event.id}/verdict`, { verdict, label: label ?? null }));
  if (!now) return;
  announce(now);
  lastUndo = () => (before ? judge(now, before.verdict, before.label ?? undefined) : retract(now));
  const words = label ? t("verdict.noted_as", { label: labelName(label) }) : t(`verdict.noted.${verdict}`);
  note(words, lastUndo);
}

/** @param {any} event */
async function retract(event) {
  const done = await attempt(async () => (await remove(`api/events/${event.id}/verdict`), true));
  if (!done) return;
  announce({ ...event, verdict: null });
  note(t("verdict.taken_back"));
}

/**
 * The same of many events.
 * @param {any[]} events
 * @param {"right" | "wrong" | "unsure"} verdict
 */
export async function judgeMany(events, verdict) {
  const ids = events.map((event) => event.id);
  const done = await attempt(() => post("api/verdicts", { ids, verdict }));
  if (!done) return;
  for (const event of events) announce({ ...event, verdict: { verdict, label: null } });
  note(t("verdict.noted_many", { n: done.count }));
}

/** @param {any} event */
const announce = (event) => judged.dispatchEvent(new CustomEvent("judged", { detail: event }));

/**
 * The choices beside an event.
 * @param {any} event
 * @param {boolean} [wide] with words
 */
export function verdictBar(event, wide = false) {
  if (!house.may_change) return h("span", { class: "verdicts" }, event.verdict ? verdictTag(event.verdict) : "");
  const bar = h("div", { class: wide ? "verdicts wide" : "verdicts", role: "group", "aria-label": t("verdict.ask") });
  for (const word of wide ? VERDICTS : VERDICTS.slice(0, 2)) {
    const pressed = event.verdict?.verdict === word && !(wide && event.verdict.label);
    bar.append(
      h("button", { type: "button", class: `verdict ${word}`, "aria-pressed": String(pressed), title: t(`verdict.${word}`),
        "aria-label": t(`verdict.${word}`), onclick: (/** @type {Event} */ e) => (e.stopPropagation(), judge(event, word)) },
        icon(ICONS[word]), wide && h("span", null, t(`verdict.${word}`))));
  }
  if (wide) {
    const other = event.verdict?.label;
    bar.append(h("button", { type: "button", class: "verdict other", "aria-pressed": String(Boolean(other)),
      onclick: () => askWhat(event) }, icon("sounds"),
      h("span", null, other ? t("verdict.was", { label: labelName(other) }) : t("verdict.other"))));
  }
  return bar;
}

/** @param {any} verdict */
export const verdictTag = (verdict) =>
  h("span", { class: `tag ${verdict.verdict}` }, icon(ICONS[/** @type {"right"} */ (verdict.verdict)]),
    verdict.label ? t("verdict.was", { label: labelName(verdict.label) }) : t(`verdict.${verdict.verdict}`));

/** @param {any} event */
const askWhat = (event) => chooseSound(t("verdict.what"), event.label, (id) => judge(event, "wrong", id));

/**
 * A dialog with every sound that has a name.
 * @param {string} title
 * @param {string | null} except
 * @param {(id: string) => void} chosen
 */
export function chooseSound(title, except, chosen) {
  dialog(title, (close) => {
    const list = h("div", { class: "choices" });
    const search = h("input", { type: "search", "aria-label": t("verdict.search"), placeholder: t("verdict.search"),
      oninput: draw });
    function draw() {
      const wanted = search.value.trim().toLowerCase();
      const labels = house.labels.map((/** @type {any} */ one) => one.id)
        .filter((/** @type {string} */ id) => id !== except && labelName(id).toLowerCase().includes(wanted))
        .sort((/** @type {string} */ a, /** @type {string} */ b) => labelName(a).localeCompare(labelName(b)));
      list.replaceChildren(...labels.map((/** @type {string} */ id) =>
        h("button", { type: "button", class: "choice", onclick: () => (close(), chosen(id)) }, icon(iconOf(id)), labelName(id))));
    }
    draw();
    return [search, list];
  });
}
