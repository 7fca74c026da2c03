"""What happens to events when the broker, Home Assistant, or the daemon itself goes away."""

import random
import shutil
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from scripts.bench.noisy_house import PATIENCE_S, NoisyHouse, Row, Verdict, key, noisy_house, verdict
from tests.mosquitto import Mosquitto
from tests.wire import Wire

HOLDS = "0 lost, order kept per source, nothing stuck, back within 5 s of the broker"
BACK_S = 5.0
LONGEST_LIFE_S = 8.0
"""Rooms are heard to bang from about the fourth second on: until then their floor is being learned."""


def broker_down(folder: Path, events: int, outage_s: float, every_s: float) -> Row:
    """The broker is unreachable for a while, and events go on."""
    with noisy_house(folder, every_s=every_s) as house:
        house.start()
        house.wait_decided(6)
        house.wire.cut()
        _outage(house, events, outage_s)
        house.wire.mend()
        back_s = house.wait_delivered()
        return _row(f"broker down {outage_s:.0f} s during {events} events", house, back_s)


def broker_forgets(folder: Path, events: int, outage_s: float) -> Row:
    """The broker is killed and started again with nothing in its memory."""
    with noisy_house(folder) as house:
        house.start()
        house.wait_decided(6)
        house.wire.cut()
        house.broker.stop()
        _outage(house, events, outage_s)
        house.broker.start()
        house.witness.wait_subscribed()
        house.wire.mend()
        back_s = house.wait_delivered()
        return _row(
            f"broker killed and restarted without persistence, {events} events meanwhile", house, back_s
        )


def broker_refuses(folder: Path, events: int) -> Row:
    """The broker does not take our password for a while, as one that is being restored from a backup."""
    refusing = Mosquitto(folder.with_name("refusing"), password="another")
    with noisy_house(folder, password="right") as house, refusing:
        house.start()
        house.wait_decided(6)
        house.wire.cut()
        elsewhere = Wire(refusing.port)
        elsewhere.port = house.wire.port
        with elsewhere:
            _outage(house, events, 0.0)
        house.wire.mend()
        back_s = house.wait_delivered()
        return _row(f"broker refuses the password during {events} events, then takes it", house, back_s)


def house_restarts(folder: Path, events: int, restarts: int) -> Row:
    """Home Assistant says `offline`, is away while events go on, and says `online`."""
    with noisy_house(folder) as house:
        house.start()
        sent_while_away = 0
        for _ in range(restarts):
            house.wait_decided(4)
            house.wait_delivered()
            sent_while_away += _while_away(house, events)
        house.stop()
        found = verdict(house)
        again = _alerts_said_again(house)
        held = found.lost == found.out_of_order == found.unknown == sent_while_away == 0 < again
        figures = _figures(found) | {"sent while it was away": sent_while_away, "alerts said again": again}
        fault = f"Home Assistant restarts {restarts} times during events (its will and birth)"
        return Row(fault, "0 alerts lost to it", held, figures)


def killed(folder: Path, kills: int, seed: int = 0) -> Row:
    """kill -9 at random points while events flow, at every other one without a broker, so that something is
    waiting; and one orderly end."""
    rng = random.Random(seed)
    starts_s: list[float] = []
    left = 0
    with noisy_house(folder, rooms=4, every_s=0.7) as house:
        for number in range(kills):
            starts_s.append(house.start())
            life_s = rng.uniform(0.0, LONGEST_LIFE_S)
            cut_s = rng.uniform(0.0, life_s) if number % 2 else life_s
            threading.Event().wait(cut_s)
            if number % 2:
                house.wire.cut()
            threading.Event().wait(life_s - cut_s)
            house.kill()
            left += _undelivered(house)
            if number % 2:
                house.wire.mend()
        starts_s.append(house.start())
        house.wait_decided(4)
        house.stop()
        found = verdict(house)
        set_aside = len([p for p in house.state.iterdir() if ".db." in p.name])
        held = found.lost == found.unknown == found.out_of_order == set_aside == 0 and median(starts_s) < 3.0
        figures = _figures(found) | {
            "undelivered at the kills": left,
            "median start s": round(median(starts_s), 2),
            "longest start s": round(max(starts_s), 2),
            "corrupt stores": set_aside,
        }
        return Row(f"kill -9 at {kills} random points while events flow",
                   "0 lost after being kept, 0 duplicates without the same id, starts again in < 3 s, "
                   "no corrupt store", held, figures)  # fmt: skip


def _undelivered(house: NoisyHouse) -> int:
    """What the store holds for the broker; looked at in a copy, for opening it would mend it."""
    with tempfile.TemporaryDirectory() as place:
        for part in house.state.glob("outbox.db*"):
            shutil.copy(part, place)
        with closing(sqlite3.connect(Path(place) / "outbox.db")) as store:
            sql = "SELECT COUNT(*) FROM delivery WHERE channel = 'mqtt' AND delivered_at_us IS NULL"
            return int(store.execute(sql).fetchone()[0])


def _outage(house: NoisyHouse, events: int, outage_s: float) -> None:
    """Lasts until so many events were decided, and at least so long."""
    ends_s = time.monotonic() + outage_s
    house.wait_decided(events, max(PATIENCE_S, 2 * outage_s))
    threading.Event().wait(max(ends_s - time.monotonic(), 0.0))


def _while_away(house: NoisyHouse, events: int) -> int:
    """Events and alerts that were sent although Home Assistant was away."""
    house.witness.say("homeassistant/status", "offline")
    house.wait_decided(2)
    before = len(house.witness.messages())
    house.wait_decided(events)
    sent = len(house.witness.messages()) - before
    house.witness.say("homeassistant/status", "online")
    house.wait_delivered()
    return sent


def _alerts_said_again(house: NoisyHouse) -> int:
    """Alerts that the house heard, and heard again as late after its return."""
    alerts = [document for document in house.witness.messages() if "rule" in document]
    said = {key(alert) for alert in alerts if not alert["late"]}
    return len({key(alert) for alert in alerts if alert["late"]} & said)


def _row(fault: str, house: NoisyHouse, back_s: float) -> Row:
    house.stop()
    found = verdict(house)
    held = found.lost == found.out_of_order == found.unknown == found.stuck == 0 and back_s <= BACK_S
    return Row(fault, HOLDS, held, _figures(found) | {"all delivered after s": round(back_s, 2)})


def _figures(found: Verdict) -> dict[str, Any]:
    return {
        "messages": found.decided,
        "lost": found.lost,
        "out of order": found.out_of_order,
        "stuck": found.stuck,
        "sent twice": found.repeated,
        "strangers": found.unknown,
    }
