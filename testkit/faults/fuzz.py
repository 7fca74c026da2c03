"""Damaged and hostile input at every door: configuration, commands, recordings, model files."""

import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig, shipped_model
from monitor.clock import SystemClock
from monitor.config.loading import load_config
from monitor.errors import ConfigError, ModelError, SourceError
from monitor.sources.file import FileConfig
from testkit.noisy_house import NODE, FaultRow, noisy_house, until, write_bangs

HOLDS = "no crash, no hang, one clear error"
HANG_S = 10.0
ROOT = Path(__file__).parents[2]
SUFFIXES = ("wav", "flac", "mp3", "ogg")


def configurations(folder: Path, inputs: int) -> FaultRow:
    """The example configuration with bytes changed, cut and doubled."""
    folder.mkdir(parents=True)
    text = (ROOT / "config" / "earwitness.example.yaml").read_bytes()
    file = folder / "earwitness.yaml"
    rng = random.Random(1)

    def read(data: bytes) -> None:
        file.write_bytes(data)
        load_config(file, {})

    return _row("configurations", [_spoilt(text, rng) for _ in range(inputs)], read, ConfigError)


def recordings(folder: Path, inputs: int) -> FaultRow:
    """Recordings of several kinds with bits flipped and ends missing, heard to their end."""
    folder.mkdir(parents=True)
    whole = folder / "whole.wav"
    write_bangs(whole, 1.6, 4.0)
    rng = random.Random(2)
    kinds = {suffix: _converted(whole, folder / f"sound.{suffix}") for suffix in SUFFIXES}
    suffixes = [rng.choice(SUFFIXES) for _ in range(inputs)]
    spoilt = [suffix.encode() + b":" + _spoilt(kinds[suffix], rng) for suffix in suffixes]

    def hear(data: bytes) -> None:
        suffix, _, content = data.partition(b":")
        path = folder / f"spoilt.{suffix.decode()}"
        path.write_bytes(content)
        block = FileConfig.model_validate({"type": "file", "name": "spoilt", "path": str(path)})
        with block.build(SystemClock()) as source:
            for _ in source.frames():
                continue

    return _row("recordings", spoilt, hear, SourceError)


def models(folder: Path, inputs: int) -> FaultRow:
    """The shipped model with bytes changed; in half of the cases with a description that vouches for it."""
    folder.mkdir(parents=True)
    model = folder / "model.onnx"
    content = shipped_model().read_bytes()
    about = json.loads(shipped_model().with_suffix(".json").read_text())
    rng = random.Random(3)
    spoilt = [bytes([number % 2]) + _spoilt(content, rng) for number in range(inputs)]

    def load(data: bytes) -> None:
        model.write_bytes(data[1:])
        vouched = {"sha256": hashlib.sha256(data[1:]).hexdigest()} if data[0] else {}
        model.with_suffix(".json").write_text(json.dumps(about | vouched))
        classifier = EmbeddedClassifier(EmbeddedConfig(type="embedded", model=model))
        classifier.load()
        classifier.close()

    return _row("model files", spoilt, load, ModelError)


def commands(folder: Path, inputs: int) -> FaultRow:
    """A stranger on the broker says anything at all on every command topic of a running daemon."""
    rng = random.Random(4)
    topics = [f"{NODE}/{place}/set" for place in ("test", "ack", "room0/mute", "room0/sensitivity", "x/y/z")]
    with noisy_house(folder, rooms=1) as house:
        house.start()
        for _ in range(inputs):
            size = rng.choice((0, 1, 4, 12, 400, 100_000))
            house.witness.say(rng.choice(topics), rng.randbytes(size))
        house.wait_decided(2)
        began_s = time.monotonic()
        house.witness.say(f"{NODE}/test/set", "PRESS")
        tests = "Test"
        until(lambda: any(tests in d.get("message", "") for d in house.witness.messages()), "a test alert")
        answered_s = time.monotonic() - began_s
        assert house.daemon is not None
        refused = house.daemon.health()["delivery"]["refused_commands"]
        running = house.daemon.process.poll() is None and house.online_count() == 1
        figures: dict[str, float | int | str] = {
            "inputs": inputs,
            "refused and counted": refused,
            "a true command answered after s": round(answered_s, 2),
        }
        held = running and answered_s < HANG_S and 0 < refused <= inputs
        return FaultRow(f"{inputs} random messages on the command topics", HOLDS, held, figures)


def _row(what: str, inputs: list[bytes], take: Callable[[bytes], None], refusal: type[Exception]) -> FaultRow:
    """Every input is taken, or refused with the error of its door in at most a few lines."""
    taken = refused = unclear = 0
    longest_s = 0.0
    for data in inputs:
        began_s = time.monotonic()
        try:
            take(data)
            taken += 1
        except refusal as error:
            refused += 1
            unclear += not str(error).strip()
        except Exception as error:  # noqa: BLE001 - to be counted
            print(f"{what}: {type(error).__name__}: {error}")
            unclear += 1
        longest_s = max(longest_s, time.monotonic() - began_s)
    figures: dict[str, float | int | str] = {
        "inputs": len(inputs),
        "taken": taken,
        "refused": refused,
        "other errors": unclear,
        "longest s": round(longest_s, 2),
    }
    return FaultRow(f"{len(inputs)} damaged {what}", HOLDS, unclear == 0 and longest_s < HANG_S, figures)


def _spoilt(data: bytes, rng: random.Random) -> bytes:
    """One to eight changes: a bit flipped, a stretch cut, doubled or replaced, the end missing."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if not spoilt:
            break
        place = rng.randrange(len(spoilt))
        length = min(rng.randint(1, 64), len(spoilt) - place)
        match rng.randrange(5):
            case 0:
                spoilt[place] ^= 1 << rng.randrange(8)
            case 1:
                del spoilt[place : place + length]
            case 2:
                spoilt[place:place] = spoilt[place : place + length]
            case 3:
                spoilt[place : place + length] = rng.randbytes(length)
            case _:
                del spoilt[place + length :]
    return bytes(spoilt)


def _converted(whole: Path, path: Path) -> bytes:
    """The recording in another container, by PyAV."""
    if path.suffix == whole.suffix:
        shutil.copy(whole, path)
        return path.read_bytes()
    import av

    codec = {".flac": "flac", ".mp3": "libmp3lame", ".ogg": "libopus"}[path.suffix]
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream(codec, rate=16_000)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path.read_bytes()
