"""YAML that remembers its lines."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.yaml_document import parse_document
from monitor.errors import ConfigError


def parsed(text: str, **environment: str) -> dict[str, object]:
    return dict(parse_document(text.encode(), "house.yaml", environment).values)


def problems(text: str) -> list[str]:
    """What is wrong with single values, or with the file as a whole."""
    try:
        return list(parse_document(text.encode(), "house.yaml", {}).problems)
    except ConfigError as error:
        return error.problems


def test_every_value_knows_its_line():
    """Places lead to lines; parts that the document does not have are passed over."""
    document = parse_document(b"node: home\nsources:\n  - type: file\n    name: a\n", "house.yaml", {})
    assert document.where(("sources", 0, "name")) == "house.yaml:4"
    assert document.where(("sources", 0, "file", "name")) == "house.yaml:4"
    assert document.where(("sources", 0, "path")) == "house.yaml:3"
    assert document.where(()) == "house.yaml:1"


def test_places_read_like_the_document():
    """Without the names of variants, with a key that is missing, and without pydantic's word for a key."""
    document = parse_document(b"sources:\n  - type: file\nlabels: {dog: {}}\n", "house.yaml", {})
    assert document.dotted(("sources", 0, "file", "type")) == "sources[0].type"
    assert document.dotted(("sources", 0, "file", "path")) == "sources[0].path"
    assert document.dotted(("labels", "dog", "[key]")) == "labels.dog"
    assert document.dotted(()) == "document"


def test_names_are_filled_in_from_the_environment():
    """`${NAME}` takes the variable's value, `$$` is a dollar sign."""
    assert parsed("password: ${PW}", PW="s3cret") == {"password": "s3cret"}
    assert parsed("price: 5$$") == {"price": "5$"}


def test_a_password_inside_a_url_is_percent_encoded():
    """An @ in a password must not turn the rest of it into a host name."""
    assert parsed("url: 'rtsp://me:${PW}@cam/1'", PW="p@ss/w:rd") == {
        "url": "rtsp://me:p%40ss%2Fw%3Ard@cam/1"
    }


def test_a_whole_url_from_the_environment_is_taken_as_it_is():
    """Only what is put inside a URL is encoded."""
    assert parsed("url: ${URL}", URL="rtsp://me:p%40ss@cam/1") == {"url": "rtsp://me:p%40ss@cam/1"}


def test_credentials_of_systemd_are_found(tmp_path):
    """A file in CREDENTIALS_DIRECTORY serves like a variable, without its line end."""
    (tmp_path / "MQTT").write_text("s3cret\n")
    assert parsed("password: ${MQTT}", CREDENTIALS_DIRECTORY=str(tmp_path)) == {"password": "s3cret"}


def test_a_credential_name_cannot_leave_its_folder(tmp_path):
    """A placeholder is a name, not a path."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").write_text("x")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path / "inside")}
    document = parse_document(b"a: ${../outside}", "house.yaml", environment)
    assert document.problems
    assert document.unread == {("a",)}


def test_all_missing_names_are_reported_at_once():
    """Each with its own line."""
    fix = "`export ONE=...`, or write it into the file /etc/earwitness/credentials/ONE"
    assert problems("a: ${ONE}\nb: ${T O}\n") == [
        f"house.yaml:1: ${{ONE}} is not set; {fix}",
        "house.yaml:2: ${T O} is not set; a name has letters, digits and _ only",
    ]


def test_a_key_that_stands_twice_is_a_problem():
    """YAML would silently take the last one."""
    assert problems("a: 1\na: 2\n") == ["house.yaml:2: 'a' stands here twice"]


def test_a_few_bytes_cannot_become_gigabytes():
    """Anchors and aliases are refused before anything is expanded."""
    assert "anchors" in problems("a: &a [x, x]\nb: [*a, *a]\n")[0]


def test_depth_and_size_are_limited():
    """A hostile file is refused by its shape."""
    assert "nested" in problems("a: " + "[" * 100 + "]" * 100)[0]
    assert "bytes" in problems("a: " + "x" * 1_000_001)[0]


def test_broken_yaml_names_the_line():
    """The parser's word, with file and line, on one line."""
    assert problems("a: 1\nb: [\n")[0].startswith("house.yaml:3: ")


@pytest.mark.parametrize("text", [r'message: "smoke \ud83d"', r'"\udc80": 1', "message: ${SAID}"])
def test_half_a_character_is_a_problem(text):
    """It could neither be published nor kept: better found out now than by the alert that says it."""
    document = parse_document(text.encode(), "home.yaml", {"SAID": "\udc80"})

    assert len(document.problems) == 1
    assert document.problems[0].startswith("home.yaml:1: ")


def test_tags_make_no_objects():
    """`!!python/...` is not read."""
    assert "tags" in problems("a: 1\nb: !!python/object/apply:os.system ['true']\n")[0]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_a_configuration_error(data: bytes):
    """Nothing else is ever raised."""
    try:
        document = parse_document(data, "house.yaml", {})
    except ConfigError as error:
        assert error.problems
        assert all(problem.startswith("house.yaml") for problem in error.problems)
    else:
        assert isinstance(document.values, dict)


@given(st.text(alphabet="a:-[]{}&*!|>'\"#%@`,? \n${}12.~", max_size=60))
def test_any_punctuation_is_a_document_or_a_configuration_error(text: str):
    """The characters that mean something to YAML, in any order."""
    try:
        parsed(text)
    except ConfigError as error:
        assert error.problems


def test_utf_16_without_its_mark_names_the_fix() -> None:
    """As some editors of Windows save it."""
    with pytest.raises(ConfigError, match="save the file as UTF-8"):
        parse_document("node: home\n".encode("utf-16-le"), "house.yaml")


@pytest.mark.parametrize("begins", [b"", b"\xff\xfe", b"\xfe\xff", b"\x00"])
def test_what_is_no_text_is_called_so(begins: bytes):
    """A picture or a recording under the name of a configuration, however it begins; and nothing else is."""
    data = begins + random.Random(7).randbytes(501)
    with pytest.raises(ConfigError, match=r"house\.yaml: is not text; is it the right file"):
        parse_document(data, "house.yaml")
