// A rule is made or changed: slots on one side, the YAML on the other, errors at their slot, tried before applied.

import { get, post, put } from "../api.js";
import { fill, h, icon } from "../base.js";
import { house } from "../house.js";
import { attempt, note } from "../parts/overlay.js";
import { tried } from "../parts/whatif.js";
import { labelName, language, roomName, t } from "../words.js";
import { field } from "./login.js";

const WAIT_MS = 400;
const DAYS = [1, 3, 7];
const SEVERITIES = ["info", "warning", "critical"];
const NUMBERS = ["cooldown_s", "lasts_s", "count", "within_s", "min_score"];

/** @param {HTMLElement} view @param {{id: string, params: URLSearchParams}} route */
export default function rulePage(view, route) {
  const place = h("div");
  const title = h("h1", null, t("rule_edit.new"));
  view.append(h("a", { class: "back", href: "#/rules" }, icon("left"), t("rules.all")), h("header", { class: "bar" }, title), place);
  if (!house.may_change) {
    place.append(h("p", { class: "empty" }, t("setup.admins")));
    return;
  }
  begin();

  async function begin() {
    const found = await attempt(() => get(`api/rules/templates?lang=${language}`));
    if (!found) return;
    if (route.id === "new" && route.params.has("label")) return of(String(route.params.get("label")), route.params.get("source"), found.notifiers);
    if (route.id === "new") return choose(found);
    const rules = await attempt(() => get(`api/rules?lang=${language}`));
    const rule = rules?.rules.find((/** @type {any} */ one) => one.name === route.id);
    if (!rule) return fill(place, h("p", { class: "empty" }, t("rule_edit.gone")));
    title.textContent = rule.name;
    const checked = await attempt(() => post(`api/rules/check?lang=${language}`, { yaml: rule.yaml, replaces: rule.name }));
    if (checked) editor(place, checked, found.notifiers, rule.name);
    return undefined;
  }

  /** A rule that a sound of a room has begun. @param {string} label @param {string | null} source @param {string[]} notifiers */
  function of(label, source, notifiers) {
    const name = source ? `${labelName(label)}, ${roomName(source)}` : labelName(label);
    return start({ name, hear: [label], ...(source && { sources: [source] }) }, notifiers);
  }

  /** @param {any} rule @param {string[]} notifiers */
  async function start(rule, notifiers) {
    const checked = await attempt(() => post(`api/rules/check?lang=${language}`, { rule }));
    if (!checked) return;
    editor(place, checked, notifiers, null);
    scrollTo(0, 0);
  }

  /** @param {any} found */
  function choose(found) {
    fill(place, h("p", { class: "hint" }, t("rule_edit.template_hint")), h("div", { class: "tiles" }, found.templates.map((/** @type {any} */ one) =>
      h("button", { type: "button", class: "tile", onclick: () => preview(one, found.notifiers) },
        h("strong", null, t(`template.${one.id}`)), h("small", null, t(`template.${one.id}.why`)))),
    h("button", { type: "button", class: "tile", onclick: () => start({ name: t("rule_edit.new"), hear: ["doorbell"] }, found.notifiers) },
      h("strong", null, t("rule_edit.blank")), h("small", null, t("rule_edit.blank_why")))));
  }

  /** @param {any} template @param {string[]} notifiers */
  function preview(template, notifiers) {
    title.textContent = t(`template.${template.id}`);
    scrollTo(0, 0);
    fill(place, h("ul", { class: "sources" }, template.texts.map((/** @type {string} */ text, /** @type {number} */ n) =>
      h("li", { class: "panel rule" }, h("h2", null, template.rules[n].name), h("p", null, text),
        h("p", { class: "acts" }, h("button", { type: "button", onclick: () => start(template.rules[n], notifiers) }, t("rule_edit.adjust")))))),
      h("p", { class: "acts" }, h("button", { type: "button", class: "primary", onclick: async () => {
        if (!(await attempt(async () => (await put("api/rules", { rules: template.rules }), true)))) return;
        note(t("rule_edit.applied"));
        location.hash = "#/rules";
      } }, icon("check"), t("rule_edit.apply_all", { n: template.rules.length }))));
  }
}

/**
 * @param {HTMLElement} place
 * @param {any} checked
 * @param {string[]} notifiers
 * @param {string | null} replaces
 */
function editor(place, checked, notifiers, replaces) {
  let rule = checked.rule ?? {};
  let timer = 0;
  let turn = 0;
  const sentence = h("p", { class: "rule-sentence", role: "status" });
  const errors = h("div");
  const lines = h("div", { role: "status" });
  const text = h("textarea", { id: "rule-yaml", rows: "10", spellcheck: "false", oninput: () => later({ yaml: text.value }) });
  const slots = h("div", { class: "slots" });
  const apply = h("button", { type: "button", class: "primary", onclick: put_in_force }, icon("check"), t("sounds.apply"));
  const wrong = h("p", { class: "error", hidden: true }, h("button", { type: "button", class: "quiet", onclick: () =>
    place.querySelector("[data-slot] .error, .error")?.scrollIntoView({ block: "center", behavior: "smooth" }) }, icon("warning"), t("rule_edit.wrong")));
  const days = h("select", { id: "rule-days" }, DAYS.map((n) => h("option", { value: n }, t("try.days", { n }))));
  const concerns = (/** @type {any} */ outcome) => (outcome.kind === "alert" ? [rule.name, replaces].includes(outcome.rule) : false);
  fill(place,
    h("section", { class: "panel" }, sentence, errors, slots,
      h("details", null, h("summary", null, t("rules.yaml")), field(text, t("rule_edit.yaml"), t("rule_edit.yaml_hint")), lines)),
    h("section", { class: "panel" }, h("h2", null, t("rule_edit.dry")), h("p", { class: "hint" }, t("try.hint")), field(days, t("try.how_long")),
      tried("api/rules/try", () => ({ rule, replaces, days: Number(days.value) }), concerns)),
    wrong, h("p", { class: "acts" }, apply,
      replaces !== null && h("button", { type: "button", onclick: off }, icon("mute"), t("rule_edit.off"))));
  draw();
  show(checked, true);

  /** Ask the daemon once nobody types any more. @param {any} draft */
  function later(draft) {
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      const mine = ++turn;
      const found = await attempt(() => post(`api/rules/check?lang=${language}`, { ...draft, replaces }));
      if (found && mine === turn && place.isConnected) show(found, !("yaml" in draft), "yaml" in draft);
    }, WAIT_MS);
  }

  /** @param {any} found @param {boolean} write @param {boolean} [redraw] */
  function show(found, write, redraw = false) {
    if (found.rule) rule = found.rule;
    if (redraw && found.rule) draw();
    if (write) text.value = found.yaml;
    sentence.textContent = found.text;
    const fatal = found.findings.some((/** @type {any} */ one) => one.fatal);
    apply.disabled = fatal || !found.rule;
    wrong.hidden = !fatal;
    for (const box of slots.querySelectorAll("[data-slot]")) fill(box);
    const rest = found.findings.filter((/** @type {any} */ one) => {
      const box = slots.querySelector(`[data-slot="${one.slot.split(/[.[]/)[0]}"]`);
      if (box) box.append(finding(one));
      return !box;
    });
    fill(errors, rest.map(finding));
    fill(lines, found.findings.filter((/** @type {any} */ one) => one.fatal && one.line).map(atLine));
  }

  function draw() {
    fill(slots, slot("name", line("name")), slot("hear", sounds()), slot("sources", rooms()), slot("severity", severity()),
      slot("between", line("between"), t("rule_edit.between_hint")), slot("notify", people()),
      ...NUMBERS.map((key) => slot(key, line(key, true))));
  }

  /** @param {string} key @param {any} control @param {string} [hint] */
  function slot(key, control, hint = "") {
    return h("div", null, control.id ? field(control, t(`slot.${key}`), hint) : control, h("div", { "data-slot": key, role: "alert" }));
  }

  /** @param {string} key @param {any} value */
  function set(key, value) {
    if (value === "" || value === null || (Array.isArray(value) && !value.length && key !== "hear" && key !== "notify")) delete rule[key];
    else rule[key] = value;
    later({ rule });
  }

  /** @param {string} key @param {boolean} [number] */
  function line(key, number = false) {
    const box = h("input", { id: `slot-${key}`, value: rule[key] ?? "", maxlength: "80", autocomplete: "off", inputmode: number ? "decimal" : "text",
      oninput: () => set(key, number && box.value !== "" && !Number.isNaN(Number(box.value)) ? Number(box.value) : box.value) });
    return box;
  }

  function severity() {
    const box = h("select", { id: "slot-severity", onchange: () => set("severity", box.value) }, h("option", { value: "" }, t("rule_edit.by_sound")),
      SEVERITIES.map((one) => h("option", { value: one, selected: rule.severity === one }, t(`severity.${one}`))));
    return box;
  }

  function sounds() {
    const hears = () => /** @type {string[]} */ (rule.hear ?? []);
    if (rule.any) return h("p", { class: "hint" }, t("rule_edit.several"));
    const rest = house.labels.map((/** @type {any} */ one) => one.id).filter((/** @type {string} */ id) => !hears().includes(id))
      .sort((/** @type {string} */ a, /** @type {string} */ b) => labelName(a).localeCompare(labelName(b)));
    const more = h("select", { id: "slot-hear", onchange: () => {
      set("hear", [...hears(), more.value]);
      draw();
    } }, h("option", { value: "" }, t("rule_edit.add_sound")), rest.map((/** @type {string} */ id) => h("option", { value: id }, labelName(id))));
    return h("div", { class: "stack" }, field(more, t("slot.hear")), h("div", { class: "acts" }, hears().map((id) =>
      h("button", { type: "button", "aria-label": t("rule_edit.without", { what: labelName(id) }), onclick: () => {
        set("hear", hears().filter((one) => one !== id));
        draw();
      } }, labelName(id), icon("cross")))));
  }

  /** @param {string} key @param {string[]} names @param {(name: string) => string} word */
  function several(key, names, word) {
    const chosen = () => /** @type {string[]} */ (rule[key] ?? []);
    return h("fieldset", { class: "ways" }, h("legend", null, t(`slot.${key}`)), names.length ? names.map((name) => h("label", { class: "switch" },
      h("input", { type: "checkbox", checked: chosen().includes(name), onchange: (/** @type {any} */ event) =>
        set(key, event.target.checked ? [...chosen(), name] : chosen().filter((one) => one !== name)) }), h("span", null, word(name))))
      : h("p", { class: "hint" }, t("rule_edit.nobody")));
  }

  function rooms() {
    return several("sources", house.sources.map((/** @type {any} */ one) => one.name), roomName);
  }

  function people() {
    const ticks = several("notify", notifiers, (name) => name);
    const everybody = h("p", { class: "hint" }, t("rule_edit.everybody"));
    if (notifiers.length && !rule.notify) ticks.append(everybody);
    ticks.addEventListener("change", () => everybody.remove());
    return ticks;
  }

  async function put_in_force() {
    if (!(await attempt(async () => (await put("api/rules", { rules: [rule], replaces }), true)))) return;
    note(t("rule_edit.applied"));
    location.hash = "#/rules";
  }

  async function off() {
    if (!(await attempt(async () => (await post("api/rules/off", { name: replaces }), true)))) return;
    note(t("rule_edit.is_off"));
    location.hash = "#/rules";
  }
}

/** @param {any} one */
const finding = (one) => h("p", { class: one.fatal ? "error" : "hint" }, one.text);

/** The same beside the YAML, where lines can be counted. @param {any} one */
const atLine = (one) => h("p", { class: "error" }, t("rule_edit.line", { n: one.line }), " ", one.text);
