"""The API: what it says it answers is what it answers, and nothing makes it fall over."""

import csv
import io
import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
import urllib3
import yaml
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families

from monitor.web.http.openapi import openapi
from monitor.web.http.routes import Route as ApiRoute
from monitor.web.http.shell import shell
from monitor.web.http.table import ROUTES, described
from testkit.visit import WITHIN_S, PageAnswer
from tests.web.conftest import Home
from tests.web.test_shell import came_with


def test_the_description_is_openapi_3_1(home):
    """A generator of clients can read it."""
    document = home.visit.get("/api/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_the_description_is_made_once_and_kept(home):
    """Whoever asks again is sent the same bytes, or that they have them already."""
    assert described() is described()
    first = home.visit.get("/api/openapi.json")
    assert first.body == described().body
    again = home.visit.get("/api/openapi.json", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


STREAMS = {
    "api/feed", "api/sources/{name}/scope", "api/sources/{name}/audio", "api/whatif", "api/setup/listen",
}  # fmt: skip
"""They never end, or take long."""
ELSEWHERE = {"api/nodes"}
"""Off here: tests/web/test_nodes.py asks where it is on."""
ANSWERED = [r for r in ROUTES if r.method == "GET" and r.path not in STREAMS | ELSEWHERE]


@pytest.mark.parametrize("route", ANSWERED, ids=lambda route: route.path)
def test_each_answer_is_what_the_description_says(home, route):
    """Asked for a real event; the answer is valid by its schema."""
    event = next(one for one in home.has_heard() if one["clip"] and one["label"] == "smoke_alarm")
    path = route.path.replace("{id}", event["id"]).replace("{day}", event["started_at"][:10])
    path = path.replace("{label}", "dog_bark").replace("{number}", "0").replace("{name}", "hall")
    query = "?at=2026-01-02T03:04:05Z" if route.path == "api/explain" else ""
    check_answer(home.visit.get(f"/{path}{query}"), route)


def check_answer(answer: PageAnswer, route: ApiRoute) -> None:
    """It is valid by the schema of its route."""
    assert answer.status == 200, answer.body
    if route.answer is not None and not isinstance(route.answer, str):
        document = openapi(ROUTES)
        schema = {
            "$ref": f"#/components/schemas/{route.answer.__name__}",
            "components": document["components"],
        }
        jsonschema.validate(answer.json(), schema)


CONFIG = Path(__file__).parents[2] / "config"
LEFT_OUT = [*(f"/{path}" for path in STREAMS), "/api/password", "/api/session", "/api/setup/broker"]
"""These, what signs out, and what asks hosts of any name."""


PROCESSES = {
    "/api/export", "/api/sounds/{label}/suggestion", "/api/taught", "/api/setup/devices", "/api/setup/people",
}  # fmt: skip
"""Each request is one."""


def schema_of(home: Home) -> Any:
    """The description without what is left out."""
    schema = schemathesis.openapi.from_dict(openapi(ROUTES))
    schema.config.update(base_url=home.address)
    return schema.exclude(path=LEFT_OUT)


@pytest.mark.parametrize(
    "path",
    sorted({re.sub(r":\w+", "", f"/{r.path}") for r in ROUTES} - set(LEFT_OUT)),
)
def test_no_request_makes_it_fall_over(home, path):
    """schemathesis asks each route what its schema allows and what it does not: never a 5xx."""
    for operation in schema_of(home).include(path=path).get_all_operations():
        check_never_fails(home, operation.ok(), 4 if path in PROCESSES else 20)


def check_never_fails(home: Home, operation: Any, most: int) -> None:
    """So many requests of one operation."""
    import hypothesis

    @settings(
        max_examples=most, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(headers={"X-Earwitness": "1"}, timeout=WITHIN_S)
        assert answer.status_code < 500, (case.path, answer.status_code, answer.text)

    ask()


def test_a_refusal_names_the_fix(home):
    """As a problem document (RFC 9457)."""
    answer = home.visit.get("/api/events/000000000000")
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert "history_days" in answer.json()["detail"]
    typo = home.visit.get("/api/events?lable=dog_bark")
    assert (typo.status, "lable" in typo.json()["detail"]) == (422, True)


def test_a_sound_is_taught_from_events(home):
    """Tried only: three things are no thing. A smoke alarm teaches nothing, and its name is no name."""
    heard = home.visit.get("/api/taught/heard?since=2026-01-01T00:00:00Z").json()["heard"]
    ids = [one["id"] for one in heard[:3]]
    assert len(ids) == 3, heard
    wanted = {"label": "our_thing", "hearings": ids, "only_try": True}
    *progress, last = lines(home.visit.ask("POST", "/api/taught", wanted).body)
    assert [one["hearing"] for one in progress] == ids
    assert "our_thing" in last.get("refused", "") or last["kept"] is False
    alarm = next(one for one in home.has_heard() if one["label"] == "smoke_alarm")
    *_, last = lines(home.visit.ask("POST", "/api/taught", wanted | {"hearings": [alarm["id"]]}).body)
    assert "Nothing is taught" in last["refused"]
    named = home.visit.ask("POST", "/api/taught", wanted | {"label": "smoke_in_hall"})
    assert (named.status, "choose another name" in named.json()["detail"]) == (422, True)
    assert home.visit.ask("DELETE", "/api/taught/our_thing").status == 404
    assert home.visit.get("/api/taught").json() == {"sounds": [], "problems": []}


def lines(body: bytes) -> list[dict[str, Any]]:
    """Each line a document."""
    return [json.loads(line) for line in body.splitlines()]


def test_pages_follow_one_another_without_hole_or_repeat(home):
    """By a cursor: what is heard meanwhile moves nothing."""
    whole = home.visit.get("/api/events?limit=200&source=kitchen").json()["events"]
    found, before = [], ""
    while before is not None:
        page = home.visit.get(f"/api/events?limit=3&source=kitchen&before={before}").json()
        found += page["events"]
        before = page["next"]
    assert [one["id"] for one in found] == [one["id"] for one in whole]


def test_each_filter_keeps_what_it_names(home):
    """Sound, room, severity, certainty, verdict, day."""
    home.has_heard()
    ask = lambda query: home.visit.get(f"/api/events?limit=200&{query}").json()["events"]  # noqa: E731
    assert {one["label"] for one in ask("label=doorbell,knock")} == {"doorbell", "knock"}
    assert {one["source"] for one in ask("source=kitchen")} == {"kitchen"}
    assert {one["severity"] for one in ask("severity=critical")} == {"critical"}
    assert {one["certainty"] for one in ask("certainty=confirmed")} == {"confirmed"}
    assert ask("day=2020-01-01") == []
    assert ask(f"day={ask('limit=1')[0]['started_at'][:10]}")


def test_a_verdict_is_kept_shown_and_taken_back(home):
    """With who and when; and it is counted."""
    event = next(one for one in home.has_heard() if one["label"] == "knock")
    said = home.visit.ask(
        "PUT", f"/api/events/{event['id']}/verdict", {"verdict": "wrong", "label": "door_slam"}
    )
    assert said.json()["verdict"]["label"] == "door_slam"
    assert event["id"] in {one["id"] for one in home.visit.get("/api/events?verdict=wrong").json()["events"]}
    assert (
        home.visit.ask(
            "PUT", f"/api/events/{event['id']}/verdict", {"verdict": "wrong", "label": "cow"}
        ).status
        == 422
    )
    figures = {f.name: f for f in text_string_to_metric_families(home.visit.get("/metrics").body.decode())}
    counted = {
        (s.labels["label"], s.labels["verdict"]): s.value for s in figures["earwitness_verdicts"].samples
    }
    assert counted["knock", "wrong"] == 1
    assert home.visit.ask("DELETE", f"/api/events/{event['id']}/verdict").status == 204
    assert home.visit.get(f"/api/events/{event['id']}").json()["verdict"] is None


def test_why_is_in_sentences_of_either_language(home):
    """Who heard it, against which onset, and what each rule made of it; with the times of delivery."""
    event = next(one for one in home.has_heard() if one["label"] == "smoke_alarm")
    why = home.visit.get(f"/api/events/{event['id']}/explain").json()
    text = " ".join(one["text"] for one in why["sentences"])
    assert "rhythm, T3, at 3.2 kHz" in text
    assert "Rule “Smoke alarm”" in text
    german = home.visit.get(f"/api/events/{event['id']}/explain?lang=de").json()
    assert "am Rhythmus erkannt" in " ".join(one["text"] for one in german["sentences"])


def test_a_moment_of_which_nothing_came_is_explained_too(home):
    """Every near miss says what was needed."""
    event = home.has_heard()[-1]
    why = home.visit.get(f"/api/explain?at={event['started_at'].replace('+', '%2B')}&source=kitchen").json()
    assert why["sentences"]
    assert why["text"]


def test_a_diary_is_exported_with_its_sums(home):
    """A table, data, and a zip whose files are what SHA256SUMS says."""
    home.has_heard()
    rows = list(csv.DictReader(io.StringIO(home.visit.get("/api/export?source=kitchen").body.decode())))
    assert {"doorbell", "smoke_alarm"} <= {row["label"] for row in rows}
    with zipfile.ZipFile(io.BytesIO(home.visit.get("/api/export?format=zip&source=kitchen").body)) as archive:
        sums = [line.split("  ") for line in archive.read("SHA256SUMS").decode().splitlines()]
        assert any(name.endswith(".flac") for _, name in sums)
        assert any(name.endswith(".png") for _, name in sums)
        for digest, name in sums:
            assert sha256(archive.read(name)).hexdigest() == digest
    one = rows[0]["id"]
    chosen = home.visit.get(f"/api/export?format=json&ids={one}").json()
    assert [row["id"] for row in chosen] == [one]


def test_an_event_is_downloaded_with_all_that_is_known_of_it(home):
    """Its facts, why, sound and picture, in one file."""
    event = next(one for one in home.has_heard() if one["clip"])
    body = home.visit.get(f"/api/events/{event['id']}/bundle").body
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert json.loads(archive.read("event.json"))["id"] == event["id"]
        assert {name.rpartition(".")[2] for name in archive.namelist()} >= {
            "json", "txt", "flac", "png", "html",
        }  # fmt: skip
        page = archive.read("index.html").decode()
        assert all(name in page for name in archive.namelist() if name.endswith((".flac", ".png")))


def test_an_event_without_a_clip_says_why_it_has_none(home):
    """Whoever opens the file elsewhere cannot look it up: on its page, and in its text."""
    oldest = [one for one in home.has_heard() if one["clip"]][-1]["id"]
    for kept in (home.folder / "state" / "evidence").rglob(f"*{oldest}*"):
        kept.unlink()
    home.visit.until(f"/api/events/{oldest}", lambda found: not found["clip"])
    body = home.visit.get(f"/api/events/{oldest}/bundle").body
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for name in ("index.html", "why.txt"):
            assert "This sound was not kept" in archive.read(name).decode()


def test_a_clip_can_be_read_in_parts(home):
    """As browsers do when somebody jumps in it."""
    event = next(one for one in home.has_heard() if one["clip"])
    part = home.visit.get(f"/api/events/{event['id']}/clip", Range="bytes=0-3")
    assert (part.status, part.body) == (206, b"fLaC")
    assert 4 < float(part.headers["x-onset-s"]) < 6


@pytest.mark.parametrize(
    ("asked", "status", "size"),
    [("bytes=-4", 206, 4), ("bytes=0-0", 206, 1), ("bytes=0-999999999999", 206, None),
     ("bytes=999999999-", 416, 0),
     ("bytes=5-2", 200, None), ("bytes=-", 200, None), ("bytes=a-b", 200, None), ("items=0-5", 200, None),
     (f"bytes=0-{'9' * 5000}", 200, None)],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_range_that_is_none_gets_the_whole_clip(home, asked: str, status: int, size: int | None):
    """RFC 9110, 14.2: what is not understood is left aside; what lies beyond the end is refused."""
    event = next(one for one in home.has_heard() if one["clip"])
    whole = home.visit.get(f"/api/events/{event['id']}/clip").body
    part = home.visit.get(f"/api/events/{event['id']}/clip", Range=asked)
    assert (part.status, len(part.body)) == (status, len(whole) if size is None else size)
    assert home.visit.ask("HEAD", f"/api/events/{event['id']}/clip", headers={"Range": asked}).status == 200


def test_a_clip_that_a_browser_has_is_not_sent_again(home):
    """It names the tag, among others and weakly perhaps; with another tag the clip is sent."""
    event = next(one for one in home.has_heard() if one["clip"] and one["picture"])
    for kind in ("clip", "picture"):
        address = f"/api/events/{event['id']}/{kind}"
        whole = home.visit.get(address)
        tag = whole.headers["etag"]
        for named in (tag, f'"another", W/{tag}', "*"):
            again = home.visit.ask("GET", address, headers={"If-None-Match": named})
            assert (again.status, again.body) == (304, b"")
            assert (again.headers["etag"], again.headers["cache-control"]) == (
                tag, whole.headers["cache-control"],
            )  # fmt: skip
        assert home.visit.ask("HEAD", address, headers={"If-None-Match": tag}).status == 304
        assert home.visit.get(address, **{"If-None-Match": '"another"'}).body == whole.body


def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(home):
    """All of them, also where the table has a line for each; and what there is not is not there."""
    for path, taken in {
        "/api/missed": "DELETE, GET, HEAD, POST",
        "/api/test": "POST",
        "/api/events/abc/verdict": "DELETE, PUT",
        "/": "GET, HEAD",
        "/app.js": "GET, HEAD",
    }.items():
        answer = home.visit.ask("OPTIONS", path)
        assert (answer.status, answer.headers["Allow"]) == (405, taken)
        assert taken in answer.json()["detail"]
    assert home.visit.get("/api/test").status == 405
    assert home.visit.ask("POST", "/api/no_such_thing").status == 404


def test_asking_for_headers_alone_begins_no_stream(home):
    """The connection is free again at once, and nobody listens."""
    pool = urllib3.HTTPConnectionPool("127.0.0.1", home.visit.port, maxsize=1, block=True, timeout=WITHIN_S)
    for path in ("/api/feed", "/api/sources/hall/scope", "/api/export", "/api/session"):
        answer = pool.request("HEAD", path, headers=home.visit.headers)
        assert (answer.status, answer.data) == (200, b"")
    assert pool.num_connections == 1
    home.visit.until("/api/house", lambda found: not any(room["watched"] for room in found["sources"]))


def test_metrics_are_what_prometheus_reads(home):
    """Sources, queues, delivery; and each has a type."""
    home.visit.until("/api/health", lambda found: "uptime_s" in found)
    figures = {f.name: f for f in text_string_to_metric_families(home.visit.get("/metrics").body.decode())}
    online = {s.labels["source"]: s.value for s in figures["earwitness_source_online"].samples}
    assert online["hall"] == 1
    assert figures["earwitness_well"].samples[0].value == 1
    assert figures["earwitness_queue_dropped"].type == "counter"


def test_the_board_and_the_rules_ask_for_figures_that_there_are(home):
    """Every name in Grafana's board and in the alert rules of Prometheus; and each rule is whole."""
    home.visit.until("/api/health", lambda found: "uptime_s" in found)
    text = home.visit.get("/metrics").body.decode()
    there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    for path in ("grafana/earwitness.json", "prometheus/earwitness.rules.yaml"):
        wanted = set(re.findall(r"earwitness_[a-z_]+", (CONFIG / path).read_text()))
        assert wanted
        assert wanted - there == set(), path
    [group] = yaml.safe_load((CONFIG / "prometheus/earwitness.rules.yaml").read_text())["groups"]
    assert all({"alert", "expr", "labels", "annotations"} <= set(rule) for rule in group["rules"])
    board = json.loads((CONFIG / "grafana/earwitness.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_times_carry_the_houses_offset(tmp_path_factory, home):
    """RFC 3339; the zone's name stands beside it."""
    found = home.visit.get("/api/house").json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", found["now"])
    assert found["zone"]


def test_the_hours_of_a_week_are_the_houses(home):
    """Every event is counted once, in the hour that the clock on the wall showed."""
    home.has_heard()
    rows = home.visit.get("/api/heat").json()["rows"]
    smoke = next(row for row in rows if row["label"] == "smoke_alarm")
    events = home.visit.get("/api/events?label=smoke_alarm&limit=200").json()["events"]
    hours = {int(one["started_at"][11:13]) for one in events}
    assert {n for n, count in enumerate(smoke["hours"]) if count} <= hours
    assert sum(smoke["hours"]) == smoke["count"]


def test_receivers_models_and_what_is_kept_are_listed(home):
    """With the time of the last delivery, and sizes."""

    def delivered(found: dict[str, Any]) -> bool:
        return any(one["name"] == "lines" and one["last_delivered_at"] for one in found["receivers"])

    home.has_heard()
    found = home.visit.until("/api/upkeep", lambda found: delivered(found) and found["models"])
    assert found["models"][0]["type"] == "embedded"
    kept = {one["kind"]: one for one in found["kept"]}
    assert min(kept[kind]["count"] for kind in ("scores", "clips", "pictures")) > 0


def test_the_mode_of_the_house_is_set_here(home):
    """As Home Assistant sets it; what is no option, or no value, is refused."""
    assert home.visit.ask("PUT", "/api/values/mode", {"value": "away"}).status == 204
    home.visit.until("/api/values", lambda found: found["values"][0]["value"] == "away")
    refused = home.visit.ask("PUT", "/api/values/mode", {"value": "asleep"})
    assert (refused.status, "vacation" in refused.json()["detail"]) == (422, True)
    assert home.visit.ask("PUT", "/api/values/tv", {"value": "on"}).status == 404


def test_a_drill_is_announced_once(home):
    """The daemon takes it up, and a second has to wait. One of another test may go on, or have heard the
    scene's smoke alarm."""
    known = {one["id"] for one in home.visit.get("/api/drills").json()["drills"]}
    if home.visit.ask("POST", "/api/drills", {"alarm": "co_alarm"}).status == 204:
        home.visit.until("/api/drills", lambda found: {one["id"] for one in found["drills"]} - known)
        assert home.visit.ask("POST", "/api/drills", {"alarm": "co_alarm"}).status == 409
    found = home.visit.get("/api/drills").json()
    assert {room["source"] for room in found["drills"][0]["rooms"]} == {"kitchen", "hall"}
    assert found["overdue"] == (found["last_at"] is None)


def test_a_large_model_is_asked_only_where_the_configuration_allows_it(home):
    """Here it does not; the refusal names the line."""
    event = next(one for one in home.has_heard() if one["clip"])
    refused = home.visit.ask("POST", f"/api/events/{event['id']}/ask", {})
    assert (refused.status, "ask_model: true" in refused.json()["detail"]) == (409, True)
    assert not home.visit.get("/api/house").json()["may_ask"]


def test_nobody_listens_live_unless_the_configuration_allows_it(home):
    """Here it does not; the refusal names the line."""
    refused = home.visit.get("/api/sources/hall/audio")
    assert (refused.status, "live_audio: true" in refused.json()["detail"]) == (409, True)
    assert not home.visit.get("/api/house").json()["may_listen"]


def test_what_follows_from_verdicts_is_suggested_taken_and_undone(home):
    """Without enough of them there is a reason; what is taken holds at its place until an undo."""
    found = home.visit.get("/api/sounds/cat/suggestion").json()
    assert found["suggestions"] == []
    assert "judge" in found["refused"][0]
    assert home.visit.get("/api/sounds/cat/suggestion?aim=false_a_week&value=2").status == 200
    assert home.visit.get("/api/sounds/cat/suggestion?aim=right&value=0.3").status == 422
    assert home.visit.get("/api/sounds/smoke_alarm/suggestion").json()["suggestions"] == []
    taken = home.visit.ask("PUT", "/api/sounds/cat/suggestion", {"onset": 0.77, "source": "hall"}).json()
    assert [(one["source"], one["onset"]) for one in taken["places"]] == [("hall", 0.77)]
    undone = home.visit.ask("POST", "/api/sounds/undo").json()
    assert undone["values"] == {"sources.hall.labels.cat.onset": 0.77}
    assert home.visit.ask("PUT", "/api/sounds/smoke_alarm/suggestion", {"onset": 0.77}).status == 422


def test_what_was_missed_is_kept_listed_and_taken_back(home):
    """House time without an offset; nobody misses an alarm, what is to come, or what nothing hears."""
    missed = {"label": "doorbell", "source": "hall", "at": "2026-01-02T03:04:05"}
    noted = home.visit.ask("POST", "/api/missed", missed).json()
    assert (noted["score"], noted["at"][:19]) == (None, missed["at"])
    assert 0 < noted["onset"] < 1
    assert home.visit.get("/api/missed").json()["missed"] == [noted]
    of_doors = [one for one in home.visit.get("/api/mine").json()["records"] if one["label"] == "doorbell"]
    assert [one["missed"] for one in of_doors] == [1]
    for wrong, status in (
        ({"label": "smoke_alarm"}, 422), ({"label": "unheard_of"}, 422), ({"source": "attic"}, 404),
        ({"at": "2999-01-01T00:00:00Z"}, 422),
    ):  # fmt: skip
        assert home.visit.ask("POST", "/api/missed", missed | wrong).status == status, wrong
    path = f"/api/missed?label=doorbell&source=hall&at={noted['at'].replace('+', '%2B')}"
    assert [home.visit.ask("DELETE", path).status for _ in range(2)] == [204, 404]


def test_a_stranger_gets_the_page_without_what_was_heard(home):
    """Whoever would have to sign in gets what the sign-in takes; this machine itself gets the house."""
    stranger = came_with(home.visit.get("/", Host="other.example").body)
    here = came_with(home.visit.get("/").body)
    assert set(stranger) == {"words/en.json", "api/session"}
    assert set(here) > {"api/house", "api/alerts/open", "api/events?limit=12"}
    assert here["api/house"]["node"] == "home"


def test_the_reference_of_labels_has_the_onsets_that_are_in_force(home):
    """What docs/reference/labels.md says of each sound is what *Sounds* says in a house that changed none."""
    page = (Path(__file__).parents[2] / "docs/reference/labels.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(?:[^|]*\|){3} ([\d.]+) \|", page, re.MULTILINE)
    written = {label: float(onset) for label, onset in rows}
    shown = {one["id"]: one["onset"] for one in home.visit.get("/api/sounds").json()["sounds"]}
    assert len(shown) > 50
    assert {label: written[label] for label in shown} == {label: round(at, 2) for label, at in shown.items()}


def test_a_file_asked_for_by_its_tag_is_kept(home):
    """Another tag, or none, is asked for each time."""
    tag = shell()["app.js"].tag
    kept = {
        query: home.visit.get(f"/app.js{query}").headers["cache-control"]
        for query in ("", "?v=1", f"?v={tag}")
    }
    assert kept == {"": "no-cache", "?v=1": "no-cache", f"?v={tag}": "public, max-age=31536000, immutable"}
