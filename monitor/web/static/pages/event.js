// One event: its sound, why, who was told, and what it was.

import { get, post, Problem, put, query } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house } from "../house.js";
import { iconOf } from "../parts/glyph.js";
import { missedButton } from "../parts/missed.js";
import { attempt } from "../parts/overlay.js";
import { player } from "../parts/player.js";
import { teach } from "../parts/teach.js";
import { whatIf } from "../parts/whatif.js";
import { judge, judged, undoLast, verdictBar } from "../parts/verdict.js";
import { clock, labelName, language, length, longDay, number, percent, receiverName, roomName, t, timeTag } from "../words.js";

const KEPT_AFTER_MS = 6000;
/** Its end, what follows it, and the disk: so long after its last sound a clip may still come. */
const CLIP_AFTER_MS = 60_000;
const CLIP_EVERY_MS = 3000;

/**
 * What was heard a moment ago is shown at once, and kept some seconds later.
 * @param {string} path @param {() => boolean} isLeft
 */
async function patiently(path, isLeft) {
  const until = Date.now() + KEPT_AFTER_MS;
  for (;;) {
    try {
      return await get(path);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404 || isLeft() || Date.now() > until) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

/**
 * @param {HTMLElement} view
 * @param {import("../app.js").Route} route
 */
export default function eventPage(view, route) {
  if (route.id.startsWith("~")) return moment(view, route.id.slice(1), route.params.get("source") ?? "");
  /** @type {any} */
  let event = null;
  /** @type {any} */
  let sound = null;
  let left = false;
  const head = h("header", { class: "eventhead" }, h("h1", null, t("event.sound")));
  const verdict = h("section", { class: "panel ask" });
  const clip = h("section", { class: "panel sound" });
  const why = h("section", { class: "panel" }, h("h2", null, t("event.why")));
  const told = h("section", { class: "panel" }, h("h2", null, t("event.told")));
  const acts = h("div", { class: "acts" });
  fill(verdict, h("p", { class: "hint" }, t("loading")));
  const tried = h("details", { class: "panel", hidden: true });
  const asked = h("section", { class: "panel", hidden: true });
  view.append(h("a", { class: "back", href: "#/timeline" }, icon("left"), t("event.back")), head, verdict,
    h("div", { class: "two" }, h("div", null, clip, acts, asked), h("div", null, why, told, tried)));

  const draw = () => {
    fill(head,
      h("span", { class: `glyph ${event.severity ?? ""}` }, icon(iconOf(event.label))),
      h("div", null, h("h1", null, labelName(event.label)),
        h("p", null, roomName(event.source), " · ", timeTag(event.started_at, longDay), ", ", timeTag(event.started_at, clock),
          event.ended_at && ` · ${length((Date.parse(event.ended_at) - Date.parse(event.started_at)) / 1000)}`),
        h("p", null, t("event.facts", { score: percent(event.score), certainty: t(`certainty.${event.certainty}`) }))));
    fill(verdict, h("h2", null, t("verdict.ask")), verdictBar(event, true));
    fill(acts,
      house.may_change && h("button", { type: "button", "aria-pressed": String(event.kept), onclick: keep }, icon("star"),
        h("span", null, event.kept ? t("event.kept") : t("event.keep"))),
      event.video && h("a", { class: "button", href: event.video, target: "_blank", rel: "noopener" }, icon("video"), t("event.video")),
      house.may_change && !lifeSafety(event.label) && h("button", { type: "button",
        onclick: () => teach([{ ...event, at: event.started_at }]) }, icon("sounds"), h("span", null, t("teach.this"))),
      house.may_change && h("a", { class: "button", href: query("#/rule/new", { label: event.label, source: event.source }) },
        icon("rules"), h("span", null, t("event.rule"))),
      house.may_hear && h("a", { class: "button", href: `api/events/${event.id}/bundle`, download: "" }, icon("download"), t("event.zip")));
  };

  const drawSound = () => {
    if (!house.may_hear) return fill(clip, h("p", { class: "hint" }, t("event.may_not_hear")));
    if (event.clip) {
      if (house.may_ask) drawAsking(asked, event);
      return fill(clip, (sound = player(event)));
    }
    if (event.picture) {
      return fill(clip, h("img", { class: "picture", src: `api/events/${event.id}/picture`, alt: t("player.picture", { words: labelName(event.label) }) }));
    }
    if (isMade()) setTimeout(look, CLIP_EVERY_MS);
    fill(clip, h("p", { class: "hint" }, whyNone()));
  };

  const isKept = () => house.keeps.clips || house.keeps.pictures;
  /** Whether picture or clip may still be in the making. */
  const isMade = () => isKept() && (!event.ended_at || Date.now() - Date.parse(event.ended_at) < CLIP_AFTER_MS);
  const whyNone = () => {
    if (isMade()) return t("event.not_yet");
    return isKept() ? t("event.no_clip_of_it", { days: number(house.keeps.clip_days, 0) }) : t("event.no_clip", { setting: "evidence: {clips: true}" });
  };

  /** The event once more, until its sound is there. */
  async function look() {
    if (left) return;
    const now = document.hidden ? event : await get(`api/events/${route.id}`).catch(() => event);
    if (left) return;
    const is_new = ["clip", "picture", "ended_at"].some((key) => now[key] !== event[key]);
    event = { ...event, ...now };
    if (is_new) draw();  // else it would take the focus from whoever judges meanwhile
    drawSound();
  }

  async function load() {
    try {
      event = await patiently(`api/events/${route.id}`, () => left);
    } catch (error) {
      if (left) return;  // the view shows another page by now
      if (!(error instanceof Problem) || error.status !== 404) return attempt(() => Promise.reject(error));
      return fill(view, h("a", { class: "back", href: "#/timeline" }, icon("left"), t("event.back")), h("h1", null, t("event.unknown")));
    }
    if (left) return;
    draw();
    drawSound();
    document.title = `${labelName(event.label)} · ${house.node}`;
    const found = await attempt(() => get(query(`api/events/${route.id}/explain`, { lang: language })));
    if (!found) return;
    drawWhy(why, found);
    drawTold(found);
    if (house.may_change && !lifeSafety(event.label)) drawTrying(tried, event);
  }

  /** @param {any} found */
  function drawTold(found) {
    const steps = found.deliveries.flatMap((/** @type {any} */ one) => [
      { at: one.raised_at, words: `${one.rule}: ${t("event.raised")}` },
      one.delivered_at ? { at: one.delivered_at, words: t("event.delivered", { channel: receiverName(one.channel) }) }
        : { at: null, words: t("event.waits", { channel: receiverName(one.channel) }) }]);
    for (const alert of event.alerts) {
      if (!found.deliveries.length) steps.push({ at: alert.raised_at, words: `${alert.rule}: ${t("event.raised")}` });
      if (alert.acknowledged_at) {
        const by = alert.acknowledged_by === "here" ? "" : alert.acknowledged_by;
        steps.push({ at: alert.acknowledged_at, words: by ? t("event.acked_by", { name: by }) : t("event.acked") });
      }
    }
    const seen = new Set();
    const shown = steps.filter((/** @type {any} */ one) => !seen.has(one.words + one.at) && seen.add(one.words + one.at))
      .sort((/** @type {any} */ a, /** @type {any} */ b) => (a.at ?? "9").localeCompare(b.at ?? "9"));
    fill(told, h("h2", null, t("event.told")), shown.length
      ? h("ol", { class: "steps" }, shown.map((/** @type {any} */ one) =>
        h("li", null, one.at ? timeTag(one.at) : h("time", null, "…"), h("span", null, one.words))))
      : h("p", { class: "hint" }, t("event.nobody")));
  }

  async function keep() {
    const now = await attempt(() => put(`api/events/${event.id}/kept`, { kept: !event.kept }));
    if (now) {
      event = now;
      draw();
    }
  }

  const said = (/** @type {any} */ message) => {
    if (message.detail.id !== event?.id) return;
    event = { ...event, ...message.detail };
    draw();
  };
  /** @param {KeyboardEvent} pressed */
  const key = (pressed) => {
    if (!event || (pressed.target instanceof Element && pressed.target.closest("input, select, dialog, .menu"))) return;
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    const act = {
      y: () => judge(event, "right"), n: () => judge(event, "wrong"), u: () => judge(event, "unsure"), z: undoLast,
      " ": !(pressed.target instanceof Element && pressed.target.closest("button, a")) && sound && (() => sound.toggle?.()),
    }[pressed.key];
    if (!act) return;
    pressed.preventDefault();
    act();
  };
  judged.addEventListener("judged", said);
  document.addEventListener("keydown", key);
  load();
  return () => {
    left = true;
    sound?.stop?.();
    judged.removeEventListener("judged", said);
    document.removeEventListener("keydown", key);
  };
}

/** @param {string} label */
const lifeSafety = (label) => house.labels.some((/** @type {any} */ one) => one.id === label && one.life_safety);

/** Would it have been one with another onset? @param {HTMLElement} box @param {any} event */
function drawTrying(box, event) {
  const value = h("output", { for: "try-onset" }, percent(event.score));
  const slider = h("input", { type: "range", id: "try-onset", min: 5, max: 95, value: Math.round(event.score * 100), "aria-label": t("sounds.onset"),
    oninput: () => (value.textContent = percent(Number(slider.value) / 100)) });
  const days = Math.min(7, Math.max(1, Math.ceil((Date.now() - Date.parse(event.started_at)) / 86_400_000)));
  box.hidden = false;
  fill(box, h("summary", null, t("event.try", { label: labelName(event.label) })), h("p", { class: "hint" }, t("try.hint")),
    h("div", { class: "controls" }, slider, value),
    whatIf(() => ({ days, changes: [`${event.label}.onset=${Number(slider.value) / 100}`] }),
      (outcome) => outcome.labels.includes(event.label)),
    h("p", null, h("a", { href: `#/sounds/${event.label}` }, t("event.change"))));
}

/** What a large model makes of the clip. @param {HTMLElement} box @param {any} event */
function drawAsking(box, event) {
  const question = h("input", { id: "question", maxlength: "300", placeholder: t("ask.default") });
  const answer = h("p", { role: "status" });
  const button = h("button", { type: "submit" }, t("ask.ask"));
  box.hidden = false;
  fill(box, h("h2", null, t("ask.title")), h("p", { class: "hint" }, t("ask.leaves")),
    h("form", { class: "stack", onsubmit: async (/** @type {Event} */ submitted) => {
      submitted.preventDefault();
      button.disabled = true;
      answer.textContent = t("ask.waits");
      const found = await attempt(() => post(`api/events/${event.id}/ask`, { question: question.value }));
      button.disabled = false;
      answer.textContent = found ? `${found.model}: ${found.answer}` : "";
    } }, h("div", { class: "field" }, h("label", { for: "question" }, t("ask.question")), question), button), answer);
}

/** @param {HTMLElement} box @param {any} found */
function drawWhy(box, found) {
  fill(box, h("h2", null, t("event.why")),
    h("ul", { class: "why" }, found.sentences.map((/** @type {any} */ one) =>
      h("li", { class: one.weight }, icon(one.weight === "good" ? "check" : one.weight === "stop" ? "cross" : "right"), h("span", null, one.text)))),
    h("details", null, h("summary", null, t("event.more")), h("pre", { tabindex: "0" }, found.text.join("\n"))));
}

/** A moment of which nothing came. @param {HTMLElement} view @param {string} at @param {string} source */
function moment(view, at, source) {
  const why = h("section", { class: "panel" });
  view.append(h("a", { class: "back", href: "#/timeline" }, icon("left"), t("event.back")),
    h("header", { class: "eventhead" }, h("div", null, h("h1", null, roomName(source)),
      h("p", null, timeTag(at, longDay), ", ", timeTag(at, clock)))), why, h("p", { class: "acts" }, missedButton({ at, source })));
  attempt(() => get(query("api/explain", { at, source, lang: language }))).then((found) => found && drawWhy(why, found));
}
