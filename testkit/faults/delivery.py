"""What happens to events when the broker, Home Assistant, or the daemon itself goes away."""

import os
import random
import signal
import socket
import threading
import time
from pathlib import Path
from select import select
from statistics import median
from typing import Any, Self

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.synthesis.alarms import piezo, played, temporal_three
from testkit.builders import noise
from testkit.faults.allowance import ALLOWANCE
from testkit.mosquitto import Mosquitto
from testkit.noisy_house import (
    NODE,
    PATIENCE_S,
    FaultRow,
    NoisyHouse,
    WitnessedHouse,
    key,
    noisy_house,
    until,
    verdict,
)
from testkit.wav import write_wav
from testkit.wire import Wire

HOLDS = "0 lost, order kept per source, nothing stuck, back within 5 s of the broker"
BACK_S = 5.0
GONE = "home assistant is offline"
START_S = 3.0
STOP_S = 3.0
PAUSE_S = 4.0
LEARNING_S = 3.5
"""So long a room's floor is learned before its bangs are told from it."""


def broker_down(folder: Path, events: int, outage_s: float, every_s: float) -> FaultRow:
    """The broker is unreachable for a while, and events go on."""
    with noisy_house(folder, every_s=every_s) as house:
        house.start()
        house.wait_decided(6)
        house.wire.cut()
        _outage(house, events, outage_s)
        back_s = _back(house)
        return _row(f"broker down {outage_s:.0f} s during {events} events", house, back_s)


def broker_forgets(folder: Path, events: int, outage_s: float) -> FaultRow:
    """The broker is killed and started again with nothing in its memory."""
    with noisy_house(folder) as house:
        house.start()
        house.wait_decided(6)
        house.wire.cut()
        house.broker.stop()
        _outage(house, events, outage_s)
        house.broker.start()
        house.witness.wait_subscribed()
        back_s = _back(house)
        return _row(
            f"broker killed and restarted without persistence, {events} events meanwhile", house, back_s
        )


def broker_refuses(folder: Path, events: int) -> FaultRow:
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
        back_s = _back(house)
        return _row(f"broker refuses the password during {events} events, then takes it", house, back_s)


def house_restarts(folder: Path, events: int, restarts: int) -> FaultRow:
    """Home Assistant says `offline`, is away while events go on, and says `online`."""
    with noisy_house(folder) as house:
        house.start()
        sent_while_away = 0
        for _ in range(restarts):
            house.wait_decided(4)
            house.wait_delivered()
            sent_while_away += _while_away(house, events)
            until(lambda: _alerts_said_again(house) > 0, "the alerts of that time to be published again")
        house.stop()
        found = verdict(house)
        again = _alerts_said_again(house)
        held = found.lost == found.out_of_order == found.unknown == 0 < again
        figures = _figures(found) | {"sent while it was away": sent_while_away, "alerts said again": again}
        fault = f"Home Assistant restarts {restarts} times during events (its will and birth)"
        return FaultRow(fault, "0 alerts lost to it", held, figures)


def killed(folder: Path, kills: int, seed: int = 0) -> FaultRow:
    """kill -9 at random points while events flow, at every other one without a broker, so that something is
    waiting; and one orderly end."""
    rng = random.Random(seed)
    starts: list[tuple[float, float]] = []
    left = 0
    with noisy_house(folder, rooms=4, every_s=0.7) as house:
        for number in range(kills):
            starts.append(_start(house))
            _live_and_die(house, rng, without_broker=bool(number % 2))
            left += len(house.kept("mqtt"))
        starts.append(_start(house))
        house.wait_decided(4)
        house.stop()
        found = verdict(house)
        set_aside = len([p for p in house.state.iterdir() if ".db." in p.name])
        start_s, start_cpu_s = (median(each) for each in zip(*starts, strict=True))
        cut_short = sum(document.get("ended_by") == "restart" for document in house.decided())
        left_on = len(house.sensors_on())
        held = (
            found.lost == found.unknown == found.out_of_order == found.stuck == set_aside == left_on == 0
            and start_s < START_S * ALLOWANCE.get()
        )
        figures = _figures(found) | {
            "undelivered at the kills": left,
            "ended at the next start": cut_short,
            "sensors left on": left_on,
            "corrupt stores": set_aside,
            "median start s": round(start_s, 2),
            "longest start s": round(max(wall_s for wall_s, _ in starts), 2),
            "median start processor s": round(start_cpu_s, 2),
            "load per core": round(os.getloadavg()[2] / (os.cpu_count() or 1), 1),
        }
        return FaultRow(
            f"kill -9 at {kills} random points while events flow",
            "0 acknowledged-then-lost, 0 duplicates without the same id, starts again in < 3 s in the "
            "median, no corrupt store, nothing stuck",
            held,
            figures,
        )


class HungHouse(NoisyHouse):
    """With three notifiers whose receivers take a call and never answer it."""

    def __enter__(self) -> Self:
        self._receivers = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        for receiver in self._receivers:
            receiver.close()

    def config(self) -> dict[str, Any]:
        """Everybody is notified of every bang."""
        config = super().config()
        ports = [receiver.getsockname()[1] for receiver in self._receivers]
        config["notifiers"] = [
            {"type": "notify", "name": f"phone{n}", "urls": [f"json://127.0.0.1:{port}/"], "timeout_s": 60}
            for n, port in enumerate(ports)
        ]
        config["rules"][0]["notify"] = [notifier["name"] for notifier in config["notifiers"]]
        return config

    def wait_hung(self) -> None:
        """Wait until everybody is being notified."""
        until(lambda: len(select(self._receivers, [], [], 0)[0]) == 3, "the notifiers to be called")

    def wait_offline(self) -> None:
        """Wait until the house knows that the daemon has gone."""
        until(lambda: self.witness.on(f"{NODE}/status")[-1:] == ["offline"], "the farewell")


def stop_hung(folder: Path, times: int) -> FaultRow:
    """SIGTERM while the broker and three notifiers hang; then the broker answers again."""
    stops = [_stop_hung(folder / str(number)) for number in range(times)]
    longest_s = max(took_s for took_s, _, _ in stops)
    kept, lost = sum(kept for _, kept, _ in stops), sum(lost for _, _, lost in stops)
    return FaultRow(
        f"stopped while the broker and three notifiers hang, {times} times",
        "stops within 3 s of SIGTERM, `offline` is published, nothing lost",
        longest_s <= STOP_S * ALLOWANCE.get() and lost == 0 < kept,
        {"longest stop s": round(longest_s, 2), "kept for the next start": kept, "lost": lost},
    )


def _stop_hung(folder: Path) -> tuple[float, int, int]:
    """Seconds, messages that wait for the next start, and messages lost."""
    with HungHouse(folder) as house:
        house.start()
        house.wait_hung()
        house.broker.freeze()
        house.wait_decided(4)
        took_s = house.stop()
        house.broker.thaw()
        house.wait_offline()
        return took_s, len(house.kept("mqtt")), verdict(house).lost


def interrupted(folder: Path, times: int) -> FaultRow:
    """Ctrl-C while events flow: the signal that a terminal sends."""
    with noisy_house(folder) as house:
        stops_s = []
        for _ in range(times):
            house.start()
            house.wait_decided(4)
            assert house.daemon is not None
            house.daemon.process.send_signal(signal.SIGINT)
            stops_s.append(until(lambda: _has_ended(house), "the end"))
            house.stop()
        lost = verdict(house).lost
    return FaultRow(
        f"Ctrl-C, {times} times",
        "everything ends within 3 s, nothing lost",
        max(stops_s) <= STOP_S * ALLOWANCE.get() and lost == 0,
        {"longest stop s": round(max(stops_s), 2), "lost": lost},
    )


def _has_ended(house: NoisyHouse) -> bool:
    return house.daemon is not None and house.daemon.process.poll() is not None


class RingingHouse(NoisyHouse):
    """One room in which a smoke alarm rings for 24 s, and rests as long."""

    def __enter__(self) -> Self:
        super().__enter__()
        ring = 0.3 * played(piezo(3100), temporal_three(6), SAMPLE_RATE_HZ)
        rest = np.zeros(24 * SAMPLE_RATE_HZ, np.float32)
        sound = np.concatenate([rest[: len(rest) // 4], ring, rest])
        write_wav(self.folder / "room0.wav", sound + np.resize(noise(10.0, -65.0), len(sound)))
        return self

    def rings(self, state: str) -> int:
        """How many smoke alarms have begun, or ended."""
        found = [each for each in self.decided() if each.get("label") == "smoke_alarm"]
        return len({each["id"] for each in found if each["state"] == state})


def paused(folder: Path, times: int) -> FaultRow:
    """The process stands still for 4 s while an alarm rings, as a virtual machine that is paused."""
    with RingingHouse(folder, rooms=1) as house:
        house.start()
        for number in range(1, times + 1):
            until(lambda number=number: house.rings("started") >= number, "the alarm", PATIENCE_S)  # type: ignore[misc]
            assert house.daemon is not None
            house.daemon.process.send_signal(signal.SIGSTOP)
            threading.Event().wait(PAUSE_S)
            house.daemon.process.send_signal(signal.SIGCONT)
            until(lambda number=number: house.rings("ended") >= number, "its end", PATIENCE_S)  # type: ignore[misc]
        house.wait_delivered()
        house.stop()
        events, lost = house.rings("started"), verdict(house).lost
    return FaultRow(
        f"the process stands still for {PAUSE_S:g} s (SIGSTOP) during an alarm, {times} times",
        "each alarm is one event, nothing lost",
        events == times and lost == 0,
        {"alarms": times, "events": events, "lost": lost},
    )


def _start(house: NoisyHouse) -> tuple[float, float]:
    """Seconds until a room is heard, by the clock and of the processor's time. A machine that is busy with
    other things makes only the first longer."""
    start_s = house.start()
    assert house.daemon is not None
    return start_s, house.daemon.cpu_s()


def _live_and_die(house: NoisyHouse, rng: random.Random, *, without_broker: bool) -> None:
    """Some are killed while they start, most while bangs are heard."""
    life_s = rng.uniform(0.0, LEARNING_S) if rng.random() < 0.25 else rng.uniform(LEARNING_S, 2 * LEARNING_S)
    with_broker_s = rng.uniform(0.0, life_s) if without_broker else life_s
    threading.Event().wait(with_broker_s)
    if without_broker:
        house.wire.cut()
    threading.Event().wait(life_s - with_broker_s)
    house.kill()
    if without_broker:
        house.wire.mend()


def _outage(house: NoisyHouse, events: int, outage_s: float) -> None:
    """Lasts until so many events were decided, and at least so long."""
    ends_s = time.monotonic() + outage_s
    house.wait_decided(events, max(PATIENCE_S, 2 * outage_s))
    threading.Event().wait(max(ends_s - time.monotonic(), 0.0))


def _while_away(house: NoisyHouse, events: int) -> int:
    """Events and alerts that were sent although Home Assistant was away."""
    times = house.logged(GONE)
    house.witness.say("homeassistant/status", "offline")
    until(lambda: house.logged(GONE) > times, "the daemon to hear that the house has gone")
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
    published = {key(alert) for alert in alerts if not alert["late"]}
    return len({key(alert) for alert in alerts if alert["late"]} & published)


def _back(house: NoisyHouse) -> tuple[float, float]:
    """Mend the wire: seconds until the first message is heard, and until all of them are."""
    before = len(house.witness.messages())
    house.wire.mend()
    first_s = until(lambda: len(house.witness.messages()) > before, "the first message")
    return first_s, first_s + house.wait_delivered()


def _row(fault: str, house: NoisyHouse, back_s: tuple[float, float]) -> FaultRow:
    house.stop()
    found = verdict(house)
    back = {"back after s": round(back_s[0], 2), "all delivered after s": round(back_s[1], 2)}
    held = (
        found.lost == found.out_of_order == found.unknown == found.stuck == 0
        and back_s[0] <= BACK_S * ALLOWANCE.get()
    )
    return FaultRow(fault, HOLDS, held, _figures(found) | back)


def _figures(found: WitnessedHouse) -> dict[str, Any]:
    return {
        "messages": found.decided,
        "lost": found.lost,
        "out of order": found.out_of_order,
        "stuck": found.stuck,
        "sent twice": found.repeated,
        "strangers": found.unknown,
    }
