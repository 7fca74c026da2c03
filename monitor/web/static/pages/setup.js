// Set-up: from nothing to a house that is heard, in five steps. What is chosen is kept by the daemon at once.

import { get, put } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house } from "../house.js";
import { attempt, dialog } from "../parts/overlay.js";
import finish from "../setup/finish.js";
import find from "../setup/find.js";
import listen from "../setup/listen.js";
import matters from "../setup/matters.js";
import people from "../setup/people.js";
import privacy from "../setup/privacy.js";
import { t } from "../words.js";

/**
 * @typedef {{state: any, choices: any, save: (changes: any) => Promise<boolean>, reload: () => Promise<void>,
 *   nudge: (words: string) => void}} Shared
 * @typedef {(place: HTMLElement, shared: Shared) => (() => void) | void} Step
 */

/** @type {{name: string, show: Step}[]} */
const STEPS = [
  { name: "find", show: find }, { name: "listen", show: listen }, { name: "matters", show: matters },
  { name: "privacy", show: privacy }, { name: "people", show: people },
];

/** What is being kept; one after another, so that a step that opens has what was typed in the one before. */
let keeping = Promise.resolve();

/** @param {HTMLElement} view @param {{id: string}} route */
export default function setup(view, route) {
  const title = h("h1", null, t("setup.title"));
  const place = h("div");
  view.append(h("header", { class: "bar" }, title), place);
  if (!house.may_change) {
    place.append(h("p", { class: "empty" }, t("setup.admins")));
    return undefined;
  }
  /** @type {(() => void) | void} */
  let leave;
  let left = false;
  begin();
  return () => {
    left = true;
    leave?.();
  };

  async function begin() {
    await keeping;
    const state = await attempt(() => get("api/setup"));
    if (!state || left) return;
    if (route.id === "done") {
      leave = finish(place, state);
      return;
    }
    const number = Math.min(Math.max(Number(route.id) || state.choices.step, 1), STEPS.length);
    leave = step(place, number, state);
  }
}

/** @param {HTMLElement} place @param {number} number @param {any} state */
function step(place, number, state) {
  const { name, show } = STEPS[number - 1];
  const body = h("div", { class: "setup-body" });
  const nudge = h("p", { class: "hint nudge", role: "status" });
  const onward = number < STEPS.length ? `#/setup/${number + 1}` : "#/setup/done";
  const next = h("a", { class: "button primary", href: onward, onclick: (/** @type {Event} */ event) => {
    if (name !== "find" || shared.choices.sources.length) return;
    event.preventDefault();
    askWithoutSources(onward);
  } }, number < STEPS.length ? t("setup.next") : t("setup.finish"), icon("right"));
  /** @type {Shared} */
  const shared = {
    state,
    choices: state.choices,
    save: (changes) => {
      Object.assign(shared.choices, changes);
      const kept = keeping.then(() => attempt(async () => (await put("api/setup", shared.choices), true))).then(Boolean);
      keeping = kept.then(() => {});
      return kept;
    },
    reload: async () => {
      await keeping;
      const { choices, ...rest } = await get("api/setup");
      Object.assign(shared.state, rest);
      Object.assign(shared.choices, choices);
    },
    nudge: (words) => fill(nudge, words),
  };
  fill(place,
    h("ol", { class: "setup-steps", "aria-label": t("setup.steps") }, STEPS.map((one, n) => h("li", null,
      h("a", { href: `#/setup/${n + 1}`, "aria-current": n + 1 === number ? "step" : null,
        class: n + 1 < number ? "done" : null }, h("span", null, n + 1), h("small", null, t(`setup.short.${one.name}`)))))),
    state.has_file && number === 1 && h("p", { class: "panel" }, t("setup.has_file")),
    h("section", { class: "panel" }, h("h2", null, t(`setup.step.${name}`)), h("p", { class: "hint" }, t(`setup.why.${name}`)), body),
    nudge,
    h("p", { class: "setup-acts" },
      number > 1 ? h("a", { class: "button", href: `#/setup/${number - 1}` }, icon("left"), t("setup.back")) : h("span"), next),
    h("p", { class: "foot" }, h("a", { href: "#/" }, t("setup.skip"))));
  if (shared.choices.step !== number) shared.save({ step: number });
  return show(body, shared);
}

/** Nobody goes on by accident with nothing to be heard. @param {string} onward */
function askWithoutSources(onward) {
  dialog(t("setup.nothing_chosen"), (close) => [h("p", null, t("setup.nothing_why")), h("p", { class: "acts" },
    h("button", { type: "button", class: "primary", onclick: close }, t("setup.choose")),
    h("a", { class: "button", href: onward, onclick: close }, t("setup.without")))]);
}
