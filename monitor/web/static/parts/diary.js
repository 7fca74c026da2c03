// For how long each sound was heard, and which alarm has an empty battery.

import { get } from "../api.js";
import { fill, h, icon } from "../base.js";
import { ago, agoAtEnd, number, roomName, t, timeTag } from "../words.js";
import { heatMap } from "./heat.js";

const STILL_MS = 600_000;

/** @param {HTMLElement} box */
export async function diary(box) {
  const found = await get("api/diary").catch(() => null);
  if (!found) return;
  const minutes = (/** @type {number} */ of) => t("diary.minutes", { n: number(of, of < 10 ? 1 : 0) });
  fill(box, found.chirps.map(chirp),
    found.rows.length > 0 && h("details", null, h("summary", null, t("diary.title")), h("div", { class: "panel" },
      heatMap(found.rows.map((/** @type {any} */ row) => ({ ...row, count: row.minutes })), t("diary.title"), minutes),
      h("p", null, h("a", { class: "button", href: "api/diary.zip", download: "" }, icon("download"), t("diary.take"))),
      h("p", { class: "hint" }, t("diary.hint")))));
}

/** @param {any} one */
function chirp(one) {
  const still = Date.now() - Date.parse(one.until) < STILL_MS;
  return h("section", { class: "panel" }, h("h2", null, icon("alarm"), " ", t("chirp.title")),
    h("p", null, t("chirp.words", { s: number(one.every_s, 0), room: roomName(one.loudest), khz: number(one.pitch_hz / 1000, 1) }), " ",
      t("chirp.since"), " ", timeTag(one.since, ago), !still && [", ", t("chirp.last"), " ", timeTag(one.until, agoAtEnd)]));
}
