"""What a sounder does that other instruments do not: it is on or off, always at the same pitches."""

import numpy as np

from monitor.rhythm.aligned import AUDIBLE_DB, BIN_PER_LOBE, CLEAR_DB, NEAR_BINS, PLAIN_DB, View, median
from monitor.rhythm.candidates import BLURRED, RINGING_DB
from monitor.rhythm.spectrum import BIN_HZ

_LEAST_SHARE = 0.4
_LEADING_DB = 16.0
_BEATING_DB = 2.5
_SAME_CENTRE_BINS = 3.0
_GONE_DB = 12.0
_STEADY_DB = 1.5
_DROP_DB = 8.0
_MUSIC_DB = 7.0


def comes_and_goes(found: View) -> bool:
    """Whether the sound itself comes and goes, always at the same pitch or always through the same pitches.

    A vibrato leaves a bin and comes back to it as beeps do, but it stays within the bins around; a voice or a
    melody has a pitch for each note.
    """
    low, high = found.bins(NEAR_BINS)
    # The mean of decibels: dishes that clatter in a gap are short, and as power they would be all of it.
    on_db, gap_db = (
        np.mean([np.log10(found.power(i, low, high).mean(axis=1)).mean() * 10 for i in which])
        for which in (found.template.full_tones, found.template.inner_gaps)
    )
    share = BIN_PER_LOBE / (high - low)
    expected_db = 10 * np.log10(1 + (10 ** (found.contrast_db / 10) - 1) * share)
    if on_db - gap_db < _LEAST_SHARE * expected_db or _is_broad(found):
        return False
    if found.is_moving:
        return _alike(found)
    # What is gone from all pitches nearby has not gone to another of them.
    return on_db - gap_db > _GONE_DB or not _wanders(found)


def _is_broad(found: View) -> bool:
    """Whether the surroundings beat time with the pitch, as in sawing or knocking, and it hardly leads."""
    if found.on_db >= _LEADING_DB:
        return False
    inner, outer = found.bins(3), found.bins(10)
    beside = [k - outer[0] for k in (*range(outer[0], inner[0]), *range(inner[1], outer[1]))]
    on_db, gap_db = (
        np.mean([found.level_db(i, *outer)[:, beside].mean() for i in which])
        for which in (found.template.full_tones, found.template.inner_gaps)
    )
    return bool(on_db - gap_db > _BEATING_DB)


def is_another_instrument(found: View) -> bool:
    """Whether tones and gaps are there, but not as a sounder makes them, which is on or off."""
    if not found.template.quiet_around_hops:
        return _is_struck(found)
    # Where music plays, something of it may well begin with a burst of T4 or fill its gaps.
    is_music = (found.middle_prominence_db(0) > _MUSIC_DB).any()
    return not is_music and _alternates(found)


def is_steady_after_all(found: View) -> bool:
    """Whether one bin of a band is as clear as its strongest ever are, and something fills the gaps: such a
    tone is judged at its own pitch, where what fills them is seen for what it is."""
    if not found.is_moving or found.on_db < RINGING_DB or found.contrast_db >= BLURRED * found.on_db:
        return False
    bins = np.arange(*found.bins(0))[:, None]
    tones = list(found.template.full_tones)
    means_db = found.history.means(bins, found.edges[tones], found.edges[[i + 1 for i in tones]])
    return bool(means_db.mean(axis=1).max() > found.on_db - _STEADY_DB)


def _is_struck(found: View) -> bool:
    """Whether most of its long tones die away: clicks and blows in a reverberant room."""
    drops_db = []
    for i in found.template.full_tones:
        level_db = found.level_db(i, *found.bins(1)).max(axis=1)
        early, late = level_db[5:15], level_db[len(level_db) // 2 : len(level_db) * 4 // 5]
        drops_db.append(early.mean() - late.mean())
    return bool(median(np.array(drops_db)) > _DROP_DB)


def _alternates(found: View) -> bool:
    """Whether another pitch sounds in every gap and in no tone: a telephone's warble.

    Two alarms that take turns do so, too. Those of CO drift apart before their next bursts; of two smoke
    alarms neither would be believed for minutes, so they are not asked.
    """
    gaps_db, tones_db = (
        np.stack([found.middle_prominence_db(i) for i in which])
        for which in (found.template.short_gaps, found.template.full_tones)
    )
    other_db = gaps_db.min(axis=0)
    return bool(((other_db > AUDIBLE_DB) & (other_db - tones_db.max(axis=0) > AUDIBLE_DB)).any())


def _wanders(found: View) -> bool:
    """Whether a tone goes on in most gaps at another pitch: rooms turn a vibrato into beeps."""
    low, high = found.bins(NEAR_BINS)
    on_hz, _ = found.peaks(found.template.full_tones, low, high)
    gap_hz, clear_db = found.peaks(found.template.short_gaps, low, high)
    apart_bins = np.abs(gap_hz - median(on_hz)) / BIN_HZ
    # The clearer the tone, the better its pitch is known; a room's own resonances pull it by a few hertz.
    elsewhere = ((apart_bins > 0.35) & (clear_db > CLEAR_DB)) | ((apart_bins > 0.2) & (clear_db > 20))
    return int(elsewhere.sum()) > len(elsewhere) / 2


def _alike(found: View) -> bool:
    powers = found.spectra(found.template.full_tones, *found.bins(0))
    shapes = np.sqrt(powers)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    middle = shapes.mean(axis=0)
    if (shapes @ middle).min() <= 0.85 * np.linalg.norm(middle):
        return False
    # No bird calls twice at quite the same pitch; noise blurs where a sounder's lies.
    centres = powers @ np.arange(powers.shape[1]) / powers.sum(axis=1)
    return bool(found.contrast_db < PLAIN_DB or np.ptp(centres) <= _SAME_CENTRE_BINS)
