// A room's mute button: for a while or for good; one tap undoes it.

import { post } from "../api.js";
import { h, icon } from "../base.js";
import { roomName, t } from "../words.js";
import { attempt, menu, note } from "./overlay.js";

/** @param {any} source */
export function muteButton(source) {
  const set = (/** @type {boolean} */ muted, /** @type {number | null} */ for_s = null) => () =>
    attempt(async () => {
      await post(`api/sources/${source.name}/mute`, { muted, for_s });
      note(muted ? t("mute.done", { room: roomName(source.name) }) : t("mute.undone", { room: roomName(source.name) }),
        set(!muted));
    });
  if (source.muted) {
    return h("button", { type: "button", class: "quiet square", title: t("mute.off", { room: roomName(source.name) }),
      "aria-label": t("mute.off", { room: roomName(source.name) }), onclick: set(false) }, icon("unmute"));
  }
  return menu(t("mute.on", { room: roomName(source.name) }), [icon("mute")], () => [
    [t("mute.minutes", { n: 15 }), set(true, 900)], [t("mute.hours", { n: 1 }), set(true, 3600)],
    [t("mute.hours", { n: 8 }), set(true, 8 * 3600)], [t("mute.for_good"), set(true)]], "quiet square");
}
