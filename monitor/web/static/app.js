// Begins here: signs in, shows the page that the address names, and keeps what all pages share.

import { get, signIn } from "./api.js";
import { fill, h, icon } from "./base.js";
import { feed } from "./feed.js";
import { changes, entitle, house, loadHouse } from "./house.js";
import { loadWords } from "./language.js";
import nowPage from "./pages/now.js";
import { help, polite, urgent } from "./parts/overlay.js";
import { applyTheme } from "./theme.js";
import { labelName, roomName, ruleName, t } from "./words.js";

const PLACES = [
  { hash: "#/", name: "now", icon: "now" },
  { hash: "#/timeline", name: "timeline", icon: "timeline" },
  { hash: "#/sounds", name: "sounds", icon: "sounds" },
  { hash: "#/rules", name: "rules", icon: "rules" },
  { hash: "#/sources", name: "sources", icon: "sources" },
  { hash: "#/house", name: "house", icon: "house" },
];

/** @type {Record<string, () => Promise<{default: (view: HTMLElement, route: Route) => (() => void) | void}>>} */
const PAGES = {
  "": async () => ({ default: nowPage }),
  timeline: () => import("./pages/timeline.js"),
  event: () => import("./pages/event.js"),
  sounds: () => import("./pages/sounds.js"),
  rules: () => import("./pages/rules.js"),
  sources: () => import("./pages/sources.js"),
  house: () => import("./pages/house.js"),
  nodes: () => import("./pages/nodes.js"),
  glance: () => import("./pages/glance.js"),
  setup: () => import("./pages/setup.js"),
  rule: () => import("./pages/rule.js"),
};

/** @typedef {{page: string, id: string, params: URLSearchParams}} Route */

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
/** @type {(() => void) | void} */
let leave;
let showing = 0;

/** @returns {Route} */
function route() {
  const [path, search] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, id] = path.split("/");
  return { page, id: decodeURIComponent(id ?? ""), params: new URLSearchParams(search ?? "") };
}

async function begin() {
  applyTheme();
  // Side by side: each waits for the network as long as the other.
  const [session] = await Promise.all([get("api/session").catch(() => null), loadWords()]);
  if (!session) return fill(app, h("main", { class: "lost" }, h("h1", null, t("lost.title")), h("p", null, t("lost.fix"))));
  if (!session.signed_in) return (await import("./pages/login.js")).default(app, session, begin);
  await loadHouse();
  frame();
  // Whoever has set nothing up yet begins there, and may leave it; the demo is looked at first.
  if (!house.is_set_up && !house.is_demo && house.may_change && !location.hash) history.replaceState(null, "", "#/setup");
  await show();
  feed.start();
}

function frame() {
  const links = PLACES.map((place) =>
    h("a", { href: place.hash, "data-place": place.name }, icon(place.icon), h("span", null, t(`place.${place.name}`))),
  );
  fill(
    app,
    h("a", { class: "skip", href: "#view", onclick: skip }, t("skip")),
    h("nav", { class: "places", "aria-label": t("place.all") },
      h("div", { class: "brand" }, h("img", { src: "icon.svg", alt: "", width: 28, height: 28 }), h("span", null, "earwitness")),
      links,
      h("button", { class: "quiet keys", type: "button", onclick: help }, icon("help"), h("span", null, t("help.keys")))),
    h("div", { class: "offline", id: "offline", role: "status", hidden: true }),
    h("div", { class: "offline", id: "listened", role: "status", hidden: true }),
    h("main", { id: "view", tabindex: "-1" }),
    polite, urgent);
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("view")?.focus();
}

async function show() {
  const now = route();
  const load = PAGES[now.page] ?? PAGES[""];
  const turn = ++showing;
  leave?.();
  leave = undefined;
  const { default: page } = await load();
  if (turn !== showing) return;
  const view = /** @type {HTMLElement} */ (document.getElementById("view"));
  fill(view);
  view.className = `page-${now.page || "now"}`;
  for (const link of document.querySelectorAll(".places a")) {
    const name = /** @type {HTMLElement} */ (link).dataset.place;
    const here = name === (now.page || "now") || (name === "timeline" && now.page === "event") || (name === "rules" && now.page === "rule")
      || (name === "house" && now.page === "setup") || (name === "now" && now.page === "nodes");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  leave = page(view, now);
  const title = view.querySelector("h1");
  entitle(view);
  if (turn > 1 && title) {
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

signIn.ended = () => {
  feed.stop();
  begin();
};
addEventListener("hashchange", () => house && show());
changes.addEventListener("change", () => {
  const live = document.getElementById("listened");
  if (live && house) {
    const rooms = house.sources.filter((/** @type {any} */ one) => one.listened).map((/** @type {any} */ one) => roomName(one.name));
    live.hidden = !rooms.length;
    const words = rooms.length ? t("listen.somebody", { rooms: rooms.join(", ") }) : "";
    if (live.textContent !== words) live.textContent = words;
  }
  const note = document.getElementById("offline");
  if (note) {
    note.hidden = feed.connected || !house;
    note.textContent = note.hidden ? "" : t("offline");
  }
});
feed.addEventListener("alert", (message) => {
  const alert = /** @type {CustomEvent} */ (message).detail;
  (alert.severity === "critical" ? urgent : polite).textContent = `${ruleName(alert.rule)}: ${alert.message}`;
});
feed.addEventListener("event", (message) => {
  const event = /** @type {CustomEvent} */ (message).detail;
  if (event.state === "started") polite.textContent = `${labelName(event.label)}, ${roomName(event.source)}`;
});
addEventListener("keydown", (event) => {
  const typing = event.target instanceof Element && event.target.closest("input, select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") help();
  const place = PLACES[Number(event.key) - 1];
  if (place) location.hash = place.hash;
});

// After an update a page that was open gets parts of both versions, and this one a second time: begin anew.
if (document.documentElement.dataset.begun) location.reload();
else {
  document.documentElement.dataset.begun = "1";
  begin();
}
