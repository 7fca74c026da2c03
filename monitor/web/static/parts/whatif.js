// The last days decided again with something changed: progress, a way to end it, and what would be another.

import { lines, post } from "../api.js";
import { fill, h, icon } from "../base.js";
import { labelName, longDay, number, roomName, shortClock, t } from "../words.js";

const SHOWN = 60;

/**
 * A button that tries a change, and the outcome below it.
 * @param {() => {days: number, changes: string[]}} wanted
 * @param {(outcome: any) => boolean} concerns which outcomes are listed
 */
export const whatIf = (wanted, concerns) => tried("api/whatif", wanted, concerns);

/**
 * @param {string} path
 * @param {() => any} wanted
 * @param {(outcome: any) => boolean} concerns
 */
export function tried(path, wanted, concerns) {
  const bar = h("progress", { max: 1, value: 0, "aria-label": t("try.progress") });
  const outcome = h("div", { class: "outcome", role: "status" });
  /** @type {AbortController | undefined} */
  let running;
  const button = h("button", { type: "button", onclick: start }, icon("rules"), t("try.start"));
  const cancel = h("button", { type: "button", onclick: () => running?.abort() }, icon("cross"), t("try.cancel"));
  const box = h("div", { class: "try" }, h("p", { class: "acts" }, button), outcome);
  readyFor(box);
  return box;

  async function start() {
    const mine = (running = new AbortController());
    // Whoever leaves the page ends it, too.
    const gone = new MutationObserver(() => box.isConnected || mine.abort());
    gone.observe(document.body, { childList: true, subtree: true });
    bar.removeAttribute("value");
    fill(outcome, bar, cancel);
    button.disabled = true;
    try {
      await lines(path, wanted(), mine.signal, (line) => {
        if (line.progress !== undefined) bar.setAttribute("value", String(line.progress));
        if (line.problems) fill(outcome, h("p", { class: "error" }, line.problems.join("; ")));
        if (line.outcomes) fill(outcome, shown(line.outcomes, concerns));
      });
    } catch (error) {
      fill(outcome, h("p", null, mine.signal.aborted ? t("try.cancelled") : /** @type {Error} */ (error).message || t("offline")));
    } finally {
      gone.disconnect();
      button.disabled = false;
    }
  }
}

/** The daemon's process for it takes a second or two to begin: ask for it as soon as this is seen. @param {Element} box */
export function readyFor(box) {
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    post("api/whatif/ready").catch(() => {});
  }).observe(box);
}

/** @param {any[]} outcomes @param {(outcome: any) => boolean} concerns */
function shown(outcomes, concerns) {
  const own = outcomes.filter((one) => one.kind !== "same events" && concerns(one));
  const alerts = own.filter((one) => one.kind === "alert");
  const count = (/** @type {any[]} */ all, /** @type {string} */ change) => all.filter((one) => one.change === change).length;
  const events = own.filter((one) => one.kind === "event");
  const other = own.filter((one) => one.change !== "as before").reverse();
  return [
    h("p", null, h("strong", null, t("try.alerts", { n: alerts.length - count(alerts, "gone"), before: alerts.length - count(alerts, "new") })), " ",
      events.length ? t("try.events", { fresh: count(events, "new"), gone: count(events, "gone") }) : t("try.events_same")),
    h("ul", { class: "lines tried" }, other.slice(0, SHOWN).map((one) => h("li", null,
      h("span", { class: `tag ${one.change === "new" ? "right" : "wrong"}` }, t(`try.${one.change}`)), " ",
      one.change === "gone" && one.kind === "event" ? h("a", { href: `#/event/${one.id}` }, what(one)) : what(one)))),
    other.length > SHOWN && h("p", { class: "hint" }, t("try.more", { n: number(other.length - SHOWN, 0) })),
  ];
}

/** @param {any} one */
const what = (one) => [longDay(one.at), " ", shortClock(one.at), ", ", one.kind === "alert" ? `${t("try.alert")}: ` : "",
  one.labels.map(labelName).join(", "), " (", one.sources.map(roomName).join(", "), ")"].join("");
