// A week's scores of one sound: bars of events and of what nearly was one, people's verdicts below, and the
// onset as a line that can be dragged.

import { clamp, Drawn } from "../base.js";

const BINS = 40;
const FOOT = 14;

class Dots extends Drawn {
  /** @param {any[]} marks @param {number} onset @param {(onset: number) => void} pick */
  show(marks, onset, pick) {
    this.marks = marks;
    this.onset = onset;
    const at = (/** @type {PointerEvent} */ event) => pick(clamp(event.offsetX / this.clientWidth, 0, 1));
    this.onpointerdown = (event) => (this.setPointerCapture(event.pointerId), at(event));
    this.onpointermove = (event) => event.buttons && at(event);
    this.redraw();
  }

  /** @param {number} onset */
  set(onset) {
    this.onset = onset;
    this.redraw();
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    const { marks = [], onset = 0 } = this;
    const base = height - FOOT;
    const bins = Array.from({ length: BINS }, () => ({ events: 0, near: 0 }));
    for (const mark of marks) bins[Math.min(BINS - 1, Math.floor(mark.score * BINS))][mark.id ? "events" : "near"] += 1;
    const most = Math.max(4, ...bins.map((bin) => bin.events + bin.near));
    const wide = width / BINS;
    bins.forEach((bin, n) => {
      const high = (/** @type {number} */ count) => (count / most) * (base - 4);
      const counts = (n + 0.5) / BINS >= onset;
      pen.fillStyle = counts ? this.colour("accent") : this.colour("accent-line");
      pen.fillRect(n * wide + 1, base - high(bin.events), wide - 2, high(bin.events));
      pen.fillStyle = this.colour("soft");
      pen.globalAlpha = counts ? 0.7 : 0.3;
      pen.fillRect(n * wide + 1, base - high(bin.events + bin.near), wide - 2, high(bin.near));
      pen.globalAlpha = 1;
    });
    pen.fillStyle = this.colour("line");
    pen.fillRect(0, base, width, 1);
    for (const mark of marks) {
      if (mark.verdict !== "right" && mark.verdict !== "wrong") continue;
      pen.fillStyle = pen.strokeStyle = this.colour(mark.verdict === "right" ? "accent" : "alarm");
      const x = mark.score * width;
      pen.beginPath();
      if (mark.verdict === "right") {
        pen.arc(x, base + 7, 4, 0, 7);
        pen.fill();
      } else {
        pen.lineWidth = 2;
        pen.moveTo(x - 4, base + 3);
        pen.lineTo(x + 4, base + 11);
        pen.moveTo(x + 4, base + 3);
        pen.lineTo(x - 4, base + 11);
        pen.stroke();
      }
    }
    pen.fillStyle = this.colour("ink");
    pen.fillRect(onset * width - 1, 0, 2, height);
  }
}

customElements.define("ew-dots", Dots);
