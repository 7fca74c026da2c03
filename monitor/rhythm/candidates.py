"""Where in the newest sound a rhythm may just have ended: a quick look at every pitch."""

from dataclasses import dataclass

import numpy as np

from monitor.rhythm.history import History, Hops, Means
from monitor.rhythm.spectrum import BINS, BLOCK_HOPS
from monitor.rhythm.templates import SCALES, Template

_LEAST_ON_DB = 4.0
_MOST = 6
_NEIGHBOURHOOD = 3  # channels
BLURRED = 0.6
"""Where less of a tone's prominence than this is gone in its gaps, something fills them."""
RINGING_DB = 16.0
"""Prominence of a tone so clear that it is no noise that fills its gaps."""
LOWEST_RINGING = 25
"""Channel of 1.1 kHz: below, voices ring as well."""


@dataclass(frozen=True)
class Candidate:
    """A place where a rhythm's parts seem to lie."""

    channel: int
    end: int
    """Hop after the last part."""
    on_db: float
    off_db: float
    """Mean prominence of the tones and of the gaps between them."""
    misfit: float
    """By how much of the contrast the worst part is on the wrong side of the middle between tone and gap; not
    above 0 if none is. At most one tone and one quiet part are."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones stand above the gaps."""
        return self.on_db - self.off_db

    @property
    def is_ringing(self) -> bool:
        """One clear pitch whose gaps are filled: by a room, or by a tone that never stopped."""
        is_clear = self.on_db >= RINGING_DB and LOWEST_RINGING <= self.channel < BINS
        return is_clear and self.contrast_db < BLURRED * self.on_db


def candidates(history: History, template: Template, hops: int, *, sounding: bool) -> list[Candidate]:
    """Places in the newest `hops` where `template` may just have ended: by block, the best of each first.

    Unless such an alarm is known to be sounding, only those are given that may be a first cycle.
    """
    ends, channels = _with_last_tones(history, template, hops, sounding)
    if not len(ends):
        return []
    on_db, off_db, misfit = _looked_at(history, template, ends, channels)
    contrast_db = on_db - off_db
    tempo = (contrast_db + (misfit <= 0)).argmax(axis=1)
    best = contrast_db[np.arange(len(ends)), tempo]
    order = np.isfinite(best).nonzero()[0]
    order = order[best[order].argsort(kind="stable")[::-1]]
    return [
        Candidate(
            channel=int(channels[i]),
            end=int(ends[i]),
            on_db=float(on_db[i, tempo[i]]),
            off_db=float(off_db[i, tempo[i]]),
            misfit=float(misfit[i, tempo[i]]),
        )
        for first in range(history.end - hops, history.end, BLOCK_HOPS)
        for i in _apart(channels, order[(first < ends[order]) & (ends[order] <= first + BLOCK_HOPS)])
    ]


def _with_last_tones(history: History, template: Template, hops: int, sounding: bool) -> tuple[Hops, Hops]:
    """The cheap test on every channel: the last tone against the quiet beside it, and so the one before it,
    which only a known alarm may have lost."""
    ends = range(history.end - hops + template.step, history.end + 1, template.step)
    last, before = template.ons[-1], template.ons[-2]
    quiet_db = _all_means(history, template, last + 1 if last + 1 < len(template.parts) else last - 1, ends)
    last_db = _all_means(history, template, last, ends)
    likely = (last_db - quiet_db > template.least_db(sounding)) & (last_db > _LEAST_ON_DB)
    if not sounding:
        likely &= _all_means(history, template, before, ends) - quiet_db > template.first_contrast_db / 2
    rows, channels = likely.nonzero()
    return ends.start + rows * ends.step, channels


def _all_means(history: History, template: Template, part: int, ends: range) -> Means:
    first, end = template.cores[1.0][part].tolist()
    return history.all_means(first, end, ends)


def _looked_at(
    history: History, template: Template, ends: Hops, channels: Hops
) -> tuple[Means, Means, Means]:
    """Mean prominence of tones and of gaps (inf where too many parts disagree), and the misfit; of shape
    (places, tempi)."""
    means = history.means(channels[:, None], *(ends[:, None] + edges for edges in template.all_cores))
    means = means.reshape(len(ends), len(SCALES), -1)
    averages = means @ template.averages
    on_db, off_db = averages[..., 0], averages[..., 1]
    astray_db = ((on_db + off_db) / 2)[..., None] - means
    astray_db *= template.signs
    strays = (astray_db > 0) @ template.counts
    contrast_db = on_db - off_db
    plausible = (strays <= 1).all(axis=-1) & (contrast_db > template.contrast_db)
    off_db = np.where(plausible, off_db, np.inf)
    return on_db, off_db, astray_db.max(axis=-1) / np.maximum(contrast_db, template.contrast_db)


def _apart(channels: Hops, order: Hops) -> list[int]:
    """The best of each neighbourhood in pitch."""
    kept: list[tuple[int, int]] = []
    for channel, place in zip(channels[order].tolist(), order.tolist(), strict=True):
        if all(abs(channel - other) > _NEIGHBOURHOOD for other, _ in kept):
            kept.append((channel, place))
        if len(kept) == _MOST:
            break
    return [place for _, place in kept]
