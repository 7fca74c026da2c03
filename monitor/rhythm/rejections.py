"""What a sounder does that other instruments do not: it is on or off, always at the same pitches.

docs/decisions/rhythm-checks.md shows what each check buys; "trials" are those of
`python scripts/bench constants`, which changes the constants of a check by half.
"""

import numpy as np

from monitor.rhythm.aligned import (
    AUDIBLE_DB,
    CLEAR_DB,
    NEAR_BINS,
    NOISE_BANDWIDTH_BINS,
    PLAIN_DB,
    View,
    median,
)
from monitor.rhythm.candidates import BLURRED_SHARE, RINGING_DB
from monitor.rhythm.spectrum import BIN_HZ

_LEAST_CHANGE_SHARE = 0.4
"""How much of the tone's contrast the bins around it must show, as a share in dB of what they would show if
the tone alone changed: in a vibrato they show none, for the tone stays within them. Chosen; trials with 0.2
and 0.6 change nothing. The check (*comes_and_goes*) keeps 15 of 1,008 impostors from passing."""
_LEADING_DB = 16.0
"""Mean prominence from which a tone leads its surroundings, so that these may beat time with it. Trials: with
8 an alarm among voices is found a burst earlier, 24 changes nothing; the check (*broad*) keeps one of 1,008
impostors from passing."""
_BEATING_DB = 2.5
"""By how much the surroundings are louder during the tones where they beat time, as in sawing. Trials: with
1.25 an alarm among voices is missed; 3.75 changes nothing."""
_BESIDE_BINS = (3, 10)
"""The surroundings of a pitch. Chosen: from 3 bins on, beyond the Hann window's main lobe of two, up to 10.
Trials: 2 and 4, 5 and 15 change nothing."""
_SAME_CENTRE_BINS = 3.0
"""How far the centres of a sweep's tones may be apart, in bins of 31 Hz: a bird's calls are further. Trials:
1.5 and 4.5 change nothing; the check (*alike*) keeps three of 1,008 impostors from passing."""
_SAME_SHAPE = 0.85
"""Least likeness (cosine) of each tone's spectrum of a sweep to their mean. Chosen: 1 would be the same
spectrum each time, which noise and a room prevent."""
_GONE_DB = 12.0
"""Fall of the bins around from tones to gaps beyond which the tone has not gone on at another of them: what
stays in one bin is less than a fifteenth. Trials: 6 and 18 change nothing."""
_STEADY_DB = 1.5
"""How near one bin's mean prominence comes to that of the strongest bins for a band to be one steady pitch.
Chosen: the strongest bin of each hop is at least as clear as any one bin, and by more than this where the
pitch moves. Trials: 0.75 and 2.25 change nothing."""
_DROP_DB = 8.0
"""By how much a tone of T3 falls from its beginning to its later half where it was struck. Trials: with 12 a
metronome in a hard room passes; 4 changes nothing."""
_STRUCK_HOPS = slice(5, 15)
"""The beginning of a tone that is compared with its later half: 0.1 s. By arithmetic: after 0.05 s, in which
a row fills."""
_UNEVEN_DB = 8.0
"""By how much one beep of T4 may be louder than another. Chosen: in 334 bursts of alarms at a steady pitch,
also in rooms, with gain control and with lost packets, the beeps differed by 6 at most; laughter, bells and
telephones that kept time differed by up to 13."""
_MUSIC_DB = 7.0
"""Prominence of any bin before a burst from which music plays. Chosen: about `AUDIBLE_DB`, and a little more,
for one of 231 bins of noise is above that now and then. Trials: 3.5 and 10.5 change nothing."""
_SURE_PITCH_DB = 20.0
"""How far above the bins around a gap's strongest pitch is surely known. Chosen, far above `CLEAR_DB`."""
_ELSEWHERE_BINS, _SURELY_ELSEWHERE_BINS = 0.35, 0.2
"""How far from the tones' pitch a gap's strongest pitch lies where the tone went on at another: 11 Hz where
it is clear (`CLEAR_DB`), 6 Hz where it is surely known. A room's own resonances pull a pitch by a few hertz.
The check (*wanders*) keeps one of 1,008 impostors from passing."""


def comes_and_goes(found: View) -> bool:
    """Whether the sound itself comes and goes, each time at the same pitch or through the same pitches.

    A vibrato leaves a bin and returns to it as beeps do, but stays within the bins around. A voice or a
    melody has a pitch for each note.
    """
    low, high = found.bins(NEAR_BINS)
    # The mean of decibels: dishes that clatter in a gap are short, but hold most of its power.
    on_db, gap_db = (
        np.mean([np.log10(found.power(i, low, high).mean(axis=1)).mean() * 10 for i in which])
        for which in (found.template.full_tones, found.template.inner_gaps)
    )
    share = NOISE_BANDWIDTH_BINS / (high - low)
    expected_db = 10 * np.log10(1 + (10 ** (found.contrast_db / 10) - 1) * share)
    if on_db - gap_db < _LEAST_CHANGE_SHARE * expected_db or _is_broad(found):
        return False
    if found.is_moving:
        return _alike(found)
    # A tone that is gone from all pitches nearby has not gone on at another of them.
    return on_db - gap_db > _GONE_DB or not _wanders(found)


def _is_broad(found: View) -> bool:
    """Whether the surroundings get louder and softer with the pitch, as in sawing or knocking."""
    if found.on_db >= _LEADING_DB:
        return False
    inner, outer = (found.bins(reach) for reach in _BESIDE_BINS)
    beside = [k - outer[0] for k in (*range(outer[0], inner[0]), *range(inner[1], outer[1]))]
    on_db, gap_db = (
        np.mean([found.level_db(i, *outer)[:, beside].mean() for i in which])
        for which in (found.template.full_tones, found.template.inner_gaps)
    )
    return bool(on_db - gap_db > _BEATING_DB)


def is_another_instrument(found: View) -> bool:
    """Whether tones and gaps are there, but not as a sounder makes them, which is on or off: T3 that is
    struck, T4 of uneven tones, or whose gaps hold another pitch."""
    if not found.template.quiet_around_hops:
        return _is_struck(found)
    if _is_uneven(found):
        return True
    # Where music plays, a note of it may fill the gaps of a real alarm.
    is_music = (found.middle_prominence_db(0) > _MUSIC_DB).any()
    return not is_music and _alternates(found)


def is_steady_after_all(found: View) -> bool:
    """Whether a band is one steady pitch with filled gaps: one of its bins is as clear as the strongest of
    each hop. Such a tone is judged in its own bin, which shows what fills its gaps."""
    if not found.is_moving or found.on_db < RINGING_DB or found.contrast_db >= BLURRED_SHARE * found.on_db:
        return False
    bins = np.arange(*found.bins(0))[:, None]
    tones = list(found.template.full_tones)
    means_db = found.history.means(bins, found.edges[tones], found.edges[[i + 1 for i in tones]])
    return bool(means_db.mean(axis=1).max() > found.on_db - _STEADY_DB)


def _is_struck(found: View) -> bool:
    """Whether most of the long tones die away, as clicks and blows do in a reverberant room."""
    drops_db = []
    for i in found.template.full_tones:
        level_db = found.level_db(i, *found.bins(1)).max(axis=1)
        early, late = level_db[_STRUCK_HOPS], level_db[len(level_db) // 2 : len(level_db) * 4 // 5]
        drops_db.append(early.mean() - late.mean())
    return bool(median(np.array(drops_db)) > _DROP_DB)


def _is_uneven(found: View) -> bool:
    """Whether the beeps differ in level, as syllables of laughter and strokes of a bell do."""
    edges = found.edges.tolist()
    levels_db = [found.loudness_db(edges[i], edges[i + 1]) for i in found.template.full_tones]
    return max(levels_db) - min(levels_db) > _UNEVEN_DB


def _alternates(found: View) -> bool:
    """Whether another pitch sounds in every gap and in no tone: a telephone's warble.

    Only for T4: two smoke alarms that take turns would match as well, and both would be turned down for
    minutes. Two CO alarms drift apart before their next bursts.
    """
    gaps_db, tones_db = (
        np.stack([found.middle_prominence_db(i) for i in which])
        for which in (found.template.short_gaps, found.template.full_tones)
    )
    other_db = gaps_db.min(axis=0)
    return bool(((other_db > AUDIBLE_DB) & (other_db - tones_db.max(axis=0) > AUDIBLE_DB)).any())


def _wanders(found: View) -> bool:
    """Whether the tone goes on in most gaps at another pitch nearby: a room turns a vibrato into beeps."""
    low, high = found.bins(NEAR_BINS)
    on_hz, _ = found.peaks(found.template.full_tones, low, high)
    gap_hz, clear_db = found.peaks(found.template.short_gaps, low, high)
    apart_bins = np.abs(gap_hz - median(on_hz)) / BIN_HZ
    elsewhere = (apart_bins > _ELSEWHERE_BINS) & (clear_db > CLEAR_DB)
    elsewhere |= (apart_bins > _SURELY_ELSEWHERE_BINS) & (clear_db > _SURE_PITCH_DB)
    return int(elsewhere.sum()) > len(elsewhere) / 2


def _alike(found: View) -> bool:
    """Whether the tones of a sounder whose pitch moves have the same spectrum each time."""
    powers = found.spectra(found.template.full_tones, *found.bins(0))
    shapes = np.sqrt(powers)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    middle = shapes.mean(axis=0)
    if (shapes @ middle).min() <= _SAME_SHAPE * np.linalg.norm(middle):
        return False
    # A bird does not call twice at the same pitch; noise blurs where a sounder's lies.
    centres = powers @ np.arange(powers.shape[1]) / powers.sum(axis=1)
    return bool(found.contrast_db < PLAIN_DB or np.ptp(centres) <= _SAME_CENTRE_BINS)
