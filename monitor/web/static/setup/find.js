// Step 1: which microphones and cameras there are; say something, and see which one moves.

import { get, post, remove } from "../api.js";
import { fill, h, icon, keyed } from "../base.js";
import { attempt, attemptAt } from "../parts/overlay.js";
import { field } from "../pages/login.js";
import { language, t } from "../words.js";
import { trial } from "./trial.js";

const AT_ONCE = 4;

/** @type {import("../pages/setup.js").Step} */
export default function find(place, shared) {
  /** @type {any[]} */
  let trials = [];
  const microphones = h("div", { class: "sources" }, h("p", { class: "hint" }, t("setup.looking")));
  const cameras = h("div", { class: "sources" });
  const again = h("button", { type: "button", onclick: look }, icon("undo"), t("setup.look_again"));
  place.append(h("h3", null, t("setup.microphones")), microphones, h("p", null, again),
    h("h3", null, t("setup.cameras")), h("p", { class: "hint" }, t("setup.camera_hint")), cameras, newCamera());
  ready();
  drawCameras();
  look();
  return stop;

  function stop() {
    for (const one of trials) one.stop();
    trials = [];
  }

  async function look() {
    stop();
    const found = await attempt(() => get("api/setup/devices"));
    if (!found || !place.isConnected) return;
    fill(microphones, found.devices.length
      ? found.devices.sort((/** @type {any} */ a, /** @type {any} */ b) => Number(b.is_default) - Number(a.is_default))
        .map((/** @type {any} */ one, /** @type {number} */ n) => card("microphone", one.id, one.name, n < AT_ONCE))
      : h("p", { class: "empty" }, found.problem || t("setup.no_microphone")));
  }

  function drawCameras() {
    keyed(cameras, shared.state.cameras, (/** @type {any} */ one) => one.id, (/** @type {any} */ one) => card("camera", one.id, one.shown, true));
  }

  function ready() {
    shared.nudge(shared.choices.sources.length ? "" : t("setup.nothing_chosen"));
  }

  /** @param {string} kind @param {string} device @param {string} name @param {boolean} tried */
  function card(kind, device, name, tried) {
    const key = `${kind}-${device}`.replace(/[^\w]/g, "-");
    const known = () => shared.choices.sources.find((/** @type {any} */ one) => one.kind === kind && one.device === device);
    const box = h("input", { type: "checkbox", id: `use-${key}`, checked: Boolean(known()), onchange: choose });
    const room = h("input", { id: `room-${key}`, maxlength: "40", value: known()?.room ?? "", autocomplete: "off", oninput: name_it, onchange: () => shared.save({}) });
    const named = h("div", { hidden: !known() }, field(room, t("setup.room"), t("setup.room_hint")));
    const meter = h("div");
    /** @type {any} */
    let running;
    const start = () => {
      running?.stop();
      const one = running = trial({ kind, device, name }, { again: true });
      trials.push(one);
      fill(meter, one);
    };
    if (tried) start();
    else fill(meter, h("button", { type: "button", onclick: start }, t("setup.try")));
    const made = h("article", { class: "panel source" },
      h("div", { class: "choice-head" }, h("label", { class: "switch", for: box.id }, box, h("strong", null, name)),
        kind === "camera" && h("button", { type: "button", class: "quiet square", "aria-label": t("setup.camera_drop", { name }), onclick: drop }, icon("cross"))),
      meter, named);
    /** Who adds a camera means it to be heard; one that was here has another password now. @param {boolean} was */
    made.use = (was) => {
      if (was) start();
      box.checked = true;
      return choose();
    };
    return made;

    async function choose() {
      const others = shared.choices.sources.filter((/** @type {any} */ one) => one.kind !== kind || one.device !== device);
      if (box.checked && !room.value) room.value = t(others.length ? "setup.room_number" : "setup.room_first", { n: others.length + 1 });
      named.hidden = !box.checked;
      if (box.checked) {
        room.focus();
        room.select();
      }
      await shared.save({ sources: box.checked ? [...others, { kind, device, room: room.value.trim() || name.slice(0, 40), judged: [] }] : others });
      ready();
    }

    /** At once, so that whatever is kept next has it. */
    function name_it() {
      const one = known();
      if (one && room.value.trim()) one.room = room.value.trim();
    }

    async function drop() {
      if (!(await attempt(async () => (await remove(`api/setup/cameras/${device}`), true)))) return;
      await shared.reload();
      drawCameras();
      ready();
    }
  }

  function newCamera() {
    const address = h("input", { id: "camera-address", type: "text", inputmode: "url", autocomplete: "off", spellcheck: "false",
      required: true, maxlength: "500", placeholder: "rtsp://" });
    const refused = h("div", { role: "alert" });
    return h("form", { class: "stack", onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      const kept = await attemptAt(address, refused, () => post(`api/setup/cameras?lang=${language}`, { address: address.value }));
      if (!kept) return;
      const was = shared.state.cameras.some((/** @type {any} */ one) => one.id === kept.id);
      address.value = "";
      await shared.reload();
      drawCameras();
      /** @type {any[]} */ (Array.from(cameras.children)).find((one) => one.key === kept.id)?.use(was);
    } }, field(address, t("setup.camera_address"), t("setup.camera_address_hint")), refused, h("button", { type: "submit" }, t("setup.camera_add")));
  }
}
