"""Sound that nobody labelled: any folder of audio files, decoded once beside the labelled recordings, and
voices and music that are made on the spot. The teachers say what it is.
"""

import json
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.train_tagger.recordings import CACHE_RATE_HZ, SampleCache, decode

KINDS = frozenset((".ogg", ".oga", ".wav", ".mp3", ".opus", ".flac", ".g722"))
LONGEST_S = 20
"""Of a file, from anywhere in it."""
MOST_S = 900
"""Of one of the folder's subfolders: a large package must not be all that is heard."""
SENTENCES = {
    "en": "The kettle is on. Who left the door open? Please come here, dinner is ready. I cannot find my "
    "keys. Stop that! Good morning, how are you today? Call me back later, will you.",
    "de": "Das Wasser kocht schon. Wer hat die Tür offen gelassen? Komm bitte her, das Essen ist fertig.",
    "fr": "La bouilloire chauffe. Qui a laissé la porte ouverte ? Viens ici, le dîner est prêt.",
    "es": "El agua está hirviendo. ¿Quién dejó la puerta abierta? Ven aquí, la cena está lista.",
}
VARIANTS = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5", "+whisper", "+croak", "+klatt")
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 6, 7, 10), (0, 2, 4, 7, 9))
BEAT = 480
"""Ticks of a MIDI file."""
MUSIC_S = 14


class GatheredSound:
    """Labelled recordings and unlabelled sound behind one index: what a mixer draws from."""

    def __init__(self, recordings: Path, anything: Path | None) -> None:
        self._caches = [SampleCache(folder) for folder in (recordings, anything) if folder]
        self.anything = self._caches[1].paths if anything else []

    def __getitem__(self, path: str) -> npt.NDArray[np.float32]:
        """As `SampleCache`."""
        return self._having(path)[path]

    def length(self, path: str) -> int:
        """As `SampleCache`."""
        return self._having(path).length(path)

    def _having(self, path: str) -> SampleCache:
        return next(cache for cache in self._caches if path in cache)


def gather(folder: Path, cache: Path) -> dict[str, float]:
    """Decode what the folder holds into a cache; minutes by subfolder, which `minutes.json` keeps."""
    cache.mkdir(parents=True, exist_ok=True)
    index: dict[str, tuple[int, int]] = {}
    minutes: dict[str, float] = {}
    written = 0
    with (cache / "samples.part").open("wb") as out:
        for name, samples in _cuts(folder):
            samples.tofile(out)
            index[name] = (written, len(samples))
            written += len(samples)
            package = name.split("/", 1)[0]
            minutes[package] = minutes.get(package, 0.0) + len(samples) / CACHE_RATE_HZ / 60
    (cache / "samples.part").replace(cache / "samples.i16")
    (cache / "index.json").write_text(json.dumps(index))
    (cache / "minutes.json").write_text(json.dumps(minutes))
    return minutes


def _cuts(folder: Path) -> Iterator[tuple[str, npt.NDArray[np.int16]]]:
    rng = random.Random(0)
    for package in sorted(each for each in folder.iterdir() if each.is_dir()):
        files = sorted(f for f in package.rglob("*") if f.suffix.lower() in KINDS and f.is_file())
        rng.shuffle(files)
        left = MOST_S * CACHE_RATE_HZ
        for file in files:
            samples = _cut(file, rng)
            if left > 0 and len(samples):
                left -= len(samples)
                yield str(file.relative_to(folder)), samples


def _cut(file: Path, rng: random.Random) -> npt.NDArray[np.int16]:
    """Nothing of a file that cannot be decoded, is shorter than 0.1 s or all but silent."""
    import av

    try:
        samples = decode(file, CACHE_RATE_HZ)
    except (av.FFmpegError, IndexError, ValueError):
        return np.zeros(0, np.int16)
    longest = LONGEST_S * CACHE_RATE_HZ
    if len(samples) > longest:
        start = rng.randrange(len(samples) - longest)
        samples = samples[start : start + longest]
    audible = len(samples) >= CACHE_RATE_HZ // 10 and int(np.abs(samples.astype(np.int32)).max()) >= 100
    return samples if audible else np.zeros(0, np.int16)


def speak(folder: Path, count: int, seed: int = 0) -> None:
    """Sentences by espeak-ng in any of its languages and voices, at any pitch and speed, as WAV files."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    listing = _run("espeak-ng", "--voices").splitlines()[1:]
    voices = [line.split()[1] for line in listing]
    for number in range(count):
        voice = rng.choice(voices)
        words = SENTENCES.get(voice.split("-")[0], rng.choice(list(SENTENCES.values()))).split()
        first, many = rng.randrange(len(words) - 2), rng.randint(2, 18)
        sentence, sound = " ".join(words[first : first + many]), str(folder / f"{number}.wav")
        speed, pitch = str(rng.randint(90, 260)), str(rng.randint(5, 95))
        said_by = voice + rng.choice(VARIANTS)
        _run("espeak-ng", "-v", said_by, "-s", speed, "-p", pitch, "-w", sound, sentence)


def play(folder: Path, fonts: Sequence[Path], count: int, seed: int = 0) -> None:
    """Music from dice: a scale, one to five instruments, perhaps drums; played by fluidsynth."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    for number in range(count):
        score, sound = folder / f"{number}.mid", folder / f"{number}.wav"
        score.write_bytes(_midi(rng))
        font = str(rng.choice(fonts))
        _run("fluidsynth", "-ni", "-F", str(sound), "-r", "32000", "-g", "0.7", font, str(score))
        score.unlink()


def _run(program: str, *arguments: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise FileNotFoundError(f"{program} is not installed (apt install {program})")
    return subprocess.run([found, *arguments], check=True, capture_output=True, text=True).stdout


def _midi(rng: random.Random) -> bytes:
    bpm = rng.randint(50, 180)
    ticks = int(BEAT * bpm / 60 * MUSIC_S)
    events = [(0, b"\xff\x51\x03" + (60_000_000 // bpm).to_bytes(3, "big"))]
    scale, root = rng.choice(SCALES), rng.randint(36, 60)
    players = 1 if rng.random() < 0.4 else rng.randint(2, 5)
    for channel in range(players):
        events += _melody(rng, channel, scale, root, ticks)
    if rng.random() < (0.1 if players == 1 else 0.7):
        events += _drums(rng, ticks)
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, BEAT) + _track(events)


def _melody(
    rng: random.Random, channel: int, scale: Sequence[int], root: int, ticks: int
) -> list[tuple[int, bytes]]:
    events, at, step = [(0, bytes([0xC0 | channel, rng.randrange(128)]))], 0, rng.randint(0, 14)
    chord = (0, 2, 4) if rng.random() < 0.4 else (0,)
    while at < ticks:
        length = int(BEAT * rng.choice((0.25, 0.5, 0.5, 1, 1, 2)))
        step = max(0, min(20, step + rng.randint(-3, 3)))
        for above in chord if rng.random() < 0.85 else ():
            octave, degree = divmod(step + above, len(scale))
            note = min(120, root + 12 * octave + scale[degree])
            events.append((at, bytes([0x90 | channel, note, rng.randint(40, 120)])))
            events.append((at + int(length * 0.9), bytes([0x80 | channel, note, 0])))
        at += length
    return events


def _drums(rng: random.Random, ticks: int) -> list[tuple[int, bytes]]:
    pattern = [rng.choice((35, 36, 38, 39, 40, 42, 44, 46, 49, 51, 54, 56, 70)) for _ in range(8)]
    events = []
    for beat, at in enumerate(range(0, ticks, BEAT // 2)):
        if rng.random() < 0.7:
            drum = pattern[beat % 8]
            events += [(at, bytes([0x99, drum, rng.randint(50, 120)])), (at + 100, bytes([0x89, drum, 0]))]
    return events


def _track(events: Sequence[tuple[int, bytes]]) -> bytes:
    data, now = b"", 0
    for at, message in sorted(events, key=lambda event: event[0]):
        data += _variable(at - now) + message
        now = at
    data += b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(data)) + data


def _variable(number: int) -> bytes:
    """MIDI's variable-length quantity: seven bits a byte, the highest first."""
    septets = [number & 127]
    while number := number >> 7:
        septets.append((number & 127) | 128)
    return bytes(reversed(septets))
