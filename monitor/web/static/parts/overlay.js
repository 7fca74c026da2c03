// What lies above the page: short notes with an undo, questions, the keys; and what screen readers are told.

import { Problem } from "../api.js";
import { fill, h, icon } from "../base.js";
import { t } from "../words.js";

export const polite = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
export const urgent = h("div", { class: "unseen", role: "alert", "aria-live": "assertive" });

let timer = 0;

/**
 * A note at the lower edge that goes by itself.
 * @param {string} words
 * @param {() => void} [undo]
 */
export function note(words, undo) {
  let box = document.getElementById("note");
  if (!box) {
    box = h("div", { id: "note", role: "status" });
    document.body.append(/** @type {HTMLElement} */ (box));
  }
  const shown = /** @type {HTMLElement} */ (box);
  fill(shown, h("span", null, words), undo && h("button", { type: "button", onclick: () => (close(), undo()) },
    icon("undo"), t("undo")));
  shown.classList.add("shown");
  clearTimeout(timer);
  timer = window.setTimeout(close, undo ? 8000 : 4000);
  function close() {
    shown.classList.remove("shown");
    fill(shown);
  }
}

/** Stands where a list will be, until it is there: an empty place would look like an empty list. */
export const waiting = () => h("div", { class: "waiting", role: "status" }, h("span", { class: "unseen" }, t("loading")),
  [1, 2, 3].map(() => h("span", { class: "bone", "aria-hidden": "true" })));

/**
 * Do something, and show what the daemon says where it refuses.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    note(error instanceof Problem && error.status ? error.message : t("offline"));
    return undefined;
  }
}

/**
 * The same, with what the daemon refuses below the control that it is about, until the next try.
 * @template T
 * @param {HTMLElement} control
 * @param {Element} box
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
export async function attemptAt(control, box, work) {
  fill(box);
  control.removeAttribute("aria-invalid");
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem) || !error.status) return void note(t("offline"));
    fill(box, h("p", { class: "error" }, icon("warning"), " ", error.message));
    control.setAttribute("aria-invalid", "true");
    control.focus();
    return undefined;
  }
}

/**
 * A dialog with a title; closes with Escape and as the page changes under it, and gives focus back by itself.
 * @param {string} title
 * @param {(close: () => void) => any[]} body
 */
export function dialog(title, body) {
  const box = h("dialog", { "aria-labelledby": "dialog-title" });
  const close = () => box.close();
  box.append(
    h("header", null, h("h2", { id: "dialog-title" }, title),
      h("button", { type: "button", class: "quiet square", "aria-label": t("close"), onclick: close }, icon("cross"))),
    ...body(close));
  window.addEventListener("hashchange", close);
  box.addEventListener("close", () => (window.removeEventListener("hashchange", close), box.remove()));
  box.addEventListener("click", (/** @type {Event} */ event) => event.target === box && close());
  document.body.append(box);
  box.showModal();
}

/**
 * A button that opens a short list of choices.
 * @param {string} label
 * @param {Node[]} content
 * @param {() => [string, () => void][]} choices
 * @param {string} [look]
 */
export function menu(label, content, choices, look = "quiet") {
  const button = h("button", { type: "button", class: look, "aria-haspopup": "menu", "aria-expanded": "false",
    "aria-label": label, onclick: open }, content);
  function open() {
    const list = h("div", { class: "menu", role: "menu", popover: "auto", "aria-label": label });
    for (const [words, act] of choices()) {
      list.append(h("button", { type: "button", role: "menuitem", onclick: () => (list.hidePopover(), act()) }, words));
    }
    list.addEventListener("toggle", (/** @type {any} */ event) => {
      button.setAttribute("aria-expanded", String(event.newState === "open"));
      if (event.newState === "closed") {
        list.remove();
        if (button.isConnected) button.focus();
      }
    });
    list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const items = [...list.children];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const here = items.indexOf(/** @type {any} */ (document.activeElement));
      /** @type {HTMLElement} */ (items[(here + step + items.length) % items.length]).focus();
    });
    document.body.append(list);
    list.showPopover();
    const at = button.getBoundingClientRect();
    const width = list.offsetWidth;
    list.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    const below = at.bottom + 4;
    list.style.top = `${below + list.offsetHeight > innerHeight ? at.top - list.offsetHeight - 4 : below}px`;
    list.firstElementChild?.focus();
  }
  return button;
}

/** The keys that there are. */
export function help() {
  const keys = [["1 … 6", "keys.places"], ["j k", "keys.move"], ["Enter", "keys.open"], ["Space", "keys.play"],
    ["y", "keys.right"], ["n", "keys.wrong"], ["u", "keys.unsure"], ["z", "keys.undo"], ["x", "keys.select"],
    ["/", "keys.search"], ["?", "keys.help"]];
  dialog(t("help.keys"), () => [
    h("dl", { class: "keys" }, keys.map(([key, words]) => [
      h("dt", null, key.split(" ").map((one) => h("kbd", null, one))), h("dd", null, t(words))])),
  ]);
}
