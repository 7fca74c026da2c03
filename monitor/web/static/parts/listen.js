// The sound of a source as it comes: 16-bit samples at 16 kHz, played a moment later than they arrive.

const RATE = 16000;
const AHEAD_S = 0.3;

/** Plays a source until `stop`. @param {string} source @param {(error: string) => void} ended */
export function listen(source, ended) {
  const asking = new AbortController();
  const audio = new AudioContext({ sampleRate: RATE });
  let at = 0;
  /** @param {Uint8Array} bytes */
  const play = (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const buffer = audio.createBuffer(1, bytes.byteLength / 2, RATE);
    const samples = buffer.getChannelData(0);
    for (let n = 0; n < samples.length; n++) samples[n] = view.getInt16(2 * n, true) / 32768;
    const node = audio.createBufferSource();
    node.buffer = buffer;
    node.connect(audio.destination);
    // Behind by more than a second: what waits is given up, so that it stays live.
    if (at < audio.currentTime || at > audio.currentTime + 1) at = audio.currentTime + AHEAD_S;
    node.start(at);
    at += buffer.duration;
  };
  const read = async () => {
    const answer = await fetch(`api/sources/${source}/audio`, { signal: asking.signal, headers: { "X-Earwitness": "1" } });
    if (!answer.ok || !answer.body) throw new Error((await answer.json()).detail);
    const reader = answer.body.getReader();
    let rest = new Uint8Array(0);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const all = new Uint8Array(rest.length + part.value.length);
      all.set(rest);
      all.set(part.value, rest.length);
      const whole = all.length - (all.length % 2);
      if (whole) play(all.subarray(0, whole));
      rest = all.slice(whole);
    }
  };
  read().catch((error) => !asking.signal.aborted && ended(error.message)).finally(() => audio.close());
  return { stop: () => asking.abort() };
}
