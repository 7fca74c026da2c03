// A sound of the house's own: a name, some hearings of it, what would come of them, and then it is heard.

import { get, lines, query, remove } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { house } from "../house.js";
import { labelName, longDay, number, roomName, shortClock, t, timeTag } from "../words.js";
import { attempt, dialog, note } from "./overlay.js";
import { unnamed } from "./unnamed.js";

const ASKED = 5;
const EVERY_MS = 2000;

/** As the daemon names sounds: washer_done. @param {string} words */
export const nameOf = (words) => words.toLowerCase().replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue").replaceAll("ß", "ss")
  .normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "");

/**
 * Teach a sound from these hearings, and from what is heard meanwhile.
 * @param {{id: string, label?: string | null, source: string, at: string}[]} hearings
 * @param {() => void} [taught]
 */
export function teach(hearings, taught = () => {}) {
  const began = new Date();
  /** @type {Map<string, any>} */
  const known = new Map(hearings.map((one) => [one.id, one]));
  const chosen = new Set(known.keys());
  dialog(t("teach.title"), (close) => {
    const name = h("input", { id: "teach-name", maxlength: "40", required: true, autocomplete: "off", placeholder: t("teach.example"), oninput: ready });
    const list = h("ul", { class: "lines hearings" });
    const count = h("p", { class: "hint", role: "status" });
    const outcome = h("div", { class: "outcome", role: "status" });
    const test = h("button", { type: "button", onclick: () => ask(true) }, t("teach.try"));
    const act = h("button", { type: "submit", class: "primary" }, icon("check"), t("teach.teach"));
    const form = h("form", { class: "stack", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), ask(false)) },
      h("p", { class: "hint" }, t("teach.how")),
      h("div", { class: "field" }, h("label", { for: "teach-name" }, t("teach.name")), name),
      h("h3", null, t("teach.hearings")), count, list, outcome, h("p", { class: "acts" }, test, act));
    draw();
    setTimeout(listen);
    return [form];

    function draw() {
      keyed(list, [...known.values()], (one) => one.id, hearing);
      ready();
    }

    /** @param {any} one */
    function hearing(one) {
      const box = h("input", { type: "checkbox", checked: chosen.has(one.id), onchange: () => {
        if (box.checked) chosen.add(one.id);
        else chosen.delete(one.id);
        ready();
      } });
      return h("li", null, h("label", { class: "switch" }, box, h("span", null, timeTag(one.at, longDay), ", ", timeTag(one.at), ", ", roomName(one.source),
        one.label && h("small", null, " ", t("teach.like", { label: labelName(one.label) })))));
    }

    function ready() {
      count.textContent = t("teach.count", { n: chosen.size, asked: ASKED });
      test.disabled = act.disabled = !chosen.size || !nameOf(name.value);
    }

    /** What is heard while this is open can be a hearing, too. */
    async function listen() {
      if (form.isConnected) {
        const found = await get(query("api/taught/heard", { since: began.toISOString() })).catch(() => null);
        for (const one of found?.heard ?? []) {
          if (!known.has(one.id)) known.set(one.id, { ...one, label: one.taken_for });
        }
        draw();
      }
      setTimeout(() => form.isConnected && listen(), EVERY_MS);
    }

    /** @param {boolean} only_try */
    async function ask(only_try) {
      const label = nameOf(name.value);
      test.disabled = act.disabled = true;
      fill(outcome, h("progress", { "aria-label": t("try.progress") }));
      /** @type {any[]} */
      const left = [];
      try {
        await lines("api/taught", { label, hearings: [...chosen], only_try }, new AbortController().signal, (line) => {
          if (line.left_out) left.push(line);
          if (line.problems || line.refused) fill(outcome, h("p", { class: "error" }, icon("warning"), " ", line.refused ?? line.problems.join("; ")), without(left));
          if (!line.taught) return;
          fill(outcome, h("p", null, icon("check"), " ", t("teach.expect", { heard: line.taught.heard, of: line.taught.of, n: number(line.taught.false_a_week, 1) })),
            line.taught.weak_at.length > 0 && h("p", { class: "hint" }, t("teach.weak", { what: line.taught.weak_at.map(labelName).join(", ") })),
            line.taught.rhythm && h("p", { class: "hint" }, rhythm(line.taught.rhythm)),
            line.taught.came_before > 0 && h("p", { class: "hint" }, t("teach.before", { n: line.taught.came_before })), without(left));
          if (only_try) return;
          close();
          note(t("teach.taught", { label: labelName(label) }));
          taught();
        });
      } catch (error) {
        fill(outcome, h("p", { class: "error" }, /** @type {Error} */ (error).message || t("offline")));
      }
      ready();
    }

    /** @param {any[]} left */
    function without(left) {
      const shown = (/** @type {any} */ one) => (known.has(one.hearing) ? shortClock(known.get(one.hearing).at) : one.hearing);
      return left.length > 0 && h("ul", { class: "lines hint" }, left.map((one) => h("li", null, shown(one), ": ", one.left_out)));
    }
  });
}

/** The house's own sounds, and what it asks about. @param {HTMLElement} box */
export async function ownSounds(box) {
  const [found, asked] = await Promise.all([get("api/taught").catch(() => null), get("api/unnamed").catch(() => null)]);
  if (!found) return;
  const again = () => ownSounds(box);
  const nameIt = (/** @type {any} */ one) => teach(one.hearings.map((/** @type {string} */ id) => ({ id, source: one.source, at: one.last_at })), again);
  fill(box, asked?.question && unnamed(asked.question, again, nameIt), h("section", { class: "panel" }, h("h2", null, t("teach.own")),
    found.problems.map((/** @type {string} */ one) => h("p", { class: "error" }, one)),
    found.sounds.length ? h("ul", { class: "lines" }, found.sounds.map((/** @type {any} */ one) => own(one, again))) : h("p", { class: "hint" }, t("teach.none")),
    house.may_change && h("p", { class: "acts" }, h("button", { type: "button", onclick: () => teach([], again) }, icon("sounds"), t("teach.title")))));
}

/** The second factor, in words. @param {{beeps: any[], shared: number, of: number}} one */
const rhythm = (one) => t("teach.rhythm", { n: one.beeps.length, shared: one.shared, of: one.of });

/** @param {any} one @param {() => void} again */
function own(one, again) {
  return h("li", { class: "token" }, h("span", null, h("a", { href: `#/sounds/${one.label}` }, labelName(one.label)), " ",
    one.learning_until && h("span", { class: "tag" }, t("teach.learning", { day: longDay(one.learning_until) })),
    h("small", null, t("teach.expect", { heard: one.heard, of: one.of, n: number(one.false_a_week, 1) }), one.rhythm && [" ", rhythm(one.rhythm)])),
    house.may_change && h("button", { type: "button", class: "quiet square", "aria-label": t("teach.forget", { label: labelName(one.label) }),
      onclick: async () => {
        if (!(await attempt(async () => (await remove(`api/taught/${one.label}`), true)))) return;
        note(t("teach.forgotten", { label: labelName(one.label) }));
        again();
      } }, icon("cross")));
}
