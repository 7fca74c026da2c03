// Each microphone and camera: how it is, what it sounds like now, and what to do where something is wrong.

import { get, post } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { feed } from "../feed.js";
import { changes, house, loadHouse } from "../house.js";
import "../parts/level.js";
import { muteButton } from "../parts/mute.js";
import { listen } from "../parts/listen.js";
import "../parts/loudness.js";
import { attempt, note } from "../parts/overlay.js";
import "../parts/drift.js";
import { stateOf } from "../parts/room.js";
import "../parts/scope.js";
import "../parts/strip.js";
import { dayName, dayOf, length, number, roomName, shortClock, t } from "../words.js";

const LAG_S = 3;
const NARROW_HZ = 5000;
const WORDS_MS = 1000;
const MINUTE_MS = 60_000;

/** @param {HTMLElement} view @param {{id: string}} route */
export default function sources(view, route) {
  const list = h("div", { class: "sources" });
  view.append(
    h("header", { class: "bar" }, h("h1", null, t("sources.title")), house.may_change && testButton()), list);
  const shown = () => house.sources.filter((/** @type {any} */ source) => !route.id || source.name === route.id);
  const draw = () => keyed(list, shown(), (source) => source.name, sourceCard);
  const again = () => loadHouse().then(draw, () => {});
  const follows = [[changes, "change", draw], [changes, "level", draw], [feed, "health", again]];
  for (const [from, kind, act] of follows) /** @type {any} */ (from).addEventListener(kind, act);
  draw();
  if (route.id) list.after(h("p", null, h("a", { href: "#/sources" }, t("sources.all"))));
  drawDay(list);
  return () => {
    for (const [from, kind, act] of follows) /** @type {any} */ (from).removeEventListener(kind, act);
  };
}

function testButton() {
  return h("button", { type: "button", title: t("house.test_why"), onclick: async () => {
    if (await attempt(async () => (await post("api/test", {}), true))) note(t("house.tested"));
  } }, icon("alarm"), t("house.test"));
}

/** Today's level of each, as on the timeline. @param {HTMLElement} list */
async function drawDay(list) {
  const day = await get(`api/days/${dayOf(Date.now())}`).catch(() => null);
  for (const strip of day?.strips ?? []) {
    const place = list.querySelector(`[data-source="${strip.source}"] .day`);
    if (!place) continue;
    const picture = /** @type {any} */ (document.createElement("ew-strip"));
    fill(place, h("p", { class: "hint" }, `${dayName(day.day)}, ${t("sources.day")}`), picture);
    picture.show(strip, day, () => (location.hash = `#/timeline?day=${day.day}&source=${strip.source}`));
  }
}

/** @param {any} source */
function sourceCard(source) {
  const state = h("p", { class: "state" });
  const wrong = h("ul", { class: "lines wrong" });
  const facts = h("dl", { class: "facts" });
  const mute = h("span");
  const look = h("div");
  const drifting = h("div");
  const loudness = h("div");
  const drawLoudness = loudnessOf(loudness, source.name);
  drawDrift(drifting, source.name);
  const card = h("article", { class: "panel source", "data-source": source.name },
    h("header", { class: "bar" },
      h("h2", null, roomName(source.name), " ", h("small", null, [!source.title && source.area, t(`source.${source.type}`)].filter(Boolean).join(", "))), mute),
    state, wrong, h("ew-level", { source: source.name }), look, h("div", { class: "day" }), loudness, drifting, facts,
    house.may_change && sensitivity(source));
  if (house.may_hear) liveLook(look, source);
  if (house.may_listen) liveListen(look, source);
  let muted = "";
  /** @type {any} */ (card).update = draw;
  draw(source);
  return card;

  /** @param {any} now */
  function draw(now) {
    card.classList.toggle("lost", now.online === false);
    fill(state, stateOf(now, true), now.watched > 0 && h("span", { class: "tag live" }, t("scope.watched", { n: now.watched })));
    fill(wrong, now.problems.map((/** @type {string} */ kind) =>
      h("li", null, h("strong", null, roomName(now.name), " ", t(`problem.${kind}`)), " ", t(`fix.${kind}`))),
      now.bandwidth_hz != null && now.bandwidth_hz < NARROW_HZ && h("li", null, t(now.type === "microphone" ? "fix.narrow_microphone" : "fix.narrow", { khz: number(now.bandwidth_hz / 1000, 1) })),
      now.lag_s > LAG_S && h("li", null, t("fix.lag", { s: number(now.lag_s, 1) })),
      now.overflows > 0 && h("li", null, t("fix.dropped")));
    fill(facts, factsOf(now).map(([key, value]) => h("div", null, h("dt", null, t(key)), h("dd", null, value))));
    if (house.may_change && muted !== String(now.muted)) fill(mute, muteButton(now));
    muted = String(now.muted);
    drawLoudness();
  }
}

/** @param {any} now @returns {[string, string][]} */
function factsOf(now) {
  const dbfs = (/** @type {number | null} */ value) => (value == null ? "–" : `${number(value, 0)} dBFS`);
  const count = (/** @type {number | null} */ value) => (value == null ? "–" : number(value, 0));
  const loud = now.laeq_dba == null ? dbfs(now.laeq_dbfs) : `${number(now.laeq_dba, 0)} dB(A)`;
  return [
    ["source.level", dbfs(now.level_dbfs)], ["source.floor", dbfs(now.floor_dbfs)], ["source.loudness", loud],
    ["source.since", now.since ? shortClock(now.since) : "–"],
    ["source.bandwidth", now.bandwidth_hz == null ? "–" : `${number(now.bandwidth_hz / 1000, 1)} kHz`],
    ["source.lag", now.lag_s == null ? "–" : length(Math.max(0, now.lag_s))],
    ["source.gaps", count(now.gaps)], ["source.dropped", count(now.overflows)], ["source.reconnects", count(now.reconnects)],
  ];
}

/** A spectrogram as it happens, while the button is pressed. @param {HTMLElement} box @param {any} source */
function liveLook(box, source) {
  const words = h("p", { class: "hint" });
  let spoken = 0;
  const say = (/** @type {any} */ { detail }) => {
    if (detail.source !== source.name || !words.isConnected || Date.now() - spoken < WORDS_MS) return;
    spoken = Date.now();
    words.textContent = t("scope.words", { level: number(detail.level_dbfs, 0), floor: number(detail.floor_dbfs, 0),
      hz: detail.hz < 1000 ? `${number(detail.hz, 0)} Hz` : `${number(detail.hz / 1000, 1)} kHz` });
  };
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    if (on) box.append(h("ew-scope", { source: source.name }), words);
    else for (const node of [box.querySelector("ew-scope"), words]) node?.remove();
    if (on) changes.addEventListener("scope", say);
    else changes.removeEventListener("scope", say);
  } }, icon("timeline"), t("scope.look"));
  fill(box, h("p", { class: "acts" }, button));
}

/** Its sound, while the button is pressed; everybody sees that somebody listens. @param {HTMLElement} box @param {any} source */
function liveListen(box, source) {
  /** @type {{stop: () => void} | null} */
  let playing = null;
  const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    if (playing) return stop();
    button.setAttribute("aria-pressed", "true");
    playing = listen(source.name, (why) => (note(why || t("offline")), stop()));
  } }, icon("play"), t("listen.start"));
  const gone = new MutationObserver(() => box.isConnected || (stop(), gone.disconnect()));
  gone.observe(document.body, { childList: true, subtree: true });
  if (!box.firstElementChild) box.append(h("p", { class: "acts" }));
  box.firstElementChild?.append(button);
  function stop() {
    playing?.stop();
    playing = null;
    button.setAttribute("aria-pressed", "false");
  }
}

/**
 * A day of minutes in words and a picture, asked for while it is looked at: what draws it when it may be due.
 * @param {HTMLElement} box @param {string} source
 */
function loudnessOf(box, source) {
  const words = h("p", { class: "hint" });
  const picture = /** @type {any} */ (document.createElement("ew-loudness"));
  let seen = false;
  let due = 0;
  new IntersectionObserver((entries) => ((seen = entries[entries.length - 1].isIntersecting), draw())).observe(box);
  return draw;

  async function draw() {
    if (!seen || Date.now() < due) return;
    due = Date.now() + MINUTE_MS;
    const found = await get(`api/sources/${source}/loudness`).catch(() => null);
    if (!found?.laeq_dbfs.some((/** @type {number | null} */ one) => one !== null)) return;
    picture.show(found);
    fill(words, t("loudness.title"), ": ", picture.words());
    if (!picture.isConnected) fill(box, words, picture);
  }
}

/** Fourteen days of level and floor in words and a line. @param {HTMLElement} box @param {string} source */
async function drawDrift(box, source) {
  const found = await get(`api/sources/${source}/drift`).catch(() => null);
  const known = found?.floors.filter((/** @type {any} */ one) => one !== null) ?? [];
  if (!known.length) return;
  const change = found.floor_change_db;
  const words = change === null ? t("drift.short") : Math.abs(change) < 3 ? t("drift.steady")
    : t(change > 0 ? "drift.up" : "drift.down", { db: number(Math.abs(change), 0) });
  const picture = /** @type {any} */ (document.createElement("ew-drift"));
  fill(box, h("p", { class: "hint" }, t("drift.title"), ": ", words), picture);
  picture.show(found, words);
}

/** How much it takes to be sure. @param {any} source */
function sensitivity(source) {
  const id = `sensitivity-${source.name}`;
  const steps = [-1, -0.5, 0, 0.5, 1];
  const near = steps.reduce((best, one) => (Math.abs(one - source.sensitivity) < Math.abs(best - source.sensitivity) ? one : best));
  const choice = h("select", { id, onchange: async () => {
    const done = await attempt(async () => (await post(`api/sources/${source.name}/sensitivity`, { sensitivity: Number(choice.value) }), true));
    if (done) note(t("source.sensitivity_set", { room: roomName(source.name) }));
  } }, steps.map((value) => h("option", { value, selected: value === near }, t(`sensitivity.${steps.indexOf(value)}`))));
  return h("div", { class: "field" }, h("label", { for: id }, t("source.sensitivity")), choice);
}
