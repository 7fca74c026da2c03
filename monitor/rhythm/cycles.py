"""Single cycles of a rhythm: a candidate parsed, held against the standard, and measured."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.rhythm.aligned import AUDIBLE_DB, BIN_PER_LOBE, CLEAR_DB, PLAIN_DB, View, median, placed
from monitor.rhythm.candidates import BLURRED, LOWEST_RINGING, RINGING_DB, Candidate
from monitor.rhythm.history import History
from monitor.rhythm.parse import Parse, parsed
from monitor.rhythm.rejections import comes_and_goes, is_another_instrument, is_steady_after_all
from monitor.rhythm.spectrum import BIN_HZ, BINS, FIRST_BIN
from monitor.rhythm.templates import Template

_SLACK_HOPS = 12
_RINGING_HOPS = 30  # after the last beep of a group the room may ring on
_LOWEST_HZ = 440.0  # the lowest sounders are of 520 Hz, 10 % less at worst; below, voices abound
_LEAST_SNR_DB = -3.0
# Below this SNR noise alone fits now and then, if less well than a tone; above it a room may spoil the fit.
_FAINT_SNR_DB = 6.0
# What clatters over one tone of an alarm pulls it by so much; the rest must fit all the better.
_PULLED_BINS, _PULLED_FIT = 1.0, 0.85
_OWN_LEVEL_DB = 6.0


@dataclass(frozen=True)
class Strictness:
    """How well the parts must fit. A first cycle is held to more than one that was expected."""

    least_on: float
    least_quiet: float
    least_mean: float
    spared: int
    """Tones, and quiet parts, that may be masked or missing."""
    masked_around: int
    """Stretches of a third of a second before and after that may be masked."""
    astray: int
    """Hops by which a time from onset to onset may be beyond its bounds: noise and rooms hide an onset."""


FIRST = Strictness(least_on=0.15, least_quiet=0.1, least_mean=0.58, spared=0, masked_around=1, astray=0)
RINGING = Strictness(least_on=-0.05, least_quiet=0.0, least_mean=0.6, spared=0, masked_around=1, astray=2)
"""For a first cycle that is clear of all noise in a room that fills its gaps."""
EXPECTED = Strictness(least_on=0.1, least_quiet=0.0, least_mean=0.3, spared=1, masked_around=3, astray=4)


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
    on_db: float
    """Mean prominence of the tones."""
    level_db: float
    """Mean level of the tones, in dB relative to a full-scale sine."""
    root_db: float
    """The same of the tones whose overtone they are, or their own."""
    is_blurred: bool
    """Something fills the gaps: a room, or a tone that never stopped."""
    strictness: Strictness


def verified(
    history: History, template: Template, candidate: Candidate, strictness: Strictness = FIRST
) -> Cycle | None:
    """The candidate parsed and measured; None if it is not this rhythm after all."""
    first = max(history.begin, candidate.end - template.longest_hops - _SLACK_HOPS)
    sounding = _sounding(history, template, candidate, first)
    parse = parsed(template, sounding, earliest_end=max(0, candidate.end - first - _SLACK_HOPS))
    if parse is None or not _fits(template, parse, strictness):
        return None
    found = placed(history, template, candidate.channel, parse, first)
    first_of_all = strictness is not EXPECTED
    if first_of_all and not (_stands_out(found, strictness) and _rests(found)):
        return None
    if first_of_all and (is_another_instrument(found) or is_steady_after_all(found)):
        return None
    cycle = _measured(found, strictness) if comes_and_goes(found) else None
    if cycle is None or cycle.pitch_hz < _LOWEST_HZ:
        return None
    if not first_of_all or strictness is RINGING or _is_clear(cycle, candidate.contrast_db):
        return cycle
    root_db = _root_level_db(found)
    return None if root_db is None else replace(cycle, is_blurred=True, root_db=root_db)


def _is_clear(cycle: Cycle, contrast_db: float) -> bool:
    needed = cycle.template.first
    fits = cycle.fit >= needed.least_fit_if_faint or cycle.snr_db >= _FAINT_SNR_DB or cycle.moving
    stands_out = cycle.fit >= needed.least_fit_if_unclear or contrast_db >= needed.unclear_below_db
    return fits and stands_out and cycle.snr_db >= _LEAST_SNR_DB


def _root_level_db(found: View) -> float | None:
    """Level of a clear tone that began with this one, of which it is an overtone, and which rings on in the
    room: its overtone may show the gaps better. None if there is no such tone."""
    if found.is_moving or found.template.ringing is None:
        return None
    bins = [round((FIRST_BIN + found.channel) / n) - FIRST_BIN + d for n in (2, 3) for d in (-1, 0, 1)]
    roots = [each for each in bins if each >= LOWEST_RINGING]
    before_db = found.middle_prominence_db(0)[roots]
    tones_db = np.stack([found.middle_prominence_db(i)[roots] for i in found.template.full_tones])
    is_root = (before_db < AUDIBLE_DB) & (tones_db.min(axis=0) >= RINGING_DB)
    if not is_root.any():
        return None
    levels_db = np.stack([found.level_db(i, 0, BINS).mean(axis=0)[roots] for i in found.template.full_tones])
    return float(levels_db.mean(axis=0)[is_root].max())


def _sounding(
    history: History, template: Template, candidate: Candidate, first: int
) -> npt.NDArray[np.float64]:
    """From 1, surely the tone, to -1, surely not; the threshold is near the top, for rooms ring."""
    track = history.prominence_db(candidate.channel, first, min(history.end, candidate.end + _SLACK_HOPS))
    width = template.search.smoothing_hops
    smooth = np.convolve(track, np.ones(width) / width, "same")
    threshold_db = max((candidate.on_db + candidate.off_db) / 2, candidate.on_db - 8)
    softness_db = float(np.clip(candidate.contrast_db / 2, 1.5, 6))
    return np.asarray(np.clip((smooth - threshold_db) / softness_db, -1, 1))


def _fits(template: Template, parse: Parse, strictness: Strictness) -> bool:
    fits = parse.fits.tolist()
    ons, quiets = (sorted(fits[i] for i in which) for which in (template.ons, template.quiets))
    return (
        sum(fits) / len(fits) >= strictness.least_mean
        and ons[strictness.spared] >= strictness.least_on
        and quiets[strictness.spared] >= strictness.least_quiet
        and _is_timely(template, parse, strictness.astray)
    )


def _is_timely(template: Template, parse: Parse, astray: int) -> bool:
    """Whether the tones that were heard are as long and as far apart as they should be."""
    onsets = parse.edges[list(template.ons)]
    heard = parse.fits[list(template.ons)] > 0
    tones = [parse.edges[i + 1] - parse.edges[i] for i in template.full_tones if parse.fits[i] > 0]
    checked = heard[:-1] & heard[1:]
    bounds = np.array(template.timing.onset_to_onset_hops)
    apart = np.diff(onsets)
    first_to_last = template.timing.first_to_last_onset_hops
    return bool(
        np.mean(tones) >= template.timing.least_mean_tone_hops
        and first_to_last[0] <= onsets[-1] - onsets[0] <= first_to_last[1]
        and ((apart >= bounds[:, 0] - astray) & (apart <= bounds[:, 1] + astray))[checked].all()
    )


def _stands_out(found: View, strictness: Strictness) -> bool:
    """Whether tones and gaps differ as clearly as they must at first, and last as long."""
    gap = found.lengths(found.template.short_gaps).mean()
    first, ringing = found.template.first, found.template.ringing
    needed = ringing if strictness is RINGING and ringing is not None else first
    if found.contrast_db < needed.least_contrast_db or gap > first.longest_mean_gap_hops:
        return False
    if found.contrast_db < PLAIN_DB:
        return True
    uneven = int(np.ptp(found.lengths(found.template.full_tones)))
    is_even = uneven <= first.most_uneven_hops or found.is_moving
    return is_even and float(found.parse.fits.mean()) >= first.least_fit_if_plain


def _rests(found: View) -> bool:
    """Whether no further beep hides in a long quiet part, where a parse would overlook it: as loud as the
    others, which the clatter of dishes hardly is."""
    clear = found.contrast_db >= CLEAR_DB
    length = found.template.first.extra_beep_hops[0 if clear else 1]
    limit_db = found.off_db + (0.5 if clear else 0.6) * found.contrast_db
    tone_db = found.tone_level_db()
    for i in found.template.long_quiets:
        start = found.edges[i] + (min(_RINGING_HOPS, 2 * length) if i > found.template.ons[0] else 0)
        firsts = np.arange(start, found.edges[i + 1] - length + 1, max(2, length // 4))
        beeps = firsts[found.means_db(firsts, length) > limit_db]
        if any(abs(found.loudness_db(first, first + length) - tone_db) < _OWN_LEVEL_DB for first in beeps):
            return False
    return True


def _measured(found: View, strictness: Strictness) -> Cycle | None:
    template = found.template
    pitches_hz, _ = found.peaks(template.ons, *found.bins(3))
    pitch_hz = float(median(pitches_hz))
    spread_bins = 0.3 if found.contrast_db > CLEAR_DB else 0.6
    off_pitch_bins = np.sort(np.abs(pitches_hz - pitch_hz))[::-1] / BIN_HZ
    is_pulled = off_pitch_bins[0] <= _PULLED_BINS and found.parse.fits.mean() >= _PULLED_FIT
    spared = max(strictness.spared, int(is_pulled))
    if not found.is_moving and off_pitch_bins[spared] > spread_bins:
        return None
    level_db = found.tone_level_db()
    return Cycle(
        template=template,
        channel=found.channel,
        onset=int(found.edges[template.ons[0]]),
        on_end=int(found.edges[max(i for i in template.ons if found.parse.fits[i] > 0) + 1]),
        on_s=float(found.lengths(template.full_tones).mean()) / 100,
        off_s=float(found.lengths(template.short_gaps).mean()) / 100,
        pause_s=float(found.lengths(template.pauses).mean()) / 100 if template.pauses else None,
        pitch_hz=pitch_hz,
        snr_db=_snr_db(found.on_db, pitch_hz),
        fit=float(np.clip(found.parse.fits.mean(), 0, 1)),
        moving=found.is_moving,
        quiet_db=found.off_db + (0.25 if found.contrast_db > PLAIN_DB else 0.35) * found.contrast_db,
        on_db=found.on_db,
        level_db=level_db,
        root_db=level_db,
        is_blurred=found.contrast_db < BLURRED * found.on_db,
        strictness=strictness,
    )


def _snr_db(on_db: float, pitch_hz: float) -> float:
    """From prominence: a third octave holds as much more noise than a bin as it is wider."""
    third_octave_bins = (2 ** (1 / 6) - 2 ** (-1 / 6)) * pitch_hz / BIN_HZ
    return float(on_db - 10 * np.log10(third_octave_bins / BIN_PER_LOBE))
