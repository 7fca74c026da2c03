// Each rule as a sentence: what it raised lately, what it let pass and why, and what another would have done.

import { get, post } from "../api.js";
import { fill, h, icon } from "../base.js";
import { feed } from "../feed.js";
import { house } from "../house.js";
import { attempt, note, waiting } from "../parts/overlay.js";
import { eventRow } from "../parts/row.js";
import { undoButton } from "../parts/undo.js";
import { whatIf } from "../parts/whatif.js";
import { ago, agoAtEnd, clock, labelName, language, roomName, t, timeTag } from "../words.js";
import { field } from "./login.js";

const KEYS = ["min_score", "certainty", "count", "within_s", "lasts_s", "cooldown_s", "between", "severity"];
const DAYS = [1, 3, 7];

/** @param {HTMLElement} view @param {{id: string}} route */
export default function rules(view, route) {
  if (!route.id) return all(view);
  one(view, route.id);
  return undefined;
}

/** @param {HTMLElement} view */
function all(view) {
  const list = h("div", { class: "sources" }, waiting());
  const undo = h("p");
  view.append(h("header", { class: "bar" }, h("h1", null, t("rules.title")),
    house.may_change && h("a", { class: "button", href: "#/rule/new" }, t("rules.add"))), undo, list);
  // A rule may make the daemon begin anew: the list comes when it is back.
  feed.addEventListener("again", load);
  load();
  return () => feed.removeEventListener("again", load);

  async function load() {
    const found = await attempt(() => get(`api/rules?lang=${language}`));
    if (!found) return;
    const cards = [...found.rules.map(card), ...found.off.map(asleep)];
    fill(list, cards.length ? cards : h("p", { class: "empty" }, t("rules.none")));
    undoButton(undo, found.last_change, load);
  }
}

/** @param {any} rule */
function card(rule) {
  return h("article", { class: "panel rule" },
    h("h2", null, h("a", { href: `#/rules/${rule.number}` }, rule.name), " ",
      h("span", { class: `tag ${rule.severity}` }, t(`severity.${rule.severity}`)),
      rule.is_changed && [" ", h("span", { class: "tag" }, t("rules.changed"))]),
    h("p", null, rule.text),
    h("p", { class: "hint" }, rule.count ? t("rules.week", { n: rule.count }) : t("rules.quiet"), " ",
      rule.rang.length > 0 && [t("rules.last"), " ", timeTag(rule.rang[0].raised_at, agoAtEnd)]));
}

/** A rule that is switched off in the configuration. @param {{name: string, text: string}} rule */
function asleep(rule) {
  return h("article", { class: "panel rule" },
    h("h2", null, rule.name, " ", h("span", { class: "tag" }, t("rules.off"))),
    h("p", null, rule.text), h("p", { class: "hint" }, t("rules.off_hint")));
}

/** @param {HTMLElement} view @param {string} id */
async function one(view, id) {
  const title = h("h1", null, t("rules.title"));
  const place = h("div");
  view.append(h("header", { class: "bar" }, title), place, h("p", null, h("a", { href: "#/rules" }, t("rules.all"))));
  const rule = await attempt(() => get(`api/rules/${encodeURIComponent(id)}?lang=${language}`));
  if (!rule) return;
  title.textContent = rule.name;
  fill(place,
    h("section", { class: "panel" },
      h("p", null, h("span", { class: `tag ${rule.severity}` }, t(`severity.${rule.severity}`)), " ", rule.text),
      h("details", null, h("summary", null, t("rules.yaml")), h("pre", { tabindex: "0" }, rule.yaml), h("p", { class: "hint" }, t("rules.yaml_hint"))),
      house.may_change && h("p", { class: "acts" },
        rule.may_change ? h("a", { class: "button", href: `#/rule/${encodeURIComponent(rule.name)}` }, t("rules.edit"))
          : h("span", { class: "hint" }, t("rules.guarded")),
        h("button", { type: "button", onclick: async () => {
          if (await attempt(async () => (await post(`api/rules/${rule.number}/test`, {}), true))) note(t("rules.tested"));
        } }, icon("alarm"), t("rules.test")))),
    h("section", { class: "panel" }, h("h2", null, rule.count ? t("rules.week", { n: rule.count }) : t("rules.quiet")),
      h("ul", { class: "lines" }, rule.rang.map(rang))),
    h("section", null, h("h2", null, t("rules.passed")), rule.passed.length
      ? h("div", { class: "rows", role: "list" }, rule.passed.map((/** @type {any} */ each) => {
          const row = eventRow(each.event);
          row.querySelector(".facts")?.replaceWith(h("span", { class: "why-not" }, each.why));
          return row;
        }))
      : h("p", { class: "empty" }, t("rules.none_passed"))),
    house.may_change && dryRun(rule));
}

/** @param {any} alert */
const rang = (alert) => h("li", null, icon("alarm"), " ", timeTag(alert.raised_at, clock), " ", ago(alert.raised_at), ": ",
  alert.event_ids.map((/** @type {string} */ id, /** @type {number} */ n) => [n > 0 && ", ",
    h("a", { href: `#/event/${id}` }, labelName(alert.labels[Math.min(n, alert.labels.length - 1)]))]), ", ",
  alert.sources.map(roomName).join(", "));

/** What it would have done otherwise. @param {any} rule */
function dryRun(rule) {
  const days = h("select", { id: "try-days" }, DAYS.map((n) => h("option", { value: n }, t("try.days", { n }))));
  const key = h("select", { id: "try-key" }, [h("option", { value: "" }, t("try.nothing")), KEYS.map((one) => h("option", { value: one }, t(`try.key.${one}`)))]);
  const value = h("input", { id: "try-value", maxlength: "60", autocomplete: "off" });
  const wanted = () => ({ days: Number(days.value), changes: key.value ? [`rules.${rule.name}.${key.value}=${value.value}`] : [] });
  const concerns = (/** @type {any} */ outcome) => (outcome.kind === "alert" ? outcome.rule === rule.name
    : outcome.labels.some((/** @type {string} */ label) => rule.labels.includes(label)));
  return h("section", { class: "panel" }, h("h2", null, t("try.title")), h("p", { class: "hint" }, t("try.hint")),
    h("div", { class: "stack" }, field(days, t("try.how_long")), field(key, t("try.what")), field(value, t("try.value"), t("try.value_hint"))),
    whatIf(wanted, concerns));
}
