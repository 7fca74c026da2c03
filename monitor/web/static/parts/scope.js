// What a source sounds like at this moment: the daemon sends columns of a spectrogram, and only while it is
// shown. One column every 30 ms: level and floor in half decibels above -120 dBFS, then 96 bands.

import { Drawn } from "../base.js";
import { changes } from "../house.js";
import { number, roomName, t } from "../words.js";
import { TONES } from "./tones.js";

const BANDS = 96;
const COLUMN = BANDS + 2;
const COLUMNS = 420;
const LOWEST_HZ = 60;
const HIGHEST_HZ = 8000;
const AGAIN_MS = 2000;

const mel = (/** @type {number} */ hz) => Math.log10(1 + hz / 700);

/** The middle of a band. @param {number} band */
const hzOf = (band) =>
  700 * (10 ** (mel(LOWEST_HZ) + ((band + 0.5) / BANDS) * (mel(HIGHEST_HZ) - mel(LOWEST_HZ))) - 1);

class Scope extends Drawn {
  rest = new Uint8Array(0);
  columns = 0;

  connectedCallback() {
    super.connectedCallback();
    this.past = document.createElement("canvas");
    [this.past.width, this.past.height] = [COLUMNS, BANDS];
    this.rest = new Uint8Array(0);
    this.columns = 0;
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", t("scope.picture", { room: roomName(this.name) }));
    this._seen = () => (document.hidden ? this._close() : this._open());
    document.addEventListener("visibilitychange", this._seen);
    this._open();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    if (this._seen) document.removeEventListener("visibilitychange", this._seen);
    this._close();
  }

  get name() {
    return this.getAttribute("source") ?? "";
  }

  _close() {
    this.asking?.abort();
    this.asking = undefined;
  }

  async _open() {
    this._close();
    const asking = (this.asking = new AbortController());
    while (!asking.signal.aborted) {
      try {
        const answer = await fetch(`api/sources/${this.name}/scope`, { signal: asking.signal, headers: { "X-Earwitness": "1" } });
        if (answer.status === 401 || answer.status === 403) return;
        const reader = answer.ok ? answer.body?.getReader() : undefined;
        for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) this._take(part.value);
      } catch {
        // The daemon is away, or nobody looks any more.
      }
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  /** @param {Uint8Array} bytes */
  _take(bytes) {
    const all = new Uint8Array((this.rest?.length ?? 0) + bytes.length);
    all.set(this.rest ?? []);
    all.set(bytes, this.rest?.length ?? 0);
    const columns = Math.floor(all.length / COLUMN);
    for (let n = Math.max(0, columns - COLUMNS); n < columns; n++) this._column(all.subarray(n * COLUMN, (n + 1) * COLUMN));
    this.rest = all.slice(columns * COLUMN);
    this.columns = (this.columns ?? 0) + columns;
    this.redraw();
    if (columns) changes.dispatchEvent(new CustomEvent("scope", { detail: { source: this.name, ...this.now } }));
  }

  /** @param {Uint8Array} column */
  _column(column) {
    const past = /** @type {HTMLCanvasElement} */ (this.past);
    const pen = /** @type {CanvasRenderingContext2D} */ (past.getContext("2d"));
    pen.drawImage(past, -1, 0);
    const picture = pen.createImageData(1, BANDS);
    let loudest = 0;
    for (let band = 0; band < BANDS; band++) {
      const value = column[band + 2];
      if (value > column[loudest + 2]) loudest = band;
      picture.data.set([...TONES[value], 255], 4 * (BANDS - 1 - band));
    }
    pen.putImageData(picture, COLUMNS - 1, 0);
    this.now = { level_dbfs: column[0] / 2 - 120, floor_dbfs: column[1] / 2 - 120, hz: hzOf(loudest) };
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    if (!this.past) return;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.past, 0, 0, width, height);
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = "rgb(255 255 255 / 65%)";
    for (const hz of [200, 500, 1000, 2000, 4000]) {
      const y = height * (1 - (mel(hz) - mel(LOWEST_HZ)) / (mel(HIGHEST_HZ) - mel(LOWEST_HZ)));
      pen.fillRect(0, Math.round(y), 4, 1);
      pen.fillText(hz < 1000 ? `${hz} Hz` : `${number(hz / 1000, 0)} kHz`, 7, y + 4);
    }
  }
}

customElements.define("ew-scope", Scope);
