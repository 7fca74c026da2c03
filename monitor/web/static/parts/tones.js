// The colours of a spectrogram.

/** From quiet to loud: night, teal, sand, white. */
const RAMP = [[0, 10, 16, 18], [0.35, 18, 62, 66], [0.6, 44, 140, 124], [0.8, 232, 190, 110], [1, 255, 250, 235]];

/** @param {number} part */
function tone(part) {
  const n = Math.max(1, RAMP.findIndex((one) => one[0] >= part));
  const [low, high] = [RAMP[n - 1], RAMP[n]];
  const share = (part - low[0]) / (high[0] - low[0]);
  return [1, 2, 3].map((i) => low[i] + (high[i] - low[i]) * share);
}

export const TONES = Array.from({ length: 256 }, (_, n) => tone(n / 255));
