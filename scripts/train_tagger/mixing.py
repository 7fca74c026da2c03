"""Mixtures without end: a sound in a room over a background, for the teacher and for the student."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from monitor.labels import vocabulary
from scripts.train_tagger import made
from scripts.train_tagger.channels import STUDENT_RATE_HZ, student_copy
from scripts.train_tagger.recordings import CACHE_RATE_HZ, Clips, Recording
from scripts.train_tagger.remix import remixed
from scripts.train_tagger.targets import EMOTIONS, INDEX, LABELS, labels_of, open_of

Wave = npt.NDArray[np.float32]
Rng = np.random.Generator

BACKGROUND_LABELS = (
    "rain", "wind", "waves", "washing_machine", "vacuum_cleaner", "engine", "aircraft", "train", "music",
    "speech", "crackling_fire", "bird", "insect", "water_running", "clock_tick", "keyboard_typing",
)  # fmt: skip
"""Sounds that go on behind others in a house."""

LASTING_S = 3.0
"""A shorter recording without a name is no background for hours, repeated without end, but an event."""
WITHHELD = ("nonspeech100",)
"""Sets whose recordings without a name are no background: there they are alarms that were not checked."""


CIRCULAR = ("eco-gunshots", "icu-alarms", "domotic-doorbell")
CIRCULAR_ODDS = 0.3
"""Sets whose labels a teacher chose say little that it does not, and come up less often."""
ANY_SNR_DB, NOISY_SNR_DB = (-5.0, 30.0), (0.0, 20.0)
"""How far a background is below the sound, in mixtures of any kind and in noisy ones."""
BEGUN_SHARE, BEGUN_LONGEST_S = 0.35, 1.0
"""Of the mixtures that are not longer, so many hear a sound begin and no more: what an early look has."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """One training example."""

    teacher_wave: Wave
    """32 kHz, before microphone and line: what the student hears after them should mean the same."""
    student_wave: npt.NDArray[np.int16]
    """16 kHz."""
    labels: Wave
    """1 where a person (or the synthesis) says so, shape (labels,)."""
    known: Wave
    """0 where nobody said whether the label applies."""
    exact: bool
    """Nothing but the labels is in it, so that the teacher's guesses add nothing."""
    emotion: int
    """Index into EMOTIONS, or -1."""


@dataclass(frozen=True, slots=True)
class _Sound:
    wave: Wave
    labels: Wave
    open: Wave
    emotion: int = -1
    made: bool = False


_NOTHING = np.zeros(len(LABELS), np.float32)


class MixtureMaker:
    """Draws mixtures. Not shared between threads: one per worker, each with its own seed."""

    def __init__(
        self,
        recordings: Sequence[Recording],
        cache: Clips,
        rooms: npt.NDArray[np.float32],
        duration_s: float,
        also_open: Mapping[str, Wave] | None = None,
        anything: Sequence[str] = (),
    ) -> None:
        """`also_open`: by path, further labels on which a recording says nothing. `anything`: paths of sound
        that nobody named, for `draw_anything`, besides the recordings."""
        self._anything = [*anything]
        self._recordings = list(recordings)
        self._also_open = also_open or {}
        self._cache = cache
        self._rooms = rooms
        self.duration_s = duration_s
        self._samples = int(duration_s * CACHE_RATE_HZ)
        self._size = fft.next_fast_len(self._samples + rooms.shape[1], real=True)
        self._size += -self._size % 8  # halves and quarters must be whole for `at_rate`
        self._by_label = {label: _grouped(recordings, n) for label, n in INDEX.items()}
        self._drawn = [label for label in LABELS if self._by_label[label] or made.makers_of(label)]
        self._odds = self._label_odds()
        self._everyday = np.array([vocabulary()[label].severity_default == "info" for label in self._drawn])
        unlabelled = [r for r in recordings if _of_nothing_named(r)]
        self._unlabelled = _by_group(unlabelled)
        shortest = LASTING_S * CACHE_RATE_HZ
        self._lasting = _by_group([r for r in unlabelled if cache.length(r.path) >= shortest])
        self._brief = _by_group([r for r in unlabelled if cache.length(r.path) < shortest])
        self._acted = {
            emotion: _by_group([r for r in recordings if r.emotion == emotion]) for emotion in EMOTIONS
        }

    def _label_odds(self) -> npt.NDArray[np.float64]:
        """Labels with more independent recordings come up more often, but by far less than in proportion."""
        groups = np.array(
            [len(self._by_label[label]) + 10 * bool(made.makers_of(label)) for label in self._drawn]
        )
        odds = np.clip(groups, 8, 120) ** 0.4
        return np.asarray(odds / odds.sum())

    def draw(self, rng: Rng, behind_share: float = 0.7, snr_db: tuple[float, float] = ANY_SNR_DB) -> Mixture:
        """One mixture of this mixer's length; so many of them have a background, so far below the sound."""
        front = self._foreground(rng)
        sounds, parts = [front], [self._placed(rng, front)]
        levels = [_active_rms(parts[0])]
        if rng.random() < 0.15 and front.emotion < 0:
            sounds.append(self._labelled(rng))
            parts.append(self._placed(rng, sounds[-1]))
            levels.append(levels[0] * 10 ** (rng.uniform(-10, 10) / 20))
        spectrum = self._in_room(rng, parts, levels)
        labels, unknown = _union(sounds)
        if rng.random() < behind_share:
            below_db = rng.uniform(*snr_db)
            behind = self._background(rng, self._unlabelled)
            spectrum += self._spectrum(behind.wave, levels[0] * 10 ** (-below_db / 20))
            labels, unknown = _with_background(labels, unknown, behind, below_db)
            sounds.append(behind)
        return self._mixture(rng, spectrum, sounds, (labels, unknown))

    def draw_noisy(self, rng: Rng) -> Mixture:
        """As a home's microphone has it: something always goes on behind the sound, and not far below it."""
        return self.draw(rng, 1.0, NOISY_SNR_DB)

    def draw_anything(self, rng: Rng) -> Mixture:
        """One or two sounds of any kind, remixed, of which nothing is known but what the teachers say."""
        sounds = [self._any(rng)]
        parts, levels = [self._placed(rng, sounds[0])], [1.0]
        if rng.random() < 0.35:
            sounds.append(self._any(rng))
            parts.append(self._placed(rng, sounds[-1]))
            levels.append(10 ** (rng.uniform(-15, 10) / 20))
        spectrum = self._in_room(rng, parts, levels)
        if rng.random() < 0.4:
            behind = self._background(rng, self._unlabelled)
            spectrum += self._spectrum(behind.wave, 10 ** (-rng.uniform(0, 30) / 20))
        return self._mixture(rng, spectrum, sounds, (_NOTHING, np.ones_like(_NOTHING)))

    def _any(self, rng: Rng) -> _Sound:
        if self._anything and rng.random() < 0.6:
            wave = self._cache[self._anything[rng.integers(len(self._anything))]]
        elif rng.random() < 0.12:
            wave = _made(rng, made.draw(rng, str(rng.choice(made.MADE_LABELS)))).wave
        else:
            wave = self._cache[self._recordings[rng.integers(len(self._recordings))].path]
        longest = 2 * self._samples
        if len(wave) > longest:
            start = _cut_about(rng, wave, longest)
            wave = wave[start : start + longest]
        return _Sound(remixed(rng, wave, CACHE_RATE_HZ), _NOTHING, _NOTHING)

    def draw_household(self, rng: Rng) -> Mixture:
        """A piece of an ordinary day: background throughout, and in one of eight an everyday sound."""
        behind = self._background(rng, self._lasting)
        sounds, spectrum = [behind], self._spectrum(behind.wave, 1.0)
        if rng.random() < 0.125:
            nameless = bool(self._brief) and rng.random() < 0.25
            front = self._recorded(rng, self._brief) if nameless else self._labelled(rng, self._everyday)
            level = 10 ** (rng.uniform(-5, 20) / 20)
            spectrum += self._in_room(rng, [self._placed(rng, front)], [level])
            sounds.append(front)
        return self._mixture(rng, spectrum, sounds, _union(sounds))

    def _mixture(
        self, rng: Rng, spectrum: npt.NDArray[np.complex64], sounds: Sequence[_Sound], told: tuple[Wave, Wave]
    ) -> Mixture:
        labels, unknown = told
        wave = np.asarray(fft.irfft(spectrum, self._size)[: self._samples], np.float32)
        gain = 10 ** rng.uniform(-1, -0.1) / max(float(np.abs(wave).max()), 1e-9)
        samples = self._samples * STUDENT_RATE_HZ // CACHE_RATE_HZ
        return Mixture(
            teacher_wave=wave * np.float32(gain),
            student_wave=student_copy(rng, spectrum, CACHE_RATE_HZ, samples),
            labels=labels,
            known=1 - unknown,
            exact=all(sound.made for sound in sounds),
            emotion=sounds[0].emotion,
        )

    def _foreground(self, rng: Rng) -> _Sound:
        pick = rng.random()
        if pick < 0.13 and any(self._acted.values()):
            emotion = rng.choice([e for e, groups in self._acted.items() if groups])
            return self._recorded(rng, self._acted[emotion])
        if pick < 0.20:
            return self._recorded(rng, self._unlabelled)
        if pick < 0.28:
            return self._confuser(rng)
        return self._labelled(rng)

    def _confuser(self, rng: Rng) -> _Sound:
        """Something that is taken for a sound that a home counts on."""
        if rng.random() < 0.15:
            return _made(rng, made.NO_LABEL[rng.integers(len(made.NO_LABEL))])
        others = made.CONFUSED_WITH[str(rng.choice(list(made.CONFUSED_WITH)))]
        drawable = [label for label in others if label in self._drawn]
        return self._of_label(rng, str(rng.choice(drawable))) if drawable else self._labelled(rng)

    def _labelled(self, rng: Rng, wanted: npt.NDArray[np.bool_] | None = None) -> _Sound:
        odds = self._odds if wanted is None else self._odds * wanted / self._odds[wanted].sum()
        return self._of_label(rng, str(rng.choice(self._drawn, p=odds)))

    def _of_label(self, rng: Rng, label: str) -> _Sound:
        groups = self._by_label[label]
        if not groups or rng.random() < made.SHARE.get(label, 0):
            return _made(rng, made.draw(rng, label))
        return self._recorded(rng, groups)

    def _background(self, rng: Rng, nameless: list[list[Recording]]) -> _Sound:
        pick = rng.random()
        if pick < 0.25 or (pick < 0.5 and not nameless):
            return _Sound(_coloured_noise(rng, self._samples), _NOTHING, _NOTHING, made=True)
        if pick < 0.5:
            sound = self._recorded(rng, nameless)
        else:
            with_data = [label for label in BACKGROUND_LABELS if self._by_label[label]]
            sound = self._recorded(rng, self._by_label[str(rng.choice(with_data))])
        wave = _looped(sound.wave, 2 * self._samples)
        start = int(rng.integers(0, self._samples + 1))
        return _Sound(wave[start : start + self._samples], sound.labels, sound.open)

    def _recorded(self, rng: Rng, groups: list[list[Recording]]) -> _Sound:
        clips = _of_any_source(rng, groups)
        clip = clips[rng.integers(len(clips))]
        emotion = EMOTIONS.index(clip.emotion) if clip.emotion else -1
        names = clip.audioset_names
        labels = labels_of(names)
        unknown = np.maximum(open_of(names), self._also_open.get(clip.path, _NOTHING)) * (1 - labels)
        return _Sound(self._cache[clip.path], labels, unknown, emotion)

    def _placed(self, rng: Rng, sound: _Sound) -> Wave:
        """A cut of a long sound about a loud moment; a short one somewhere in the window, or repeated."""
        wave = sound.wave
        if self.duration_s <= BEGUN_LONGEST_S and rng.random() < BEGUN_SHARE:
            return _begun(rng, wave, self._samples)
        if len(wave) > self._samples:
            start = (
                _cut_about(rng, wave, self._samples)
                if sound.made or rng.random() < 0.85  # a made sound has pauses of silence
                else rng.integers(len(wave) - self._samples)
            )
            return wave[start : start + self._samples]
        if rng.random() < 0.2 and len(wave) > 1600:
            wave = np.tile(wave, -(-self._samples // len(wave)))[: self._samples]
        placed = np.zeros(self._samples, np.float32)
        start = int(rng.integers(0, self._samples - len(wave) + 1))
        placed[start : start + len(wave)] = wave
        return placed

    def _in_room(self, rng: Rng, parts: Sequence[Wave], levels: Sequence[float]) -> npt.NDArray[np.complex64]:
        dry = np.zeros(self._samples, np.float32)
        for part, level in zip(parts, levels, strict=True):
            dry += part * np.float32(level / max(_active_rms(part), 1e-9))
        spectrum = np.asarray(fft.rfft(dry, self._size), np.complex64)
        if rng.random() < 0.5:
            spectrum *= fft.rfft(self._rooms[rng.integers(len(self._rooms))], self._size)
        return spectrum

    def _spectrum(self, wave: Wave, level: float) -> npt.NDArray[np.complex64]:
        rms = float(np.sqrt(np.mean(np.square(wave))))
        return np.asarray(fft.rfft(wave * np.float32(level / max(rms, 1e-9)), self._size), np.complex64)


def _made(rng: Rng, by: made.Made) -> _Sound:
    labels = (by.label,) if by.label else ()
    return _Sound(by.make(rng, CACHE_RATE_HZ), _flags(labels), _flags(by.open), made=True)


def _flags(labels: Sequence[str]) -> Wave:
    flags = np.zeros(len(LABELS), np.float32)
    flags[[INDEX[label] for label in labels]] = 1
    return flags


def _of_nothing_named(recording: Recording) -> bool:
    if not recording.audioset_names:
        return recording.source not in WITHHELD
    return not labels_of(recording.audioset_names).any()


def _grouped(recordings: Sequence[Recording], label: int) -> list[list[Recording]]:
    return _by_group([r for r in recordings if labels_of(r.audioset_names)[label]])


def _of_any_source(rng: Rng, groups: list[list[Recording]]) -> list[Recording]:
    """A group, by half of the draws of a source drawn first: a large source must not be all that is heard."""
    if rng.random() < 0.5:
        return groups[rng.integers(len(groups))]
    sources = sorted({clips[0].source for clips in groups})
    odds = np.array([CIRCULAR_ODDS if source in CIRCULAR else 1.0 for source in sources])
    source = sources[rng.choice(len(sources), p=odds / odds.sum())]
    own = [clips for clips in groups if clips[0].source == source]
    return own[rng.integers(len(own))]


def _by_group(recordings: Sequence[Recording]) -> list[list[Recording]]:
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.group, []).append(recording)
    return list(groups.values())


def _union(sounds: Sequence[_Sound]) -> tuple[Wave, Wave]:
    labels = np.max([sound.labels for sound in sounds], axis=0)
    unknown = np.max([sound.open for sound in sounds], axis=0) * (1 - labels)
    return labels, unknown


def _with_background(labels: Wave, unknown: Wave, behind: _Sound, snr_db: float) -> tuple[Wave, Wave]:
    """A background's labels count while it is plainly heard and are left open while it is faint."""
    if snr_db < 15:
        labels = np.maximum(labels, behind.labels)
        unknown = np.maximum(unknown, behind.open)
    elif snr_db < 25:
        unknown = np.maximum(unknown, np.maximum(behind.labels, behind.open))
    return labels, unknown * (1 - labels)


def _looped(wave: Wave, samples: int) -> Wave:
    """Repeated to a length, each time faded into the next: a hard seam would be a bang every few seconds."""
    fade = min(CACHE_RATE_HZ // 4, len(wave) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    faded = wave.copy()
    faded[:fade] *= ramp
    faded[len(wave) - fade :] *= ramp[::-1]
    step = max(1, len(wave) - fade)
    total = np.zeros(samples + len(wave), np.float32)
    for start in range(0, samples, step):
        total[start : start + len(wave)] += faded
    return total[fade : fade + samples] if fade else np.resize(wave, samples)


def _frame_powers(wave: Wave, size: int = CACHE_RATE_HZ // 20) -> npt.NDArray[np.float32]:
    """Mean power of 50 ms pieces."""
    whole = len(wave) // size * size
    if not whole:
        return np.array([float(np.mean(np.square(wave)))], np.float32)
    powers: npt.NDArray[np.float32] = np.mean(np.square(wave[:whole].reshape(-1, size)), axis=1)
    return powers


def _active_rms(wave: Wave) -> float:
    """Level while the sound sounds: over the pieces within 20 dB of the loudest."""
    powers = _frame_powers(wave)
    loud = powers[powers > 0.01 * powers.max(initial=0)]
    return float(np.sqrt(loud.mean())) if len(loud) else 0.0


def _cut_about(rng: Rng, wave: Wave, samples: int) -> int:
    """Where to cut so that a moment drawn by its loudness is inside."""
    powers = np.sqrt(_frame_powers(wave)).astype(np.float64) + 1e-9
    moment = int(rng.choice(len(powers), p=powers / powers.sum())) * (CACHE_RATE_HZ // 20)
    return int(np.clip(moment - rng.integers(samples // 10, samples * 9 // 10), 0, len(wave) - samples))


def _begun(rng: Rng, wave: Wave, samples: int) -> Wave:
    """The wave from where it first is loud, after a pause of 10-70 % of the window."""
    powers = _frame_powers(wave)
    first = int(np.argmax(powers > 0.02 * powers.max(initial=0))) * (CACHE_RATE_HZ // 20)
    begun = np.zeros(samples, np.float32)
    start = int(rng.uniform(0.1, 0.7) * samples)
    rest = wave[first : first + samples - start]
    begun[start : start + len(rest)] = rest
    return begun


def _coloured_noise(rng: Rng, samples: int) -> Wave:
    """Noise whose spectrum falls by 0-9 dB an octave."""
    spectrum = fft.rfft(rng.standard_normal(samples, np.float32))
    slope = np.maximum(np.arange(len(spectrum)), 20).astype(np.float32) ** np.float32(-rng.uniform(0, 1.5))
    return np.asarray(fft.irfft(spectrum * slope, samples), np.float32)
