// Step 3: which sounds matter, in tiles. Nobody is asked whether a fire does.

import { h, icon } from "../base.js";
import { t } from "../words.js";

/** @type {Record<string, string>} */
const ICONS = { smoke: "alarm", co: "warning", break_in: "glass", baby: "baby", dog: "animal", water: "water", help: "voice", door: "door", washing: "machine" };

/** @type {import("../pages/setup.js").Step} */
export default function matters(place, shared) {
  place.append(h("div", { class: "tiles" }, shared.state.sounds.map(tile)));

  /** @param {string} id */
  function tile(id) {
    const always = shared.state.always.includes(id);
    const chosen = () => always || shared.choices.sounds.includes(id);
    const button = h("button", { type: "button", class: "tile", "aria-pressed": String(chosen()), "aria-disabled": always ? "true" : null,
      onclick: async () => {
        if (always) return;
        const rest = shared.choices.sounds.filter((/** @type {string} */ one) => one !== id);
        await shared.save({ sounds: chosen() ? rest : [...rest, id] });
        button.setAttribute("aria-pressed", String(chosen()));
      } },
      icon(ICONS[id]), h("strong", null, t(`template.${id}`)), h("small", null, t(`template.${id}.why`), always && ` ${t("setup.always")}`));
    return button;
  }
}
