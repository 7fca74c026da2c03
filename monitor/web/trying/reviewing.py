"""Which events are worth a question today: a line, `{"ids": […], "left_today": n}`."""

from dataclasses import dataclass
from datetime import datetime

from monitor.clock import SystemClock
from monitor.config.model import Config
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Verdicts
from monitor.web.trying.child import Write, line


@dataclass(frozen=True, slots=True)
class Reviewing:
    """In which house, and when."""

    config: Config
    now: datetime

    def work(self, write: Write) -> None:
        """Choose them, the one first whose answer teaches most. Raises StoreError. What it takes is imported
        here: the daemon itself needs none of it."""
        from monitor.teaching.fit import Prior
        from monitor.teaching.house import HouseReading
        from monitor.teaching.questions import chosen, left_today

        folder = self.config.state_folder()
        with History(folder / SCORES) as history, Verdicts(folder, SystemClock()) as verdicts:
            house = HouseReading(self.config, history, verdicts, self.now)
            left = left_today(verdicts.asked(), self.now)
            wanted = house.questions() if left else []
            fits, counts = (house.fits(Prior()), house.verdict_counts()) if wanted else ({}, {})
            ids = [one.event_id for one in chosen(wanted, fits, counts, left)]
        write(line({"ids": ids, "left_today": left}))
