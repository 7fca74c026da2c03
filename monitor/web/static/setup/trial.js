// A source that is tried: its level as it moves, and what ten seconds of it were like.

import { lines } from "../api.js";
import { fill, h, icon } from "../base.js";
import { clamp } from "../base.js";
import { t } from "../words.js";

const QUIET_DBFS = -90;
const ROUNDS = 12;

/**
 * A meter that moves while it is on the page.
 * @param {{kind: string, device: string, name: string}} source
 * @param {{again?: boolean, judged?: (verdict: any) => void}} how `again`: for two minutes, not once
 */
export function trial(source, { again = false, judged = () => {} }) {
  const bar = h("progress", { class: "meter", max: 100, value: 0, "aria-label": t("setup.meter", { name: source.name }) });
  const words = h("p", { class: "trial-words", role: "status" }, t("setup.opening"));
  const box = h("div", { class: "trial" }, bar, words);
  const running = new AbortController();
  /** @type {any} */ (box).stop = () => running.abort();
  run();
  return box;

  async function run() {
    for (let round = 0; round < (again ? ROUNDS : 1) && !running.signal.aborted; round += 1) {
      let failed = false;
      const take = (/** @type {any} */ line) => {
        if (line.level_dbfs !== undefined) {
          bar.value = clamp(((line.level_dbfs - QUIET_DBFS) / -QUIET_DBFS) * 100, 0, 100);
          if (!words.dataset.part) fill(words, again ? t("setup.hears") : t("setup.listening"));
          words.dataset.part = "1";
        }
        if (line.problem) {
          failed = true;
          fill(words, icon("warning"), " ", reason(line));
        }
        if (line.judged && !again) judged(line);
      };
      try {
        await lines("api/setup/listen", { kind: source.kind, device: source.device }, running.signal, take);
      } catch (error) {
        if (running.signal.aborted) return;
        failed = true;
        fill(words, icon("warning"), " ", /** @type {Error} */ (error).message || t("offline"));
      }
      if (failed) return;
    }
    bar.value = 0;
    if (again) fill(words, t("setup.stopped"));
  }
}

/** Why there is no sound: first what to do, then how the daemon puts it. @param {any} line */
const reason = (line) => (line.why ? [h("span", null, t(`setup.failed_by.${line.why}`)), " ", h("small", null, line.problem)] : line.problem);

/** What ten seconds were like, in words. @param {string[]} verdict @param {string} kind */
export const verdictLines = (verdict, kind) => h("ul", { class: "lines verdict-lines" }, verdict.map((one) =>
  h("li", { class: one === "good" ? "good" : "bad" }, icon(one === "good" ? "check" : "warning"), h("span", null, t(`setup.judged.${one === "telephone" && kind === "microphone" ? "narrow" : one}`)))));
