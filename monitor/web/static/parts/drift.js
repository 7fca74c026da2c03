// Fourteen days of a source: its floor as a line, its mean level above it.

import { clamp, Drawn } from "../base.js";

const QUIET_DBFS = -100;

class Drift extends Drawn {
  /** @param {{levels: (number | null)[], floors: (number | null)[]}} found @param {string} words */
  show(found, words) {
    this.found = found;
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", words);
    this.redraw();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    if (!this.found) return;
    const { levels, floors } = this.found;
    const wide = width / floors.length;
    const y = (/** @type {number} */ dbfs) => height * (1 - clamp((dbfs - QUIET_DBFS) / -QUIET_DBFS, 0.02, 1));
    pen.fillStyle = this.colour("line");
    for (let day = 1; day < 14; day++) pen.fillRect(Math.round((width * day) / 14), 0, 1, height);
    floors.forEach((floor, n) => {
      const level = levels[n];
      if (floor === null || level === null) return;
      pen.fillStyle = this.colour("accent-line");
      pen.fillRect(n * wide, y(level), Math.max(1, wide - 1), Math.max(1, y(floor) - y(level)));
      pen.fillStyle = this.colour("accent");
      pen.fillRect(n * wide, y(floor), Math.max(1, wide), 2);
    });
  }
}

customElements.define("ew-drift", Drift);
