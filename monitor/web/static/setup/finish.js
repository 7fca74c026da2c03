// The last look: the configuration as a person would have written it, and how it comes into force.

import { get, post } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house, loadHouse } from "../house.js";
import { attempt, note } from "../parts/overlay.js";
import { language, t } from "../words.js";
import { verdictLines } from "./trial.js";

const EVERY_MS = 1000;
const PATIENCE_MS = 120_000;

/** @param {HTMLElement} place @param {any} state */
export default function finish(place, state) {
  let timer = 0;
  draw();
  return () => clearTimeout(timer);

  async function draw() {
    const found = await attempt(() => get(`api/setup/configuration?lang=${language}`));
    if (!found) return;
    const act = h("button", { type: "button", class: "primary", disabled: found.problems.length > 0, onclick: write },
      icon("check"), state.takes_effect ? t("setup.begin") : t("setup.write"));
    fill(place, h("section", { class: "panel" }, h("h2", null, t("setup.last")), proofs(state.choices),
      found.problems.length > 0 && h("ul", { class: "lines error" }, found.problems.map((/** @type {string} */ one) => h("li", null, one))),
      h("details", null, h("summary", null, t("setup.yaml")), h("pre", { tabindex: "0" }, found.yaml)),
      h("p", { class: "hint" }, t("setup.goes_to"), " ", h("code", null, found.file.split(/(?<=\/)/).map((/** @type {string} */ part) => [part, h("wbr")]))),
      h("p", { class: "setup-acts" }, h("a", { class: "button", href: "#/setup/5" }, icon("left"), t("setup.back")), act)));

    async function write() {
      act.disabled = true;
      const done = await attempt(() => post(`api/setup/configuration?lang=${language}`, {}));
      if (!done) {
        act.disabled = false;
        return;
      }
      if (done.commands.length) install(done);
      else follow(Date.now());
    }
  }

  /** @param {any} done */
  function install(done) {
    const commands = done.commands.join("\n");
    fill(place, h("section", { class: "panel" }, h("h2", null, t("setup.install")), h("p", null, t("setup.install_why")),
      h("pre", { tabindex: "0" }, commands),
      h("p", { class: "acts" }, h("button", { type: "button", onclick: async () => {
        await navigator.clipboard?.writeText(commands);
        note(t("setup.copied"));
      } }, t("setup.copy")), h("a", { class: "button", href: "#/" }, t("place.now")))));
  }

  /** The daemon begins anew with it. @param {number} since */
  async function follow(since) {
    fill(place, h("section", { class: "panel", role: "status" }, h("h2", null, t("setup.beginning")), h("progress", { "aria-label": t("setup.beginning") })));
    await loadHouse().catch(() => {});
    if (house.is_set_up) return ready();
    if (Date.now() - since > PATIENCE_MS) {
      return fill(place, h("section", { class: "panel" }, h("h2", null, t("setup.failed")), h("p", null, t("setup.failed_why"))));
    }
    timer = window.setTimeout(() => follow(since), EVERY_MS);
    return undefined;
  }

  function ready() {
    const test = h("button", { type: "button", class: "primary", onclick: async () => {
      if (await attempt(async () => (await post("api/test", {}), true))) note(t("house.tested"));
    } }, icon("alarm"), t("house.test"));
    fill(place, h("section", { class: "panel" }, h("h2", null, t("setup.ready")), h("p", null, t("setup.ready_why")),
      h("p", { class: "acts" }, test, h("a", { class: "button", href: "#/" }, t("place.now")))));
    place.querySelector("h2")?.scrollIntoView({ block: "nearest" });
  }
}

/** What has been shown to work, and what not yet. @param {any} choices */
function proofs(choices) {
  const open = (/** @type {any} */ text) => h("li", { class: "bad" }, icon("warning"), h("span", null, text));
  const good = (/** @type {any} */ text) => h("li", { class: "good" }, icon("check"), h("span", null, text));
  return h("ul", { class: "lines verdict-lines" },
    choices.sources.length ? choices.sources.map((/** @type {any} */ one) => one.judged.length
      ? h("li", null, h("strong", null, one.room), verdictLines(one.judged, one.kind)) : open(t("setup.not_heard", { room: one.room })))
      : open(t("setup.nothing_chosen")),
    choices.people.length ? choices.people.map((/** @type {any} */ one) => one.arrived
      ? good(t("setup.proof_arrived", { name: one.name })) : open(t("setup.proof_missing", { name: one.name }))) : open(t("setup.nobody")),
    choices.broker ? good(t("setup.broker.takes_us", { host: choices.broker.host })) : open(t("setup.no_broker")));
}
