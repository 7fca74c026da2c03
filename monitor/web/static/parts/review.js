// Was it what it was taken for? Three sounds a day, those whose answer teaches most.

import { get, post } from "../api.js";
import { fill, h } from "../base.js";
import { house } from "../house.js";
import { t } from "../words.js";
import { missedButton } from "./missed.js";
import { attempt } from "./overlay.js";
import { eventRow } from "./row.js";
import { judged } from "./verdict.js";

/** @param {HTMLElement} box @returns what ends it */
export function review(box) {
  if (!house.may_change) return () => {};
  const list = h("div", { class: "rows", role: "list", "aria-label": t("review.title") });
  const said = h("p", { class: "hint", role: "status" }, t("review.hint"));
  /** @type {any[]} */
  let open = [];
  const draw = () => fill(list, open.map((event) => eventRow(event)));
  const done = async (/** @type {any} */ event) => {
    if (!open.some((one) => one.id === event.id)) return;
    open = open.filter((one) => one.id !== event.id);
    draw();
    if (!open.length) said.textContent = t("review.enough");
    await attempt(async () => (await post(`api/questions/${event.id}`, {}), true));
  };
  const ask = h("button", { type: "button", onclick: async () => {
    ask.disabled = true;
    said.textContent = t("suggest.works");
    const found = await attempt(() => get("api/questions"));
    ask.disabled = false;
    open = found?.events ?? [];
    draw();
    said.textContent = !found ? t("review.hint") : open.length ? t("review.each") : t(found.left_today ? "review.none" : "review.enough");
  } }, t("review.ask"));
  const skip = h("button", { type: "button", class: "quiet", onclick: () => open[0] && done(open[0]) }, t("review.skip"));
  fill(box, h("section", { class: "panel" }, h("h2", null, t("review.title")), said, list, h("p", { class: "acts" }, ask, skip, missedButton())));
  const heard = (/** @type {any} */ message) => message.detail.verdict && done(message.detail);
  judged.addEventListener("judged", heard);
  return () => judged.removeEventListener("judged", heard);
}
