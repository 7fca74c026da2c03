// What a room is heard to do, in one line.

import { h, icon } from "../base.js";
import { ago, daemonWords, labelName, percent, shortClock, t, timeTag } from "../words.js";
import { iconOf } from "./glyph.js";

/** That no sound comes, and since when if it ever came. @param {any} source */
export const lostFor = (source) => (source.heard ? t("now.lost", { time: shortClock(source.since) }) : t("now.never"));

/** What warns of a danger to life: the daemon's LIFE_SAFETY. */
const ALARMS = ["smoke_alarm", "fire_alarm", "co_alarm"];

/**
 * The alarms that sound now, each with its room: also those that somebody has acknowledged.
 * @param {any[]} sources
 * @param {(source: any) => string} nameOf
 */
export const alarmsIn = (sources, nameOf) => sources.flatMap((source) =>
  ALARMS.filter((label) => label in source.sounding).map((label) => `${labelName(label)}, ${nameOf(source)}`)).join("; ");

/** @param {any} source @param {boolean} [leads] whether its last sound leads to the timeline */
export function stateOf(source, leads = false) {
  if (source.online === false) return [icon("warning"), daemonWords(source.reason) || t("now.no_sound")];
  if (source.online === null) return t("now.opening");
  const sounding = Object.entries(source.sounding).sort((a, b) => (b[1].score ?? 0) - (a[1].score ?? 0)).slice(0, 3);
  // An alarm is heard in a muted room, too.
  if (source.muted && !sounding.length) return [icon("mute"), source.muted_until ? t("now.muted_until", { time: shortClock(source.muted_until) }) : t("now.is_muted")];
  if (sounding.length) {
    return [source.muted && icon("mute"), ...sounding.map(([label, { score }]) =>
      h("span", { class: ALARMS.includes(label) ? "tag live grave" : "tag live" }, icon(iconOf(label)), labelName(label), score != null && [" ", percent(score)]))];
  }
  if (!source.last) return t("now.quiet");
  return [t("now.quiet_since"), " ",
    leads ? h("a", { href: `#/timeline?source=${source.name}&label=${source.last.label}` }, labelName(source.last.label)) : labelName(source.last.label), ", ", timeTag(source.last.at, ago)];
}
