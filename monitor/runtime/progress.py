"""How far each source has been heard and judged, in the time of its sound."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from monitor.clock import Clock
from monitor.runtime.capture import CaptureThread
from monitor.runtime.mailbox import Mailbox
from monitor.types import Segment

LAG_IS_TROUBLE_S = 5.0
"""Sound that is judged so much later than it came makes what follows from it late, and is trouble."""
MOST_LAG_S = 120.0
"""A source further behind than this goes by the clock: its stamps are wrong, and its events must end."""


def surplus_text(source: str, times: float) -> str:
    """What is wrong with a source that delivers so many times as much sound as time passes."""
    return (
        f"source {source}: sends {times:.3g} s of sound a second; is it a recording (`type: file`), "
        "or its sample rate wrong?"
    )


class Progress:
    """Asks the threads that capture and classify; from any thread.

    An event may end only when all sound up to its end was judged. The clock does not know that: after the
    process was stopped, or with a model that is late, it runs ahead of the sound, and would end an event
    that the next look begins again.
    """

    def __init__(self, clock: Clock, captures: Callable[[], Sequence[CaptureThread]] = tuple) -> None:
        """`captures` gives the threads of the sources whose sound is heard as it happens."""
        self._clock = clock
        self._captures = captures
        self.waiting: list[Mailbox[Segment]] = []
        """The looks that wait for the small models."""

    def reached(self) -> dict[str, datetime]:
        """For each source that delivers, until when everything was heard and judged; never in the future."""
        heard = {each.source.name: each.heard_until for each in self._captures()}
        waiting = self._earliest()
        now = self._clock.now()
        reached = {
            source: min(until, now, *([waiting[source]] if source in waiting else []))
            for source, until in heard.items()
            if until is not None
        }
        return {
            source: until for source, until in reached.items() if (now - until).total_seconds() <= MOST_LAG_S
        }

    def lags_s(self) -> dict[str, float]:
        """How far each source's sound lies behind the clock when it is judged, in seconds."""
        now = self._clock.now()
        lags_s = {
            source: max(0.0, (now - ends_at).total_seconds()) for source, ends_at in self._earliest().items()
        }
        for each in self._captures():
            figures = each.figures()
            if figures.online:
                lags_s[each.source.name] = max(figures.lag_s, lags_s.get(each.source.name, 0.0))
        return lags_s

    def lagging(self) -> list[str]:
        """The sources that are behind by so much that it is trouble, with what to do."""
        hasty = {
            each.source.name: each.source.surplus for each in self._captures() if each.source.surplus > 1
        }
        return [surplus_text(source, times) for source, times in hasty.items()] + [
            f"source {source}: its sound is judged {lag_s:.0f} s late; {self._culprit(hasty)}"
            for source, lag_s in self.lags_s().items()
            if lag_s > LAG_IS_TROUBLE_S and source not in hasty
        ]

    def _culprit(self, hasty: Mapping[str, float]) -> str:
        if hasty:
            return f"{', '.join(hasty)} takes up the processor"
        return (
            "this machine has too much to do: use fewer sources, a higher `early_look_s`, or no large model"
        )

    def _earliest(self) -> dict[str, datetime]:
        """The end of each source's earliest look that some small model has not judged."""
        earliest: dict[str, datetime] = {}
        for mailbox in self.waiting:
            for segment in mailbox.unfinished():
                before = earliest.get(segment.source, segment.ends_at)
                earliest[segment.source] = min(before, segment.ends_at)
        return earliest
