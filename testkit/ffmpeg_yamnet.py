"""A peer to be compared with: one `ffmpeg` per stream into a pipe, a gate by RMS, YAMNet on what passes it.

This is how Frigate's audio detection works (frigate/events/audio.py, with its default `min_volume`): a chunk
of 0.975 s whose RMS of 16 bits reaches 500 is classified, alone, by TensorFlow Lite on two threads.

    python -m testkit.ffmpeg_yamnet MODEL.tflite INPUT...

An input is a file, read in real time again and again, or an rtsp:// URL.
"""

import subprocess
import sys
import threading
from typing import IO, Any

import numpy as np

SAMPLES = 15_600
MIN_VOLUME = 500
LISTED_FROM = 0.3


class FilteredYamnet:
    """YAMNet, one caller at a time."""

    def __init__(self, model: str) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_path=model, num_threads=2)
        self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._output: int = self._interpreter.get_output_details()[0]["index"]
        self._lock = threading.Lock()

    def scores(self, wave: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Shape (samples,) to (classes,): of all classes, for one chunk."""
        with self._lock:
            self._interpreter.set_tensor(self._input, wave)
            self._interpreter.invoke()
            scores: np.ndarray[Any, Any] = self._interpreter.get_tensor(self._output)
            return scores.reshape(-1)


def listen(source: str, tagger: FilteredYamnet) -> None:
    """One stream, for ever."""
    with subprocess.Popen(_command(source), stdout=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdout is not None
        while len(chunk := _read(ffmpeg.stdout, 2 * SAMPLES)) == 2 * SAMPLES:
            wave = np.frombuffer(chunk, np.int16).astype(np.float32)
            if float(np.sqrt(np.mean(np.absolute(wave**2)))) >= MIN_VOLUME:
                scores = tagger.scores(wave / 32768)
                for label in np.flatnonzero(scores >= LISTED_FROM):
                    print(source, label, round(float(scores[label]), 2), flush=True)


def _command(source: str) -> list[str]:
    network = ["-rtsp_transport", "tcp", "-timeout", "10000000"]
    read = network if source.startswith("rtsp") else ["-re", "-stream_loop", "-1"]
    return [
        "ffmpeg", "-hide_banner", "-loglevel", "warning", "-threads", "2", *read, "-i", source,
        "-vn", "-threads", "1", "-f", "s16le", "-ar", "16000", "-ac", "1", "pipe:",
    ]  # fmt: skip


def _read(pipe: IO[bytes], count: int) -> bytes:
    return pipe.read(count)


def main() -> None:
    """Listen to all inputs until killed."""
    tagger = FilteredYamnet(sys.argv[1])
    threads = [threading.Thread(target=listen, args=(source, tagger)) for source in sys.argv[2:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
