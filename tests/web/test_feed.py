"""The feed: what happens arrives as it happens, and nothing is missed by whoever was away."""

import asyncio
import json
import os
import signal
from typing import Any

from monitor.config.taught import write_taught
from monitor.web.feed import QUEUE, Feed, FeedItem
from testkit.mosquitto import free_port
from testkit.taught import anything
from testkit.visit import Visit
from tests.web.conftest import house, run

ENDLESS = [{"type": "demo", "name": "hall", "speech": False}]


def item(number: int, kind: str = "event", **data: object) -> FeedItem:
    return FeedItem(number, kind, {"id": str(number), **data})


def test_what_was_missed_comes_first(home):
    """Whoever comes back with the number of the last message gets all that came after it, once, in order."""
    home.has_heard()
    with home.visit.stream("/api/feed?after=1") as messages:
        first = [next(messages) for _ in range(8)]
    numbers = [int(one["id"]) for one in first if "id" in one]
    assert numbers == sorted(set(numbers))
    with home.visit.stream(headers={"Last-Event-ID": str(numbers[2])}) as messages:
        assert int(next(messages)["id"]) == numbers[3]


def test_nothing_is_missed_across_kill_9(tmp_path):
    """The daemon is killed in the middle of an event and started again: the reader who comes back with its
    last number gets that event's end."""
    port = free_port()
    visit = Visit(port, {"Host": f"localhost:{port}"})
    config = house(port, sources=ENDLESS)
    for home in run(tmp_path, config, visit):
        with visit.stream() as messages:
            began = next(one for one in messages if _is_event(one) and one["data"]["state"] == "started")
        id = began["data"]["id"]
        visit.until("/api/events", lambda found, id=id: id in {one["id"] for one in found["events"]})
        os.kill(home.daemon.process.pid, signal.SIGKILL)
        home.daemon.process.wait()
    for _ in run(tmp_path, config, visit):
        with visit.stream(headers={"Last-Event-ID": began["id"]}) as messages:
            ours = (one for one in messages if _is_event(one) and one["data"]["id"] == id)
            ended = next(one for one in ours if one["data"]["ended_at"])
        assert ended["data"]["ended_by"] in ("restart", "quiet")


def test_whoever_looks_learns_of_a_sound_that_was_taught(tmp_path):
    """The daemon goes on, and so does the stream: it has the page ask anew, which then knows the sound."""
    port = free_port()
    visit = Visit(port, {"Host": f"localhost:{port}"})
    for home in run(tmp_path, house(port, sources=ENDLESS), visit):
        with visit.stream() as messages:
            next(messages)
            write_taught(home.folder / "state", anything())
            next(one for one in messages if one.get("event") == "reset")
        assert "washer_done" in {one["id"] for one in visit.get("/api/house").json()["labels"]}


def _is_event(message: dict[str, Any]) -> bool:
    return message.get("event") == "event"


def test_a_slow_reader_must_start_over_and_nobody_else_notices():
    """What waits for one of them is bounded."""

    async def scene() -> None:
        feed = Feed()
        feed.attach(asyncio.get_running_loop())
        slow, quick = feed.join(), feed.join()
        taken = []
        for number in range(1, QUEUE + 50):
            feed.post(item(number))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            taken += await quick.take(1)
        assert slow.overrun
        assert not quick.overrun
        assert [one.number for one in taken] == list(range(1, QUEUE + 50))

    asyncio.run(scene())


def test_of_a_state_only_the_latest_waits():
    """A thousand levels of a room are one."""

    async def scene() -> None:
        feed = Feed()
        feed.attach(asyncio.get_running_loop())
        reader = feed.join()
        for n in range(100):
            feed.post(FeedItem(0, "level", {"source": "hall", "level_dbfs": n}))
            feed.post(FeedItem(0, "level", {"source": "attic", "level_dbfs": n}))
            await asyncio.sleep(0)
        found = await reader.take(1)
        assert sorted((one.data["source"], one.data["level_dbfs"]) for one in found) == [
            ("attic", 99),
            ("hall", 99),
        ]

    asyncio.run(scene())


def test_posting_costs_nothing_while_nobody_looks_and_outlives_the_loop():
    """The thread that decides may post before the page is open and after it has failed."""
    feed = Feed()
    feed.post(item(1))

    async def scene() -> None:
        feed.attach(asyncio.get_running_loop())
        feed.join()

    asyncio.run(scene())
    feed.post(item(2))
    assert [one.number for one in feed.since(0)[0]] == [1, 2]


def test_a_message_is_one_event_of_the_stream():
    """As browsers read it."""
    encoded = FeedItem(7, "event", {"label": "knock\n\nevent: x"}).encoded.decode()
    assert encoded.startswith("id: 7\nevent: event\ndata: ")
    assert encoded.endswith("\n\n")
    assert encoded.count("\n") == 4
    assert json.loads(encoded.splitlines()[2].removeprefix("data: "))["label"] == "knock\n\nevent: x"
