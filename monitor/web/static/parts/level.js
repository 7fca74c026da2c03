// A minute of a room: its level as bars over its own floor.

import { clamp, Drawn } from "../base.js";
import { changes, levels } from "../house.js";

const QUIET_DBFS = -90;
const BAR = 4;

class Level extends Drawn {
  connectedCallback() {
    super.connectedCallback();
    this._follow = (/** @type {Event} */ event) => {
      if (/** @type {CustomEvent} */ (event).detail === this.getAttribute("source")) this.redraw();
    };
    changes.addEventListener("level", this._follow);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    if (this._follow) changes.removeEventListener("level", this._follow);
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    const shown = (levels.get(this.getAttribute("source") ?? "") ?? []).slice(-Math.floor(width / BAR));
    const y = (/** @type {number} */ dbfs) => height * (1 - clamp((dbfs - QUIET_DBFS) / -QUIET_DBFS, 0.02, 1));
    const [loud, calm, line] = [this.colour("accent"), this.colour("accent-line"), this.colour("soft")];
    shown.forEach(({ level, floor }, n) => {
      const left = width - (shown.length - n) * BAR;
      const top = y(level);
      pen.fillStyle = level > floor + 6 ? loud : calm;
      pen.beginPath();
      pen.roundRect(left, top, BAR - 1.5, height - top, 1);
      pen.fill();
    });
    if (!shown.length) return;
    pen.fillStyle = line;
    pen.globalAlpha = 0.6;
    const floor = y(shown[shown.length - 1].floor);
    for (let x = 0; x < width; x += 6) pen.fillRect(x, floor, 3, 1);
    pen.globalAlpha = 1;
  }
}

customElements.define("ew-level", Level);
