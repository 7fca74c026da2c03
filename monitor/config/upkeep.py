"""How the house is looked after at set times: the silent test of the chain (`drill:`) and the daily summary
(`digest:`). Times are those of the house."""

from typing import Annotated, Literal

from pydantic import Field

from monitor.rules.model import WEEKDAYS, Weekday
from monitor.schema import Block, Slug, TimeOfDay


class DrillConfig(Block):
    """The silent test of every MQTT broker, and of Home Assistant behind it: a message marked as a test goes
    through outbox and broker and comes back. Nobody is notified unless it fails."""

    chain_test: Literal["daily", "weekly", "never"] = "weekly"
    """How often."""
    weekday: Weekday = "sun"
    """With `weekly`: the day."""
    at: TimeOfDay = "11:00"
    """When; in the day, for whoever is told of a failure has to mend it."""
    home_assistant_answers: bool = False
    """Whether an automation in Home Assistant answers the test (`config/blueprints/answer_chain_test.yaml`):
    then a missing answer is a failure. Otherwise Home Assistant's own word that it is there counts."""

    @property
    def day(self) -> int | None:
        """The weekday, Monday is 0; None: every day."""
        return WEEKDAYS.index(self.weekday) if self.chain_test == "weekly" else None


class DigestConfig(Block):
    """A summary once a day: alerts, how each source is, the last drill, what was new."""

    at: TimeOfDay = "20:00"
    """When."""
    notify: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    """Names of notifiers; publishers have it in any case, as an alert of severity `info`."""
