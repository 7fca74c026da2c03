"""What other devices detect, as detections of ours. In the connection's thread."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.publishers.base import ExternalDevice
from monitor.publishers.mqtt.intake.words import value_at, word_at
from monitor.publishers.mqtt.news import Received
from monitor.schema import LABEL_LEVEL, plain_number
from monitor.types import EXTERNAL, Detection, Findings, SourceStatus

log = get_logger()

BURST = 10
"""Messages of one label that are taken at once, then `PER_S` a second: a device that floods must not keep the
decider from an alarm, and one message a second keeps every event open."""
PER_S = 1.0
LOG_AGAIN_AFTER_S = 60.0
_ROUNDING = 1e-3
"""By so much a score may lie above 1 and is still 1, not a hundredth: sums and 32-bit floats do."""
MOST_UNKNOWN_WORDS = 32
"""Words without a label are logged once each: whoever writes the map needs them."""


class DeviceReader:
    """One device. `heard` is a pure function of messages and clock, but for what it counts."""

    def __init__(self, device: ExternalDevice, clock: Clock) -> None:
        self.device = device
        self.topic_filter = "/".join("+" if one == LABEL_LEVEL else one for one in device.topic.split("/"))
        self.ignored: Counter[str] = Counter()
        """Messages that were no detection, by reason."""
        self.detected = 0
        self._clock = clock
        self._levels = device.topic.split("/")
        self._online: bool | None = None
        self._credit: dict[str, tuple[float, float]] = {}
        self._unknown: set[str] = set()
        self._logged_at_s: float | None = None

    def matches(self, topic: str) -> bool:
        """Whether the device publishes there."""
        levels = topic.split("/")
        return len(levels) == len(self._levels) and all(
            own in ("+", LABEL_LEVEL, found) for own, found in zip(self._levels, levels, strict=True)
        )

    def heard(self, message: Received) -> Findings | None:
        """The detection that a message is; None after counting why it is none."""
        found = self._detection(message)
        if isinstance(found, Detection):
            self.detected += 1
            return Findings(found.source, found.started_at, (found,))
        self.ignored[found] += 1
        return None

    def status(self, online: bool, reason: str = "") -> Iterator[SourceStatus]:
        """Whether we would get what it publishes, where that has changed. Whether the device lives we do not
        know."""
        if online == self._online:
            return
        self._online = online
        source = self.device.source
        if online:
            log.info("listening", source=source, topic=self.device.topic)
        else:
            log.warning("source offline", source=source, reason=reason)
        yield SourceStatus(source, online, self._clock.now(), reason)

    def figures(self) -> dict[str, Any]:
        """For the health report, as plain JSON values."""
        return {"detected": self.detected, "ignored": dict(self.ignored)}

    def _detection(self, message: Received) -> Detection | str:
        """The detection, or why it is none."""
        device = self.device
        if message.retained:
            return "retained"  # it would be heard again at every start
        if any(word_at(message.payload, path) not in words for path, words in device.where.items()):
            return "where"
        word, score = self._word(message), self._score(message)
        if word is None or score is None:
            self._complain("no word" if word is None else "no score", message)
            return "unreadable"
        label = device.label_map.get(word)
        if label is None:
            self._note_unknown(word)
            return "not in label_map"
        if score < device.min_score:
            return "below min_score"
        if not self._has_credit(label):
            self._complain("too many of one label", message)
            return "too many"
        return Detection(
            label=label,
            score=score,
            classifier=EXTERNAL,
            source=device.source,
            started_at=self._clock.now(),
            duration_s=0.0,
            certainty="confirmed" if device.trusted else "suspected",
            evidence={"device": message.topic, "named": word}
            | ({} if device.hold_s is None else {"hold_s": device.hold_s}),
        )

    def _word(self, message: Received) -> str | None:
        if LABEL_LEVEL not in self._levels:
            return word_at(message.payload, self.device.path)
        return word_at(message.topic.split("/")[self._levels.index(LABEL_LEVEL)].encode(), "")

    def _score(self, message: Received) -> float | None:
        """0 to 1; a percentage is one. None where there is none, or it is no such number."""
        if not self.device.score_path:
            return 1.0
        found = value_at(message.payload, self.device.score_path)
        if isinstance(found, bool) or not isinstance(found, int | float | str):
            return None
        try:
            score = plain_number(found) if isinstance(found, str) else float(found)
        except (ValueError, OverflowError):
            return None
        score = score / 100 if score > 1 + _ROUNDING else score
        return min(score, 1.0) if 0 <= score <= 1 + _ROUNDING else None  # false of what is no number, too

    def _has_credit(self, label: str) -> bool:
        """A token bucket for each label: a flood of one holds back no other."""
        now_s = self._clock.monotonic_s()
        credit, since_s = self._credit.get(label, (float(BURST), now_s))
        credit = min(float(BURST), credit + PER_S * (now_s - since_s))
        self._credit[label] = (credit - 1 if credit >= 1 else credit, now_s)
        return credit >= 1

    def _note_unknown(self, word: str) -> None:
        if word not in self._unknown and len(self._unknown) < MOST_UNKNOWN_WORDS:
            self._unknown.add(word)
            log.info("a device reports a sound that is not in its label_map", source=self.device.source,
                     named=word, fix="add it to label_map, or leave it out")  # fmt: skip

    def _complain(self, reason: str, message: Received) -> None:
        now_s = self._clock.monotonic_s()
        if self._logged_at_s is None or now_s - self._logged_at_s >= LOG_AGAIN_AFTER_S:
            self._logged_at_s = now_s
            log.warning("a device's message is ignored", source=self.device.source, topic=message.topic,
                        reason=reason, ignored_so_far=self.ignored.total() + 1)  # fmt: skip
