"""Finds single cycles of a rhythm in the history: a quick look at every pitch, then a parse of the few that
look right."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.rhythm.history import History
from monitor.rhythm.parse import Parse, parsed
from monitor.rhythm.spectrum import BANDS, BIN_HZ, BINS, BLOCK_HOPS, FIRST_BIN
from monitor.rhythm.templates import SCALES, Template

Hops = npt.NDArray[np.intp]

_LEAST_ON_DB = 4.0
_STRETCH = 30
_CLEAR_DB = 7.0
_NEAR_BINS = 4


@dataclass(frozen=True)
class Candidate:
    """A place where a rhythm's parts seem to lie."""

    channel: int
    end: int
    """Hop after the last part."""
    on_db: float
    off_db: float
    """Mean prominence of the tones and of the gaps between them."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones stand above the gaps."""
        return self.on_db - self.off_db


@dataclass(frozen=True)
class Cycle:
    """One complete cycle, measured."""

    template: Template
    channel: int
    onset: int
    """Hop of the first tone's onset."""
    on_end: int
    """Hop after the last tone heard."""
    on_s: float
    off_s: float
    """Means over the cycle's tones and the short gaps between them."""
    pause_s: float | None
    pitch_hz: float
    snr_db: float
    """Level of the tone over the noise in the third octave around it."""
    fit: float
    """0-1: how well sound and rhythm agree."""
    moving: bool
    """The pitch is not one: two tones or a sweep."""
    quiet_db: float
    """Mean prominence below which a stretch counts as quiet beside these tones."""
    expected: bool
    """Its alarm was already known."""


def candidates(history: History, template: Template) -> list[Candidate]:
    """Places in the newest block where `template` may just have ended; best first."""
    ends = np.arange(history.end - BLOCK_HOPS + template.step, history.end + 1, template.step)
    ends, channels = _last_tone(history, template, ends)
    if not len(ends):
        return []
    on_db, off_db = _looked_at(history, template, ends, channels)
    contrast_db = on_db - off_db
    tempo = np.argmax(contrast_db, axis=1)
    pick = np.arange(len(ends))
    best_db = contrast_db[pick, tempo]
    order = [i for i in np.argsort(-best_db) if np.isfinite(best_db[i])]
    found = (
        Candidate(int(channels[i]), int(ends[i]), float(on_db[i, tempo[i]]), float(off_db[i, tempo[i]]))
        for i in order
    )
    return _apart(found)


def _last_tone(history: History, template: Template, ends: Hops) -> tuple[Hops, Hops]:
    """The cheap test on every channel: the last tone against the quiet beside it."""
    cores = template.cores[1.0]
    last_on = template.ons[-1]
    beside = last_on + 1 if last_on + 1 < len(template.parts) else last_on - 1
    on_db, off_db = (history.all_means(ends + cores[i, 0], ends + cores[i, 1]) for i in (last_on, beside))
    rows, channels = np.nonzero((on_db - off_db > template.contrast_db) & (on_db > _LEAST_ON_DB))
    return ends[rows], channels


def _looked_at(
    history: History, template: Template, ends: Hops, channels: Hops
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean prominence of tones and gaps, shape (places, tempi); inf for gaps where too many parts disagree."""
    spans = ends[:, None, None, None] + np.stack([template.cores[scale] for scale in SCALES])
    means = history.means(channels[:, None, None], spans[..., 0], spans[..., 1])
    ons, quiets = means[..., template.ons], means[..., template.quiets]
    on_db, off_db = ons.mean(axis=-1), means[..., template.inner_gaps].mean(axis=-1)
    middle = ((on_db + off_db) / 2)[..., None]
    plausible = ((ons < middle).sum(axis=-1) <= 1) & ((quiets > middle).sum(axis=-1) <= 1)
    plausible &= on_db - off_db > template.contrast_db
    return on_db, np.where(plausible, off_db, np.inf)


def _apart(found: Iterable[Candidate]) -> list[Candidate]:
    """The best of each neighbourhood in pitch."""
    kept: list[Candidate] = []
    for candidate in found:
        if all(abs(candidate.channel - other.channel) > 3 for other in kept):
            kept.append(candidate)
        if len(kept) == 6:
            break
    return kept


@dataclass(frozen=True)
class Strictness:
    """How well the parts must fit. A first cycle is held to more than one that was expected."""

    least_on: float
    least_off: float
    least_mean: float
    spared: int
    """Tones, and gaps, that may be masked or missing."""


FIRST = Strictness(least_on=0.3, least_off=0.3, least_mean=0.58, spared=0)
EXPECTED = Strictness(least_on=0.1, least_off=0.0, least_mean=0.3, spared=1)


def verified(
    history: History, template: Template, candidate: Candidate, strictness: Strictness = FIRST
) -> Cycle | None:
    """The candidate parsed and measured; None if it is not this rhythm after all."""
    first = max(history.begin, candidate.end - template.longest - 10)
    track = history.prominence_db(candidate.channel, first, history.end).astype(np.float64)
    threshold_db = max((candidate.on_db + candidate.off_db) / 2, candidate.on_db - 8)
    softness_db = float(np.clip((candidate.on_db - candidate.off_db) / 2, 1.5, 6))
    smooth = np.convolve(track, np.ones(template.smoothing) / template.smoothing, "same")
    sounding = np.clip((smooth - threshold_db) / softness_db, -1, 1)
    parse = parsed(template, sounding, earliest_end=max(0, candidate.end - first - 12))
    if parse is None or not _fits(template, parse, strictness):
        return None
    if strictness is FIRST and not _rests(history, template, candidate, parse.edges + first):
        return None
    return _measured(history, template, candidate, parse, first, strictness)


def _fits(template: Template, parse: Parse, strictness: Strictness) -> bool:
    ons, quiets = (np.sort(parse.fits[list(which)]) for which in (template.ons, template.quiets))
    onsets = parse.edges[list(template.ons)]
    lengths = np.diff(parse.edges)
    return bool(
        ons[strictness.spared] >= strictness.least_on
        and quiets[strictness.spared] >= strictness.least_off
        and parse.fits.mean() >= strictness.least_mean
        and lengths[list(template.full_tones)].mean() >= template.least_tone
        and all(
            low <= apart <= high for apart, (low, high) in zip(np.diff(onsets), template.apart, strict=True)
        )
    )


def _rests(history: History, template: Template, candidate: Candidate, edges: Hops) -> bool:
    """Whether no further beep hides in a long quiet part, where a parse would overlook it."""
    clear = candidate.contrast_db >= _CLEAR_DB
    length, share = (20, 0.5) if clear else (40, 0.6)
    limit_db = candidate.off_db + share * candidate.contrast_db
    for i in template.quiets:
        # The room may ring on after the last beep.
        start = edges[i] + (30 if i > template.ons[0] else 0)
        firsts = np.arange(start, edges[i + 1] - length + 1, 5)
        if (
            len(firsts)
            and (
                history.means(np.full(len(firsts), candidate.channel), firsts, firsts + length) > limit_db
            ).any()
        ):
            return False
    return True


def _measured(
    history: History,
    template: Template,
    candidate: Candidate,
    parse: Parse,
    first: int,
    strictness: Strictness,
) -> Cycle | None:
    edges = parse.edges + first
    lengths = np.diff(parse.edges)
    beeps = [history.level_db(edges[i], edges[i + 1]) for i in template.ons]
    spectra = np.stack([np.mean(10 ** (beep[len(beep) // 4 :] / 10), axis=0) for beep in beeps])
    moving = candidate.channel >= BINS
    if moving and not _alike(spectra, candidate.channel):
        return None
    pitches = _pitches_hz(spectra, candidate.channel)
    if not moving and np.ptp(pitches) > max(0.9 * BIN_HZ, 0.01 * pitches.mean()):
        return None
    if not moving and not _stays(history, template, candidate, edges):
        return None
    gaps = [i for i in template.inner_gaps if template.parts[i].nominal <= 50]
    pauses = [i for i in template.inner_gaps if template.parts[i].nominal > 50]
    return Cycle(
        template=template,
        channel=candidate.channel,
        onset=int(edges[template.ons[0]]),
        on_end=int(edges[template.ons[-1] + 1]),
        on_s=float(lengths[list(template.full_tones)].mean()) / 100,
        off_s=float(lengths[gaps].mean()) / 100,
        pause_s=float(lengths[pauses].mean()) / 100 if pauses else None,
        pitch_hz=float(np.median(pitches)),
        snr_db=_snr_db(candidate, float(np.median(pitches))),
        fit=float(np.clip(parse.fits.mean(), 0, 1)),
        moving=moving,
        quiet_db=candidate.off_db + 0.4 * candidate.contrast_db,
        expected=strictness is EXPECTED,
    )


def is_alone(history: History, cycle: Cycle) -> bool:
    """Whether the pitch was silent before the first tone and after the last, as long as the template asks.

    One stretch of a third of a second may be masked; three once the alarm is known.
    """
    hops = cycle.template.quiet_around
    before = np.arange(cycle.onset - hops, cycle.onset - _STRETCH, _STRETCH)
    after = np.arange(cycle.on_end + 20, cycle.on_end + hops - _STRETCH + 1, _STRETCH)
    firsts = np.concatenate([before, after])
    means = history.means(np.full(len(firsts), cycle.channel), firsts, firsts + _STRETCH)
    return bool((means > cycle.quiet_db).sum() <= (3 if cycle.expected else 1))


def _pitches_hz(spectra: npt.NDArray[np.float64], channel: int) -> npt.NDArray[np.float64]:
    """The strongest pitch of each beep near the channel, between bins by a parabola through the logarithms."""
    low, high = (channel - 2, channel + 3) if channel < BINS else BANDS[channel - BINS]
    low, high = max(low, 0), min(high, BINS)
    peaks = low + np.argmax(spectra[:, low:high], axis=1)
    peaks = np.clip(peaks, 1, BINS - 2)
    rows = np.arange(len(peaks))
    left, middle, right = (np.log(spectra[rows, peaks + d]) for d in (-1, 0, 1))
    bend = left - 2 * middle + right
    offset = np.where(bend < -1e-9, 0.5 * (left - right) / np.where(bend < -1e-9, bend, -1.0), 0.0)
    return np.asarray((FIRST_BIN + peaks + np.clip(offset, -0.5, 0.5)) * BIN_HZ)


def _stays(history: History, template: Template, candidate: Candidate, edges: Hops) -> bool:
    """Whether the sound goes between the tones and not just its pitch, as a vibrato's does."""
    near = slice(max(0, candidate.channel - _NEAR_BINS), candidate.channel + _NEAR_BINS + 1)
    on, gap = (
        np.mean([np.mean(10 ** (history.level_db(edges[i], edges[i + 1])[:, near] / 10)) for i in which])
        for which in (template.full_tones, template.inner_gaps)
    )
    share = 1.5 / (2 * _NEAR_BINS + 1)
    expected_db = 10 * np.log10(1 + (10 ** (candidate.contrast_db / 10) - 1) * share)
    return bool(10 * np.log10(on / gap) >= 0.4 * expected_db)


def _alike(spectra: npt.NDArray[np.float64], channel: int) -> bool:
    """All beeps move through the same pitches: what tells a sounder from a voice."""
    low, high = BANDS[channel - BINS]
    shapes = np.sqrt(spectra[:, low:high])
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    return bool((shapes @ shapes.mean(axis=0) / np.linalg.norm(shapes.mean(axis=0))).min() > 0.85)


def _snr_db(candidate: Candidate, pitch_hz: float) -> float:
    """From prominence: the surroundings of a bin against a third octave of them, and the Hann window's lobe."""
    third_octave_bins = 0.2316 * pitch_hz / BIN_HZ
    return float(candidate.on_db - 2.5 - 10 * np.log10(third_octave_bins / 1.5))
