// Clips and pictures of events, deleted for good; that something was heard stays known.

import { post } from "../api.js";
import { h } from "../base.js";
import { t } from "../words.js";
import { attempt, dialog, note } from "./overlay.js";

/** Ask once more, and delete. @param {string[]} ids @param {() => void} done */
export function deleteSound(ids, done) {
  dialog(t("clips.delete"), (close) => [h("p", null, t("clips.sure", { n: ids.length })), h("p", { class: "acts" },
    h("button", { type: "button", class: "primary", onclick: async () => {
      close();
      const found = await attempt(() => post("api/clips/delete", { ids }));
      if (!found) return;
      note(t("clips.deleted", { n: found.count }));
      done();
    } }, t("clips.delete")), h("button", { type: "button", onclick: close }, t("clips.leave")))]);
}
