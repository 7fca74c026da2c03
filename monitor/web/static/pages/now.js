// Is everything well, and what does the house hear?

import { get, post } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { feed } from "../feed.js";
import { changes, entitle, house } from "../house.js";
import { alertBox } from "../parts/alert.js";
import "../parts/level.js";
import { muteButton } from "../parts/mute.js";
import { attempt, note, waiting } from "../parts/overlay.js";
import { alarmsIn, lostFor, stateOf } from "../parts/room.js";
import { eventRow } from "../parts/row.js";
import { judged } from "../parts/verdict.js";
import { labelName, percent, roomName, ruleName, shortClock, t } from "../words.js";

const RECENT = 12;

/** @param {HTMLElement} view */
export default function nowPage(view) {
  const hero = h("section", { class: "hero" });
  const alerts = h("section", { class: "alerts", "aria-label": t("now.alerts") });
  const rooms = h("div", { class: "rooms" });
  const recent = h("div", { class: "rows", role: "list" });
  const loading = waiting();
  const none = h("p", { class: "empty", hidden: true }, t("now.nothing_yet"));
  /** @type {any[]} */
  let open = [];
  /** @type {any[]} */
  let events = [];
  view.append(
    hero, ...(house.is_demo ? [demo()] : []), ...(house.has_nodes ? [h("p", null, h("a", { href: "#/nodes" }, t("nodes.title")))] : []), alerts,
    h("section", null, h("h2", null, t("now.rooms")), rooms),
    h("section", null, h("header", { class: "bar" }, h("h2", null, t("now.recent")),
      h("a", { href: "#/timeline" }, t("now.all"))), loading, recent, none));

  const drawHouse = () => {
    const unwell = troubles();
    const waiting = byIncident(open);
    const real = waiting.filter((one) => !one.test);
    const isGrave = real.some((one) => one.severity === "critical") || sounding() !== "";
    const isWell = !(isGrave || real.length || unwell.length);
    hero.className = `hero ${isGrave ? "alarm" : isWell ? "well" : "unwell"}`;
    fill(hero,
      h("span", { class: "sign" }, icon(isWell ? "check" : "warning")),
      h("div", null, h("h1", null, headline(real.length, waiting.length - real.length)), unwell.length
        ? h("ul", null, unwell.map((words) => h("li", null, words)))
        : h("p", null, subtitle())));
    entitle(view);
    keyed(rooms, house.sources, (source) => source.name, roomCard);
  };
  const drawAlerts = () => {
    keyed(alerts, byIncident(open), (alert) => `${alert.id} ${alert.ids.length}`, alertCard);
    drawHouse();
  };
  const drawRecent = () => {
    loading.hidden = true;
    none.hidden = events.length > 0;
    keyed(recent, events, (event) => event.id, (event) => eventRow(event));
  };

  const loadAlerts = async () => {
    open = (await get("api/alerts/open").catch(() => ({ alerts: open }))).alerts;
    drawAlerts();
  };
  const loadRecent = async () => {
    const found = await get(`api/events?limit=${RECENT}`).catch(() => null);
    if (!found) return;
    events = found.events;
    drawRecent();
  };
  const heard = (/** @type {any} */ message) => {
    const event = message.detail;
    const known = events.find((one) => one.id === event.id);
    if (known) Object.assign(known, event);
    else events = [{ alerts: [], verdict: null, severity: null, ...event }, ...events].slice(0, RECENT);
    drawRecent();
  };
  const soon = later(loadAlerts, 400);
  const soonAll = later(() => (loadAlerts(), loadRecent()), 2500);
  const said = (/** @type {any} */ message) => {
    const event = message.detail;
    const known = events.find((one) => one.id === event.id);
    if (known) Object.assign(known, event);
    drawRecent();
    soon();
  };
  const again = () => (loadAlerts(), loadRecent());

  const follows = [
    [changes, "change", drawHouse], [feed, "event", heard], [feed, "alert", () => (soon(), soonAll())],
    [feed, "verdict", soonAll], [feed, "ack", soonAll], [feed, "reset", again], [feed, "again", again], [judged, "judged", said],
  ];
  for (const [from, kind, act] of follows) /** @type {any} */ (from).addEventListener(kind, act);
  const clockwork = window.setInterval(drawHouse, 20_000);
  drawHouse();
  again();
  return () => {
    for (const [from, kind, act] of follows) /** @type {any} */ (from).removeEventListener(kind, act);
    clearInterval(clockwork);
  };

  /** @param {any} alert */
  function alertCard(alert) {
    const places = [...new Set(alert.events.map((/** @type {any} */ event) => roomName(event.source)))].join(", ");
    const each = (/** @type {(id: string) => Promise<any>} */ work) => () => Promise.all(alert.ids.map(work));
    const close = (/** @type {() => Promise<any>} */ work, /** @type {string} */ words) => async () => {
      const done = await attempt(async () => (await work(), true));
      // What could not be kept may have been done all the same.
      if (!done) return loadAlerts();
      note(words);
      open = open.filter((one) => !alert.ids.includes(one.id));
      drawAlerts();
      /** @type {HTMLElement | null} */ (view.querySelector(".alerts button, .hero h1"))?.focus();
    };
    return alertBox({ ...alert, label: alert.events[0]?.label, places },
      h("p", { class: "chips" }, alert.events.map((/** @type {any} */ event) =>
        h("a", { class: "chip", href: `#/event/${event.id}` }, heardOf(alert, event)))),
      house.may_change ? [
        [t("alert.acknowledge"), close(each((id) => post("api/ack", { alert: id })), t("alert.acknowledged"))],
        [t("alert.nothing"), close(each((id) => post(`api/alerts/${id}/nothing`, {})), t("alert.noted_nothing"))],
      ] : []);
  }
}

/** Of what an alert heard: what its title and its rooms do not say already. @param {any} alert @param {any} event */
function heardOf(alert, event) {
  const label = labelName(event.label);
  const rooms = new Set(alert.events.map((/** @type {any} */ one) => one.source));
  const more = [label !== ruleName(alert.rule) && label, rooms.size > 1 && roomName(event.source)].filter(Boolean);
  return more.length ? `${more.join(" ")} ${percent(event.score)}` : t("now.sure", { score: percent(event.score) });
}

/**
 * The same rule again and again is one card: its latest alert, and how often; so is what tells of no other sound than
 * a graver alert does. Tests apart from what is real.
 * @param {any[]} alerts the gravest first
 */
export function byIncident(alerts) {
  /** @type {any[]} */
  const found = [];
  for (const alert of alerts) {
    const sounds = alert.events.map((/** @type {any} */ event) => event.id);
    const alike = found.filter((one) => one.test === alert.test);
    const same = alike.find((one) => one.rule === alert.rule);
    const card = same ?? alike.find((one) => sounds.length && sounds.every((/** @type {string} */ id) => one.sounds.has(id)));
    if (!card) {
      found.push({ ...alert, ids: [alert.id], times: 1, sounds: new Set(sounds) });
      continue;
    }
    card.ids.push(alert.id);
    if (same) card.times += 1;
    sounds.forEach((/** @type {string} */ id) => card.sounds.add(id));
  }
  return found;
}

/** @param {() => void} work @param {number} ms */
function later(work, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(work, ms);
  };
}

const demo = () => h("section", { class: "panel demo" }, h("p", null, t("now.demo")),
  house.may_change && h("a", { class: "button", href: "#/setup" }, t("house.set_up")));

/** The one line that is read from afar. @param {number} waiting alerts that wait for somebody @param {number} tests that do */
export function headline(waiting, tests = 0) {
  if (waiting) return t("now.open", { n: waiting });
  if (house.sources.length && house.sources.every((/** @type {any} */ one) => one.online === false)) return t("now.deaf");
  if (sounding()) return t("now.sounding", { what: sounding() });
  if (troubles().length) return t("now.not_well");
  return tests ? t("now.open_test", { n: tests }) : t("now.well");
}

const sounding = () => alarmsIn(house.sources, (source) => roomName(source.name));

/** @returns {string[]} */
function troubles() {
  const found = house.sources.flatMap((/** @type {any} */ source) => [
    ...(source.online === false ? [t("now.problem", { room: roomName(source.name), what: lostFor(source) })] : []),
    ...source.problems.map((/** @type {string} */ kind) => t("now.problem", { room: roomName(source.name), what: t(`problem.${kind}`) })),
  ]);
  return [...found, ...house.not_well];
}

function subtitle() {
  const online = house.sources.filter((/** @type {any} */ source) => source.online).length;
  const muted = house.sources.filter((/** @type {any} */ source) => source.muted).length;
  return [t("now.listening", { n: online }), ...(muted ? [t("now.muted", { n: muted })] : [])].join(" · ");
}

/** @param {any} source */
function roomCard(source) {
  const card = h("article", { class: "room" });
  const state = h("p", { class: "state" });
  const name = h("h3", null, h("a", { href: `#/sources/${source.name}` }, roomName(source.name)), source.area && !source.title && h("small", null, source.area));
  const holder = h("span");
  fill(card, h("header", null, name, holder), h("ew-level", { source: source.name }), state);
  /** @type {any} */ (card).update = draw;
  let drawn = "";
  draw(source);
  return card;

  /** @param {any} now */
  function draw(now) {
    card.classList.toggle("lost", now.online === false);
    card.classList.toggle("muted", now.muted);
    fill(state, stateOf(now, true), now.watched > 0 && h("span", { class: "tag live" }, t("scope.watched", { n: now.watched })));
    const key = String(now.muted);
    if (key !== drawn && house.may_change) fill(holder, muteButton(now));
    drawn = key;
  }
}
