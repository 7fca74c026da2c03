// Signing in, or the first password.

import { post, Problem, put } from "../api.js";
import { fill, h } from "../base.js";
import { t } from "../words.js";

/**
 * @param {HTMLElement} app
 * @param {any} session
 * @param {() => void} done
 */
export default function login(app, session, done) {
  const first = session.needs === "code";
  const code = h("input", { id: "code", name: "code", autocomplete: "one-time-code", autocapitalize: "characters",
    spellcheck: "false", required: true });
  const password = h("input", { id: "password", name: "password", type: "password", required: true,
    autocomplete: first ? "new-password" : "current-password", minlength: first ? "8" : null });
  const name = h("input", { id: "name", name: "name", autocomplete: "nickname", maxlength: "40" });
  const error = h("p", { class: "error", role: "alert", id: "login-error" });
  const button = h("button", { class: "primary", type: "submit" }, first ? t("login.set") : t("login.enter"));
  const form = h("form", { onsubmit: submit },
    h("img", { src: "icon.svg", alt: "", width: 56, height: 56 }),
    h("h1", null, first ? t("login.first") : t("login.title")),
    first && h("p", null, t("login.code_where"), " ", h("code", null, "journalctl -u earwitness | grep code")),
    first && field(code, t("login.code")),
    field(password, first ? t("login.new_password") : t("login.password"), first ? t("login.new_hint") : ""),
    !first && field(name, t("login.name"), t("login.name_hint")),
    error, button);
  document.title = "earwitness";
  fill(app, h("main", { class: "login" }, form));
  (first ? code : password).focus();

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    error.textContent = "";
    try {
      if (first) await put("api/password", { password: password.value, code: code.value });
      else await post("api/session", { password: password.value, name: name.value });
      done();
    } catch (problem) {
      error.textContent = problem instanceof Problem && problem.status ? problem.message : t("offline");
      password.select();
    } finally {
      button.disabled = false;
    }
  }
}

/**
 * @param {any} input
 * @param {string} label
 * @param {string} [hint]
 */
export function field(input, label, hint = "") {
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input,
    hint && h("small", { id: `${input.id}-hint` }, hint));
}
