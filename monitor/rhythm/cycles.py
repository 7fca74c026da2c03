"""Single cycles of a rhythm: a candidate parsed, held against the standard, and measured."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.rhythm.candidates import BLURRED, LOWEST_RINGING, RINGING_DB, Candidate
from monitor.rhythm.history import History, Hops
from monitor.rhythm.parse import Parse, parsed
from monitor.rhythm.spectrum import BANDS, BIN_HZ, BINS, FIRST_BIN, Rows
from monitor.rhythm.templates import Template

_SLACK_HOPS = 12
_RINGING_HOPS = 30  # after the last beep of a group the room may ring on
_STRETCH = 30
_BURST_SHARE = 0.55
_CLEAR_DB = 7.0
_PLAIN_DB = 14.0
_NEAR_BINS = 4
_LOWEST_HZ = 440.0  # the lowest sounders are of 520 Hz, 10 % less at worst; below, voices abound
_LEAST_SNR_DB = -3.0
# Below this SNR noise alone fits now and then, if less well than a tone; above it a room may spoil the fit.
_FAINT_SNR_DB = 6.0
_LEAST_SHARE = 0.4
_LEADING_DB = 16.0
_BEATING_DB = 2.5
_SAME_CENTRE_BINS = 3.0
_GONE_DB = 12.0
_STEADY_DB = 1.5
_PLAIN_FIT = 0.85
_PULLED_BINS = 1.0
_OTHER_DB = 6.0
_OWN_LEVEL_DB = 6.0
_RINGING_DB = 15.0
_OVERTONE_BINS = 1.5
_DROP_DB = 8.0
_FAINTER_DB = 10.0
_MUSIC_DB = 7.0
_RUNG_OUT_HOPS = 60
_AS_CLEAR_DB = 6.0
_AS_LOUD_DB = 10.0
_BIN_PER_LOBE = 1.5  # noise bandwidth of the Hann window, in bins


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


@dataclass(frozen=True)
class _Parsed:
    """A parse in its place, with the prominence of its parts."""

    history: History
    template: Template
    channel: int
    parse: Parse
    edges: Hops
    """Hops; part `i` is from `edges[i]` to `edges[i + 1]`."""
    on_db: float
    off_db: float

    @property
    def contrast_db(self) -> float:
        return self.on_db - self.off_db

    @property
    def is_moving(self) -> bool:
        return self.channel >= BINS

    def lengths(self, parts: tuple[int, ...]) -> Hops:
        return np.diff(self.edges)[list(parts)]

    def means_db(self, firsts: Hops, length: int) -> npt.NDArray[np.float64]:
        return self.history.means(np.full(len(firsts), self.channel), firsts, firsts + length)


def verified(
    history: History, template: Template, candidate: Candidate, strictness: Strictness = FIRST
) -> Cycle | None:
    """The candidate parsed and measured; None if it is not this rhythm after all."""
    first = max(history.begin, candidate.end - template.longest - _SLACK_HOPS)
    sounding = _sounding(history, template, candidate, first)
    parse = parsed(template, sounding, earliest_end=max(0, candidate.end - first - _SLACK_HOPS))
    if parse is None or not _fits(template, parse, strictness):
        return None
    found = _placed(history, template, candidate.channel, parse, first)
    first_of_all = strictness is not EXPECTED
    if first_of_all and not (_stands_out(found, strictness) and _rests(found)):
        return None
    if first_of_all and (_is_another_instrument(found) or _is_steady_after_all(found)):
        return None
    cycle = _measured(found, strictness) if _comes_and_goes(found) else None
    if cycle is None or cycle.pitch_hz < _LOWEST_HZ:
        return None
    if not first_of_all or strictness is RINGING or _is_clear(cycle, candidate.contrast_db):
        return cycle
    root_db = _root_level_db(found)
    return None if root_db is None else replace(cycle, is_blurred=True, root_db=root_db)


def _is_clear(cycle: Cycle, contrast_db: float) -> bool:
    template = cycle.template
    fits = cycle.fit >= template.faint_fit or cycle.snr_db >= _FAINT_SNR_DB or cycle.moving
    stands_out = cycle.fit >= template.sure_fit or contrast_db >= template.sure_contrast_db
    return fits and stands_out and cycle.snr_db >= _LEAST_SNR_DB


def _root_level_db(found: _Parsed) -> float | None:
    """Level of a clear tone that began with this one, of which it is an overtone, and which rings on in the
    room: its overtone may show the gaps better. None if there is no such tone."""
    if found.is_moving or found.template.ringing_contrast_db is None:
        return None
    bins = [round((FIRST_BIN + found.channel) / n) - FIRST_BIN + d for n in (2, 3) for d in (-1, 0, 1)]
    roots = [each for each in bins if each >= LOWEST_RINGING]
    before_db = _middle_prominence_db(found, 0)[roots]
    tones_db = np.stack([_middle_prominence_db(found, i)[roots] for i in found.template.full_tones])
    is_root = (before_db < _OTHER_DB) & (tones_db.min(axis=0) >= RINGING_DB)
    if not is_root.any():
        return None
    levels_db = np.stack(
        [_level_db(found, i, 0, BINS).mean(axis=0)[roots] for i in found.template.full_tones]
    )
    return float(levels_db.mean(axis=0)[is_root].max())


def _sounding(
    history: History, template: Template, candidate: Candidate, first: int
) -> npt.NDArray[np.float64]:
    """From 1, surely the tone, to -1, surely not; the threshold is near the top, for rooms ring."""
    track = history.prominence_db(candidate.channel, first, min(history.end, candidate.end + _SLACK_HOPS))
    smooth = np.convolve(track, np.ones(template.smoothing) / template.smoothing, "same")
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
    bounds = np.array(template.apart)
    apart = np.diff(onsets)
    return bool(
        np.mean(tones) >= template.least_tone
        and template.span[0] <= onsets[-1] - onsets[0] <= template.span[1]
        and ((apart >= bounds[:, 0] - astray) & (apart <= bounds[:, 1] + astray))[checked].all()
    )


def _placed(history: History, template: Template, channel: int, parse: Parse, first: int) -> _Parsed:
    edges = parse.edges + first
    starts, ends = edges[:-1], edges[1:]
    # The room fills the beginning of a gap; its second half is what tells.
    later = np.where([part.on for part in template.parts], starts, (starts + ends) // 2)
    means = history.means(np.full(len(later), channel), later, ends)
    on_db, off_db = (float(means[list(which)].mean()) for which in (template.full_tones, template.inner_gaps))
    return _Parsed(history, template, channel, parse, edges, on_db, off_db)


def _stands_out(found: _Parsed, strictness: Strictness) -> bool:
    """Whether tones and gaps differ as clearly as they must at first, and last as long."""
    gap = found.lengths(found.template.short_gaps).mean()
    ringing_db = found.template.ringing_contrast_db
    least_db = found.template.first_contrast_db
    if strictness is RINGING and ringing_db is not None:
        least_db = ringing_db
    if found.contrast_db < least_db or gap > found.template.longest_gap:
        return False
    if found.contrast_db < _PLAIN_DB:
        return True
    uneven = int(np.ptp(found.lengths(found.template.full_tones)))
    is_even = uneven <= found.template.uneven or found.is_moving
    return is_even and float(found.parse.fits.mean()) >= found.template.plain_fit


def _rests(found: _Parsed) -> bool:
    """Whether no further beep hides in a long quiet part, where a parse would overlook it: as loud as the
    others, which the clatter of dishes hardly is."""
    clear = found.contrast_db >= _CLEAR_DB
    length = found.template.beep_hops[0 if clear else 1]
    limit_db = found.off_db + (0.5 if clear else 0.6) * found.contrast_db
    tone_db = _tone_level_db(found)
    for i in found.template.long_quiets:
        start = found.edges[i] + (min(_RINGING_HOPS, 2 * length) if i > found.template.ons[0] else 0)
        firsts = np.arange(start, found.edges[i + 1] - length + 1, max(2, length // 4))
        beeps = firsts[found.means_db(firsts, length) > limit_db]
        if any(abs(_loudness_db(found, first, first + length) - tone_db) < _OWN_LEVEL_DB for first in beeps):
            return False
    return True


def _comes_and_goes(found: _Parsed) -> bool:
    """Whether the sound itself comes and goes, always at the same pitch or always through the same pitches.

    A vibrato leaves a bin and comes back to it as beeps do, but it stays within the bins around; a voice or a
    melody has a pitch for each note.
    """
    low, high = _bins(found, _NEAR_BINS)
    # The mean of decibels: dishes that clatter in a gap are short, and as power they would be all of it.
    on_db, gap_db = (
        np.mean([np.log10(_power(found, i, low, high).mean(axis=1)).mean() * 10 for i in which])
        for which in (found.template.full_tones, found.template.inner_gaps)
    )
    share = _BIN_PER_LOBE / (high - low)
    expected_db = 10 * np.log10(1 + (10 ** (found.contrast_db / 10) - 1) * share)
    if on_db - gap_db < _LEAST_SHARE * expected_db or _is_broad(found):
        return False
    if found.is_moving:
        return _alike(found)
    # What is gone from all pitches nearby has not gone to another of them.
    return on_db - gap_db > _GONE_DB or not _wanders(found)


def _is_broad(found: _Parsed) -> bool:
    """Whether the surroundings beat time with the pitch, as in sawing or knocking, and it hardly leads."""
    if found.on_db >= _LEADING_DB:
        return False
    inner, outer = _bins(found, 3), _bins(found, 10)
    beside = [k - outer[0] for k in (*range(outer[0], inner[0]), *range(inner[1], outer[1]))]
    on_db, gap_db = (
        np.mean([_level_db(found, i, *outer)[:, beside].mean() for i in which])
        for which in (found.template.full_tones, found.template.inner_gaps)
    )
    return bool(on_db - gap_db > _BEATING_DB)


def _is_another_instrument(found: _Parsed) -> bool:
    """Whether tones and gaps are there, but not as a sounder makes them, which is on or off."""
    if not found.template.quiet_around:
        return _is_struck(found)
    # Where music plays, something of it may well begin with a burst of T4 or fill its gaps.
    is_music = (_middle_prominence_db(found, 0) > _MUSIC_DB).any()
    return not is_music and (_alternates(found) or _is_partial(found))


def _is_steady_after_all(found: _Parsed) -> bool:
    """Whether one bin of a band is as clear as its strongest ever are, and something fills the gaps: such a
    tone is judged at its own pitch, where what fills them is seen for what it is."""
    if not found.is_moving or found.on_db < RINGING_DB or found.contrast_db >= BLURRED * found.on_db:
        return False
    bins = np.arange(*_bins(found, 0))[:, None]
    tones = list(found.template.full_tones)
    means_db = found.history.means(bins, found.edges[tones], found.edges[[i + 1 for i in tones]])
    return bool(means_db.mean(axis=1).max() > found.on_db - _STEADY_DB)


def _is_struck(found: _Parsed) -> bool:
    """Whether most of its long tones die away: clicks and blows in a reverberant room."""
    drops_db = []
    for i in found.template.full_tones:
        level_db = _level_db(found, i, *_bins(found, 1)).max(axis=1)
        early, late = level_db[5:15], level_db[len(level_db) // 2 : len(level_db) * 4 // 5]
        drops_db.append(early.mean() - late.mean())
    return bool(np.median(drops_db) > _DROP_DB)


def _alternates(found: _Parsed) -> bool:
    """Whether another pitch sounds in every gap and in no tone: a telephone's warble.

    Two alarms that take turns do so, too. Those of CO drift apart before their next bursts; of two smoke
    alarms neither would be believed for minutes, so they are not asked.
    """
    gaps_db, tones_db = (
        np.stack([_middle_prominence_db(found, i) for i in which])
        for which in (found.template.short_gaps, found.template.full_tones)
    )
    other_db = gaps_db.min(axis=0)
    return bool(((other_db > _OTHER_DB) & (other_db - tones_db.max(axis=0) > _OTHER_DB)).any())


def _is_partial(found: _Parsed) -> bool:
    """Whether another pitch begins with the tones and sounds on through every gap and beyond: a bell, one
    partial of which beats. A fundamental that rings on in the room is passed over: its overtone may show the
    gaps better."""
    if found.is_moving:
        return False
    gaps = found.template.short_gaps
    ringing = (*gaps, len(found.template.parts) - 1)
    ringing_db = np.stack([_middle_prominence_db(found, i) for i in ringing]).min(axis=0)
    tone_db = np.mean([_level_db(found, i, *_bins(found, 0)).mean() for i in found.template.full_tones])
    level_db = np.mean([_level_db(found, i, 0, BINS).mean(axis=0) for i in gaps], axis=0)
    quiet_before = _middle_prominence_db(found, 0) < _OTHER_DB
    rings = quiet_before & (ringing_db > _RINGING_DB) & (level_db > tone_db - _FAINTER_DB)
    rings[slice(*_bins(found, _NEAR_BINS))] = False
    bins = FIRST_BIN + rings.nonzero()[0]
    ratios = (FIRST_BIN + found.channel) / bins
    off_bins = np.abs(ratios / np.maximum(np.round(ratios), 1) - 1) * bins
    return bool((off_bins > _OVERTONE_BINS).any())


def _middle_prominence_db(found: _Parsed, part: int) -> npt.NDArray[np.float64]:
    """Of every bin, less the quarters next to the neighbours, into which a row's window reaches."""
    start, end = found.edges[part : part + 1], found.edges[part + 1 : part + 2]
    quarter = (end - start) // 4
    return found.history.means(np.arange(BINS), start + quarter, end - quarter)


def _wanders(found: _Parsed) -> bool:
    """Whether a tone goes on in most gaps at another pitch: rooms turn a vibrato into beeps."""
    low, high = _bins(found, _NEAR_BINS)
    on_hz, _ = _peaks(found, found.template.full_tones, low, high)
    gap_hz, clear_db = _peaks(found, found.template.short_gaps, low, high)
    apart_bins = np.abs(gap_hz - np.median(on_hz)) / BIN_HZ
    # The clearer the tone, the better its pitch is known; a room's own resonances pull it by a few hertz.
    elsewhere = ((apart_bins > 0.35) & (clear_db > _CLEAR_DB)) | ((apart_bins > 0.2) & (clear_db > 20))
    return int(elsewhere.sum()) > len(elsewhere) / 2


def _bins(found: _Parsed, reach: int) -> tuple[int, int]:
    return _own_bins(found.channel, reach)


def _own_bins(channel: int, reach: int) -> tuple[int, int]:
    """First and past-last bin of a channel, and so many to either side."""
    if channel >= BINS:
        low, high = BANDS[channel - BINS]
        return max(0, int(low) - reach), min(BINS, int(high) + reach)
    return max(0, channel - reach), min(BINS, channel + reach + 1)


def _tone_level_db(found: _Parsed) -> float:
    edges = found.edges.tolist()
    return float(np.mean([_loudness_db(found, edges[i], edges[i + 1]) for i in found.template.full_tones]))


def _loudness_db(found: _Parsed, first: int, end: int) -> float:
    """Mean level of the strongest bin of a channel between two hops."""
    return float(found.history.level_db(first, end, *_bins(found, 1)).max(axis=1).mean())


def _level_db(found: _Parsed, part: int, low: int, high: int) -> Rows:
    return found.history.level_db(int(found.edges[part]), int(found.edges[part + 1]), low, high)


def _power(found: _Parsed, part: int, low: int, high: int) -> npt.NDArray[np.float64]:
    return np.asarray(10 ** (_level_db(found, part, low, high).astype(np.float64) / 10))


def _spectra(found: _Parsed, parts: tuple[int, ...], low: int, high: int) -> npt.NDArray[np.float64]:
    """Mean power of some parts, less their first quarter, where a piezo swings in and a room rings on."""
    powers = (_power(found, i, low, high) for i in parts)
    return np.stack([power[len(power) // 4 :].mean(axis=0) for power in powers])


def _peaks(
    found: _Parsed, parts: tuple[int, ...], low: int, high: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The strongest pitch of each part, between bins by a parabola through the logarithms, and how far it
    stands above the bins around."""
    level_db = 10 * np.log10(_spectra(found, parts, low, high))
    peaks = np.clip(np.argmax(level_db, axis=1), 1, high - low - 2)
    rows = np.arange(len(peaks))
    left, middle, right = (level_db[rows, peaks + d] for d in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-9)
    offset = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return (FIRST_BIN + low + peaks + offset) * BIN_HZ, middle - np.median(level_db, axis=1)


def _alike(found: _Parsed) -> bool:
    powers = _spectra(found, found.template.full_tones, *_bins(found, 0))
    shapes = np.sqrt(powers)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    middle = shapes.mean(axis=0)
    if (shapes @ middle).min() <= 0.85 * np.linalg.norm(middle):
        return False
    # No bird calls twice at quite the same pitch; noise blurs where a sounder's lies.
    centres = powers @ np.arange(powers.shape[1]) / powers.sum(axis=1)
    return bool(found.contrast_db < _PLAIN_DB or np.ptp(centres) <= _SAME_CENTRE_BINS)


def _measured(found: _Parsed, strictness: Strictness) -> Cycle | None:
    template = found.template
    pitches_hz, _ = _peaks(found, template.ons, *_bins(found, 3))
    pitch_hz = float(np.median(pitches_hz))
    spread_bins = 0.3 if found.contrast_db > _CLEAR_DB else 0.6
    # What clatters over one tone of an alarm pulls it a little; the rest must be all the more like one.
    is_plain = found.parse.fits.mean() >= _PLAIN_FIT
    off_pitch_bins = np.sort(np.abs(pitches_hz - pitch_hz))[::-1] / BIN_HZ
    spared = max(strictness.spared, int(is_plain and off_pitch_bins[0] <= _PULLED_BINS))
    if not found.is_moving and off_pitch_bins[spared] > spread_bins:
        return None
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
        quiet_db=found.off_db + (0.25 if found.contrast_db > _PLAIN_DB else 0.35) * found.contrast_db,
        on_db=found.on_db,
        level_db=(level_db := _tone_level_db(found)),
        root_db=level_db,
        is_blurred=found.contrast_db < BLURRED * found.on_db,
        strictness=strictness,
    )


def _snr_db(on_db: float, pitch_hz: float) -> float:
    """From prominence: a third octave holds as much more noise than a bin as it is wider."""
    third_octave_bins = (2 ** (1 / 6) - 2 ** (-1 / 6)) * pitch_hz / BIN_HZ
    return float(on_db - 10 * np.log10(third_octave_bins / _BIN_PER_LOBE))


def is_alone(history: History, cycle: Cycle) -> bool:
    """Whether the pitch was silent before the first tone and after the last, as long as the template asks."""
    firsts = _around(cycle, 20)
    means = history.means(np.full(len(firsts), cycle.channel), firsts, firsts + _STRETCH)
    # Gaps between beeps are never quite quiet, least of all where the strongest pitch of a band is followed;
    # what lies around mostly is. Another burst fills half of a stretch with tones.
    around_db = float(np.median(means))
    limit_db = min(cycle.quiet_db, around_db + _BURST_SHARE * (cycle.on_db - around_db))
    return bool((means > limit_db).sum() <= cycle.strictness.masked_around)


def is_in_company(history: History, cycle: Cycle) -> bool:
    """Whether a first cycle whose gaps are filled has tones of other pitches around it, as clear and as loud.

    A room turns a vibrato into beeps: of the same pitch, and as even as an alarm's. But who plays or sings
    one such note plays others, and an alarm does not.
    """
    if cycle.strictness is EXPECTED or not cycle.is_blurred:
        return False
    firsts = _around(cycle, _RUNG_OUT_HOPS)
    prominence_db = history.means(np.arange(BINS), firsts[:, None], firsts[:, None] + _STRETCH)
    level_db = np.stack([history.level_db(first, first + _STRETCH).mean(axis=0) for first in firsts.tolist()])
    tones = (prominence_db > cycle.on_db - _AS_CLEAR_DB) & (prominence_db > _OTHER_DB)
    tones &= level_db > cycle.root_db - _AS_LOUD_DB
    tones[:, slice(*_own_bins(cycle.channel, _NEAR_BINS))] = False
    return bool(tones.any())


def _around(cycle: Cycle, ringing: int) -> Hops:
    """First hops of the stretches before the first tone and, less the ringing, after the last."""
    hops = cycle.template.quiet_around
    before = np.arange(cycle.onset - hops, cycle.onset - _STRETCH, _STRETCH)
    after = np.arange(cycle.on_end + ringing, cycle.on_end + hops - _STRETCH + 1, _STRETCH)
    return np.concatenate([before, after])
