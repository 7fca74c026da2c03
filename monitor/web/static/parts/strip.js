// A room's day in one line: level as height, events as marks, lost hatched, muted grey.

import { clamp, Drawn } from "../base.js";
import { labelName, longDay, number, roomName, shortClock, t } from "../words.js";

const QUIET_DBFS = -90;

class Strip extends Drawn {
  begin = 0;
  end = 1;

  /** @param {any} strip @param {{since: string, until: string}} day @param {(at: number) => void} pick */
  show(strip, day, pick) {
    this.strip = strip;
    this.begin = Date.parse(day.since);
    this.end = Date.parse(day.until);
    this.tabIndex = -1;
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", words(strip, day));
    this.onclick = (event) => pick(this.begin + ((this.end - this.begin) * event.offsetX) / this.clientWidth);
    this.onpointermove = (event) => {
      const at = this.begin + ((this.end - this.begin) * event.offsetX) / this.clientWidth;
      const near = strip.events.filter((/** @type {any} */ one) => Math.abs(Date.parse(one.started_at) - at) < 300_000);
      const names = [...new Set(near.map((/** @type {any} */ one) => labelName(one.label)))].slice(0, 4).join(", ");
      this.title = `${shortClock(at)} ${names}`;
    };
    this.redraw();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    const { strip } = this;
    if (!strip) return;
    const x = (/** @type {string | number} */ at) =>
      (width * (new Date(at).getTime() - this.begin)) / (this.end - this.begin);
    const [accent, calm, soft, line] = ["accent", "accent-line", "soft", "line"].map((name) => this.colour(name));
    const tones = { critical: this.colour("alarm"), warning: this.colour("warn"), info: this.colour("info") };
    const base = height - 8;
    pen.fillStyle = line;
    for (let hour = 6; hour < 24; hour += 6) pen.fillRect(Math.round((width * hour) / 24), 0, 1, base);
    pen.fillRect(0, base, width, 1);
    const wide = width / strip.levels.length;
    strip.levels.forEach((/** @type {number | null} */ level, /** @type {number} */ n) => {
      if (level === null) return;
      const high = base * clamp((level - QUIET_DBFS) / -QUIET_DBFS, 0.03, 1);
      pen.fillStyle = level > (strip.floors[n] ?? -120) + 12 ? accent : calm;
      pen.globalAlpha = 0.75;
      pen.fillRect(n * wide, base - high, Math.max(1, wide - 0.5), high);
    });
    pen.globalAlpha = 1;
    for (const span of strip.muted) {
      pen.fillStyle = soft;
      pen.globalAlpha = 0.18;
      pen.fillRect(x(span.since), 0, Math.max(2, x(span.until) - x(span.since)), base);
    }
    pen.globalAlpha = 1;
    for (const span of strip.lost) hatch(pen, x(span.since), Math.max(2, x(span.until) - x(span.since)), base, tones.warning);
    for (const event of [...strip.events].reverse()) {
      const tone = tones[/** @type {"info"} */ (event.severity)];
      const left = x(event.started_at);
      pen.fillStyle = tone ?? soft;
      pen.globalAlpha = tone ? 1 : 0.55;
      pen.beginPath();
      pen.arc(left, base + 4, tone ? 3 : 1.6, 0, 7);
      pen.fill();
      if (event.severity && event.severity !== "info") pen.fillRect(left - 0.75, 0, 1.5, base);
    }
    pen.globalAlpha = 1;
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} left
 * @param {number} wide
 * @param {number} high
 * @param {string} tone
 */
function hatch(pen, left, wide, high, tone) {
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, wide, high);
  pen.clip();
  pen.strokeStyle = tone;
  pen.globalAlpha = 0.6;
  pen.beginPath();
  for (let x = left - high; x < left + wide; x += 7) {
    pen.moveTo(x, high);
    pen.lineTo(x + high, 0);
  }
  pen.stroke();
  pen.restore();
}

/** What the picture shows, in words. @param {any} strip @param {{since: string}} day */
function words(strip, day) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const event of strip.events) counts.set(event.label, (counts.get(event.label) ?? 0) + 1);
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
  const names = most.map(([label, n]) => `${labelName(label)} ${number(n, 0)}`).join(", ");
  return `${t("timeline.strip", { n: strip.count, room: roomName(strip.source) })}, ${longDay(day.since)}. ${names}`;
}

customElements.define("ew-strip", Strip);
