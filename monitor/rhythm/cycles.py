"""Single cycles of a rhythm: a candidate is parsed, compared with the standard, and measured.

"Trials" are those of `python scripts/bench constants`. What each check buys as a whole is in
docs/decisions/rhythm-checks.md.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.rhythm.aligned import AUDIBLE_DB, CLEAR_DB, NOISE_BANDWIDTH_BINS, PLAIN_DB, View, median, placed
from monitor.rhythm.candidates import BLURRED_SHARE, LOWEST_RINGING_CHANNEL, RINGING_DB, Candidate
from monitor.rhythm.history import LevelHistory
from monitor.rhythm.parse import Parse, parsed
from monitor.rhythm.rejections import comes_and_goes, is_another_instrument, is_steady_after_all
from monitor.rhythm.spectrum import BIN_HZ, BINS, FIRST_BIN
from monitor.rhythm.templates import Template

_SLACK_HOPS = 12
"""How far before its first part and after its end a candidate is parsed: its place is known to a step of the
search, and its tempo to 8 %. Trials: 6 changes nothing, with 18 a microwave oven passes."""
_RINGING_HOPS = 30
"""After the last beep of a group the room may ring on for 0.3 s: no further beep is looked for there. Chosen:
a room of 0.8 s has then faded by 22 dB; with more, a quick fifth beep would be overlooked."""
_LOWEST_HZ = 440.0
"""Lowest pitch of an alarm. The lowest sounders have 520 Hz (NFPA 72, 18.4.6), 468 Hz at 10 % less; below,
voices abound. Trials: with 660 an alarm of 520 Hz is missed."""
_LEAST_SNR_DB = -3.0
"""Least SNR of a first cycle. Trials: with -1.5 the alarms at -3 dB are missed; with -4.5 none is found that
was missed, and more of what noise makes would pass."""
_FAINT_SNR_DB = 6.0
"""Below this SNR a first cycle must fit better (`least_fit_if_faint`), for noise alone fits now and then.
Above it a room may spoil the fit. Trials: with 3 an alarm of 520 Hz at 3 dB is found that is else missed; the
check as a whole (*clear*) misses 12 of 288 alarms for two of 600 recordings."""
_PULLED_BINS, _PULLED_FIT = 1.0, 0.85
"""Tolerated pitch error of one masked tone, in bins; the mean fit must then be at least 0.85. Trials: with
0.5 bins, or with a fit that cannot be reached, an alarm among dishes is missed; 1.5 bins change nothing."""
_PITCH_SPREAD_BINS = 0.3, 0.6
"""How far the other tones may be from the median pitch, where tones are clear and where they are not. Chosen:
a bin is 31 Hz, and a parabola through the levels finds a clear tone to a tenth of it. Trials: half and one
and a half change nothing."""
_OWN_LEVEL_DB = 6.0
"""A further beep counts only if it is within this of the tones' level. Trials: with 3 two microwave ovens
pass; with more, dishes that clatter in a pause would be beeps."""
_BEEP_SHARE = 0.5, 0.6
"""Share of the contrast that a further beep reaches, where tones are clear and where they are not: half is
the middle between tone and gap, and noise reaches a little more. Trials: with 0.25 for clear tones an alarm
of two tones is found a burst later, with 0.75 two microwave ovens pass; 0.3 and 0.9 for others change
nothing."""
_QUIET_SHARE = 0.25, 0.35
"""Share of the contrast below which a stretch around the burst counts as quiet, where tones are plain and
where they are not. Chosen: below the middle, for a stretch is longer than a beep and would average one away.
Trials: with 0.38 for plain tones a microwave oven and ten quick beeps pass, 0.13 changes nothing; for others
an oven timer passes with 0.53, and a sweep is confirmed a burst later with 0.18."""
_BELOW_TONE_DB = 8.0
"""The threshold between tone and gap is at most this far below the tones: a room that rings fills the gaps,
and the middle would be too low. Chosen: a room of 0.8 s fades by 7.5 dB in the 0.1 s of a gap of T4. Trials:
with 4 six alarms among voices, in rooms and beside another are missed or late, with 12 one among dishes
is."""
_SOFTNESS_DB = 1.5, 6.0
"""Least and greatest distance from the threshold at which a hop surely is tone or gap; between, half of the
contrast. Chosen: noise moves prominence by a few dB; a softer threshold would make a fit of nothing."""


@dataclass(frozen=True)
class Strictness:
    """How well the parts must fit, -1 to 1. A first cycle is held to more than one that was expected."""

    least_on: float
    """Least fit of each tone but for the spared ones."""
    least_quiet: float
    """Least fit of each quiet part but for the spared ones."""
    least_mean: float
    """Least mean fit of all parts."""
    spared: int
    """Tones, and quiet parts, that may be masked or missing."""
    masked_around: int
    """Stretches of a third of a second before and after that may be masked."""
    astray: int
    """Hops by which a time from onset to onset may exceed its bounds: noise and rooms hide an onset."""


FIRST = Strictness(least_on=0.15, least_quiet=0.1, least_mean=0.58, spared=0, masked_around=1, astray=0)
"""For the first cycle of an alarm. Trials: with a mean of 0.87 eleven alarms are missed or late, with
0.29 one more is found; with one part spared a bird passes; with two masked stretches an oven timer passes.
Half and one and a half times the other values change one alarm at the edge."""
RINGING = Strictness(least_on=-0.05, least_quiet=0.0, least_mean=0.6, spared=0, masked_around=1, astray=2)
"""For a first cycle that is clear of all noise in a room that fills its gaps. Trials: with a mean of 0.3 a
microwave oven passes, with 0.9 two alarms in rooms are missed and one is late; the other values change
nothing.
"""
EXPECTED = Strictness(least_on=0.1, least_quiet=0.0, least_mean=0.3, spared=1, masked_around=3, astray=4)
"""For the next cycles of a known alarm: one tone and one gap may be masked. Trials: with none spared five
alarms are confirmed later or never, with two a flute is confirmed; 2 and 6 hops astray, 2 and 4 masked
stretches change nothing."""


@dataclass(frozen=True)
class Cycle:
    """One complete cycle, measured. Hops are 10 ms."""

    template: Template
    channel: int
    onset: int
    """Hop of the first tone's onset."""
    on_end: int
    """Hop after the last tone heard."""
    on_s: float
    off_s: float
    """Mean lengths of the cycle's tones and of the short gaps between them."""
    pause_s: float | None
    """Mean length of the pauses; None if the parts hold none."""
    pitch_hz: float
    """Median pitch of the tones."""
    snr_db: float
    """Level of the tone over the noise in the third octave around it."""
    fit: float
    """How well sound and rhythm agree, 0-1."""
    moving: bool
    """Whether the pitch moves: two tones or a sweep."""
    quiet_db: float
    """Mean prominence below which a stretch counts as quiet beside these tones."""
    on_db: float
    """Mean prominence of the tones."""
    level_db: float
    """Mean level of the tones, in dB relative to a full-scale sine."""
    root_db: float
    """The level of the tones whose overtone these are; their own level if they are none."""
    is_blurred: bool
    """Something fills the gaps: a room, or a tone that never stopped."""
    strictness: Strictness


def verified(
    history: LevelHistory, template: Template, candidate: Candidate, strictness: Strictness = FIRST
) -> Cycle | None:
    """Parse and measure a candidate. Returns None if it is not this rhythm."""
    first = max(history.begin, candidate.end - template.longest_hops - _SLACK_HOPS)
    sounding = _sounding(history, template, candidate, first)
    parse = parsed(template, sounding, earliest_end=max(0, candidate.end - first - _SLACK_HOPS))
    if parse is None or not _fits(template, parse, strictness):
        return None
    found = placed(history, template, candidate.channel, parse, first)
    first_of_all = strictness is not EXPECTED
    if first_of_all and not (_stands_out(found, strictness) and _rests(found)):
        return None
    cycle = _measured(found, strictness)
    if cycle is None or cycle.pitch_hz < _LOWEST_HZ:
        return None
    if first_of_all and strictness is not RINGING and not _is_clear(cycle, candidate.contrast_db):
        root_db = _root_level_db(found)
        if root_db is None:
            return None
        cycle = replace(cycle, is_blurred=True, root_db=root_db)
    # To tell other instruments costs most; of noise hardly any comes so far.
    if first_of_all and (is_another_instrument(found) or is_steady_after_all(found)):
        return None
    return cycle if comes_and_goes(found) else None


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
    roots = [each for each in bins if each >= LOWEST_RINGING_CHANNEL]
    before_db = found.middle_prominence_db(0)[roots]
    tones_db = np.stack([found.middle_prominence_db(i)[roots] for i in found.template.full_tones])
    is_root = (before_db < AUDIBLE_DB) & (tones_db.min(axis=0) >= RINGING_DB)
    if not is_root.any():
        return None
    levels_db = np.stack([found.level_db(i, 0, BINS).mean(axis=0)[roots] for i in found.template.full_tones])
    return float(levels_db.mean(axis=0)[is_root].max())


def _sounding(
    history: LevelHistory, template: Template, candidate: Candidate, first: int
) -> npt.NDArray[np.float64]:
    """For each hop from 1, surely tone, to -1, surely gap; shape (hops,). The threshold is near the level of
    the tones, for rooms ring."""
    track = history.prominence_db(candidate.channel, first, min(history.end, candidate.end + _SLACK_HOPS))
    width = template.search.smoothing_hops
    smooth = np.convolve(track, np.ones(width) / width, "same")
    threshold_db = max((candidate.on_db + candidate.off_db) / 2, candidate.on_db - _BELOW_TONE_DB)
    softness_db = float(np.clip(candidate.contrast_db / 2, *_SOFTNESS_DB))
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
    """Whether the tones that were found are as long and as far apart as the standard says."""
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
    """Whether tones and gaps of a first cycle differ clearly enough, and are even."""
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
    """Whether no further beep hides in a long quiet part, where a parse would overlook it. A beep is as loud
    as the others; the clatter of dishes hardly is."""
    clear = found.contrast_db >= CLEAR_DB
    length = found.template.first.extra_beep_hops[0 if clear else 1]
    limit_db = found.off_db + _BEEP_SHARE[0 if clear else 1] * found.contrast_db
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
    spread_bins = _PITCH_SPREAD_BINS[0 if found.contrast_db > CLEAR_DB else 1]
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
        quiet_db=found.off_db + _QUIET_SHARE[0 if found.contrast_db > PLAIN_DB else 1] * found.contrast_db,
        on_db=found.on_db,
        level_db=level_db,
        root_db=level_db,
        is_blurred=found.contrast_db < BLURRED_SHARE * found.on_db,
        strictness=strictness,
    )


def _snr_db(on_db: float, pitch_hz: float) -> float:
    """The SNR in the third octave around the pitch, from prominence: it holds as much more noise than a bin
    as it is wider."""
    third_octave_bins = (2 ** (1 / 6) - 2 ** (-1 / 6)) * pitch_hz / BIN_HZ
    return float(on_db - 10 * np.log10(third_octave_bins / NOISE_BANDWIDTH_BINS))
