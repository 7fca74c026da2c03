// One event as a line of a list.

import { fill, h, icon } from "../base.js";
import { clock, labelName, length, percent, roomName, shortClock, t, timeTag } from "../words.js";
import { iconOf } from "./glyph.js";
import { verdictBar, verdictTag } from "./verdict.js";

/**
 * @param {any} event
 * @param {{write?: (iso: string) => string, select?: (event: any, on: boolean) => void, selected?: () => boolean}} [more]
 */
export function eventRow(event, more = {}) {
  const row = h("div", { class: "row", role: "listitem", "data-id": event.id });
  /** @type {any} */ (row).update = draw;
  draw(event);
  return row;

  /** @param {any} now */
  function draw(now) {
    const same = JSON.stringify(now);
    if (/** @type {any} */ (row).drawn === same && !more.selected) return;
    /** @type {any} */ (row).drawn = same;
    const focused = row.contains(document.activeElement) ? /** @type {any} */ (document.activeElement)?.className : null;
    row.dataset.severity = now.severity ?? "";
    row.dataset.certainty = now.certainty;
    row.classList.toggle("wrong", now.verdict?.verdict === "wrong");
    fill(row,
      more.select && h("input", { type: "checkbox", class: "pick", checked: more.selected?.() ?? false,
        "aria-label": t("timeline.select", { what: labelName(now.label) }),
        onchange: (/** @type {any} */ e) => more.select?.(now, e.target.checked) }),
      h("span", { class: "glyph" }, icon(iconOf(now.label))),
      h("a", { class: "what", href: `#/event/${now.id}` },
        h("span", { class: "name" }, labelName(now.label), " ", h("small", null, roomName(now.source))),
        h("span", { class: "facts" }, facts(now))),
      h("span", { class: "when" }, timeTag(now.started_at, more.write ?? clock)),
      verdictBar(now));
    if (focused) /** @type {HTMLElement | null} */ (row.querySelector(`.${focused.trim().split(/\s+/).join(".")}`))?.focus();
  }
}

/** @param {any} event */
function facts(event) {
  const seconds = event.ended_at && (Date.parse(event.ended_at) - Date.parse(event.started_at)) / 1000;
  const rules = [...new Set((event.alerts ?? []).map((/** @type {any} */ alert) => alert.rule))];
  return [
    h("span", { class: "at", "aria-hidden": "true" }, shortClock(event.started_at)),
    h("span", { class: "in" }, roomName(event.source)),
    event.ended_at === null && h("span", { class: "tag live" }, t("event.goes_on")),
    rules.length > 0 && h("span", { class: `tag ${event.severity}` }, icon("alarm"), h("span", { class: "words" }, rules.join(", "))),
    event.certainty === "suspected" && h("span", { class: "tag" }, t("certainty.suspected")),
    event.verdict && verdictTag(event.verdict),
    h("span", { class: "score" }, percent(event.score)),
    seconds > 0 && h("span", { class: "long" }, length(seconds)),
  ];
}
