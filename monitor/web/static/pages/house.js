// How the house is looked after: appearance, access, what is kept, health.

import { get, post, put, remove } from "../api.js";
import { fill, h, icon } from "../base.js";
import { applyTheme } from "../theme.js";
import { house } from "../house.js";
import { attempt, dialog, note } from "../parts/overlay.js";
import { LANGUAGES, language, length, number, percent, ago, t } from "../words.js";
import { drills, following, kept, models, receivers, values } from "../parts/upkeep.js";
import { field } from "./login.js";

/** @param {HTMLElement} view */
export default function housePage(view) {
  const health = h("section", { class: "panel" }, h("h2", null, t("house.health")));
  const access = h("section", { class: "panel" }, h("h2", null, t("house.access")));
  const tokens = h("section", { class: "panel" }, h("h2", null, t("house.tokens")));
  const drill = h("section", { class: "panel" }, h("h2", null, t("drill.title")));
  const mode = h("section", { class: "panel", hidden: true });
  const [told, listen, stored] = [1, 2, 3].map(() => h("section", { hidden: true }));
  view.append(
    h("header", { class: "bar" }, h("h1", null, t("house.title"), " ", h("small", null, house.node))),
    h("div", { class: "columns" },
      h("div", null, mode, told, house.may_change && testing(), drill, health, listen, stored),
      h("div", null, keeps(), access, house.may_change && [settingUp(), tokens], appearance(), house.may_change && support())));
  drawHealth(health);
  drills(drill);
  values(mode);
  get("api/upkeep").then((found) => {
    told.replaceWith(receivers(found));
    listen.replaceWith(models(found));
    stored.replaceWith(kept(found));
  }, () => {});
  drawAccess(access);
  if (house.may_change) drawTokens(tokens);
  return following(mode, values);
}

function appearance() {
  const theme = h("select", { id: "theme", onchange: () => {
    if (theme.value) localStorage.setItem("theme", theme.value);
    else localStorage.removeItem("theme");
    applyTheme();
  } }, [["", "auto"], ["light", "light"], ["dark", "dark"]].map(([value, words]) =>
    h("option", { value, selected: (localStorage.getItem("theme") ?? "") === value }, t(`theme.${words}`))));
  const tongue = h("select", { id: "language", onchange: () => {
    localStorage.setItem("language", tongue.value);
    location.reload();
  } }, Object.entries(LANGUAGES).map(([value, name]) => h("option", { value, lang: value, selected: value === language }, name)));
  return h("section", { class: "panel" }, h("h2", null, t("house.look")), h("div", { class: "stack" },
    field(theme, t("house.theme")), field(tongue, t("house.language")),
    h("p", null, h("a", { href: "#/glance" }, t("house.glance")), " ", h("span", { class: "hint" }, t("house.glance_why"))),
    h("p", null, h("a", { href: "earwitness-card.js", download: "earwitness-card.js" }, t("card.get")), " ", h("span", { class: "hint" }, t("card.get_why")))));
}

function keeps() {
  const kept = house.keeps;
  const lines = [
    kept.history_days ? t("keeps.scores", { n: kept.history_days }) : t("keeps.no_scores"),
    kept.clips ? t("keeps.clips", { n: kept.clip_days }) : t("keeps.no_clips"),
    kept.pictures ? t("keeps.pictures") : t("keeps.no_pictures"),
    (kept.clips || kept.pictures) && (kept.no_speech ? t(kept.mask_speech ? "keeps.masked" : "keeps.no_speech") : t("keeps.speech")),
  ];
  return h("section", { class: "panel" }, h("h2", null, t("house.keeps")),
    h("ul", { class: "lines" }, lines.filter(Boolean).map((line) => h("li", null, line))));
}

function settingUp() {
  return h("section", { class: "panel" }, h("h2", null, t("house.set_up")), h("p", { class: "hint" }, t("house.set_up_why")),
    h("p", null, h("a", { class: "button", href: "#/setup" }, t("house.set_up"))));
}

function testing() {
  return h("section", { class: "panel" }, h("h2", null, t("house.test")), h("p", { class: "hint" }, t("house.test_why")),
    h("button", { type: "button", onclick: async () => {
      if (await attempt(async () => (await post("api/test", {}), true))) note(t("house.tested"));
    } }, icon("alarm"), t("house.test")));
}

/** What somebody who helps may see; first it is read here. */
function support() {
  const show = async () => {
    const found = await attempt(() => get("api/support"));
    if (!found) return;
    dialog(t("support.title"), () => [
      h("p", { class: "hint" }, t("support.read")),
      ...found.files.map((/** @type {any} */ file) => h("details", null, h("summary", null, file.name), h("pre", { tabindex: "0" }, file.text))),
      h("p", null, h("a", { class: "button", href: "api/support.zip", download: "earwitness-support.zip" }, icon("download"), t("support.download")))]);
  };
  return h("section", { class: "panel" }, h("h2", null, t("support.title")), h("p", { class: "hint" }, t("support.why")),
    h("button", { type: "button", onclick: show }, t("support.show")));
}

/** @param {HTMLElement} box */
async function drawHealth(box) {
  const found = await attempt(() => get("api/health"));
  if (!found?.uptime_s) return;
  // What waits for an acknowledgement alone has been delivered.
  const { escalation: _, ...undelivered } = found.delivery?.waiting ?? {};
  const waiting = /** @type {number[]} */ (Object.values(undelivered)).reduce((sum, n) => sum + n, 0);
  const dropped = /** @type {any[]} */ (Object.values(found.queues)).reduce((sum, queue) => sum + queue.dropped, 0);
  const facts = [["house.uptime", length(found.uptime_s)], ["house.cpu", percent(found.cpu_share)],
    ["house.memory", `${number(found.memory_mb, 0)} MB`], ["house.waiting", number(waiting, 0)],
    ["house.dropped", number(dropped, 0)], ["house.zone", house.zone], ["house.version", house.version]];
  fill(box, h("h2", null, t("house.health")), h("dl", { class: "facts" }, facts.map(([key, value]) =>
    h("div", null, h("dt", null, t(key)), h("dd", null, value)))));
}

/** @param {HTMLElement} box */
async function drawAccess(box) {
  const session = await attempt(() => get("api/session"));
  if (!session) return;
  const here = session.via === "here";
  fill(box, h("h2", null, t("house.access")),
    h("p", { class: "hint" }, here ? t("house.open_here")
      : `${t("house.signed_in", { name: session.name || t("house.somebody") })}: ${t(`role.${session.role}`)}.`),
    session.role === "admin" && passwords(here, () => drawAccess(box)),
    session.can_sign_out && h("button", { type: "button", onclick: async () => {
      await attempt(() => remove("api/session"));
      location.reload();
    } }, t("house.sign_out")));
}

/** @param {boolean} first @param {() => void} again */
function passwords(first, again) {
  const password = h("input", { type: "password", id: "new-password", autocomplete: "new-password", minlength: "8", required: true });
  const current = h("input", { type: "password", id: "current-password", autocomplete: "current-password", required: true });
  const viewer = h("input", { type: "checkbox", id: "for-viewers" });
  const form = h("form", { class: "stack", onsubmit: async (/** @type {Event} */ event) => {
    event.preventDefault();
    const done = await attempt(async () => (await put("api/password", { password: password.value,
      current: first ? "" : current.value, role: viewer.checked ? "viewer" : "admin" }), true));
    if (!done) return;
    note(t("house.password_set"));
    form.reset();
    again();
  } },
    !first && field(current, t("house.current")), field(password, t("login.new_password"), t("login.new_hint")),
    !first && h("label", { class: "switch" }, viewer, h("span", null, t("house.viewer_password"))),
    h("button", { type: "submit" }, first ? t("house.set_password") : t("house.change_password")));
  return form;
}

/** @param {HTMLElement} box @param {any} [made] */
async function drawTokens(box, made) {
  const found = await attempt(() => get("api/tokens"));
  if (!found) return;
  const name = h("input", { id: "token-name", maxlength: "60", required: true });
  const scope = h("select", { id: "token-scope", "aria-label": t("house.access") },
    ["read", "write"].map((value) => h("option", { value }, t(`scope.${value}`))));
  fill(box, h("h2", null, t("house.tokens")),
    made && h("p", { class: "made", role: "status" }, t("house.token_once"), " ", h("code", null, made.key)),
    h("ul", { class: "lines" }, found.tokens.map((/** @type {any} */ token) => h("li", { class: "token" },
      h("span", null, token.name, " ", h("small", null, t(`scope.${token.scope}`), ", ",
        token.used_at ? t("house.token_used", { time: ago(token.used_at) }) : t("house.token_unused"))),
      h("button", { type: "button", class: "quiet square", "aria-label": t("house.token_delete", { name: token.name }),
        onclick: async () => {
          await attempt(() => remove(`api/tokens/${token.id}`));
          drawTokens(box);
        } }, icon("cross"))))),
    h("form", { class: "stack", onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      const token = await attempt(() => post("api/tokens", { name: name.value, scope: scope.value }));
      if (token) drawTokens(box, token);
    } }, field(name, t("house.token_name")), scope, h("button", { type: "submit" }, t("house.token_make"))));
}
