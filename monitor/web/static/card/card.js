// A card for Home Assistant's dashboards. It reads Home Assistant's entities and calls its actions; nothing else.

import { fill, h, icon, keyed } from "../base.js";
import { alertBox } from "../parts/alert.js";
import { alarmsIn, stateOf } from "../parts/room.js";
import { houseZone, LANGUAGES, t, useWords } from "../words.js";
import { ICONS, STYLE, WORDS } from "./given.js";
import { alertOf, isThere, nodesOf, readBy, roomOf, troubleOf } from "./house.js";

const AGAIN_MS = 20_000;
const TYPE = "earwitness-card";

/** Home Assistant's registry as it was asked for, once for all cards. @type {WeakMap<object, Promise<any>>} */
const asked = new WeakMap();

/** @param {string} wanted as in `de` or `de-CH` */
function speak(wanted) {
  const chosen = wanted.slice(0, 2);
  const known = chosen in LANGUAGES ? chosen : "en";
  useWords(known, WORDS[known]);
}

class EarwitnessCard extends HTMLElement {
  constructor() {
    super();
    this._head = h("div", { class: "head" });
    this._wrong = h("ul", { class: "wrong" });
    this._alerts = h("div", { class: "alerts", role: "alert" });
    this._rooms = h("div", { class: "rooms" });
    this._said = h("p", { class: "said", role: "status" });
    const sprite = new DOMParser().parseFromString(ICONS, "image/svg+xml").documentElement;
    this.attachShadow({ mode: "open" }).append(
      h("style", null, STYLE), document.importNode(sprite, true),
      h("ha-card", null, this._head, this._wrong, this._alerts, this._rooms, this._said));
    /** @type {any} */
    this._hass = null;
    /** @type {any} */
    this._config = {};
    /** @type {Map<string, any> | null} */
    this._known = null;
    /** @type {object | null} */
    this._registry = null;
    /** @type {any[]} */
    this._drawn = [];
    this._timer = 0;
  }

  connectedCallback() {
    this._timer = window.setInterval(() => this._draw(), AGAIN_MS);
  }

  disconnectedCallback() {
    clearInterval(this._timer);
  }

  /** @param {any} config */
  setConfig(config) {
    this._config = config ?? {};
    this._drawn = [];
    this._draw();
  }

  /** Home Assistant sets it at every change of anything. @param {any} hass */
  set hass(hass) {
    this._hass = hass;
    if (hass.entities !== this._registry) this._ask(hass);
    const now = [hass.language, hass.locale, hass.devices, ...(this._known ? readBy(this._nodes()) : []).map((id) => hass.states[id])];
    if (now.length === this._drawn.length && now.every((one, place) => one === this._drawn[place])) return;
    this._drawn = now;
    this._draw();
  }

  getCardSize() {
    return 2 + 2 * this._rooms.childElementCount + 3 * this._alerts.childElementCount;
  }

  getGridOptions() {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  static getStubConfig() {
    return {};
  }

  static getConfigForm() {
    speak(document.documentElement.lang || navigator.language);
    const node = { integration: "mqtt", manufacturer: "earwitness", model: "Listening daemon" };
    return {
      schema: [{ name: "title", selector: { text: {} } }, { name: "device", selector: { device: { filter: [node] } } }],
      computeLabel: (/** @type {any} */ one) => t(`card.form.${one.name}`),
    };
  }

  /** @param {any} hass */
  async _ask(hass) {
    const registry = (this._registry = hass.entities);
    if (!asked.has(registry)) asked.set(registry, hass.callWS({ type: "config/entity_registry/list" }));
    try {
      const entries = await asked.get(registry);
      if (registry !== this._registry) return;
      this._known = nodesOf(entries);
    } catch {
      asked.delete(registry);
      this._registry = null;
    }
    this._drawn = [];
    this._draw();
  }

  /** @returns {any[]} */
  _nodes() {
    const wanted = this._config.device;
    return [...(this._known?.values() ?? [])].filter((node) => !wanted || node.device === wanted);
  }

  _draw() {
    const hass = this._hass;
    if (!hass || !this._known) return;
    speak(hass.language ?? "en");
    houseZone(hass.locale?.time_zone === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : hass.config.time_zone);
    const nodes = this._nodes();
    const rooms = nodes.flatMap((node) => [...node.rooms].map(([name, room]) => roomOf(hass, `${node.id}.${name}`, room)));
    const alerts = nodes.map((node) => alertOf(hass, node)).filter(Boolean);
    this._drawHead(alerts, this._whatIsWrong(nodes, rooms), alarmsIn(rooms, (room) => room.title));
    keyed(this._alerts, alerts, (alert) => `${alert.id} ${alert.count} ${hass.language}`, (alert) => this._alert(alert));
    keyed(this._rooms, rooms, (room) => room.name, (room) => this._room(room));
  }

  /**
   * @param {any[]} nodes
   * @param {any[]} rooms
   * @returns {string[]}
   */
  _whatIsWrong(nodes, rooms) {
    if (!nodes.length) return [t("card.none")];
    return [
      ...nodes.filter((node) => !isThere(this._hass, node)).map((node) => t("card.gone", { node: node.id })),
      ...nodes.flatMap((node) => troubleOf(this._hass, node)),
      ...rooms.flatMap((room) => room.problems.map((/** @type {string} */ kind) =>
        t("now.problem", { room: room.title, what: t(`problem.${kind}`) }))),
    ];
  }

  /**
   * @param {any[]} alerts
   * @param {string[]} wrong
   * @param {string} sounding
   */
  _drawHead(alerts, wrong, sounding) {
    const open = alerts.reduce((sum, alert) => sum + alert.count, 0);
    const isGrave = alerts.some((alert) => alert.severity === "critical") || sounding !== "";
    this._head.className = `head ${isGrave ? "alarm" : open || wrong.length ? "unwell" : ""}`;
    const headline = open ? t("now.open", { n: open }) : sounding ? t("now.sounding", { what: sounding })
      : t(wrong.length ? "now.not_well" : "now.well");
    fill(this._head, icon(open || isGrave || wrong.length ? "warning" : "check"),
      h("h2", null, this._config.title ? `${this._config.title}: ` : "", headline));
    fill(this._wrong, wrong.map((words) => h("li", null, words)));
  }

  /** @param {any} alert */
  _alert(alert) {
    const press = (/** @type {string} */ key, /** @type {string} */ words) => () =>
      this._act("button", "press", alert.node.ids[key], words);
    const all = alert.count > 1 ? t("card.acknowledge_all", { n: alert.count }) : t("alert.acknowledge");
    /** @type {[string, () => any][]} */
    const acts = [];
    if (alert.node.ids.acknowledge) acts.push([all, press("acknowledge", t("alert.acknowledged"))]);
    if (alert.node.ids.nothing) acts.push([t("alert.nothing"), press("nothing", t("alert.noted_nothing"))]);
    return alertBox(alert, h("p", null, alert.message), acts);
  }

  /** @param {any} room */
  _room(room) {
    const name = h("button", { type: "button", onclick: () => this._show(card.room.ids.last_sound ?? card.room.ids.connection) });
    const mute = h("button", { type: "button", class: "quiet square", onclick: () => this._mute(card.room) });
    const state = h("p", { class: "state" });
    const card = h("article", { class: "room" }, h("header", null, h("h3", null, name), mute), state);
    card.update = (/** @type {any} */ now) => {
      card.room = now;
      card.classList.toggle("lost", now.online === false);
      fill(name, now.title);
      const words = t(now.muted ? "mute.off" : "mute.on", { room: now.title });
      fill(mute, icon(now.muted ? "unmute" : "mute"));
      mute.title = words;
      mute.setAttribute("aria-label", words);
      mute.hidden = !now.ids.mute;
      fill(state, stateOf(now));
    };
    card.update(room);
    return card;
  }

  /** @param {any} room */
  _mute(room) {
    const words = t(room.muted ? "mute.undone" : "mute.done", { room: room.title });
    return this._act("switch", room.muted ? "turn_off" : "turn_on", room.ids.mute, words);
  }

  /**
   * Have Home Assistant act on an entity, and say what came of it.
   * @param {string} domain
   * @param {string} service
   * @param {string} entity
   * @param {string} done
   */
  async _act(domain, service, entity, done) {
    try {
      await this._hass.callService(domain, service, { entity_id: entity });
      this._said.textContent = done;
    } catch (error) {
      this._said.textContent = /** @type {any} */ (error)?.message ?? t("offline");
    }
  }

  /** Home Assistant's own dialog of an entity. @param {string} entityId */
  _show(entityId) {
    this.dispatchEvent(new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }));
  }
}

speak(document.documentElement.lang || navigator.language);
if (!customElements.get(TYPE)) customElements.define(TYPE, EarwitnessCard);
const known = (/** @type {any} */ (window).customCards ??= []);
known.push({ type: TYPE, name: "Earwitness", description: t("card.description"), preview: true,
  documentationURL: "https://github.com/earwitness/earwitness/blob/main/docs/guides/homeassistant.md" });
