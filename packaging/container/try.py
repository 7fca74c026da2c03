"""Run in what `scripts/image` and `scripts/deb` built: is every library whole that `slim` took from?

python3 try.py FOLDER    writes an alarm, alarm.wav, and its picture, event.png, into FOLDER
"""

import importlib
import io
import sys
import wave
from pathlib import Path

import av
import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.evidence.spectrogram import spectrogram_png
from monitor.synthesis.alarms import piezo, played, temporal_three

LIBRARIES = (
    "apprise", "amqtt", "cryptography.fernet", "httptools", "numpy.random", "onnxruntime", "paho.mqtt.client",
    "prometheus_client", "pydantic", "rich.syntax", "sounddevice", "soxr", "starlette", "uvicorn",
    "webrtcvad", "wyoming", "yaml",
)  # fmt: skip
STREAMS = (("aac", "adts"), ("libopus", "ogg"), ("pcm_alaw", "wav"), ("libmp3lame", "mp3"), ("flac", "flac"))
RATE_HZ = 48_000


def heard(codec: str, container: str) -> float:
    """How many of two seconds of a tone come back through a codec."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as writing:
        stream = writing.add_stream(codec, rate=RATE_HZ, layout="mono")
        tone = (8000 * np.sin(np.arange(2 * RATE_HZ) * 0.1)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
        frame.rate = RATE_HZ
        resampler = av.AudioResampler(stream.format, "mono", RATE_HZ, stream.codec_context.frame_size or None)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            writing.mux(stream.encode(piece))
        writing.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as reading:
        return sum(frame.samples / frame.rate for frame in reading.decode(audio=0))


def main() -> None:
    """Stops with a traceback where something is missing."""
    for library in LIBRARIES:
        importlib.import_module(library)
    for codec, container in STREAMS:
        seconds = heard(codec, container)
        assert 1.9 < seconds < 2.2, f"{codec}: {seconds} s of 2 came back"
    rng = np.random.default_rng(1)
    alarm = played(piezo(), temporal_three(1), SAMPLE_RATE_HZ)
    samples = 0.3 * alarm + 0.003 * rng.standard_normal(len(alarm))
    audio = Audio(samples.astype(np.float32), SAMPLE_RATE_HZ)
    with wave.open(f"{sys.argv[1]}/alarm.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    picture = spectrogram_png(audio, title="Smoke alarm", onset_s=0.5, duration_s=2.0)
    Path(sys.argv[1], "event.png").write_bytes(picture)


if __name__ == "__main__":
    main()
