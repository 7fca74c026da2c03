// The clip: a spectrogram that is computed here from its samples, and plays.

import { clamp, Drawn, fill, h, icon } from "../base.js";
import { labelName, length, number, t } from "../words.js";
import { TONES } from "./tones.js";

const RATE = 16000;
const SIZE = 1024;
const LOUD_DB = 0;
const DEEP_DB = 78;
const LOWEST_HZ = 60;

/** The clip as samples at 16 kHz; no AudioContext is opened, so nothing plays. @param {ArrayBuffer} bytes */
async function decoded(bytes) {
  const audio = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  return audio.getChannelData(0);
}

/**
 * In-place radix-2 transform (Cooley and Tukey).
 * @param {Float32Array} re
 * @param {Float32Array} im
 */
export function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j]] = [re[j], re[i]];
  }
  for (let size = 2; size <= n; size <<= 1) {
    const half = size >> 1;
    const step = (-2 * Math.PI) / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) {
        const [c, s] = [Math.cos(step * k), Math.sin(step * k)];
        const [a, b] = [start + k, start + k + half];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b]] = [re[a] - x, im[a] - y];
        re[a] += x;
        im[a] += y;
      }
    }
  }
}

const WINDOW = Float32Array.from({ length: SIZE }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / SIZE));

/**
 * Power in dB below full scale for each bin, of the window around a sample.
 * @param {Float32Array} samples
 * @param {number} middle
 */
function column(samples, middle) {
  const re = new Float32Array(SIZE);
  const im = new Float32Array(SIZE);
  const first = Math.round(middle - SIZE / 2);
  for (let n = 0; n < SIZE; n++) re[n] = (samples[first + n] ?? 0) * WINDOW[n];
  fft(re, im);
  const power = new Float32Array(SIZE / 2);
  for (let n = 0; n < SIZE / 2; n++) power[n] = 10 * Math.log10((re[n] ** 2 + im[n] ** 2) / (SIZE / 4) ** 2 + 1e-12);
  return power;
}

class Spectrogram extends Drawn {
  /** @type {Float32Array | null} */
  samples = null;
  /** @type {{onset_s: number, end_s: number, masked: number[][]} | null} */
  event = null;
  total_s = 1;
  from_s = 0;
  to_s = 1;
  at_s = 0;
  /** What is painted already. */
  drawn = "";
  /** @type {HTMLCanvasElement | null} */
  image = null;

  /**
   * @param {Float32Array} samples
   * @param {{onset_s: number, end_s: number, masked: number[][]}} event
   */
  show(samples, event) {
    this.samples = samples;
    this.event = event;
    this.total_s = samples.length / RATE;
    this.from_s = 0;
    this.to_s = this.total_s;
    this.at_s = 0;
    this.onwheel = (wheel) => {
      if (!wheel.ctrlKey && !wheel.shiftKey) return;
      wheel.preventDefault();
      this.zoom(wheel.deltaY > 0 ? 1.25 : 0.8, wheel.offsetX / this.clientWidth);
    };
    this.redraw();
  }

  /** Show a longer or shorter stretch around a point of it. @param {number} by @param {number} [around] 0-1 */
  zoom(by, around = 0.5) {
    const [from, to, total] = [this.from_s ?? 0, this.to_s ?? 1, this.total_s ?? 1];
    const wide = clamp((to - from) * by, Math.min(0.25, total), total);
    const middle = from + (to - from) * around;
    this.from_s = clamp(middle - wide * around, 0, total - wide);
    this.to_s = this.from_s + wide;
    this.redraw();
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.at_s = seconds;
    const [from, to] = [this.from_s ?? 0, this.to_s ?? 0];
    if (seconds > to || seconds < from) {
      const wide = to - from;
      this.from_s = clamp(seconds, 0, Math.max(0, (this.total_s ?? 0) - wide));
      this.to_s = this.from_s + wide;
    }
    this.redraw();
  }

  /** The moment at a place of the picture. @param {number} x */
  when(x) {
    return (this.from_s ?? 0) + (((this.to_s ?? 0) - (this.from_s ?? 0)) * x) / this.clientWidth;
  }

  /** Where a frequency lies: mel, so that voices and alarms both have room. @param {number} hz @param {number} high */
  static row(hz, high) {
    const mel = (/** @type {number} */ f) => Math.log10(1 + f / 700);
    return high * (1 - (mel(hz) - mel(LOWEST_HZ)) / (mel(RATE / 2) - mel(LOWEST_HZ)));
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} width
   * @param {number} height
   */
  draw(pen, width, height) {
    if (!this.samples || !this.event) return;
    const [from, to] = [this.from_s ?? 0, this.to_s ?? 1];
    const key = `${from} ${to} ${width} ${height}`;
    if (this.drawn !== key || !this.image) {
      this.image = this.picture(from, to, width, height);
      this.drawn = key;
    }
    pen.drawImage(this.image, 0, 0, width, height);
    const x = (/** @type {number} */ s) => ((s - from) / (to - from)) * width;
    pen.fillStyle = "rgb(0 0 0 / 45%)";
    pen.fillRect(0, 0, clamp(x(this.event.onset_s), 0, width), height);
    pen.fillRect(clamp(x(this.event.end_s), 0, width), 0, width, height);
    for (const [begin, end] of this.event.masked) hatch(pen, clamp(x(begin), 0, width), clamp(x(end), 0, width), height);
    pen.strokeStyle = "rgb(255 255 255 / 75%)";
    pen.setLineDash([4, 4]);
    for (const s of [this.event.onset_s, this.event.end_s]) {
      pen.beginPath();
      pen.moveTo(x(s), 0);
      pen.lineTo(x(s), height);
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.font = "11px system-ui, sans-serif";
    for (const hz of [250, 500, 1000, 2000, 3000, 4000, 6000]) {
      const y = Spectrogram.row(hz, height);
      if (y < 14 || y > height - 18) continue;
      pen.fillStyle = "rgb(255 255 255 / 14%)";
      pen.fillRect(0, y, width, 1);
      label(pen, hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`, 6, y - 3);
    }
    const step = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10].find((s) => ((to - from) / s) * 56 < width) ?? 20;
    for (let s = Math.ceil(from / step) * step; s < to; s += step) label(pen, `${number(s, 2)} s`, x(s) + 3, height - 5);
    if (this.at_s) {
      pen.fillStyle = "#fff";
      pen.fillRect(x(this.at_s) - 1, 0, 2, height);
    }
  }

  /**
   * The picture itself, two pixels a column.
   * @param {number} from
   * @param {number} to
   * @param {number} width
   * @param {number} height
   */
  picture(from, to, width, height) {
    const canvas = document.createElement("canvas");
    const [wide, high] = [Math.min(900, Math.round(width)), Math.round(height)];
    canvas.width = wide;
    canvas.height = high;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const image = pen.createImageData(wide, high);
    const bins = Array.from({ length: high + 1 }, (_, y) => {
      const mel = Math.log10(1 + LOWEST_HZ / 700) + (1 - y / high) * (Math.log10(1 + RATE / 2 / 700) - Math.log10(1 + LOWEST_HZ / 700));
      return ((10 ** mel - 1) * 700 * SIZE) / RATE;
    });
    for (let x = 0; x < wide; x++) {
      const power = column(/** @type {Float32Array} */ (this.samples), (from + ((to - from) * (x + 0.5)) / wide) * RATE);
      for (let y = 0; y < high; y++) {
        const [low, top] = [Math.floor(bins[y + 1]), Math.max(Math.floor(bins[y + 1]), Math.floor(bins[y]))];
        let loudest = -200;
        for (let bin = low; bin <= Math.min(top, SIZE / 2 - 1); bin++) loudest = Math.max(loudest, power[bin]);
        const colour = TONES[Math.round(255 * clamp((loudest - LOUD_DB + DEEP_DB) / DEEP_DB, 0, 1))];
        const at = 4 * (y * wide + x);
        [image.data[at], image.data[at + 1], image.data[at + 2], image.data[at + 3]] = [...colour, 255];
      }
    }
    pen.putImageData(image, 0, 0);
    return canvas;
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {number} x
 * @param {number} y
 */
function label(pen, text, x, y) {
  pen.fillStyle = "rgb(0 0 0 / 55%)";
  pen.fillText(text, x + 1, y + 1);
  pen.fillStyle = "rgb(255 255 255 / 88%)";
  pen.fillText(text, x, y);
}

/**
 * Speech that was covered with noise before anything was written.
 * @param {CanvasRenderingContext2D} pen
 * @param {number} left
 * @param {number} right
 * @param {number} height
 */
function hatch(pen, left, right, height) {
  if (right - left < 1) return;
  pen.save();
  pen.beginPath();
  pen.rect(left, 0, right - left, height);
  pen.clip();
  pen.fillStyle = "rgb(0 0 0 / 55%)";
  pen.fillRect(left, 0, right - left, height);
  pen.strokeStyle = "rgb(255 255 255 / 50%)";
  pen.beginPath();
  for (let x = left - height; x < right; x += 9) {
    pen.moveTo(x, height);
    pen.lineTo(x + height, 0);
  }
  pen.stroke();
  label(pen, t("player.masked"), left + 4, 16);
  pen.restore();
}

customElements.define("ew-spectrogram", Spectrogram);

/**
 * The clip of an event with what plays it.
 * @param {any} event
 */
export function player(event) {
  const box = h("div", { class: "player" }, h("p", { class: "hint" }, t("player.loading")));
  const address = `api/events/${event.id}/clip`;
  const sound = new Audio(address);
  load().catch(() => fill(box, h("p", { class: "hint" }, t("player.broken")), h("a", { href: address, download: "" }, t("event.zip"))));
  /** @type {any} */ (box).toggle = () => (sound.paused ? sound.play() : sound.pause());
  /** @type {any} */ (box).stop = () => sound.pause();
  return box;

  async function load() {
    const answer = await fetch(address);
    const onset_s = Number(answer.headers.get("x-onset-s") ?? 0);
    const masked = (answer.headers.get("x-masked-s") ?? "").split(" ").filter(Boolean).map((one) => one.split("-").map(Number));
    const samples = await decoded(await answer.arrayBuffer());
    const total = samples.length / RATE;
    const lasted = event.ended_at ? (Date.parse(event.ended_at) - Date.parse(event.started_at)) / 1000 : total;
    const span = { onset_s, end_s: Math.min(total, onset_s + lasted), masked };
    const picture = /** @type {any} */ (document.createElement("ew-spectrogram"));
    const words = inWords(samples, span, event.label);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", t("player.picture", { words }));
    const range = h("input", { type: "range", min: 0, max: total.toFixed(2), step: 0.05, value: 0, "aria-label": t("player.position"),
      oninput: () => ((sound.currentTime = Number(range.value)), picture.seek(Number(range.value))) });
    const button = h("button", { type: "button", class: "primary square", "aria-label": t("player.play"),
      onclick: () => /** @type {any} */ (box).toggle() }, icon("play"));
    const zoom = (/** @type {number} */ by, /** @type {string} */ words, /** @type {string} */ sign) =>
      h("button", { type: "button", class: "square", "aria-label": words, onclick: () => picture.zoom(by) }, sign);
    fill(box, picture, h("div", { class: "controls" }, button, range, zoom(1.6, t("player.zoom_out"), "−"), zoom(0.6, t("player.zoom_in"), "+")),
      h("p", { class: "hint" }, words),
      masked.length > 0 && h("p", { class: "hint" }, t("player.masked_words", { spans: masked.map(([begin, end]) => `${number(begin, 1)}–${number(end, 1)} s`).join(", ") })));
    picture.show(samples, span);
    picture.onclick = (/** @type {MouseEvent} */ click) => {
      sound.currentTime = picture.when(click.offsetX);
      picture.seek(sound.currentTime);
      range.value = String(sound.currentTime);
    };
    const follow = () => {
      picture.seek(sound.currentTime);
      range.value = String(sound.currentTime);
      if (!sound.paused) requestAnimationFrame(follow);
    };
    sound.onplay = () => (drawButton(true), follow());
    sound.onpause = () => drawButton(false);
    function drawButton(/** @type {boolean} */ playing) {
      fill(button, icon(playing ? "pause" : "play"));
      button.setAttribute("aria-label", t(playing ? "player.pause" : "player.play"));
    }
  }
}

/**
 * The picture in words.
 * @param {Float32Array} samples
 * @param {{onset_s: number, end_s: number}} span
 * @param {string} name
 */
function inWords(samples, span, name) {
  const sum = new Float32Array(SIZE / 2);
  const [from, to] = [span.onset_s * RATE, Math.max(span.end_s, span.onset_s + 0.1) * RATE];
  const step = Math.max(SIZE / 2, (to - from) / 200);
  for (let at = from + SIZE / 2; at < to; at += step) {
    column(samples, at).forEach((db, bin) => (sum[bin] += 10 ** (db / 10)));
  }
  let loudest = 3;
  for (let bin = 4; bin < SIZE / 2; bin++) if (sum[bin] > sum[loudest]) loudest = bin;
  const hz = (loudest * RATE) / SIZE;
  const pitch = hz < 1000 ? `${number(hz, 0)} Hz` : `${number(hz / 1000, 1)} kHz`;
  const total = samples.length / RATE;
  return t("player.words", { label: labelName(name), start: length(span.onset_s), end: length(span.end_s), total: length(total), pitch });
}
