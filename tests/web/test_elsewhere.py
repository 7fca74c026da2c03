"""The page behind a proxy, in Home Assistant, after a sleep, a kill -9 and its own death, in another zone."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from playwright.sync_api import Page, expect

from monitor.clock import SystemClock
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from testkit.builders import event
from testkit.long_history import write_history
from testkit.mosquitto import Mosquitto, Subscriber, free_port
from testkit.process import DaemonProcess
from testkit.proxy import Proxy
from testkit.visit import Visit, wait_for_port
from tests.web.conftest import GOES_ON, Home, house, run
from tests.web.test_page import PHONE, check_accessible

PASSWORD = "correct horse"
SCENE_MS = 180_000
"""The demo's scene has something to hear every few seconds, and a slow machine needs longer for it."""
HEALTH_S = 120.0
"""Trouble is published every half minute."""
BERLIN = {"TZ": "Europe/Berlin"}
CLOCKS_BACK = datetime(2026, 10, 25, tzinfo=UTC)
"""At 01:00 UTC of this day 03:00 becomes 02:00 in Berlin."""


@pytest.fixture(scope="module", name="behind")
def _behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, int]]:
    """With a password, and with a listener for Home Assistant's ingress."""
    port, ingress = free_port(), free_port()
    web = {"password": PASSWORD, "ingress": {"port": ingress, "addresses": ["127.0.0.1"]}}
    config = house(port, web=web, sources=[GOES_ON])
    visit = Visit(port, {"Host": f"localhost:{port}"})
    for home in run(tmp_path_factory.mktemp("behind"), config, visit):
        yield home, ingress


def mute_and_look_around(page: Page) -> None:
    """Reads, changes something, goes to another page and receives the feed."""
    room = page.locator(".room", has_text="Hall")
    expect(room).to_be_visible()
    page.get_by_role("button", name="Mute Hall").click()
    page.get_by_role("menuitem", name="for 1 hour").click()
    expect(room).to_contain_text("Muted until")
    room.get_by_role("button", name="Hear Hall again").click()
    expect(room).not_to_contain_text("Muted until")
    page.get_by_role("link", name="Timeline", exact=True).first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_it_works_under_any_prefix(behind, chromium):
    """Behind a proxy on this machine a password is asked for; nothing is asked for outside the prefix."""
    home, _ = behind
    refused = ("Failed to load resource: the server responded with a status of 401",)
    with (
        Proxy(home.port, "/my/ears", {"X-Forwarded-For": "10.0.0.7"}) as proxy,
        chromium.page(proxy.address, allowed=refused) as page,
    ):
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        mute_and_look_around(page)
        [cookie] = page.context.cookies()
        assert cookie["path"].rstrip("/") == "/my/ears/api"
        assert [path for path in proxy.strays if path != "/favicon.ico"] == []


def test_home_assistant_lets_its_people_in(behind, chromium):
    """Through ingress nobody signs in again, and Home Assistant may frame the page; nobody else comes by that
    port, and a header alone opens nothing."""
    home, ingress = behind
    prefix = "/api/hassio_ingress/abcdefghijkl"
    brings = {"X-Ingress-Path": prefix, "X-Remote-User-Id": "1", "X-Remote-User-Display-Name": "Anna"}
    with Proxy(ingress, prefix, brings) as proxy, chromium.page(proxy.address) as page:
        mute_and_look_around(page)
    direct = Visit(ingress, {"Host": f"localhost:{ingress}"})
    assert direct.get("/api/house").status == 401
    assert "frame-ancestors 'self'" in direct.get("/").headers["content-security-policy"]
    assert home.visit.get("/api/house", X_Ingress_Path=prefix, X_Remote_User_Id="1").status == 401


COLLECT = """async () => {
    const { feed } = await import("./feed.js");
    window.seen = [];
    feed.addEventListener("event", ({ detail }) => window.seen.push(`${detail.id} ${detail.state}`));
}"""


def seen(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.seen")
    return found


def test_nothing_is_missed_after_ten_minutes_asleep(home, chromium):
    """A phone in a pocket closes the feed; back in the hand it gets every event that it slept through."""
    with chromium.page(home.address, begin="about:blank") as page:
        page.clock.install()
        page.goto(home.address)
        expect(page.locator(".room").first).to_be_visible()
        page.evaluate(COLLECT)
        page.wait_for_function("() => window.seen.length > 0", timeout=SCENE_MS)
        hide(page, hidden=True)
        page.clock.fast_forward("10:00")
        slept_at = seen(page)
        with home.visit.stream() as messages:
            missed = [one for one in (next(messages) for _ in range(100)) if one.get("event") == "event"][:2]
        assert seen(page) == slept_at
        hide(page, hidden=False)
        for one in missed:
            wanted = f"{one['data']['id']} {one['data']['state']}"
            page.wait_for_function("(wanted) => window.seen.includes(wanted)", arg=wanted, timeout=SCENE_MS)


def hide(page: Page, *, hidden: bool) -> None:
    """As when somebody puts the phone away."""
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_an_open_page_goes_on_after_kill_9(tmp_path, chromium):
    """It says that the daemon is away, and shows its events again as soon as it is back."""
    port = free_port()
    visit = Visit(port, {"Host": f"localhost:{port}"})
    config = house(port, sources=[GOES_ON])
    lost = ("Failed to load resource: net::ERR", "Failed to load resource: the server")
    with chromium.page(f"http://localhost:{port}/", begin="about:blank", allowed=lost) as page:
        for home in run(tmp_path, config, visit):
            page.goto(home.address)
            expect(page.locator(".room").first).to_be_visible()
            page.evaluate(COLLECT)
            page.wait_for_function("() => window.seen.length > 0", timeout=SCENE_MS)
            os.kill(home.daemon.process.pid, signal.SIGKILL)
            home.daemon.process.wait()
        expect(page.locator("#offline")).to_be_visible()
        before = len(seen(page))
        for _ in run(tmp_path, config, visit):
            expect(page.locator("#offline")).to_be_hidden()
            page.wait_for_function("(before) => window.seen.length > before", arg=before, timeout=SCENE_MS)


def test_the_house_goes_on_when_the_page_dies(tmp_path):
    """Its thread ends by a bug: alerts are published as before, and the trouble names it."""
    port = free_port()
    visit = Visit(port, {"Host": f"localhost:{port}"})
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker, "earwitness/#") as phone:
        mqtt = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port}
        config = house(port, sources=[GOES_ON], publishers=[mqtt])
        rules = [
            {"name": "Anything", "hear": ["doorbell", "knock", "smoke_alarm", "loud_noise"], "test": True}
        ]
        with DaemonProcess(
            {**config, "rules": config["rules"] + rules[:0]}, tmp_path, module="testkit.page_dies"
        ):
            wait_for_port(port)
            phone.wait_for("earwitness/home/hall/status", "online")
            with suppress(urllib3.exceptions.HTTPError):
                visit.get("/die")
            phone.wait_until(
                lambda: any("page" in one.get("notes", {}) for one in troubles(phone)), "trouble", HEALTH_S
            )
            phone.say("earwitness/home/test/set", "PRESS")
            phone.wait_for("earwitness/home/alert")
        log = (tmp_path / "log").read_text()
        assert "the page has stopped; everything else goes on" in log


def troubles(phone: Subscriber) -> list[dict[str, Any]]:
    return phone.documents("earwitness/home/trouble/attributes")


@pytest.fixture(scope="module", name="autumn")
def _autumn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A house in Berlin with 100 000 events, three of them around the change of the clocks."""
    folder: Path = tmp_path_factory.mktemp("autumn")
    port = free_port()
    write_history(folder / "state", 100_000, datetime.now(UTC) - timedelta(hours=1))
    with ScoreStore(folder / "state" / SCORES, SystemClock(), keep_s=90 * 86400) as store:
        for n, hour in enumerate((-2.1, 0.5, 1.5, 22.9, 23.1)):
            at = CLOCKS_BACK + timedelta(hours=hour)
            store.post(event("cat", f"c{n:011x}", at, source="hall", state="ended", ended_at=at), at)
        store.flush()
    config = {**house(port, sources=[GOES_ON]), "history_days": 90, "state_dir": str(folder / "state")}
    visit = Visit(port, {"Host": f"localhost:{port}"})
    with DaemonProcess(config, folder, BERLIN) as daemon:
        wait_for_port(port)
        yield Home(daemon, port, folder, visit)


def test_the_day_on_which_the_clocks_change_has_25_hours(autumn, chromium):
    """Its events are between its own midnights, in the order in which they were, wherever the reader is."""
    place = f"{autumn.address}#/timeline?day=2026-10-25&only=1"
    with chromium.page(place, timezone_id="Australia/Sydney") as page:
        rows = page.locator(".row")
        expect(rows).to_have_count(3)
        expect(page.locator(".row time").nth(0)).to_contain_text("23:54")
        expect(page.locator(".row time").nth(1)).to_contain_text("02:30")
        expect(page.locator(".row time").nth(2)).to_contain_text("02:30")
    day = autumn.visit.get("/api/days/2026-10-25").json()
    begin, end = (datetime.fromisoformat(day[key]) for key in ("since", "until"))
    assert end - begin == timedelta(hours=25)


def test_a_timeline_of_100_000_events_is_read_in_pages(autumn, chromium):
    """It begins with the latest and goes on with the next as somebody reads; no list holds them all."""
    with chromium.page(f"{autumn.address}#/timeline?label=glass_break") as page:
        expect(page.locator(".row").first).to_be_visible()
        first = page.locator(".row").count()
        assert first <= 60
        page.locator(".row").last.scroll_into_view_if_needed()
        page.wait_for_function("(first) => document.querySelectorAll('.row').length > first", arg=first)


def test_a_past_day_shows_that_day_first(autumn, chromium):
    """Not the latest events of all."""
    with chromium.page(f"{autumn.address}#/timeline?day=2026-10-25") as page:
        expect(page.locator(".row").first.locator("time")).to_contain_text("23:54")


def test_a_house_that_hears_nothing_says_so_first(tmp_path, chromium):
    """Above all else; and a camera that never answered has no time since when."""
    port = free_port()
    camera = {"type": "stream", "name": "porch", "url": f"rtsp://127.0.0.1:{free_port()}/none"}
    visit = Visit(port, {"Host": f"localhost:{port}"})
    for home in run(tmp_path, house(port, sources=[camera]), visit):
        visit.until("/api/house", lambda found: found["sources"][0]["online"] is False)
        with chromium.page(home.address, **PHONE) as page:
            expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is heard")
            expect(page.locator(".hero li")).to_have_text("Porch: no sound since the daemon started")
            check_accessible(page)
            page.goto(f"{home.address}#/glance")
            expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is heard")
            expect(page.locator(".glance-room")).to_contain_text("no sound since the daemon started")


def test_an_alert_is_shown_and_settled_where_the_disk_takes_nothing(tmp_path, chromium):
    """No alarm may look as if all were well, and whoever sees it can say so. An alert of the same sound as a
    graver one is on its card, and settled with it."""
    port = free_port()
    one, two = ["doorbell", "knock", "siren"], ["loud_noise"]
    rules = [
        {"name": name, "hear": [*hear], "severity": severity, "cooldown_s": 3600}
        for name, hear, severity in (
            ("One", one, "critical"), ("Perhaps", one, "warning"), ("Two", two, "critical"),
        )
    ]  # fmt: skip
    visit = Visit(port, {"Host": f"localhost:{port}"})
    for home in run(tmp_path, house(port, sources=[GOES_ON], rules=rules), visit):
        _, hard = resource.prlimit(home.daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(home.daemon.process.pid, resource.RLIMIT_FSIZE, (4096, hard))
        visit.until("/api/alerts/open", lambda found: len(found["alerts"]) == len(rules))
        visit.until("/api/house", lambda found: any("history" in line for line in found["not_well"]))
        with chromium.page(home.address, **PHONE, allowed=("Failed to load resource",)) as page:
            cards = page.locator(".alert")
            expect(cards.locator(".chip")).to_have_count(2)
            cards.filter(has_text="One").get_by_role("button", name="Acknowledge").click()
            expect(cards).to_have_count(1)
            cards.get_by_role("button", name="It was nothing").click()
            expect(
                page.get_by_text("it is acknowledged; that it was nothing cannot be kept now")
            ).to_be_visible()
            expect(cards).to_have_count(0)
            expect(page.locator(".hero")).to_contain_text("nothing is kept of what is heard")
        assert visit.get("/api/alerts/open").json()["alerts"] == []
