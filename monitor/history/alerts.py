"""Alerts that wait for somebody to say that they have seen them."""

from datetime import datetime, timedelta

from monitor.history.reader import History
from monitor.history.verdicts import Verdicts
from monitor.types import Alert

OPEN = timedelta(hours=24)
"""An alert that nobody has acknowledged waits for so long."""


def waiting_alerts(history: History, verdicts: Verdicts, now: datetime) -> list[Alert]:
    """The last word of each alert of the last day that is more than information and that nobody has
    acknowledged, oldest first. Raises StoreError."""
    last = {one.id: one for _, one in history.messages(now - OPEN, now, Alert) if isinstance(one, Alert)}
    graver = [one for one in last.values() if one.severity != "info"]
    seen = verdicts.acknowledged([one.id for one in graver])
    return [one for one in graver if one.id not in seen]
