"""The configuration as a whole."""

import pwd
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.capabilities import warnings
from monitor.config.loading import SEARCHED, check_document, default_config, find_config, load_config
from monitor.config.model import json_schema, usual_state_folder
from monitor.config.yaml_document import parse_document, read_document
from monitor.errors import ConfigError
from monitor.publishers.mqtt.config import MqttConfig
from monitor.schema import slug

MINIMAL = "sources:\n  - {type: demo, name: demo}\n"


def config(text: str, **environment: str) -> Any:
    return check_document(parse_document(text.encode(), "house.yaml", environment))


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config(text)
    return caught.value.problems


def test_one_source_is_a_configuration():
    """Everything else has a default."""
    found = config(MINIMAL)
    assert [source.name for source in found.sources] == ["demo"]
    assert found.gate.open_above_floor_db == 9


def test_every_problem_is_reported_at_once_with_its_line():
    """Nobody mends a file one error at a time."""
    text = (
        "sources:\n"
        "  - {type: demo, name: Kitchen}\n"
        "  - {type: demo, name: b, sensitivity: 5}\n"
        "gate: {open_above_flor_db: 9}\n"
        "rules:\n"
        "  - name: Smoke\n"
        "    hear: [smoke_alrm]\n"
        "colour: red\n"
    )
    found = problems(text)
    assert [line.split(": ")[0] for line in found] == [
        "house.yaml:2", "house.yaml:3", "house.yaml:4", "house.yaml:7", "house.yaml:8",
    ]  # fmt: skip
    assert "did you mean 'open_above_floor_db'" in found[2]
    assert "did you mean 'smoke_alarm'" in found[3]
    assert "unknown key 'colour'" in found[4]


def test_all_problems_come_at_the_first_reading():
    """Variables that are not set, wrong keys, and rules that cannot be: all of them at the first reading."""
    text = (
        "sources:\n"
        "  - {type: stream, name: porch, url: 'rtsp://me:${PORCH}@10.0.0.7/1', colour: red}\n"
        "  - {type: demo, name: porch, gate: {hangover_s: -1}}\n"
        "rules:\n"
        "  - {name: A, hear: [smoke_alarm], severity: red}\n"
        "  - {name: B, hear: [smoke_alarm], notify: [phone]}\n"
        "  - {name: C, hear: [smoke_alarm], sources: [yard]}\n"
        "  - {name: D, hear: [speech], say: [help]}\n"
        "publishers:\n"
        "  - {type: mqtt, port: '${PORT}'}\n"
    )
    found = problems(text)
    assert [line.split(": ")[0] for line in found] == [
        f"house.yaml:{line}" for line in (2, 2, 3, 3, 5, 6, 7, 8, 10)
    ]
    assert "${PORCH} is not set" in found[0]
    assert "sources[1].gate.hangover_s" in found[2] + found[3]
    assert "no notifier is named 'phone'" in found[5]
    assert "no enabled source is named 'yard'" in found[6]
    assert "'D' can never fire" in found[7]


def test_who_looks_back_needs_no_passwords(tmp_path):
    """A variable must be set where it is used; one in a rule's way is missed all the same."""
    house = tmp_path / "house.yaml"
    house.write_text(
        MINIMAL + "publishers:\n  - {type: mqtt, username: me, password: '${MQTT}'}\n"
        "notifiers:\n  - {type: notify, urls: ['${PHONE}']}\n"
        "classifiers:\n  - {type: embedded, model: '${MODEL}'}\n"
    )
    assert load_config(house, {"MODEL": "m.onnx"}, uses={"classifiers"}).publishers
    with pytest.raises(ConfigError) as caught:
        load_config(house, {}, uses={"classifiers"})
    [problem] = caught.value.problems
    assert "${MODEL} is not set" in problem
    with pytest.raises(ConfigError) as caught:
        load_config(house, {})
    assert len(caught.value.problems) == 3


def test_a_brokers_host_is_a_name_alone():
    """What belongs into other keys is named, not a pattern."""
    [problem] = problems(MINIMAL + "publishers:\n  - {type: mqtt, host: 'mqtt://10.0.0.2:1883'}\n")
    assert "publishers[0].host: write the name or address alone, such as 192.168.1.2" in problem


def test_what_may_stand_in_a_block_with_a_mistake_is_not_called_missing():
    """A rule is not told that its source, notifier or listener is missing while that has a typing error."""
    text = (
        "sources:\n  - {type: demo, name: porch, colour: red}\n"
        "classifiers:\n  - {type: embedded, colour: red}\n"
        "notifiers:\n  - {type: notify, name: phone, colour: red}\n"
        "rules:\n  - {name: D, hear: [glass_break], sources: [porch], notify: [phone]}\n"
    )
    assert [line.split(": ")[0] for line in problems(text)] == [
        "house.yaml:2", "house.yaml:4", "house.yaml:6", "house.yaml:6",
    ]  # fmt: skip


def test_an_unknown_label_reads_plainly():
    """`labels.dog`, not `labels.dog.[key]`."""
    assert problems(MINIMAL + "labels: {dog: {onset: 0.5}}\n")[0].startswith(
        "house.yaml:3: labels.dog: unknown label 'dog'"
    )


def test_a_place_reads_like_the_document():
    """`sources[0].sensitivity`, without the names that the validator puts in between."""
    assert problems("sources:\n  - {type: demo, name: a, sensitivity: high}\n")[0].startswith(
        "house.yaml:2: sources[0].sensitivity: "
    )


def test_an_unknown_kind_lists_the_known_ones():
    """A typing error in `type` is as clear as any other."""
    assert "'demo'" in problems("sources:\n  - {type: dmeo, name: a}\n")[0]


def test_nothing_to_listen_to_is_a_problem():
    """A daemon without sources would be silent for ever."""
    assert problems("sources: []\n")
    assert problems("node: home\n") == ["house.yaml:1: sources: is required"]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_a_url_that_apprise_does_not_know_is_refused_before_the_start():
    """With its line and without the URL; run would end with it, and systemd would not start it again."""
    urls = "['json://127.0.0.1', 'foo://s3cret']"
    text = f"sources:\n- {{type: demo, name: d}}\nnotifiers:\n- {{name: n, type: notify, urls: {urls}}}\n"
    with pytest.raises(ConfigError) as found:
        check_document(parse_document(text.encode(), "e.yaml", {}))
    [problem] = found.value.problems
    assert problem.startswith("e.yaml:4: notifiers[0].urls: Apprise does not understand urls[1]")
    assert "s3cret" not in problem


def test_a_receiver_names_rules_and_sources_that_exist():
    """A siren that waits for a rule of another name would never sound."""
    text = (
        "sources: [{type: demo, name: porch}]\n"
        "rules: [{name: Smoke alarm, hear: [smoke_alarm]}]\n"
        "publishers:\n"
        "- {type: command, argv: [/bin/true], rules: [Smoke alarn]}\n"
        "- {type: frigate, url: 'http://f:5000', cameras: {proch: cam}}\n"
    )
    assert problems(text) == [
        "house.yaml:4: publishers[0].rules: no rule is named 'Smoke alarn'; did you mean 'Smoke alarm'?",
        "house.yaml:5: publishers[1].cameras: no source is named 'proch'; did you mean 'porch'?",
    ]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_pictures_leave_the_house_only_without_speech():
    """A notifier that is to send what is not made, or what may hold words, is a problem."""
    text = (
        "sources: [{type: demo, name: d}]\nnotifiers: [{type: notify, urls: ['ntfy://h'], pictures: true}]\n"
    )
    assert problems(text) == [
        "house.yaml:2: notifiers[0].pictures: there are none; set `evidence: {pictures: true}`"
    ]
    [problem] = problems(text + "evidence: {pictures: true, no_speech: false}\n")
    assert "only without speech" in problem
    assert config(text + "evidence: {pictures: true}\n").notifiers


def test_names_are_taken_once():
    """Two sources of one name would share topics."""
    assert "'demo' is taken" in problems(MINIMAL + "  - {type: demo, name: demo}\n")[0]


def test_who_is_notified_has_a_name_of_its_own():
    """Messages wait in one outbox under the name of its receiver, and so do alerts that nobody has answered
    yet: of two with one name, each would take what is for the other."""
    template = "publishers: [{type: console, name: house}]\nnotifiers: [{type: spoken, name: %s}]\n"
    assert problems(MINIMAL + template % "house") == [
        "house.yaml:4: notifiers[0].name: 'house' is taken; publishers and notifiers differ in their names, "
        "choose another `name`"
    ]
    assert problems(MINIMAL + template % "escalation") == [
        "house.yaml:4: notifiers[0].name: 'escalation' is ours; choose another `name`"
    ]
    assert config(MINIMAL + template % "voice").notifiers[0].name == "voice"


@pytest.mark.parametrize("name", ["test", "ack", "house", "alert"])
def test_a_source_has_no_name_of_the_nodes_own_topics(name: str):
    """Its mute would be the house's, its test somebody's button."""
    assert problems(MINIMAL + f"  - {{type: demo, name: {name}}}\n") == [
        f"house.yaml:3: sources[1].name: {name!r} is ours; choose another `name`"
    ]


def test_what_rules_ask_of_the_house_can_be_set():
    """A topic needs a broker; what is chosen needs one, or the page. `[on]` and `true` are the same word."""
    rules = "rules: [{name: R, hear: [knock], when: {guests: [on], mode: away}}]\n"
    house = "house: {guests: {type: switch}, mode: {type: select}}\n"
    tv = "house: {tv: {type: topic, topic: tv/state}}\n"
    assert problems(MINIMAL + tv) == [
        "house.yaml:3: house.tv: its values come over MQTT; add a publisher of `type: mqtt`"
    ]
    closed = "web: {enabled: false}\n"
    assert ["or on the page" in one for one in problems(MINIMAL + closed + house)] == [True, True]
    assert config(MINIMAL + house + rules).house
    good = config(MINIMAL + house + rules + "publishers: [{type: mqtt}]\n")
    assert good.rules[0].when == {"guests": ("on",), "mode": ("away",)}
    [problem] = problems(MINIMAL + "house: {mute: {type: switch}}\npublishers: [{type: mqtt}]\n")
    assert "'mute' is a setting of every source" in problem


def test_a_source_overrides_part_of_the_gate():
    """What it leaves out stays as in the whole house."""
    text = (
        "sources:\n  - {type: demo, name: porch, gate: {hangover_s: 2}}\n  - {type: demo, name: hall}\n"
        "gate: {open_above_floor_db: 12}\n"
    )
    found = config(text)
    porch, hall = (found.gate_of(source) for source in found.sources)
    assert (porch.open_above_floor_db, porch.hangover_s) == (12, 2)
    assert (hall.open_above_floor_db, hall.hangover_s) == (12, 0.8)


def test_a_source_overrides_the_hangover_by_its_former_name():
    """Old and new spelling meet where a source's gate is laid over the house's."""
    document = (
        "gate: {hangover_s: 1}\n"
        "sources:\n  - {type: demo, name: porch, gate: {hang_over_s: 2}}\n  - {type: demo, name: hall}\n"
    )
    found = config(document)
    assert [found.gate_of(source).hangover_s for source in found.sources] == [2, 1]


def test_a_wrong_override_names_its_line():
    """Values inside a source are checked like those outside."""
    source = "  - type: demo\n    name: porch\n    gate: {hangover_s: -1}\n    labels: {dog: {onset: 1}}\n"
    found = problems("sources:\n" + source)
    assert found[0].startswith("house.yaml:4: sources[0].gate")
    assert found[1].startswith("house.yaml:5: sources[0].labels")


def test_secrets_are_never_shown():
    """Neither a printed configuration nor an error carries a password."""
    text = MINIMAL + "publishers:\n  - {type: mqtt, username: a, password: '${PW}'}\n"
    assert "s3cret" not in repr(config(text, PW="s3cret"))
    with pytest.raises(ConfigError) as caught:
        config(text + "    colour: red\n", PW="s3cret")
    assert "s3cret" not in str(caught.value)


def test_the_state_folder_follows_systemd():
    """StateDirectory= comes first, then the user's own state."""
    found = config(MINIMAL)
    assert found.state_folder({"STATE_DIRECTORY": "/var/lib/earwitness"}) == Path("/var/lib/earwitness")
    assert found.state_folder({"XDG_STATE_HOME": "/x"}) == Path("/x/earwitness")


def test_the_built_in_defaults_are_a_configuration():
    """The first run needs no file."""
    found = default_config([{"type": "demo", "name": "demo"}])
    assert {rule.name for rule in found.rules} >= {"Smoke alarm", "Carbon monoxide alarm", "Distress"}


@pytest.mark.parametrize(("kind", "announced"), [("demo", False), ("microphone", True)])
def test_the_scene_rings_in_no_house(kind: str, announced: bool):
    """A first run at 11 p.m. must not set off what Home Assistant does for a real smoke alarm."""
    found = default_config([{"type": kind, "name": "first"}])
    [mqtt] = [block for block in found.publishers if isinstance(block, MqttConfig)]
    assert mqtt.homeassistant == announced


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path):
    """The path is in the message."""
    with pytest.raises(ConfigError, match=r"nothing\.yaml: cannot be read"):
        load_config(tmp_path / "nothing.yaml")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "config").glob("*.yaml")), ids=str)
def test_shipped_examples_are_right(path: Path):
    """Each example loads, has no rule that was hardly meant, and agrees with the schema that editors use."""
    environment = dict.fromkeys(["MQTT_PASSWORD", "PORCH_PASSWORD", "API_KEY"], "secret")
    environment["NURSERY_KEY"] = 32 * "5e"
    environment["NTFY_URL"] = "ntfys://secret@ntfy.sh/house"
    assert warnings(load_config(path, environment)) == []
    jsonschema.validate(read_document(path, environment).values, json_schema())


def test_the_example_names_every_option():
    """Whoever reads config/earwitness.example.yaml has seen all there is."""
    example = (Path(__file__).parents[2] / "config" / "earwitness.example.yaml").read_text()
    blocks = [json_schema(), *json_schema()["$defs"].values()]
    keys = {key for block in blocks for key in block.get("properties", {})}
    assert {key for key in keys if not re.search(rf"\b{key}:", example)} == set()


def test_the_shipped_schema_is_the_current_one():
    """`earwitness schema` wrote it."""
    import json

    shipped = Path(__file__).parents[2] / "config" / "earwitness.schema.json"
    assert json.loads(shipped.read_text()) == json_schema()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "hear", "gate", "url", "path"]), inner, max_size=4)
    ),
    max_leaves=12,
)
_KEYS = ["node", "sources", "gate", "classifiers", "labels", "rules", "entities", "publishers", "log", "x"]


@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=5))
def test_any_document_is_a_configuration_or_a_configuration_error(values: dict[str, Any]):
    """Whatever stands in the file, the answer is a configuration or a list of lines."""
    text = yaml.safe_dump(values, allow_unicode=True)
    try:
        config(text)
    except ConfigError as error:
        assert error.problems
        assert all(problem.startswith("house.yaml") for problem in error.problems)


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("Küche", "kueche"), ("Büro Süd", "buero_sued"), ("Café", "cafe"), ("客厅", "home")],
)
def test_a_name_that_cannot_be_comes_with_one_that_can(name: str, suggested: str) -> None:
    """As people write it who have no umlauts on their keyboard."""
    assert slug(name) == suggested


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    """Of a container that knows nobody of that number: one line, and not a traceback."""

    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.chdir("/")
    assert find_config() in (None, SEARCHED[-1])
    with pytest.raises(ConfigError, match="set HOME, or `state_dir`"):
        usual_state_folder({})
    assert usual_state_folder({"XDG_STATE_HOME": "/srv"}) == Path("/srv/earwitness")
