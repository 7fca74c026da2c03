// A day of a source's loudness: of each minute its LAeq, in dB(A) where the source is calibrated.

import { clamp, Drawn } from "../base.js";
import { length, number, shortClock, t } from "../words.js";

const MINUTE_MS = 60_000;
const STEP_DB = 10;
const LEAST_DB = 40;
const PART_MIN = 360;
const FOOT = 16;
const EDGE = 34;

class Loudness extends Drawn {
  /** @param {{since: string, laeq_dbfs: (number | null)[], laeq_dba: (number | null)[], muted: boolean[]}} found */
  show(found) {
    Object.assign(this, { begin: Date.parse(found.since), muted: found.muted, ...inOneUnit(found) });
    const known = this.known();
    this.low = STEP_DB * Math.floor((Math.min(...known) - 1) / STEP_DB);
    this.high = Math.max(STEP_DB * Math.ceil((Math.max(...known) + 1) / STEP_DB), this.low + LEAST_DB);
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", `${t("loudness.title")}: ${this.words()}`);
    this.onpointermove = (event) => (this.title = this.at(event.offsetX));
    this.redraw();
  }

  begin = 0;
  low = 0;
  high = 0;
  unit = "";
  /** Minutes that were measured in no unit that the others have. */
  apart = 0;
  /** @type {(number | null)[]} */
  levels = [];
  /** @type {boolean[]} */
  muted = [];

  /** Whether a minute is missing because the source was muted. @param {number} minute */
  silenced = (minute) => this.muted[minute] && this.levels[minute] === null;

  /** @returns {number[]} */
  known = () => /** @type {number[]} */ (this.levels.filter((one) => one !== null));

  /** @param {number} x */
  at(x) {
    const minute = clamp(Math.floor((this.levels.length * (x - EDGE)) / (this.clientWidth - EDGE)), 0, this.levels.length - 1);
    const level = this.levels[minute];
    const time = shortClock(this.begin + minute * MINUTE_MS);
    if (this.silenced(minute)) return `${time} ${t("loudness.muted")}`;
    return level === null ? `${time} –` : `${time} ${number(level, 0)} ${this.unit}`;
  }

  /** What the picture shows. */
  words() {
    const known = this.known();
    const loudest = Math.max(...known);
    const parts = [t("loudness.words", { low: number(Math.min(...known), 0), high: number(loudest, 0), mean: number(mean(known), 0),
      unit: this.unit, time: shortClock(this.begin + this.levels.indexOf(loudest) * MINUTE_MS) })];
    if (known.length + this.apart < this.levels.length) parts.push(t("loudness.part", { length: length((known.length + this.apart) * 60) }));
    const silenced = this.levels.filter((_, minute) => this.silenced(minute)).length;
    if (silenced) parts.push(t("loudness.silenced", { length: length(silenced * 60) }));
    if (this.apart) parts.push(t("loudness.apart"));
    if (this.unit === "dBFS") parts.push(t("loudness.relative"));
    return parts.join(" ");
  }

  /**
   * Of the minutes that share a column from the quietest to the loudest, and their LAeq as a line.
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    const base = height - FOOT;
    const y = (/** @type {number} */ level) => base * (1 - (level - this.low) / (this.high - this.low));
    this.drawScale(pen, width, base, y);
    const columns = Math.floor(width - EDGE);
    const [spread, line, band] = [this.colour("accent-line"), this.colour("accent"), this.colour("line")];
    for (let column = 0; column < columns; column++) {
      const place = (/** @type {number} */ n) => Math.floor((n * this.levels.length) / columns);
      const some = this.levels.slice(place(column), Math.max(place(column + 1), place(column) + 1));
      const levels = /** @type {number[]} */ (some.filter((one) => one !== null));
      if (!levels.length) {
        pen.fillStyle = band;
        if (this.silenced(place(column))) pen.fillRect(EDGE + column, 0, 1, base);
        continue;
      }
      const [top, bottom] = [y(Math.max(...levels)), y(Math.min(...levels))];
      pen.fillStyle = spread;
      pen.fillRect(EDGE + column, top, 1, Math.max(1, bottom - top));
      pen.fillStyle = line;
      pen.fillRect(EDGE + column, y(mean(levels)) - 1, 1, 2);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} width @param {number} base @param {(level: number) => number} y */
  drawScale(pen, width, base, y) {
    pen.font = "11px system-ui, sans-serif";
    const [line, soft] = [this.colour("line"), this.colour("soft")];
    const step = this.high - this.low > 60 ? 2 * STEP_DB : STEP_DB;
    for (let level = this.low; level <= this.high; level += step) {
      pen.fillStyle = line;
      pen.fillRect(EDGE, Math.round(y(level)), width - EDGE, 1);
      pen.fillStyle = soft;
      if (level > this.low) pen.fillText(number(level, 0), 0, Math.max(y(level) + 4, 9));
    }
    const [hour, minute] = shortClock(this.begin).split(/\D+/).map(Number);
    for (let at = PART_MIN - ((60 * hour + minute) % PART_MIN); at < this.levels.length; at += PART_MIN) {
      const left = EDGE + ((width - EDGE) * at) / this.levels.length;
      pen.fillStyle = line;
      pen.fillRect(Math.round(left), 0, 1, base);
      pen.fillStyle = soft;
      if (left + EDGE < width) pen.fillText(shortClock(this.begin + at * MINUTE_MS), left, base + 13);
    }
  }
}

/**
 * The unit of the latest minute, and every minute that is known in it.
 * @param {{laeq_dbfs: (number | null)[], laeq_dba: (number | null)[]}} found
 */
function inOneUnit({ laeq_dbfs, laeq_dba }) {
  const latest = laeq_dbfs.map((one) => one !== null).lastIndexOf(true);
  if (latest < 0 || laeq_dba[latest] === null) return { levels: laeq_dbfs, unit: "dBFS", apart: 0 };
  const apart = laeq_dbfs.filter((one, minute) => one !== null && laeq_dba[minute] === null).length;
  return { levels: laeq_dba, unit: "dB(A)", apart };
}

/** Of the energy, as LAeq is. @param {number[]} levels */
function mean(levels) {
  return 10 * Math.log10(levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / levels.length);
}

customElements.define("ew-loudness", Loudness);
