// Step 4: what is kept of a sound.

import { h } from "../base.js";
import { t } from "../words.js";

const WAYS = ["nothing", "no_speech", "everything"];

/** @type {import("../pages/setup.js").Step} */
export default function privacy(place, shared) {
  place.append(
    h("fieldset", { class: "ways" }, h("legend", { class: "unseen" }, t("setup.step.privacy")), WAYS.map((one) => h("label", { class: "way" },
      h("input", { type: "radio", name: "privacy", value: one, checked: shared.choices.privacy === one,
        onchange: () => shared.save({ privacy: one }) }),
      h("span", null, h("strong", null, t(`setup.privacy.${one}`)), h("small", null, t(`setup.privacy_why.${one}`)))))),
    h("p", { class: "hint" }, t("setup.privacy_law")));
}
