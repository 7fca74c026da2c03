"""Mistakes of people who write YAML for the first time: each message names the fix."""

from pathlib import Path

import pytest

from monitor.config.loading import check_document, examined
from monitor.config.yaml_document import parse_document
from monitor.errors import ConfigError

DEMO = "sources: [{type: demo, name: demo}]\n"
CAMERA = "sources:\n  - type: stream\n    name: porch\n    url: "
ALIGN = "this line begins farther left or right than the lines that it belongs to; keys of one block align"
EMPTY = (
    "sources: is required, and the file is empty; start from config/minimal.yaml, or with "
    "`sources: [{type: microphone, name: kitchen}]`"
)
TAB = "there is a tab; YAML takes spaces alone, two for each step to the right"
QUOTE_ADDRESS = 'put the whole address in quotes: url: "rtsp://..."'
QUOTE_TEXT = 'put the text in quotes: "..."'
OR_QUOTE = f"or, where a text has one of , : {{ }} [ ] in it, {QUOTE_TEXT}"
SPACE = "a space is missing: write `- type: demo`, with one after the dash and one after the colon"
PORT = "publishers[0].host: the port has a key of its own; write `host: h` and `port: 1883`"
ADDRESS = (
    "sources[0].url: expected an address like rtsp://user:password@10.0.0.7:554/stream "
    "(rtsp, rtsps, http, https, udp); in the password write %40 for @, %3A for :, %2F for / and %23 for #"
)
KEYS = "; begin each item with `- `: here `- {0}: ...`, and indent the keys after it"

MISTAKES = {
    "an empty file": ("", 1, EMPTY),
    "nothing but a comment": ("# later\n", 1, EMPTY),
    "nothing but a dash line": ("---\n", 1, EMPTY),
    "two documents": (DEMO + "---\n" + DEMO, 2, "`---` begins a second document; write a single one"),
    "a tab before a line": ("sources:\n\t- {type: demo, name: demo}\n", 2, TAB),
    "a tab after a colon": ("sources:\n  - type:\tdemo\n", 2, TAB),
    "a bare address in braces": (
        "sources:\n  - {type: stream, name: porch, url: rtsp://me:${PW}@10.0.0.7/1}\n",
        2,
        QUOTE_ADDRESS,
    ),
    "a bare address with `: ` in it": (CAMERA + "rtsp://me:pa: ss@10.0.0.7/1\n", 4, QUOTE_ADDRESS),
    "a bare @": ("node: @home\n" + DEMO, 1, f"no text begins with @; {QUOTE_TEXT}"),
    "a bare password that begins with an asterisk": (
        DEMO + "publishers: [{type: mqtt, host: h, username: a, password: *abc}]\n",
        2,
        'anchors and aliases (& and *) are not used here; put the text in quotes if it is one: "..."',
    ),
    "a password with a # in an address": (CAMERA + "rtsp://me:p@ss#1@10.0.0.7/1\n", 4, ADDRESS),
    "a password with an @ and a / in an address": (CAMERA + "rtsp://me:p@s/s@10.0.0.7/1\n", 4, ADDRESS),
    "a comma in a number": (
        DEMO + "labels: {glass_break: {onset: 0,5}}\n",
        2,
        "labels.glass_break.5: a comma ends a number; write a point, as in 0.5",
    ),
    "what others call a stream": (
        "sources: [{type: camera, name: porch}]\n",
        1,
        "sources[0]: unknown type 'camera'; did you mean 'stream'? (there are 'microphone', 'stream', 'udp', "
        "'wyoming', 'external', 'file', 'demo')",
    ),
    "half a sound's name": (
        DEMO + "rules: [{name: A, hear: [dog]}]\n",
        2,
        "rules[0].hear[0]: unknown label 'dog'; did you mean one of 'dog_bark', 'dog_whimper'?",
    ),
    "a sound in another language": (
        DEMO + "rules: [{name: A, hear: [rauchmelder]}]\n",
        2,
        "rules[0].hear[0]: unknown label 'rauchmelder'; did you mean 'smoke_alarm'?",
    ),
    "a name that is too long": (
        f"sources: [{{type: demo, name: {'a' * 64}}}]\n",
        1,
        "sources[0].name: use lower-case letters, digits, _ and - only, at most 48 of them, for example "
        f"'{'a' * 48}'",
    ),
    "sources by name": (
        "sources:\n  kitchen:\n    type: microphone\n",
        1,
        "sources: is a list; write each item as `- ` with its keys, for example `- {name: kitchen, ...}`",
    ),
    "a source without a dash": (
        "sources:\n  type: microphone\n  name: kitchen\n",
        1,
        "sources: is a list" + KEYS.format("type"),
    ),
    "a rule without a dash": (
        DEMO + "rules:\n  name: Smoke\n  hear: [smoke_alarm]\n",
        2,
        "rules: is a list" + KEYS.format("name"),
    ),
    "a list without its top": (
        "- type: demo\n  name: demo\n",
        1,
        "expected `key: value` lines, found a list: begin with `sources:`, and indent it",
    ),
    "a list where keys belong": (
        DEMO + "gate:\n  - hangover_s: 1\n",
        2,
        "gate: has keys, and is no list; leave out the `- ` and write `key: value`",
    ),
    "one label for a list": (
        DEMO + "rules: [{name: A, hear: dog_bark}]\n",
        2,
        "rules[0].hear: write a list: [dog_bark]",
    ),
    "nothing below a key": (
        DEMO + "rules:\n",
        2,
        "rules: nothing stands below it; write `rules: []` for none, or leave it out",
    ),
    "no space after a colon": ("sources:\n  - type:demo\n    name: demo\n", 3, SPACE),
    "a line too far right": ("sources:\n  - type: demo\n     name: demo\n", 3, ALIGN),
    "a line too far left": ("sources:\n  - type: demo\n   name: demo\n", 3, ALIGN),
    "a quotation mark left open": (
        'sources:\n  - {type: demo, name: "demo}\n',
        2,
        "a quotation mark that begins here is never closed",
    ),
    "a brace left open": (
        "sources:\n  - {type: demo, name: demo\nnode: home\n",
        2,
        f"}} is missing between here and line 3; {OR_QUOTE}",
    ),
    "a bracket that a text closes too early": (
        DEMO + "rules: [{name: A, hear: [dog_bark, cat}]\n",
        2,
        f"] is missing here; {OR_QUOTE}",
    ),
    "hostname for host": (
        DEMO + "publishers: [{type: mqtt, hostname: h}]\n",
        2,
        "publishers[0].hostname: unknown key 'hostname'; did you mean 'host'?",
    ),
    "mqtt at the top": (
        DEMO + "mqtt: {host: h}\n",
        2,
        "mqtt: unknown key 'mqtt'; did you mean 'publishers'?",
    ),
    "a port in a quoted host": (DEMO + "publishers: [{type: mqtt, host: 'h:1883'}]\n", 2, PORT),
    "a port in a bare host": (DEMO + "publishers:\n  - type: mqtt\n    host: h:1883\n", 4, PORT),
    "a number for a password": (
        DEMO + "publishers: [{type: mqtt, host: h, username: a, password: 12345}]\n",
        2,
        'publishers[0].password: is a number, or yes or no, to YAML; put it in quotes: "..."',
    ),
    "a home that nobody has": (
        DEMO + "state_dir: ~nobody-here/state\n",
        2,
        "state_dir: ~nobody-here is not the home folder of any user here; write the whole path",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_its_line_and_its_fix(mistake: str) -> None:
    """One message, and what it says is enough to mend it."""
    text, line, message = MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        check_document(parse_document(text.encode(), "house.yaml", {"PW": "x"}))

    assert caught.value.problems == [f"house.yaml:{line}: {message}"]


def test_a_password_with_a_comma_is_shown_nowhere() -> None:
    """In braces and without quotes, the rest of it would be a key."""
    text = "sources:\n  - {type: stream, name: porch, url: rtsp://me:s3,cret@10.0.0.7/1}\n"
    with pytest.raises(ConfigError) as caught:
        check_document(parse_document(text.encode(), "house.yaml", {}))

    comma = 'a comma ends a text without quotes, and what follows is no key; put it in quotes: "..."'
    assert f"house.yaml:2: sources[0]: {comma}" in caught.value.problems
    assert "cret" not in str(caught.value.problems)


def test_a_file_of_another_encoding_names_the_line() -> None:
    """An old editor's Latin-1."""
    with pytest.raises(ConfigError) as caught:
        parse_document("node: home\n# Küche\n".encode("latin-1"), "house.yaml", {})

    assert caught.value.problems == ["house.yaml:2: a letter here is not UTF-8; save the file as UTF-8"]


def test_a_file_from_an_editor_of_windows_is_read() -> None:
    """UTF-16, or UTF-8 with a byte order mark, and lines that end with both signs."""
    for encoding in ("utf-16", "utf-8-sig"):
        data = DEMO.replace("\n", "\r\n").encode(encoding)
        assert check_document(parse_document(data, "house.yaml", {})).sources[0].name == "demo"


def test_the_configuration_that_an_empty_file_is_sent_to_is_there() -> None:
    """The message names a file of the checkout."""
    assert (Path(__file__).parents[2] / "config" / "minimal.yaml").is_file()


def test_every_mistake_is_listed_at_once() -> None:
    """Also those of a whole block, which is checked only when its keys are right: one run of `check` is
    enough, and no mistake is listed that follows from another."""
    text = (
        "sources:\n  - {type: demo, name: demo, realtmie: true}\n"
        "rules:\n"
        "  - {name: Knocks, hear: [knock], within: 30}\n"
        "  - {name: Bark, hear: [dog_brk], times: 3}\n"
        "  - {name: Crash, hear: [glass_break], severity: dire, lasts_s: 5, count: 2, within_s: 10}\n"
        "  - {name: Cat, hear: [cat], count: many, within_s: 10}\n"
        "publishers: [{type: mqtt, hostname: h, password: x}]\n"
        "evidence: {clips: maybe, keep_dayz: 3}\n"
    )
    with pytest.raises(ConfigError) as caught:
        check_document(parse_document(text.encode(), "house.yaml", {}))

    assert [problem.removeprefix("house.yaml:") for problem in caught.value.problems] == [
        "2: sources[0].realtmie: unknown key 'realtmie'; did you mean 'realtime'?",
        "4: rules[0].within: unknown key 'within'; did you mean 'within_s'?",
        "4: rules[0]: within_s goes with `count: 2` or more; for a second sound write it inside `then`",
        "5: rules[1].hear[0]: unknown label 'dog_brk'; did you mean 'dog_bark'?",
        "5: rules[1].times: unknown key 'times'; did you mean 'count'?",
        "5: rules[1]: count 3 needs `within_s`, for example 30",
        "6: rules[2].severity: should be 'info', 'warning' or 'critical', not 'dire'",
        "6: rules[2]: lasts_s is about one sound; it goes with neither `count` nor `then`",
        "7: rules[3].count: should be a whole number, not 'many'",
        "8: publishers[0].hostname: unknown key 'hostname'; did you mean 'host'?",
        "8: publishers[0].mqtt: password is given without username; give both",
        "9: evidence.clips: should be true or false, not 'maybe'",
        "9: evidence.keep_dayz: unknown key 'keep_dayz'; did you mean 'keep_days'?",
    ]


WRONG = """\
not_listening_after_s: never
labels: {smoke_alarm: {onset: 60}}
sources:
  - {type: demo, name: kitchen}
  - {type: file, name: kitchen, path: tape.wav, realtime: perhaps}
  - {type: file, name: attic, path: 7}
rules:
  - {name: A, hear: [smoke_alarm], sources: [hal], notify: [nobody], cooldown_s: 5m}
  - {name: A, hear: [smoke_alarm], sources: [attic], notify: [phones], severity: 7}
notifiers:
  - {type: notify, name: phones, urls: ["json://localhost"], collapse_s: many}
digest: {notify: [somebody]}
"""


def test_a_wrong_type_hides_no_name() -> None:
    """Names are taken twice, or nobody's, whatever else is wrong with a block; of one that could not be read
    the name is known all the same."""
    lines = [line.split(":", 2)[1:] for line in examined(parse_document(WRONG.encode(), "e.yaml", {}))[1]]
    seconds = "should be a number of seconds, such as 300"
    assert [(int(number), text.strip()) for number, text in lines] == [
        (1, f"not_listening_after_s: {seconds}; 0 is never"),
        (2, "labels.smoke_alarm.onset: should be between 0 and 1; did you mean 0.6?"),
        (5, "sources[1].realtime: should be true or false, not 'perhaps'"),
        (5, "sources[1].name: 'kitchen' is taken; sources differ in their names, choose another `name`"),
        (6, "sources[2].path: should be a path, such as recordings/kitchen.wav"),
        (7, "rule 'A' is there 2 times; give each rule its own name"),
        (8, f"rules[0].cooldown_s: {seconds}; 5m is 300"),
        (8, "rule 'A': no enabled source is named 'hal'"),
        (8, "rule 'A': no notifier is named 'nobody'"),
        (9, "rules[1].severity: should be 'info', 'warning' or 'critical', not 7"),
        (11, f"notifiers[0].collapse_s: {seconds}"),
        (12, "digest.notify: no notifier is named 'somebody'"),
    ]


def test_a_missing_model_is_one_mistake(tmp_path: Path) -> None:
    """Not one for every rule that asks for what it would hear."""
    missing = tmp_path / "mine.onnx"
    text = (
        f"sources: [{{type: demo, name: hall}}]\nclassifiers: [{{type: embedded, model: {missing}}}]\n"
        "rules: [{name: A, hear: [doorbell]}, {name: B, hear: [cat]}]\n"
    )
    _, problems = examined(parse_document(text.encode(), "e.yaml", {}))
    reason = f"{missing} is not there; so it is not known what it hears, and rules need that"
    assert problems == [f"e.yaml:2: classifiers[0].model: {reason}"]
