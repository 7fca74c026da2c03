"""What sounds around a burst: an alarm is silent until its next.

"Trials" are those of `python scripts/bench constants`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.rhythm.aligned import AUDIBLE_DB, NEAR_BINS, bins_of, median
from monitor.rhythm.cycles import EXPECTED, Cycle
from monitor.rhythm.history import Hops, LevelHistory, MeanLevels
from monitor.rhythm.report import PatternReport
from monitor.rhythm.spectrum import BIN_HZ, BINS, FIRST_BIN

Floats = npt.NDArray[np.floating[Any]]

_STRETCH_HOPS = 30
"""The time around a burst is judged in stretches of 0.3 s. Trials: with 0.15 s an alarm in a room of 0.8 s is
missed, with 0.45 s an oven timer and a flute pass."""
_BURST_SHARE = 0.55
"""Share of the way from what lies around to the tones at which a stretch holds a burst: tones fill half of
one. Trials: 0.28 and 0.83 change nothing."""
_RING_HOPS = 20
"""After the last tone a room rings: the first stretch begins 0.2 s later. Chosen: a room of 0.8 s has then
faded by 15 dB, to below the limit; with more, a beep right behind the burst would be overlooked."""
_RUNG_OUT_HOPS = 60
"""The same for tones of other pitches, which must have faded by more to be below their limits. Chosen: 0.6 s,
in which a room of 0.8 s fades by 45 dB. Trials: 0.3 and 0.9 s change nothing."""
_AS_CLEAR_DB = 6.0
"""Another pitch is as clear as the burst if its prominence is no more than this below. Trials: with 3 a bell
passes; 9 changes nothing."""
_AS_LOUD_DB = 10.0
"""Another pitch is as loud as the burst if its level is no more than this below. Chosen: notes of one
instrument are; trials with 5 and 15 change nothing."""
_LOUDER_DB = 0.0
"""From this level on, over the burst's, another pitch drowns it. Chosen: of 63 bursts found in 1.7 h of
scenes full of music, voices and doorbells 57 were fainter than another pitch; of the beeps that an alarm had
made among them none."""
_DROWNED_SHARE = 0.2
"""Share of the stretches around a burst in which another pitch is louder, from which it is drowned. Chosen: a
word or a note now and then does not count; in music it is more than half."""
_UNDROWNED_SNR_DB = 5.0
"""A burst of T4 with quiet gaps and this SNR is none of music's coincidences. Chosen: of those 57 none had
both."""
_UNDROWNED_FIT, _PLAYED_SHARE = 0.8, 0.3
"""T3 that fits so well, or in whose gaps and pause another pitch is louder for less than this, is none
of music's coincidences. Chosen: in 2.4 h of music first cycles with a fit of 0.38 to 0.77 made 38 suspicions
and 24 confirmations, of which 3 and none are left. Of 150 alarms over music, 5 dB softer to 20 dB louder than
it, one is suspected a cycle later, for most fit better."""
_RELATED_SHARE = 0.025
"""How far from a whole ratio two pitches may be that are overtones of one another. Chosen: a bin at 1.3
kHz."""

_WORDS_BELOW_HZ = 2500.0
"""Up to here words have most of their power. Chosen: an alarm's disc has none. Trials: half and one and a
half change nothing."""
_WORDS_DB, _WORDS_SHARE = 3.0, 0.4
"""Words stand by so much above what lies between the beeps, for so much of the pause: syllables fill half
of it and more. `python scripts/bench rhythm --cadences` shows what that takes."""


def has_words(history: LevelHistory, report: PatternReport) -> bool:
    """Whether something is spoken in the pause before the last three beeps, and not between these. A
    television goes on between them, and an oven is silent."""
    assert report.pause_s is not None
    pause, on, off = (round(100 * each) for each in (report.pause_s, report.on_s, report.off_s))
    group = report.end - 3 * on - 2 * off
    first, end = max(group - pause + _RING_HOPS, history.begin), group - _RING_HOPS
    gaps = [group + n * (on + off) - off for n in (1, 2)]
    between_db = [_speech_db(history, report.pitch_hz, gap + _RING_HOPS, gap + off - 5) for gap in gaps]
    if end <= first or min(map(len, between_db)) == 0:
        return False
    clear = (
        _speech_db(history, report.pitch_hz, first, end) > np.median(np.concatenate(between_db)) + _WORDS_DB
    )
    return bool(clear.mean() >= _WORDS_SHARE)


def _speech_db(history: LevelHistory, pitch_hz: float, first: int, end: int) -> MeanLevels:
    """The level of every hop in the band of words, less the alarm's own pitch, dB; shape (end - first,)."""
    if end <= first:
        return np.empty(0)
    high = round(_WORDS_BELOW_HZ / BIN_HZ) - FIRST_BIN
    power = 10 ** (history.level_db(first, end, 0, high).astype(np.float64) / 10)
    pitch = round(pitch_hz / BIN_HZ) - FIRST_BIN
    power[:, max(pitch - 4, 0) : max(pitch + 5, 0)] = 0.0
    return np.asarray(10 * np.log10(power.sum(axis=1) + 1e-12))


def is_alone(history: LevelHistory, cycle: Cycle) -> bool:
    """Whether the pitch was silent before the first tone and after the last, as long as the template asks."""
    firsts = _around(cycle, _RING_HOPS)
    means = history.means(np.full(len(firsts), cycle.channel), firsts, firsts + _STRETCH_HOPS)
    # Gaps between beeps are never quite quiet, least of all where the strongest pitch of a band is followed;
    # what lies around mostly is. Another burst fills half of a stretch with tones.
    around_db = float(median(means))
    limit_db = min(cycle.quiet_db, around_db + _BURST_SHARE * (cycle.on_db - around_db))
    return bool((means > limit_db).sum() <= cycle.strictness.masked_around)


def is_in_company(history: LevelHistory, cycle: Cycle) -> bool:
    """Whether a first cycle whose gaps are filled has tones of other pitches around it, as clear and as loud,
    or one that rings through its gaps.

    A room turns a vibrato into beeps of one pitch, as even as an alarm's. But an instrument or a voice that
    plays one such note plays others, and an alarm does not.
    """
    if cycle.strictness is EXPECTED or not cycle.is_blurred:
        return False
    prominence_db, level_db = _others(history, cycle, _around(cycle, _RUNG_OUT_HOPS))
    tones = (prominence_db > cycle.on_db - _AS_CLEAR_DB) & (prominence_db > AUDIBLE_DB)
    beside = bool((tones & (level_db > cycle.root_db - _AS_LOUD_DB)).any())
    return beside or _rings_through(history, cycle, cycle.level_db - _AS_LOUD_DB)


def is_drowned(history: LevelHistory, cycle: Cycle) -> bool:
    """Whether a first cycle sounds among louder tones of other pitches: music, or voices.

    Of the many notes of an hour of music some come as an alarm's beeps do, at one pitch of 231. Such a cycle
    is believed when it comes again in step.
    """
    if not cycle.template.quiet_around_hops:
        return cycle.fit < _UNDROWNED_FIT and _louder_share(history, cycle, _between(cycle)) >= _PLAYED_SHARE
    if not cycle.is_blurred and cycle.snr_db >= _UNDROWNED_SNR_DB:
        return False
    if _louder_share(history, cycle, _around(cycle, _RUNG_OUT_HOPS)) >= _DROWNED_SHARE:
        return True
    return _rings_through(history, cycle, cycle.level_db + _LOUDER_DB)


def _rings_through(history: LevelHistory, cycle: Cycle, least_db: float) -> bool:
    """Whether another pitch, at least so loud, sounds on through tones and gaps of a burst of T4: a bell, of
    whose many pitches a faint one comes and goes, as two that are near each other do when they beat.

    Overtones ring with an alarm in a room, and so do the other pitches of one that moves.
    """
    if cycle.moving or not cycle.template.quiet_around_hops:
        return False
    on, off = round(100 * cycle.on_s), round(100 * cycle.off_s)
    tones = cycle.onset + np.arange(3) * (on + off)
    during_db, _ = _others(history, cycle, tones, on)
    between_db, level_db = _others(history, cycle, tones + on, off)
    rings = (during_db > AUDIBLE_DB) & (between_db > AUDIBLE_DB) & (level_db > least_db)
    return bool((rings.all(axis=0) & ~_is_related(cycle)).any())


def _is_related(cycle: Cycle) -> npt.NDArray[np.bool_]:
    """For every pitch, whether it is an overtone of the burst's or the burst one of its; shape (BINS,)."""
    ratio = (FIRST_BIN + np.arange(BINS)) * BIN_HZ / cycle.pitch_hz
    ratio = np.maximum(ratio, 1 / ratio)
    return np.asarray(np.abs(ratio / np.round(ratio) - 1) <= _RELATED_SHARE)


def _louder_share(history: LevelHistory, cycle: Cycle, firsts: Hops) -> float:
    """In how many of the stretches another pitch is louder than the cycle's tones; 0-1."""
    prominence_db, level_db = _others(history, cycle, firsts)
    louder = (prominence_db > AUDIBLE_DB) & (level_db > cycle.level_db + _LOUDER_DB)
    return float(louder.any(axis=1).mean())


def _others(
    history: LevelHistory, cycle: Cycle, firsts: Hops, hops: int = _STRETCH_HOPS
) -> tuple[Floats, Floats]:
    """Prominence and level of every pitch but the burst's in each stretch from one of `firsts` on, in dB; of
    shape (stretches, BINS). The burst's own are minus infinity."""
    prominence_db = history.means(np.arange(BINS), firsts[:, None], firsts[:, None] + hops)
    level_db = np.stack([history.level_db(first, first + hops).mean(axis=0) for first in firsts.tolist()])
    prominence_db[:, slice(*bins_of(cycle.channel, NEAR_BINS))] = -np.inf
    return prominence_db, level_db


def _around(cycle: Cycle, ringing: int) -> Hops:
    """First hops of the stretches before the first tone and, less the ringing, after the last."""
    hops = cycle.template.quiet_around_hops
    before = np.arange(cycle.onset - hops, cycle.onset - _STRETCH_HOPS, _STRETCH_HOPS)
    after = np.arange(cycle.on_end + ringing, cycle.on_end + hops - _STRETCH_HOPS + 1, _STRETCH_HOPS)
    return np.concatenate([before, after])


def _between(cycle: Cycle) -> Hops:
    """First hops of the stretches of T3's two gaps and its pause, less the ringing. An alarm's overtones are
    silent there, too."""
    assert cycle.pause_s is not None
    on, off, pause = (round(100 * each) for each in (cycle.on_s, cycle.off_s, cycle.pause_s))
    ends = cycle.onset + on + np.arange(3) * (on + off)
    rest = np.arange(ends[2] + _RING_HOPS, ends[2] + pause - _STRETCH_HOPS + 1, _STRETCH_HOPS)
    return np.concatenate([ends[:2] + _RING_HOPS, rest])
