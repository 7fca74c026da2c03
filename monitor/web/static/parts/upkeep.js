// How the house is looked after: who is notified, which models listen, what is kept, drills, its mode.

import { get, post, put } from "../api.js";
import { fill, h, icon } from "../base.js";
import { feed } from "../feed.js";
import { house } from "../house.js";
import { ago, agoAtEnd, labelName, length, number, percent, receiverName, roomName, t, timeTag } from "../words.js";
import { attempt, note } from "./overlay.js";

const ALARMS = ["smoke_alarm", "co_alarm", "fire_alarm"];
const TAKEN_UP_MS = 3000;

/** @param {string} title @param {...any} body */
const panel = (title, ...body) => h("section", { class: "panel" }, h("h2", null, t(title)), ...body);

/** @param {[string, any][]} rows */
const facts = (rows) => h("dl", { class: "facts" }, rows.map(([key, value]) => h("div", null, h("dt", null, key), h("dd", null, value))));

/** Who gets alerts, and when that last worked. @param {any} found */
export function receivers(found) {
  const state = (/** @type {any} */ one) => [
    one.note && h("strong", { class: "error" }, one.note, " "),
    one.waiting > 0 && h("span", { class: "tag" }, t("upkeep.waiting", { n: one.waiting }), one.waits_since && `, ${ago(one.waits_since)}`),
    one.waiting > 0 && " ",
    one.last_delivered_at ? [t("upkeep.last"), " ", timeTag(one.last_delivered_at, ago)] : t("upkeep.never")];
  return panel("upkeep.receivers",
    found.receivers.length ? facts(found.receivers.map((/** @type {any} */ one) => [receiverName(one.name), state(one)]))
      : h("p", { class: "hint" }, t("upkeep.nobody")),
    h("p", { class: "hint" }, t(found.outbox_durable === false ? "upkeep.from_memory" : "upkeep.durable")));
}

/** Which models listen, how fast. @param {any} found */
export function models(found) {
  return panel("upkeep.models", found.models.length
    ? facts(found.models.map((/** @type {any} */ one) => [one.name, one.failing ? h("strong", { class: "error" }, one.failing)
      : t("upkeep.model", { n: one.segments, ms: number(one.median_ms, 0), share: percent(one.busy_share) })]))
    : h("p", { class: "hint" }, t("upkeep.no_models")));
}

/** What is kept at this moment. @param {any} found */
export function kept(found) {
  return panel("upkeep.kept",
    facts(found.kept.map((/** @type {any} */ one) => [t(`kept.${one.kind}`), [
      one.count === null ? "" : number(one.count, 0), " · ", `${number(one.megabytes, 1)} MB`,
      one.since && [" · ", t("upkeep.oldest"), " ", timeTag(one.since, ago)]]])),
    h("p", { class: "hint" }, found.watched ? t("scope.watched", { n: found.watched }) : t("upkeep.unwatched")));
}

/** The mode of the house and its other values. @param {HTMLElement} box */
export async function values(box) {
  const found = await get("api/values").catch(() => null);
  box.hidden = !found?.values.length;
  if (box.hidden) return;
  const one = (/** @type {any} */ value) => {
    const id = `value-${value.name}`;
    const fixed = !house.may_change || value.from_topic;
    const choice = h("select", { id, disabled: fixed, onchange: async () => {
      if (await attempt(async () => (await put(`api/values/${value.name}`, { value: choice.value }), true))) {
        note(t("values.set", { name: roomName(value.name), value: words(choice.value) }));
      }
    } }, [...(value.value === null ? [null] : []), ...new Set([value.value, ...value.options])].filter((each, n) => each !== null || n === 0)
      .map((each) => h("option", { value: each ?? "", selected: each === value.value, disabled: each === null }, each === null ? t("values.unknown") : words(each))));
    return h("div", { class: "field" }, h("label", { for: id }, roomName(value.name)), choice,
      value.from_topic && h("p", { class: "hint" }, t("values.from_topic")));
  };
  fill(box, h("h2", null, t("values.title")), h("p", { class: "hint" }, t("values.why")), h("div", { class: "stack" }, found.values.map(one)));
}

/** @param {string} value */
const words = (value) => (["home", "away", "night", "vacation", "on", "off"].includes(value) ? t(`value.${value}`) : value);

/** What the last drill found, and a button for the next. @param {HTMLElement} box */
export async function drills(box) {
  const found = await get("api/drills").catch(() => null);
  if (!found) return;
  const last = found.drills[0];
  const goes = last && !last.ended_at && Date.now() - Date.parse(last.began_at) < found.lasts_s * 1000;
  const choice = h("select", { id: "drill-alarm" }, ALARMS.map((id) => h("option", { value: id }, labelName(id))));
  const begin = h("button", { type: "button", disabled: goes, onclick: async () => {
    begin.disabled = true;
    if (!(await attempt(async () => (await post("api/drills", { alarm: choice.value }), true)))) return void (begin.disabled = false);
    note(t("drill.begun", { minutes: number(found.lasts_s / 60, 0) }));
    setTimeout(() => box.isConnected && drills(box), TAKEN_UP_MS);
  } }, icon("alarm"), t("drill.begin"));
  fill(box, h("h2", null, t("drill.title")),
    h("p", null, found.last_at ? [t("drill.last"), " ", timeTag(found.last_at, agoAtEnd), " "] : [t("drill.never"), " "],
      found.overdue && h("strong", null, t("drill.overdue"))),
    last && report(last, goes),
    h("p", { class: "hint" }, t("drill.how", { minutes: number(found.lasts_s / 60, 0) })),
    house.may_change && h("div", { class: "stack" }, h("div", { class: "field" }, h("label", { for: "drill-alarm" }, t("drill.alarm")), choice), begin),
    h("p", { class: "hint" }, t("drill.no_certificate")));
}

/** @param {any} one @param {boolean} goes */
function report(one, goes) {
  if (goes) return h("p", { role: "status" }, h("strong", null, t("drill.goes_on")));
  const room = (/** @type {any} */ each) => !each.heard ? h("strong", null, t("drill.not_heard"))
    : [each.pattern, " · ", each.confirmed_s !== null ? t("drill.after", { after: length(each.confirmed_s) }) : t("certainty.suspected"),
      each.margin_db !== null && [" · ", h(each.margin_is_low ? "strong" : "span", null,
        each.margin_to_db !== null ? t("drill.margin_between", { from: number(each.margin_from_db, 0), to: number(each.margin_to_db, 0) })
          : t(each.margin_is_at_least ? "drill.margin_least" : "drill.margin", { db: number(each.margin_db, 0) }))],
      h("small", null, " ", t("drill.details", { hz: number(each.pitch_hz, 0), cycles: each.cycles, reported: length(each.suspected_s) }),
        each.over_floor_db !== null && [" ", t("drill.over", { db: number(each.over_floor_db, 0) })])];
  return h("details", { open: true }, h("summary", null, labelName(one.label), ", ", timeTag(one.began_at, ago)),
    facts(one.rooms.map((/** @type {any} */ each) => [roomName(each.source), room(each)])),
    one.rooms.some((/** @type {any} */ each) => each.margin_is_low) && h("p", { class: "hint" }, t("drill.low")),
    one.ended_at && one.alerted && h("p", null, one.acknowledged
      ? t("drill.acknowledged", { who: one.acknowledged.by || t("drill.somebody"), after: length(one.acknowledged.after_s) }) : t("drill.unacknowledged")),
    one.ended_at && !one.alerted && one.rooms.some((/** @type {any} */ each) => each.heard) && h("p", null, t("drill.no_alert")),
    one.sent.length > 0 && facts(one.sent.map((/** @type {any} */ each) => [receiverName(each.channel),
      each.seconds === null ? t("upkeep.waits") : length(each.seconds)])));
}

/** Show what changes by itself. @param {HTMLElement} box @param {(box: HTMLElement) => void} draw */
export function following(box, draw) {
  const again = (/** @type {any} */ message) => message.detail.source === "house" && box.isConnected && draw(box);
  feed.addEventListener("setting", again);
  return () => feed.removeEventListener("setting", again);
}
