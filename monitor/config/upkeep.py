"""How the house is looked after at set times: the silent test of the chain (`drill:`) and the daily summary
(`digest:`). Times are those of the house."""

from typing import Annotated, Literal

from pydantic import Field

from monitor.rules.model import WEEKDAYS, Weekday
from monitor.schema import Block, Slug, TimeOfDay


class DrillConfig(Block):
    """The silent test of every MQTT broker, and of Home Assistant behind it. A message that is marked as a
    test goes through the outbox and the broker and comes back. People are notified only if the test
    fails."""

    chain_test: Literal["daily", "weekly", "never"] = "weekly"
    """How often."""
    weekday: Weekday = "sun"
    """The day, with `weekly`."""
    at: TimeOfDay = "11:00"
    """The time. Choose daytime, because somebody must be able to repair a failure."""
    home_assistant_answers: bool = False
    """true: an automation in Home Assistant answers the test (`config/blueprints/answer_chain_test.yaml`),
    and a missing answer is a failure. false: it is enough that Home Assistant reports that it is
    online."""

    @property
    def day(self) -> int | None:
        """The weekday, Monday is 0; None: every day."""
        return WEEKDAYS.index(self.weekday) if self.chain_test == "weekly" else None


class DigestConfig(Block):
    """A summary once a day: alerts, the state of each source, the last drill, and what was new."""

    at: TimeOfDay = "20:00"
    """When."""
    notify: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    """Names of notifiers that get it. Publishers always get it, as an alert of severity `info`."""
