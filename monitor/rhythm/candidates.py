"""Where in the newest sound a rhythm may just have ended: a quick look at every pitch."""

from dataclasses import dataclass

import numpy as np

from monitor.rhythm.history import History, Hops, Means
from monitor.rhythm.templates import SCALES, Template

_LEAST_ON_DB = 4.0
_MOST = 6
_NEIGHBOURHOOD = 3  # channels


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


def candidates(history: History, template: Template, least_db: float, hops: int) -> list[Candidate]:
    """Places in the newest `hops` where `template` may just have ended; best first.

    There the last tone stands at least `least_db` above the quiet beside it.
    """
    ends, channels = _last_tone(history, template, hops, least_db)
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
        for i in _apart(channels[order], order)
    ]


def _last_tone(history: History, template: Template, hops: int, least_db: float) -> tuple[Hops, Hops]:
    """The cheap test on every channel: the last tone against the quiet beside it."""
    ends = range(history.end - hops + template.step, history.end + 1, template.step)
    cores = template.cores[1.0]
    last_on = template.ons[-1]
    beside = last_on + 1 if last_on + 1 < len(template.parts) else last_on - 1
    on_db, off_db = (history.all_means(int(cores[i, 0]), int(cores[i, 1]), ends) for i in (last_on, beside))
    rows, channels = ((on_db - off_db > least_db) & (on_db > _LEAST_ON_DB)).nonzero()
    return ends.start + rows * ends.step, channels


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
    for channel, place in zip(channels.tolist(), order.tolist(), strict=True):
        if all(abs(channel - other) > _NEIGHBOURHOOD for other, _ in kept):
            kept.append((channel, place))
        if len(kept) == _MOST:
            break
    return [place for _, place in kept]
