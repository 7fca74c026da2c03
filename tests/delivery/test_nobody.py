"""A broker that is well, and behind it nobody who takes alerts: Home Assistant is dead."""

from pathlib import Path

from monitor.delivery.stuck import BACK_S, STUCK_S
from testkit.builders import alert
from testkit.mosquitto import Mosquitto, Subscriber
from tests.delivery.chain.test_tester import Chain, chain

NEVER = "nobody has ever taken an alert from mqtt: does Home Assistant use this broker? 1 message waits"


def backlog(house: Chain) -> int:
    return house.delivery.outbox.backlog().get("mqtt", 0)


def is_refused(house: Chain) -> bool:
    return any(line.standstill().unheard for line in house.delivery._lines)


def raise_for_nobody(house: Chain, id: str) -> None:
    """An alert comes, the broker says that nobody takes it, and a minute passes."""
    house.delivery([alert(id=id)])
    house.until(lambda: is_refused(house))
    house.clock.skip(STUCK_S)
    house.alerts += house.delivery.look()


def test_alerts_that_nobody_takes_any_more_are_alerted(tmp_path: Path) -> None:
    """After a minute, once. The broker's return is no delivery: it is over when an alert was taken."""
    with Mosquitto(tmp_path / "broker") as broker:
        with chain(tmp_path / "state", broker, chain_test="never") as house:
            house.connected()
            with Subscriber(broker) as home_assistant:
                house.delivery([alert(id="taken")])
                home_assistant.wait_for("earwitness/home/alert")
                house.until(lambda: backlog(house) == 0)
                house.delivery.look()
        with chain(tmp_path / "state", broker, chain_test="never") as house:
            house.connected()
            raise_for_nobody(house, "waits")
            [stuck] = house.alerts
            text = (
                "nobody has taken alerts from mqtt for 1 minute: is Home Assistant running? 1 message waits"
            )
            assert (stuck.rule, stuck.severity, stuck.message) == ("Not delivering", "warning", text)
            assert house.delivery.health()["stuck"] == [text]

            broker.stop()
            house.until(lambda: house.delivery.figures()["ready"] == {"mqtt": False})
            broker.start()
            house.connected()
            house.until(lambda: is_refused(house))
            house.clock.skip(2 * BACK_S)
            house.alerts += house.delivery.look()
            assert house.alerts == [stuck]
            with Subscriber(broker):
                house.clock.skip(100)
                house.until(lambda: backlog(house) == 0)
                house.alerts += house.delivery.look()
                house.clock.skip(BACK_S)
                house.alerts += house.delivery.look()
            assert house.alerts[1].message.startswith("mqtt delivers again, after ")


def test_a_house_without_a_subscriber_is_not_alarmed(tmp_path: Path) -> None:
    """Nobody ever took one there: health says so, and no telephone rings. Whoever subscribes ends it."""
    with Mosquitto(tmp_path / "broker") as broker, chain(tmp_path, broker, chain_test="never") as house:
        house.connected()
        raise_for_nobody(house, "first")
        assert (house.alerts, house.delivery.health()["stuck"]) == ([], [NEVER])
        with Subscriber(broker):
            house.clock.skip(100)
            house.until(lambda: backlog(house) == 0)
        house.until(lambda: house.delivery.health()["stuck"] == [])
        raise_for_nobody(house, "second")
        assert [each.rule for each in house.alerts] == ["Not delivering"]
