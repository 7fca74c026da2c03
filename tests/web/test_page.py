"""The page in Debian's Chromium, with the daemon behind it: what people do, by finger and by keyboard."""

import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from monitor.labels import sounds
from monitor.language.words import label_words
from testkit.mosquitto import free_port
from testkit.visit import Visit, shots_folder
from tests.web.conftest import GOES_ON, house, run

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 860}


def shot(page: Page, name: str) -> None:
    """A picture for the guide: made anew where it is asked for, so that a test changes no file by itself."""
    import os

    if os.environ.get("PICTURES"):
        page.screenshot(path=shots_folder() / f"page-{name}.png")


SETTLED = """() => Promise.all(document.getAnimations()
    .filter((one) => one instanceof CSSTransition).map((one) => one.finished.catch(() => {})))"""


def check_accessible(page: Page) -> None:
    """axe-core finds nothing (WCAG 2.2 AA and best practices) once colours are what they become."""
    page.evaluate(SETTLED)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response
    assert [
        (one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found["violations"]
    ] == []


NO_EMPTY_NOTE = """() => {
    const note = document.getElementById("note");
    return note.childElementCount > 0 || getComputedStyle(note).opacity === "0";
}"""
WHOLE_ROOMS = (
    """() => [...document.querySelectorAll('.row .in')].every((one) => one.scrollWidth <= one.clientWidth)"""
)


def test_a_room_is_called_what_set_up_was_told(tmp_path, chromium):
    """Not by the name that topics have, and not by both."""
    port = free_port()
    rooms = [{**GOES_ON, "name": "kueche_2", "area": "Küche"}, {**GOES_ON, "name": "front", "area": "Porch"}]
    visit = Visit(port, {"Host": f"localhost:{port}"})
    for home in run(tmp_path, house(port, sources=rooms), visit):
        with chromium.page(home.address, **DESK) as page:
            expect(page.locator(".room h3")).to_have_text(["Küche 2", "FrontPorch"])
            page.goto(f"{home.address}#/sources")
            expect(page.locator(".source h2").first).to_contain_text("Küche 2")
            expect(page.locator(".source h2 small")).to_have_text(["demo scene", "Porch, demo scene"])


def test_now_shows_how_the_house_is_and_what_it_heard(home, chromium):
    """Alerts first, then rooms with their levels, then what was heard lately; one tap settles an alert."""
    home.has_heard()
    with chromium.page(home.address, **PHONE, device_scale_factor=2) as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("wait for you")
        expect(page).to_have_title(re.compile("wait for you · "))  # it is all that a tab in the back shows
        card = page.locator(".alert", has_text="Smoke alarm")
        expect(card).to_contain_text("Kitchen")
        expect(card.locator(".chip").first).to_contain_text("%")
        expect(card.locator(".chip").first).not_to_contain_text("Smoke alarm")
        expect(page.locator(".room")).to_have_count(2)
        expect(page.locator(".row").first).to_be_visible()
        page.wait_for_function("() => document.querySelector('ew-level[source=hall] canvas')?.width > 0")
        check_accessible(page)
        assert page.evaluate(WHOLE_ROOMS)
        shot(page, "now")
        card.get_by_role("button", name="Acknowledge").click()
        expect(card).to_have_count(0)
        page.locator(".alert", has_text="Something loud").get_by_role("button", name="It was nothing").click()
        expect(page.locator(".alert", has_text="Something loud")).to_have_count(0)
        page.evaluate(
            ALARM_IN_HALL
        )  # seen, and not yet out: whoever comes next must not read that all is well
        expect(page.locator(".hero.alarm h1")).to_have_text("Still sounding: Smoke alarm, Hall")
        expect(page.locator(".room", has_text="Hall").locator(".tag.grave")).to_contain_text("Smoke alarm")
    judged = home.visit.get("/api/events?verdict=wrong").json()["events"]
    assert "loud_noise" in {event["label"] for event in judged}


ALARM_IN_HALL = """async () => {
    const { feed } = await import("./feed.js");
    const at = new Date().toISOString();
    const detail = { id: "0123456789ab", source: "hall", label: "smoke_alarm", state: "started", score: 0.97,
        certainty: "confirmed", started_at: at, at, ended_at: null };
    feed.dispatchEvent(new CustomEvent("event", { detail }));
}"""


TRIES: list[str] = []


@pytest.mark.parametrize("kind", ["renderer", "browser"])
def test_a_browser_that_dies_fails_nothing(home, chromium, kind):
    """The test begins anew, with a browser that lives."""
    TRIES.append(kind)
    with chromium.page(home.address, **PHONE) as page:
        if TRIES.count(kind) == 1:
            chromium.kill(kind)
        expect(page.locator(".room")).to_have_count(2)
    assert TRIES.count(kind) == 2


def test_a_page_that_was_left_writes_over_no_other(home, chromium):
    """An event that is not there is asked for during some seconds, while its own page is looked at."""
    gone = ("Failed to load resource: the server responded with a status of 404",)
    with chromium.page(f"{home.address}#/house", **PHONE, allowed=gone) as page:
        title = page.get_by_role("heading", level=1)
        expect(title).to_contain_text("House")
        page.clock.install()
        with page.expect_response("**/api/events/0123456789ab") as answered:
            page.evaluate("location.hash = '#/event/0123456789ab'")
        assert answered.value.status == 404
        page.evaluate("location.hash = '#/house'")
        expect(title).to_contain_text("House")
        page.clock.fast_forward("00:10")
        page.evaluate("fetch('api/events/0123456789ab').then((one) => one.text())")
        expect(title).to_contain_text("House")
        expect(page.get_by_text("There is no such event")).to_have_count(0)


def test_levels_move_while_somebody_looks(home, chromium):
    """Twice a second, and the picture changes with them."""
    with chromium.page(home.address, **PHONE) as page:
        level = page.locator("ew-level[source=hall]")
        expect(level).to_be_visible()
        painted = "document.querySelector('ew-level[source=hall] canvas').toDataURL()"
        first = page.evaluate(painted)
        page.wait_for_function(f"(before) => {painted} !== before", arg=first)


def test_a_room_is_muted_for_an_hour_and_heard_again(home, chromium):
    """Two taps; the card says until when, and that alarms are heard all the same."""
    with chromium.page(home.address, **PHONE) as page:
        page.get_by_role("button", name="Mute Hall").click()
        page.get_by_role("menuitem", name="for 1 hour").click()
        room = page.locator(".room", has_text="Hall")
        expect(room).to_contain_text("Muted until")
        assert home.visit.get("/api/house").json()["sources"][1]["muted_until"]
        room.get_by_role("button", name="Hear Hall again").click()
        expect(room).not_to_contain_text("Muted until")


def test_the_timeline_is_judged_by_keyboard_alone(home, chromium):
    """j and k move, y, n and u judge, z takes back; focus is where the mark is."""
    home.has_heard()
    with chromium.page(f"{home.address}#/timeline?source=kitchen", **DESK) as page:
        expect(page.locator(".row").first).to_be_visible()
        expect(page.locator("ew-strip")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("j")
        current = page.locator(".row.current")
        expect(current).to_have_count(1)
        event = current.get_attribute("data-id")
        page.keyboard.press("y")
        expect(current.locator(".verdict.right")).to_have_attribute("aria-pressed", "true")
        assert home.visit.get(f"/api/events/{event}").json()["verdict"]["verdict"] == "right"
        page.keyboard.press("n")
        expect(current.locator(".verdict.wrong")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("z")
        expect(current.locator(".verdict.right")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("y")
        expect(current.locator(".verdict.right")).to_have_attribute("aria-pressed", "false")
        assert page.evaluate(NO_EMPTY_NOTE), "a note without words does not fade: it is gone"
        check_accessible(page)
        shot(page, "timeline")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#/event/"))


def test_the_timeline_is_left_while_it_loads(home, chromium):
    """Its answer is no longer waited for, and the browser is free."""
    with chromium.page(home.address, **PHONE) as page:
        held: list[Route] = []
        page.route("**/api/events?limit=50*", lambda route: held.append(route))
        page.get_by_role("link", name="Timeline", exact=True).first.click()
        expect(page.locator(".page-timeline .rows")).to_have_attribute("aria-busy", "true")
        page.get_by_role("link", name="House", exact=True).first.click()
        expect(page.locator(".page-house h1")).to_be_visible()
        assert page.evaluate("new Promise((done) => setTimeout(() => done('free'), 50))") == "free"
        assert len(held) == 1


def test_many_are_judged_at_once(home, chromium):
    """A long press, all, wrong: the diary of a hailstorm takes three taps."""
    home.has_heard()
    place = f"{home.address}#/timeline?source=kitchen&label=doorbell,knock"
    with chromium.page(place, **PHONE, has_touch=True) as page:
        box = page.locator(".row").first.bounding_box()
        assert box
        finger = page.context.new_cdp_session(page)
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        expect(page.locator(".bulk")).to_contain_text("1 selected")
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(page.locator(".row input:checked")).to_have_count(1)
        assert "#/timeline" in page.url
        page.get_by_role("button", name="Select all shown").click()
        page.locator(".bulk").get_by_role("button", name="Wrong").click()
        expect(page.locator(".row.wrong").first).to_be_visible()
        check_accessible(page)
    rows = home.visit.get("/api/events?source=kitchen&label=doorbell,knock").json()["events"]
    assert {row["verdict"]["verdict"] for row in rows} == {"wrong"}


def test_filters_and_search_find_what_was_meant(home, chromium):
    """Words name sounds and rooms; filters are in the address, so that a link shows the same."""
    home.has_heard()
    with chromium.page(f"{home.address}#/timeline", **PHONE) as page:
        page.get_by_role("searchbox").fill("smoke kitchen")
        page.get_by_role("searchbox").press("Enter")
        expect(page.locator(".row")).to_have_count(1)
        expect(page.locator(".row")).to_contain_text("Smoke alarm")
        assert "label=smoke_alarm" in page.url
        page.get_by_role("button", name="Filters").click()
        page.get_by_label("Near misses").check()
        expect(page.get_by_role("heading", name="Nearly heard")).to_be_visible()
        shot(page, "timeline-search")
        check_accessible(page)


def test_an_event_says_why_and_draws_its_sound(home, chromium):
    """The alarm's pitch is a bright line where the axis says it is; the sentences name rule and score."""
    event = next(one for one in home.has_heard() if one["label"] == "smoke_alarm")
    with chromium.page(f"{home.address}#/event/{event['id']}", **DESK) as page:
        picture = page.locator("ew-spectrogram")
        expect(picture).to_be_visible()
        expect(page.locator(".why")).to_contain_text("rhythm, T3")
        expect(page.locator(".why")).to_contain_text("Smoke alarm")
        expect(picture).to_have_attribute(
            "aria-label", re.compile(r"Smoke alarm from .* loudest near 3\.\d kHz")
        )
        page.wait_for_function("() => document.querySelector('ew-spectrogram canvas')?.width > 300")
        assert 2900 < loudest_hz(page) < 3500
        check_accessible(page)
        shot(page, "event")


def test_an_event_of_this_moment_is_asked_for_until_it_is_kept(home, chromium):
    """The feed shows it at once, the history knows it a second later."""
    event = next(one for one in home.has_heard() if one["label"] == "siren")
    early = [404, 404]

    def answer(route: Route) -> None:
        if early:
            route.fulfill(status=early.pop(), json={"detail": "not kept yet"})
        else:
            route.continue_()

    with chromium.page(
        f"{home.address}#/event/{event['id']}",
        **PHONE,
        begin=f"{home.address}#/house",
        allowed=("Failed to load resource",),
    ) as page:
        page.route(f"**/api/events/{event['id']}", answer)
        page.goto(f"{home.address}#/event/{event['id']}")
        expect(page.locator(".ask .verdict.right")).to_be_visible()
        expect(page.locator(".eventhead")).to_contain_text("Siren")
    assert not early


def test_a_day_that_is_none_is_today(home, chromium):
    """Addresses are typed, too."""
    home.has_heard()
    with chromium.page(f"{home.address}#/timeline?day=2026-13-99&source=kitchen", **PHONE) as page:
        expect(page.locator(".row").first).to_be_visible()


def loudest_hz(page: Page, picture: str = "ew-spectrogram") -> float:
    """The frequency of the brightest row of the spectrogram, read back from its pixels by the mel axis."""
    found: float = page.evaluate(
        """(picture) => {
        const canvas = document.querySelector(`${picture} canvas`);
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const rows = Array.from({ length: canvas.height }, (_, y) => {
            const row = [];
            for (let x = 0; x < canvas.width; x++) row.push(data[4 * (y * canvas.width + x)]);
            row.sort((a, b) => b - a);
            return row.slice(0, canvas.width / 10).reduce((sum, one) => sum + one, 0);
        });
        const mel = (hz) => Math.log10(1 + hz / 700);
        // The lowest eighth holds the ink of the axis.
        const shown = rows.slice(0, Math.floor(rows.length * 0.875));
        const part = 1 - (shown.indexOf(Math.max(...shown)) + 0.5) / rows.length;
        return 700 * (10 ** (mel(60) + part * (mel(8000) - mel(60))) - 1);
    }""",
        picture,
    )
    return found


def test_an_event_was_something_else(home, chromium):
    """Two taps and a few letters; a later word replaces it."""
    event = next(one for one in home.has_heard() if one["label"] == "siren")
    with chromium.page(f"{home.address}#/event/{event['id']}", **PHONE) as page:
        page.get_by_role("button", name="It was …").click()
        page.get_by_role("searchbox").fill("vacuum")
        page.get_by_role("button", name="Vacuum cleaner").click()
        expect(page.get_by_role("button", name="It was: Vacuum cleaner")).to_be_visible()
        check_accessible(page)
    verdict = home.visit.get(f"/api/events/{event['id']}").json()["verdict"]
    assert (verdict["verdict"], verdict["label"]) == ("wrong", "vacuum_cleaner")


def test_a_clip_plays_and_zooms(home, chromium):
    """By keyboard and by button, in the browser's own decoder."""
    event = next(one for one in home.has_heard() if one["label"] == "doorbell" and one["clip"])
    with chromium.page(f"{home.address}#/event/{event['id']}", **PHONE) as page:
        expect(page.locator("ew-spectrogram")).to_be_visible()
        page.locator("body").press("Space")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.wait_for_function("() => Number(document.querySelector('input[type=range]')?.value) > 0")
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Zoom in").click()
        assert page.evaluate(
            "document.querySelector('ew-spectrogram').to_s < document.querySelector('ew-spectrogram').total_s"
        )


@pytest.mark.parametrize("place", ["", "#/timeline", "#/house", "#/glance"])
def test_every_page_is_accessible_on_a_phone_and_fits(home, chromium, place):
    """No violation in either colour scheme, and nothing is wider than 360 px."""
    home.has_heard()
    with chromium.page(f"{home.address}{place}", **PHONE) as page:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle" if place == "#/house" else "load")
        check_accessible(page)
        page.emulate_media(color_scheme="dark")
        check_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


BEHIND_THE_BAR = """() => {
    const bar = document.querySelector(".places"), one = document.activeElement;
    const hidden = !bar.contains(one) && one !== document.body
        && one.getBoundingClientRect().bottom > bar.getBoundingClientRect().top;
    return [one === document.body, hidden ? one.outerHTML.slice(0, 100) : ""];
}"""


def test_what_the_keyboard_reaches_is_not_behind_the_bar(home, chromium):
    """A desk's screen at 200 % has the bar of a phone below (WCAG 2.4.11)."""
    with chromium.page(f"{home.address}#/house", width=640, height=400) as page:
        expect(page.get_by_role("button", name="Create a token")).to_be_visible()
        hidden, is_over, steps = [], False, 0
        while not is_over and steps < 100:
            page.keyboard.press("Tab")
            is_over, behind = page.evaluate(BEHIND_THE_BAR)
            hidden.append(behind)
            steps += 1

    assert is_over
    assert steps > 15
    assert [one for one in hidden if one] == []


def test_what_waits_for_a_phone_fits_on_one(home, chromium):
    """In German, with large numbers: no card of the house is wider than the phone."""

    def answer(route: Route) -> None:
        found = route.fetch().json()
        waiting = {"waiting": 12_345, "waits_since": "2026-01-01T00:00:00+00:00"}
        found["receivers"] = [one | waiting for one in found["receivers"]]
        route.fulfill(json=found)

    with chromium.page(f"{home.address}#/house", **PHONE, locale="de-DE") as page:
        page.route("**/api/upkeep", answer)
        page.reload()
        expect(page.get_by_text("warten auf Zustellung")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_at_a_glance_the_chosen_sounds_flash_and_no_faster_than_is_safe(home, chromium):
    """Big words for each room; three flashes a second can harm, one does not."""
    with chromium.page(f"{home.address}#/glance", **DESK) as page:
        expect(page.locator(".glance-room")).to_have_count(2)
        page.get_by_text("What flashes").click()
        page.evaluate(
            "document.querySelectorAll('.glance-choices input:not(:checked)').forEach((one) => one.click())"
        )
        page.wait_for_function("() => document.querySelector('.page-glance.flash')", timeout=180_000)
        style = "getComputedStyle(document.querySelector('.page-glance'), '::after')"
        assert page.evaluate(f"{style}.animationDuration") == "1s"
        page.emulate_media(reduced_motion="reduce")
        assert page.evaluate(f"{style}.animationName") == "none"
        assert page.evaluate(f"{style}.borderTopWidth") == "24px"
        page.reload()
        expect(page.locator(".glance-room").first).to_be_visible()
        shot(page, "glance")
        assert page.locator(".glance-choices input:not(:checked)").count() == 0
        page.get_by_role("link", name="Back to the page").click()
        expect(page.locator(".places").first).to_be_visible()


BROKEN_WORDS = """(text) => {
    const broken = [];
    for (const [kind, box] of [["glance-words", ".glance-room"], ["glance-alert", ".glance-alerts"]]) {
        const place = document.querySelector(box).appendChild(document.createElement("p"));
        place.className = kind;
        for (const words of text) {
            place.textContent = words;
            for (const word of words.matchAll(/[^\\s-]+/g)) {
                const range = document.createRange();
                range.setStart(place.firstChild, word.index);
                range.setEnd(place.firstChild, word.index + word[0].length);
                const lines = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
                if (lines.size > 1) broken.push(`${kind}: ${word[0]}`);
            }
        }
        place.remove();
    }
    return broken;
}"""


@pytest.mark.parametrize("width", [360, 480, 768, 1280])
def test_no_word_breaks_in_its_middle_at_a_glance(home, chromium, width):
    """The longest words of German, however narrow the page."""
    names = [label_words(label, "de") for label in sounds()]
    with chromium.page(f"{home.address}#/glance", width=width, height=740, locale="de-DE") as page:
        expect(page.locator(".glance-room").first).to_be_visible()
        assert page.evaluate(BROKEN_WORDS, names) == []


def test_german_is_german_throughout(home, chromium):
    """The browser's language decides; every key has words, or the page would fail."""
    home.has_heard()
    with chromium.page(home.address, **PHONE, locale="de-DE") as page:
        expect(page.get_by_role("heading", name="Räume")).to_be_visible()
        assert page.evaluate("document.documentElement.lang") == "de"
        page.get_by_role("link", name="Verlauf", exact=True).first.click()
        expect(page.locator(".row").first).to_contain_text(
            re.compile("Türklingel|Rauchmelder|Lautes|Sirene|Klopfen|Zuschlagende")
        )
        event = next(one for one in home.has_heard() if one["label"] == "smoke_alarm")
        page.goto(f"{home.address}#/event/{event['id']}")
        expect(page.locator(".why")).to_contain_text("am Rhythmus erkannt")


def test_times_are_the_houses_wherever_the_reader_is(home, chromium):
    """A reader in Sydney sees house time, and their own beside it."""
    event = home.has_heard()[0]
    with chromium.page(
        f"{home.address}#/event/{event['id']}", **PHONE, timezone_id="Australia/Sydney"
    ) as page:
        clock = page.locator("header time").nth(1)
        expect(clock).to_have_text(event["started_at"][11:19])
        expect(clock).to_have_attribute("title", re.compile("where you are"))


HOLES = """() => [...document.querySelectorAll(".columns > div")].map((column) => {
    const cards = [...column.children].filter((one) => !one.hidden).map((one) => one.getBoundingClientRect());
    return cards.slice(1).some((card, n) => card.top - cards[n].bottom > 20);
})"""
"""For each column of cards whether something is missing between two of them."""


def test_the_cards_of_the_house_stand_close_and_the_weighty_first(home, chromium):
    """At a desk in two columns; on a phone one below the other."""
    for screen, side_by_side in ((DESK, True), (PHONE, False)):
        with chromium.page(f"{home.address}#/house", **screen) as page:
            cards = {name: page.locator(".panel", has=page.get_by_role("heading", name=name, exact=True))
                     for name in ("Who is notified", "Test the alert chain", "Tokens for scripts and cards",
                                  "What is kept", "Kept at this moment")}  # fmt: skip
            expect(cards["Kept at this moment"]).to_be_visible()
            box = {name: card.bounding_box() for name, card in cards.items()}
            assert page.evaluate(HOLES) == [False, False]
            assert box["Who is notified"]["y"] < box["Tokens for scripts and cards"]["y"]
            assert box["Test the alert chain"]["y"] < box["Tokens for scripts and cards"]["y"]
            assert (box["What is kept"]["x"] > box["Who is notified"]["x"]) == side_by_side
            assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]


def test_a_token_is_made_and_shown_once(home, chromium):
    """It opens the API at once, and a reload shows only its name."""
    with chromium.page(f"{home.address}#/house", **DESK) as page:
        page.get_by_label("What for").fill("dashboard")
        page.get_by_role("button", name="Create a token").click()
        key = page.locator(".made code").inner_text()
        assert key.startswith("ew_")
        page.evaluate("scrollTo(0, 0)")
        shot(page, "house")
        page.reload()
        expect(page.get_by_text("dashboard").first).to_be_visible()
        expect(page.get_by_text(key)).to_have_count(0)


def test_keys_are_listed_where_they_are_asked_for(home, chromium):
    """? opens the list and Escape closes it; focus returns."""
    with chromium.page(home.address, **DESK) as page:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        check_accessible(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_now_is_there_after_three_answers_and_is_small(home, chromium):
    """The page with its first answers, a style sheet and one module; nothing else is waited for, and a second
    visit asks for the page alone."""
    home.has_heard()
    sizes = "performance.getEntriesByType('resource').map((one) => [one.name, one.encodedBodySize])"
    with chromium.page(home.address, **PHONE) as page:
        page.route("**/api/**", lambda route: None if "feed" in route.request.url else route.continue_())
        page.reload()
        expect(page.locator(".room").first).to_be_visible()
        expect(page.locator(".row").first).to_be_visible()
        found = page.evaluate(sizes)
        html = page.evaluate("performance.getEntriesByType('navigation')[0].encodedBodySize")
        names = [name.partition("?")[0].rpartition("/")[2] for name, _ in found]
        assert {"app.css", "app.js"} <= set(names) <= {"app.css", "app.js", "icon.svg", "feed", "session"}
        assert html + sum(size for _, size in found) < 60_000, json.dumps(found, indent=1)
        # Other modules hand on what that one holds: there are no two houses.
        same = """async () => {
            const whole = document.querySelector("script[src]").src;
            const [one, other] = await Promise.all([import(whole), import(new URL("house.js", whole))]);
            return one.house === other.house && Boolean(one.house);
        }"""
        assert page.evaluate(same) is True


AS_A_REAL_ONE = """() => {
    const colour = (one) => getComputedStyle(one).backgroundColor;
    const shown = colour(document.querySelector(".alert.test"));
    return ["warning", "critical"].filter((severity) => {
        const real = document.createElement("article");
        real.className = `alert ${severity}`;
        document.body.append(real);
        const is_the_same = colour(real) === shown;
        real.remove();
        return is_the_same;
    });
}"""
"""The severities of real alerts whose colour the first test alert has."""
SIMPLE = "(one) => getComputedStyle(one).backgroundColor"


def test_a_rule_that_is_tried_looks_like_a_test(home, chromium):
    """Its alert says so beside the real one of the same rule, has no event, and is settled like any other; on
    the tablet on the wall it is big, and no alarm."""
    home.has_heard()
    with chromium.page(f"{home.address}#/rules", **PHONE) as page:
        page.get_by_role("link", name="Something loud").click()
        page.get_by_role("button", name="Send a test alert").click()
        expect(page.get_by_text("A test alert of this rule is on its way.")).to_be_visible()
        page.goto(f"{home.address}#/glance")
        on_the_wall = page.locator(".glance-alert", has_text="Test alert")
        expect(on_the_wall).to_contain_text("Something loud")
        expect(on_the_wall).to_have_class("glance-alert test")
        assert on_the_wall.evaluate(SIMPLE) == page.locator(".glance-room").first.evaluate(SIMPLE)
        check_accessible(page)
        page.goto(f"{home.address}#/")
        card = page.locator(".alert", has=page.locator(".tag", has_text="Test alert"))
        expect(card).to_contain_text("Something loud")
        expect(card.locator(".chip")).to_have_count(0)
        assert page.evaluate(AS_A_REAL_ONE) == []
        check_accessible(page)
        card.get_by_role("button", name="Acknowledge").click()
        expect(card).to_have_count(0)
    events = home.visit.get("/api/events?source=test").json()["events"]
    assert events == []


def test_the_sound_of_a_fresh_event_comes_by_itself(home, chromium):
    """It is kept when the sound is over, and nobody has to load the page again."""
    event = next(one for one in home.has_heard() if one["label"] == "doorbell" and one["clip"])
    early = [1, 2]

    def answer(route: Route) -> None:
        found = route.fetch().json()
        if early:
            early.pop()
            found |= {"clip": False, "picture": False, "ended_at": None}
        route.fulfill(json=found)

    with chromium.page(
        f"{home.address}#/event/{event['id']}", **PHONE, begin=f"{home.address}#/house"
    ) as page:
        page.route(f"**/api/events/{event['id']}", answer)
        page.goto(f"{home.address}#/event/{event['id']}")
        expect(page.locator(".sound")).to_contain_text("come when the sound is over")
        expect(page.locator("ew-spectrogram")).to_be_visible()
    assert not early
