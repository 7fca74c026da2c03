// For a tablet on the wall, and for people who cannot hear: big words, and a flash for the sounds that were chosen.

import { get } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { feed } from "../feed.js";
import { changes, entitle, house } from "../house.js";
import { alarmsIn, lostFor } from "../parts/room.js";
import { byIncident, headline } from "./now.js";
import { ago, labelName, roomName, ruleName, shortClock, t } from "../words.js";

const FLASH_MS = 12_000;
const DRIFT_MS = 60_000;
const DRIFT_PX = 6;
const CHOSEN = "glance.flash";
const AT_FIRST = ["smoke_alarm", "co_alarm", "fire_alarm", "unknown_alarm", "doorbell", "knock", "baby_cry", "glass_break"];

/** @param {HTMLElement} view */
export default function glance(view) {
  const stored = localStorage.getItem(CHOSEN);
  const chosen = new Set(stored === null ? AT_FIRST : stored.split(" "));
  const title = h("h1", null);
  const time = h("p", { class: "glance-clock" });
  const alerts = h("div", { class: "glance-alerts", role: "alert" });
  const rooms = h("div", { class: "glance-rooms" });
  /** @type {any[]} */
  let open = [];
  let flashing = 0;
  /** @type {any} */
  let lock = null;
  document.getElementById("app")?.classList.add("bare");
  view.append(h("header", { class: "glance-head" }, title, time), alerts, rooms, choices(chosen),
    h("p", { class: "glance-foot" }, h("a", { href: "#/" }, icon("left"), t("glance.leave"))));

  const draw = () => {
    const waiting = byIncident(open);
    const real = waiting.filter((one) => !one.test);
    title.textContent = headline(real.length, waiting.length - real.length);
    entitle(view);
    time.textContent = shortClock(Date.now());
    const isSounding = alarmsIn(house.sources, (source) => source.name) !== "";
    view.classList.toggle("alarm", isSounding || real.some((one) => one.severity === "critical"));
    keyed(alerts, waiting, (alert) => alert.id, alertBlock);
    keyed(rooms, house.sources, (source) => source.name, roomBlock);
  };
  const load = async () => {
    open = (await get("api/alerts/open").catch(() => ({ alerts: open }))).alerts;
    draw();
  };
  const flash = () => {
    clearTimeout(flashing);
    view.classList.add("flash");
    flashing = window.setTimeout(() => view.classList.remove("flash"), FLASH_MS);
  };
  const heard = (/** @type {any} */ message) => {
    if (message.detail.state === "started" && chosen.has(message.detail.label)) flash();
    draw();
  };
  const awake = async () => {
    // Only over https or on this machine; elsewhere the tablet's own settings keep it awake.
    lock = document.hidden ? null : await navigator.wakeLock?.request("screen").catch(() => null);
  };
  const drift = () => {
    // The same words at the same place for months would stay in the screen.
    const away = () => Math.round((Math.random() * 2 - 1) * DRIFT_PX);
    view.style.translate = `${away()}px ${away()}px`;
    draw();
  };

  const follows = [[changes, "change", draw], [feed, "event", heard], [feed, "alert", load], [feed, "ack", load],
    [feed, "verdict", load], [feed, "reset", load], [feed, "again", load]];
  for (const [from, kind, act] of follows) /** @type {any} */ (from).addEventListener(kind, act);
  document.addEventListener("visibilitychange", awake);
  const clockwork = window.setInterval(drift, DRIFT_MS);
  awake();
  draw();
  load();
  return () => {
    for (const [from, kind, act] of follows) /** @type {any} */ (from).removeEventListener(kind, act);
    document.removeEventListener("visibilitychange", awake);
    document.getElementById("app")?.classList.remove("bare");
    clearInterval(clockwork);
    clearTimeout(flashing);
    lock?.release();
    view.classList.remove("flash", "alarm");
    view.style.translate = "";
  };
}

/** A test is big, too, so that somebody across the room sees that it arrived, and looks like no alarm. @param {any} alert */
function alertBlock(alert) {
  const rooms = [...new Set(alert.events.map((/** @type {any} */ event) => roomName(event.source)))].join(", ");
  const about = [alert.test && t("alert.test"), rooms, shortClock(alert.raised_at)].filter(Boolean).join(" · ");
  return h("p", { class: `glance-alert ${alert.test ? "test" : alert.severity}` }, ruleName(alert.rule), h("small", null, about));
}

/** @param {any} source */
function roomBlock(source) {
  const words = h("p", { class: "glance-words" });
  const block = h("section", { class: "glance-room" }, h("h2", null, roomName(source.name)), words);
  /** @type {any} */ (block).update = draw;
  draw(source);
  return block;

  /** @param {any} now */
  function draw(now) {
    const sounding = Object.keys(now.sounding);
    block.classList.toggle("live", sounding.length > 0);
    if (now.online === false) fill(words, icon("warning"), " ", lostFor(now));
    else if (sounding.length) fill(words, sounding.map(labelName).join(", "));
    else if (now.muted) fill(words, t("now.is_muted"));
    else if (now.last) fill(words, h("small", null, labelName(now.last.label), ", ", ago(now.last.at)));
    else fill(words, h("small", null, t("now.quiet")));
  }
}

/** @param {Set<string>} chosen */
function choices(chosen) {
  const labels = [...new Set(house.sources.flatMap((/** @type {any} */ source) => source.labels))]
    .sort((a, b) => labelName(a).localeCompare(labelName(b)));
  return h("details", { class: "panel" }, h("summary", null, t("glance.flash")),
    h("div", { class: "glance-choices" }, labels.map((label) => h("label", null,
      h("input", { type: "checkbox", checked: chosen.has(label), onchange: (/** @type {any} */ event) => {
        event.target.checked ? chosen.add(label) : chosen.delete(label);
        localStorage.setItem(CHOSEN, [...chosen].join(" "));
      } }), " ", labelName(label)))));
}
