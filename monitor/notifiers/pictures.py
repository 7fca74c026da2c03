"""The picture of a sound, sent after its alert: no alert waits for one."""

import base64
import queue
import threading
from collections import OrderedDict
from typing import Any, Self

from monitor.clock import Clock
from monitor.logs import Lapse
from monitor.notifiers.workers import NotifierWorker
from monitor.types import Alert, Picture

WANTED_FOR_S = 900.0
"""An event may last, and its picture comes after its end."""
MOST = 16
"""Alerts that wait for a picture, and pictures that wait for their alert."""
STOP_S = 1.0


class PictureMatch:
    """Which picture belongs to which alert that was sent: one for each alert, whichever comes first. Any
    thread, one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alerts: OrderedDict[str, tuple[float, Alert]] = OrderedDict()
        self._pictures: OrderedDict[str, Picture] = OrderedDict()

    def sent(self, alert: Alert) -> Picture | None:
        """An alert has gone out: its picture, if that is there already."""
        if not alert.events or alert.test or alert.update:
            return None
        for event in alert.events:
            if (picture := self._pictures.pop(event.id, None)) is not None:
                return picture
        self._alerts[alert.id] = (self._clock.monotonic_s(), alert)
        self._alerts.move_to_end(alert.id)
        while len(self._alerts) > MOST:
            self._alerts.popitem(last=False)
        return None

    def came(self, picture: Picture) -> Alert | None:
        """A picture was made: the alert that waits for it."""
        now_s = self._clock.monotonic_s()
        for id, (sent_s, alert) in list(self._alerts.items()):
            if now_s - sent_s > WANTED_FOR_S:
                del self._alerts[id]
            elif any(event.id == picture.event_id for event in alert.events):
                del self._alerts[id]
                return alert
        self._pictures[picture.event_id] = picture
        while len(self._pictures) > MOST:
            self._pictures.popitem(last=False)
        return None


class PictureSender:
    """Sends pictures to one receiver in a thread and a process of their own: an upload holds up no alert. A
    picture that is not taken is given up. Methods from any thread."""

    def __init__(self, name: str, url: str, query: dict[str, str], timeout_s: float, clock: Clock) -> None:
        self._name = name
        self._query = query
        self._worker = NotifierWorker(url, timeout_s)
        self._match = PictureMatch(clock)
        self._lock = threading.Lock()
        self._lapse = Lapse("a picture could not be sent; it is given up", "pictures are sent again")
        self._waiting: queue.Queue[tuple[Alert, Picture] | None] = queue.Queue(MOST)
        self._thread = threading.Thread(target=self._run, name=f"{name}-pictures", daemon=True)

    def __enter__(self) -> Self:
        self._worker.open()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """What waits is let go."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put(None)
        self._thread.join(STOP_S)
        self._worker.close()

    def sent(self, alert: Alert) -> None:
        """An alert was delivered."""
        with self._lock:
            picture = self._match.sent(alert)
        if picture is not None:
            self._put(alert, picture)

    def came(self, picture: Picture) -> None:
        """A picture was made of an event, without speech in it."""
        with self._lock:
            alert = self._match.came(picture)
        if alert is not None:
            self._put(alert, picture)

    def _put(self, alert: Alert, picture: Picture) -> None:
        try:
            self._waiting.put_nowait((alert, picture))
        except queue.Full:
            self._lapse.begin(notifier=self._name, reason="too many wait")

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            if why := self._worker.send(self._message(*work)):
                # The service's words may hold secrets of its address.
                self._lapse.begin(notifier=self._name, reason=why if why.startswith("no answer") else "")
            else:
                self._lapse.end(notifier=self._name)

    def _message(self, alert: Alert, picture: Picture) -> dict[str, Any]:
        return {
            "title": f"Picture: {alert.rule}",
            "body": alert.message,
            "notify_type": "info",
            "query": self._query,
            "picture": base64.b64encode(picture.png).decode(),
            "picture_name": f"{picture.label}-{picture.event_id}.png",
        }
