// Every node on the broker: who lives, what is wrong there, which alerts wait. Nothing is changed from here.

import { get, query } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { entitle, house } from "../house.js";
import { alertBox } from "../parts/alert.js";
import { iconOf } from "../parts/glyph.js";
import { waiting } from "../parts/overlay.js";
import { ago, daemonWords, dayName, dayOf, labelName, roomName, shortClock, t } from "../words.js";

const AGAIN_MS = 3000;
const REDRAW_MS = 20_000;

/** @param {HTMLElement} view */
export default function nodesPage(view) {
  const hero = h("section", { class: "hero" });
  const alerts = h("section", { class: "alerts", "aria-label": t("now.alerts") });
  const list = h("div", { class: "rooms" });
  const loading = waiting();
  /** @type {Map<string, any>} */
  const nodes = new Map();
  let revision = 0;
  /** @type {any} */
  let found = null;
  let left = false;
  let timer = 0;
  view.append(hero, alerts, loading, h("section", null, list), h("p", { class: "hint" }, t("nodes.why")));

  const draw = () => {
    const all = [...nodes.values()].sort((a, b) => rank(a) - rank(b) || a.id.localeCompare(b.id));
    const unwell = all.filter((node) => rank(node) < WELL);
    const faults = faultsOf(found);
    const tone = all.some((node) => rank(node) === 0) ? "alarm" : unwell.length || faults.length ? "unwell" : "well";
    hero.className = `hero ${tone}`;
    fill(hero, h("span", { class: "sign" }, icon(tone === "well" ? "check" : "warning")),
      h("div", null, h("h1", null, headline(all, unwell)), faults.length
        ? h("ul", null, faults.map((words) => h("li", null, words))) : h("p", null, t("nodes.title"))));
    entitle(view);
    keyed(alerts, all.filter((node) => node.alert), (node) => JSON.stringify([node.id, node.alert]), (node) =>
      alertBox({ ...node.alert, places: node.id }, aboutAlert(node.alert), []));
    keyed(list, all, (node) => node.id, nodeCard);
  };
  const load = async () => {
    const answer = document.hidden ? null : await get(query("api/nodes", { after: revision })).catch(() => null);
    if (left) return;
    if (answer) {
      loading.remove();
      found = answer;
      revision = answer.revision;
      for (const node of answer.nodes) nodes.set(node.id, node);
      if (nodes.size > answer.count) {
        // One was taken off the broker, and an answer names only those that are there.
        nodes.clear();
        revision = 0;
        return load();
      }
      draw();
    }
    timer = window.setTimeout(load, AGAIN_MS);
  };

  fill(hero, h("h1", null, t("nodes.title")));
  if (house.has_nodes) load();
  else {
    loading.remove();
    fill(hero, h("div", null, h("h1", null, t("nodes.title")), h("p", null, t("nodes.off"))));
  }
  const clockwork = window.setInterval(() => found && draw(), REDRAW_MS);
  return () => {
    left = true;
    clearTimeout(timer);
    clearInterval(clockwork);
  };
}

const WELL = 5;

/** The gravest first. @param {any} node */
function rank(node) {
  if (node.alert) return node.alert.severity === "critical" ? 0 : 1;
  if (node.state === "away") return 2;
  if (node.state === "silent") return 3;
  return wrongOf(node).length ? 4 : WELL;
}

/** @param {any[]} all @param {any[]} unwell */
function headline(all, unwell) {
  if (!all.length) return t("nodes.none");
  return unwell.length ? t("nodes.not_well", { n: unwell.length, all: all.length }) : t("nodes.well", { n: all.length });
}

/** The gravest there, and how many more wait. @param {any} alert */
const aboutAlert = ({ message, count }) =>
  h("div", null, h("p", null, message), count > 1 && h("p", null, h("small", null, t("nodes.more", { n: count - 1 }))));

/** What keeps this page from knowing. @param {any} found @returns {string[]} */
function faultsOf(found) {
  return [
    ...(found.connected ? [] : [t("nodes.no_broker", { time: moment(found.since) })]),
    ...(found.reason ? [t("nodes.refused", { reason: found.reason })] : []),
    ...(found.left_out ? [t("nodes.left_out")] : []),
  ];
}

/** What is wrong there, of a node that lives. @param {any} node @returns {string[]} */
function wrongOf(node) {
  if (node.state !== "online") return [];
  const lost = node.rooms.filter((/** @type {any} */ room) => room.online === false);
  return [...lost.map((/** @type {any} */ room) => `${roomName(room.name)}: ${daemonWords(room.reason) || t("now.no_sound")}`),
    ...node.troubles];
}

/** @param {string} iso */
const moment = (iso) => (dayOf(iso) === dayOf(Date.now()) ? shortClock(iso) : `${dayName(dayOf(iso))}, ${shortClock(iso)}`);

/** Whether it lives, and since when. @param {any} node */
function lifeOf(node) {
  const { since, heard_at } = node;
  if (node.state === "online") return since ? t("nodes.online_since", { time: moment(since) }) : t("nodes.online");
  if (node.state === "silent") return t("nodes.silent", { time: moment(heard_at) });
  if (node.state === "unknown") return t("nodes.unknown");
  if (since) return t("nodes.away_since", { time: moment(since) });
  return heard_at ? t("nodes.away_last", { time: moment(heard_at) }) : t("nodes.away");
}

/** @param {any} node */
function nodeCard(node) {
  const card = h("article", { class: "room node", "data-node": node.id });
  /** @type {any} */ (card).update = draw;
  draw(node);
  return card;

  /** @param {any} now */
  function draw(now) {
    const lives = now.state === "online";
    const own = now.id === house.node;
    const page = own ? "#/" : now.page;
    const heard = now.rooms.filter((/** @type {any} */ room) => room.online).length;
    const drawn = JSON.stringify([now, lifeOf(now), now.last.map((/** @type {any} */ one) => ago(one.at))]);
    if (/** @type {any} */ (card).drawn === drawn) return;
    /** @type {any} */ (card).drawn = drawn;
    card.classList.toggle("lost", now.state === "away" || now.state === "silent");
    const focused = card.contains(document.activeElement);
    fill(card,
      h("header", null, h("h2", null, now.id, own && [" ", h("small", null, t("nodes.own"))])),
      h("p", { class: "state" }, !lives && icon("warning"), lifeOf(now), lives && ` · ${t("now.listening", { n: heard })}`),
      h("ul", { class: "lines wrong" }, wrongOf(now).map((words) => h("li", null, words))),
      h("ul", { class: "lines heard" }, now.last.map(soundLine)),
      page && h("p", null, h("a", { href: page, rel: "noreferrer" }, t("nodes.open", { node: now.id }))));
    if (focused) card.querySelector("a")?.focus();
  }
}

/** @param {any} sound */
const soundLine = (sound) => h("li", null, icon(iconOf(sound.label)), h("span", null, labelName(sound.label), " ",
  h("small", null, roomName(sound.source), ", ", sound.ended ? ago(sound.at) : t("event.goes_on"))));
