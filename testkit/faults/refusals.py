"""What becomes of events and alerts where the broker takes only so much, forbids a topic, or has nobody who
listens: what was not delivered is never called delivered, and arrives in the end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testkit.noisy_house import NODE, FaultRow, NoisyHouse, key, until, verdict

PATIENCE_S = 200.0
"""What nobody takes is tried again every 72 s at least."""
FORBIDS = "an access list that forbids alerts"
NOBODY = "nobody who subscribes (0x10)"


@dataclass(frozen=True, slots=True)
class BrokerSetup:
    """How the broker is set, and the version that is spoken."""

    broker: str
    version: str


CONDITIONS = (
    BrokerSetup(FORBIDS, "3.1.1"),
    BrokerSetup(NOBODY, "5"),
    BrokerSetup(FORBIDS, "5"),
    BrokerSetup("max_packet_size 2000", "5"),
    BrokerSetup("max_packet_size 2000", "3.1.1"),
    BrokerSetup("message_size_limit 2000", "5"),
    BrokerSetup("message_size_limit 2000", "3.1.1"),
)


class RefusingHouse(NoisyHouse):
    """A broker under one condition, until it is mended."""

    def __init__(self, folder: Path, condition: BrokerSetup) -> None:
        super().__init__(folder)
        self._condition = condition

    def __enter__(self) -> "RefusingHouse":
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._condition.broker == FORBIDS:
            rules = self.folder / "access"
            rules.write_text(f"topic deny {NODE}/alert\ntopic readwrite #\n")
            self.broker.more = f"acl_file {rules}"
        elif self._condition.broker != NOBODY:
            self.broker.more = self._condition.broker
        super().__enter__()
        return self

    def config(self) -> dict[str, Any]:
        """In the condition's version, and without the wire, which keeps a connection that the broker ends."""
        config = super().config()
        config["publishers"][0] |= {"protocol": self._condition.version, "port": self.broker.port}
        return config

    def begin(self) -> None:
        """Start the daemon; where nobody is to listen, the subscriber leaves."""
        self.start()
        if self._condition.broker == NOBODY:
            self.wait_decided(2)
            self.witness.leave()

    def mend(self) -> None:
        """The broker takes everything, and somebody listens."""
        if self._condition.broker == NOBODY:
            self.witness.come_back()
            return
        self.broker.stop()
        self.broker.more = ""
        self.broker.start()
        self.witness.wait_subscribed()


def broker_takes_less(folder: Path, events: int, conditions: int) -> FaultRow:
    """Under each condition; then it is mended, and the daemon starts again."""
    decided = falsely = lost = kept = 0
    for number, condition in enumerate(CONDITIONS[:conditions]):
        with RefusingHouse(folder / str(number), condition) as house:
            house.begin()
            house.wait_decided(events)
            house.stop()
            # Neither received nor kept: it was taken for delivered.
            falsely += verdict(house).lost
            kept += len(house.kept("mqtt"))
            house.mend()
            house.start()
            everything = {key(each) for each in (*house.decided(), *house.kept("mqtt"))}
            until(lambda all=everything, house=house: house.witness.has_all(all), "all of it", PATIENCE_S)  # type: ignore[misc]
            house.stop()
            found = verdict(house)
            decided, lost = decided + found.decided, lost + found.lost
    names = [f"{each.broker} (MQTT {each.version})" for each in CONDITIONS[:conditions]]
    return FaultRow(
        f"a broker with each of these: {', '.join(names)}; then without",
        "0 lost and 0 falsely delivered",
        lost == falsely == 0 < kept,
        {"messages": decided, "falsely delivered": falsely, "kept meanwhile": kept, "lost": lost},
    )
