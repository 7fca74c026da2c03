// Every sound: what it takes to hear it, what the week had of it, and what another onset would have made of that.

import { get, post, put, query } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house } from "../house.js";
import { diary } from "../parts/diary.js";
import "../parts/dots.js";
import { iconOf } from "../parts/glyph.js";
import { heatMap } from "../parts/heat.js";
import { mine } from "../parts/mine.js";
import { attempt, note, waiting } from "../parts/overlay.js";
import { review } from "../parts/review.js";
import { ownSounds } from "../parts/teach.js";
import { undoButton } from "../parts/undo.js";
import { ago, agoAtEnd, labelName, longDay, number, percent, roomName, shortClock, t, timeTag } from "../words.js";

/** @param {HTMLElement} view @param {{id: string}} route */
export default function sounds(view, route) {
  if (route.id) return void one(view, route.id);
  const asked = h("div");
  all(view, asked);
  return review(asked);
}

/** @param {HTMLElement} view @param {HTMLElement} asked */
async function all(view, asked) {
  /** @type {any} */
  let found = null;
  const list = h("div", { class: "rows", role: "list" });
  const search = h("input", { type: "search", "aria-label": t("verdict.search"), placeholder: t("verdict.search"), oninput: () => draw() });
  const hours = h("details");
  const kept = h("div");
  const own = h("div");
  const heard = h("div");
  const loading = waiting();
  view.append(h("header", { class: "bar" }, h("h1", null, t("sounds.title"))),
    h("p", { class: "hint" }, t("sounds.hint")), hours, kept, asked, heard, own, h("p", { class: "searchbar" }, search), loading, list);
  const undo = h("p");
  view.append(undo);
  ownSounds(own);
  mine(heard);
  diary(kept);
  get("api/heat").then(({ rows }) => rows.length && fill(hours, h("summary", null, t("heat.title")), h("div", { class: "panel" }, heatMap(rows))), () => {});
  found = await attempt(() => get("api/sounds"));
  loading.remove();
  if (!found) return;
  undoButton(undo, found.last_change, async () => {
    found = await get("api/sounds");
    draw();
  });
  draw();

  function draw() {
    if (!found) return; // somebody types before the sounds are there
    const wanted = search.value.trim().toLowerCase();
    const shown = found.sounds
      .filter((/** @type {any} */ one) => labelName(one.id).toLowerCase().includes(wanted))
      .sort((/** @type {any} */ a, /** @type {any} */ b) => Number(b.known) - Number(a.known) || b.count - a.count ||
        labelName(a.id).localeCompare(labelName(b.id)));
    fill(list, shown.map(row));
  }
}

/** @param {any} sound */
function row(sound) {
  return h("div", { class: `row sound${sound.known ? "" : " unknown"}`, role: "listitem", "data-id": sound.id },
    h("span", { class: "glyph" }, icon(iconOf(sound.id))),
    h("a", { class: "what", href: `#/sounds/${sound.id}` },
      h("span", { class: "name" }, labelName(sound.id)),
      h("span", { class: "facts" },
        h("span", null, !sound.known ? t("sounds.unknown") : sound.count ? t("sounds.week", { n: sound.count }) : t("sounds.quiet")),
        sound.last_at && h("span", { class: "long" }, ago(sound.last_at)),
        sound.right > 0 && h("span", { class: "tag right" }, icon("check"), sound.right),
        sound.wrong > 0 && h("span", { class: "tag wrong" }, icon("cross"), sound.wrong))),
    h("span", { class: "when" }, !sound.heard ? h("span", { class: "tag" }, t("sounds.off"))
      : sound.life_safety ? t("sounds.rhythm") : percent(sound.onset),
      sound.origin === "set" && h("span", { class: "tag live" }, t("sounds.changed"))));
}

/** @param {HTMLElement} view @param {string} id */
async function one(view, id) {
  const place = h("div");
  view.append(h("div", { class: "eventhead" }, h("span", { class: "glyph" }, icon(iconOf(id))),
    h("h1", null, labelName(id))), place, h("p", null, h("a", { href: "#/sounds" }, t("sounds.all"))));
  const found = await attempt(() => get(`api/sounds/${encodeURIComponent(id)}`));
  if (found) drawOne(place, found);
}

/** @param {HTMLElement} place @param {any} sound */
function drawOne(place, sound) {
  const again = (/** @type {any} */ now) => drawOne(place, now);
  const may = house.may_change && !sound.life_safety;
  const undo = h("p");
  fill(place,
    h("section", { class: "panel" },
      h("p", null, sound.count ? t("sounds.week", { n: sound.count }) : t("sounds.quiet"), " ",
        sound.last_at && [t("sounds.last"), " ", timeTag(sound.last_at, agoAtEnd), " "],
        h("a", { href: `#/timeline?label=${sound.id}` }, t("sounds.events"))),
      sound.life_safety && h("p", { class: "hint" }, t("sounds.life_safety")),
      !sound.known && h("p", { class: "hint" }, t("sounds.unknown_why")),
      may && onOff(sound, again)),
    !sound.life_safety && h("section", { class: "panel" }, h("h2", null, t("sounds.onset")), onset(sound, may, again)),
    h("section", { class: "panel" }, h("h2", null, t("sounds.rules")), sound.rules.length
      ? h("ul", { class: "lines" }, sound.rules.map((/** @type {string} */ name) => h("li", null, name)))
      : h("p", { class: "hint" }, t("sounds.no_rules"))),
    undo);
  if (house.may_change) undoButton(undo, sound.last_change, async () => again(await get(`api/sounds/${sound.id}`)));
}

/** @param {any} sound @param {(now: any) => void} again */
function onOff(sound, again) {
  const box = h("input", { type: "checkbox", checked: sound.heard, onchange: async () => {
    const now = await attempt(() => put(`api/sounds/${sound.id}`, { heard: box.checked ? null : false }));
    if (!now) box.checked = !box.checked;
    else again(now);
  } });
  return h("label", { class: "switch" }, box, h("span", null, t("sounds.heard"),
    sound.rules.length > 0 && h("small", null, " ", t("sounds.heard_rules", { n: sound.rules.length }))));
}

/** @param {any} sound @param {boolean} may @param {(now: any) => void} again */
function onset(sound, may, again) {
  const dots = /** @type {any} */ (document.createElement("ew-dots"));
  const outcome = h("p", { class: "outcome", role: "status" });
  const value = h("output", null, percent(sound.onset));
  const save = async (/** @type {number | null} */ to) => {
    const now = await attempt(() => put(`api/sounds/${sound.id}`, { onset: to }));
    if (!now) return;
    note(t("sounds.saved", { label: labelName(sound.id), onset: percent(now.onset) }));
    again(now);
  };
  const apply = h("button", { type: "button", class: "primary", disabled: true, onclick: () => save(Number(slider.value) / 100) }, t("sounds.apply"));
  const slider = h("input", { type: "range", id: "onset", min: 5, max: 95, step: 1, value: Math.round(sound.onset * 100),
    "aria-label": t("sounds.onset"), oninput: () => draw() });
  const draw = () => {
    const at = Number(slider.value) / 100;
    const moved = Math.round(sound.onset * 100) !== Number(slider.value);
    value.textContent = percent(at);
    dots.set(moved ? at : sound.onset);
    apply.disabled = !moved;
    fill(outcome, moved ? outcomeOf(sound, at) : t("sounds.try"));
  };
  dots.show(sound.marks, sound.onset, (/** @type {number} */ at) => {
    if (!may) return;
    slider.value = String(Math.round(at * 100));
    draw();
  });
  dots.setAttribute("role", "img");
  dots.setAttribute("aria-label", t("sounds.picture", { label: labelName(sound.id), n: sound.marks.filter((/** @type {any} */ one) => one.id).length,
    near: sound.marks.filter((/** @type {any} */ one) => !one.id).length }));
  draw();
  return [
    h("p", null, t(`origin.${sound.origin}`, { onset: percent(sound.onset) }), " ",
      sound.hits > 1 && t("sounds.hits", { n: sound.hits })),
    sound.places.map((/** @type {any} */ one) => h("p", { class: "hint" }, roomName(one.source), ": ",
      one.heard ? percent(one.onset) : t("sounds.off"), ", ", t(`origin.${one.origin}_there`))),
    dots,
    h("p", { class: "hint" }, t("sounds.legend")),
    may && [h("div", { class: "controls" }, slider, value), outcome,
      h("div", { class: "acts" }, apply,
        sound.origin === "set" && h("button", { type: "button", onclick: () => save(null) }, t("sounds.as_configured")))],
    sound.right + sound.wrong > 0 && suggestion(sound, again),
  ];
}

/** Which onset follows from what people said. @param {any} sound @param {(now: any) => void} again */
function suggestion(sound, again) {
  const place = h("div", { role: "status" });
  const take = async (/** @type {any} */ one) => {
    const now = await attempt(() => put(`api/sounds/${sound.id}/suggestion`, { onset: one.onset, source: one.source }));
    if (!now) return;
    note(t("sounds.saved", { label: labelName(sound.id), onset: percent(one.onset) }));
    again(now);
  };
  const aim = h("select", { id: "suggest-aim" },
    h("option", { value: "likely" }, t("suggest.likely")), h("option", { value: "false_a_week" }, t("suggest.weekly")),
    h("option", { value: "right" }, t("suggest.right")), h("option", { value: "keep" }, t("suggest.keep")));
  const ask = h("button", { type: "button", onclick: async () => {
    ask.disabled = true;
    fill(place, h("p", { class: "hint" }, t("suggest.works")));
    const found = await attempt(() => get(query(`api/sounds/${sound.id}/suggestion`, { aim: aim.value })));
    ask.disabled = false;
    fill(place, found && (found.suggestions.length ? found.suggestions.map((/** @type {any} */ one) => suggested(one, take))
      : h("p", { class: "hint" }, t("suggest.none"))));
  } }, t("suggest.ask"));
  return [h("div", { class: "field" }, h("label", { for: "suggest-aim" }, t("suggest.aim")), aim), h("p", null, ask), place];
}

/** @param {any} one @param {(one: any) => void} take */
function suggested(one, take) {
  const a_day = (/** @type {number} */ value) => number(value, value < 1 ? 2 : 1);
  return h("div", { class: "suggested" },
    h("p", null, h("strong", null, one.source && `${t("suggest.there", { room: roomName(one.source) })}: `,
      t("suggest.words", { onset: percent(one.onset), now: percent(one.now), right: one.right, wrong: one.wrong }))),
    h("ul", { class: "lines" },
      h("li", null, t("suggest.false", { then: a_day(one.false_then.a_day), low: a_day(one.false_then.low), high: a_day(one.false_then.high), now: a_day(one.false_now.a_day) })),
      h("li", null, t("suggest.lost", { lost: a_day(one.lost.a_day), low: a_day(one.lost.low), high: a_day(one.lost.high) })),
      h("li", null, t("suggest.changes", { days: number(one.days, 1), gone: one.gone, fresh: one.new })),
      one.more_verdicts > 0 && h("li", null, t("suggest.more", { n: one.more_verdicts }))),
    one.changes.length > 0 && h("details", null, h("summary", null, t("suggest.which")),
      h("ul", { class: "lines" }, one.changes.map((/** @type {any} */ each) => h("li", null,
        h("a", { href: query(`#/event/~${encodeURIComponent(each.at)}`, { source: each.source }) }, longDay(each.at), ", ", shortClock(each.at)), ", ", roomName(each.source), ": ",
        each.gone ? t("suggest.gone") : t("suggest.new"), each.right !== null && [" (", t(each.right ? "verdict.right" : "verdict.wrong"), ")"])))),
    house.may_change && h("button", { type: "button", class: "primary", onclick: () => take(one) }, t("suggest.take")));
}

/** What the week would have been. @param {any} sound @param {number} at */
function outcomeOf(sound, at) {
  const events = sound.marks.filter((/** @type {any} */ one) => one.id);
  const stay = events.filter((/** @type {any} */ one) => one.score >= at);
  const gone = events.filter((/** @type {any} */ one) => one.score < at);
  const said = (/** @type {any[]} */ marks, /** @type {string} */ verdict) => marks.filter((one) => one.verdict === verdict).length;
  const near = sound.marks.filter((/** @type {any} */ one) => !one.id && one.score >= at);
  const fresh = at < sound.onset ? near.length : 0;
  return [
    h("strong", null, t("sounds.instead", { now: stay.length, before: events.length })), " ",
    said(events, "wrong") > 0 && [t("sounds.wrong_gone", { gone: said(gone, "wrong"), all: said(events, "wrong") }), " "],
    said(events, "right") > 0 && [t("sounds.right_lost", { gone: said(gone, "right"), all: said(events, "right") }), " "],
    fresh > 0 && t("sounds.more", { n: fresh }),
  ];
}
