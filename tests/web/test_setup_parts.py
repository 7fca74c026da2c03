"""What set-up is made of: judging ten seconds, writing a configuration, who may be named."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio
from monitor.config.loading import BUILT_IN, OWN, default_config
from monitor.config.model import Config
from monitor.types import Frame
from monitor.web.setup.choices import Choices, Drawer, shown
from monitor.web.setup.judging import SetupJudge
from monitor.web.setup.people import NewPerson, address_of
from monitor.web.setup.writing import place, put, written
from testkit.rtsp import RtspServer

RNG = np.random.default_rng(1)
SECONDS = 10
LENGTH = SECONDS * SAMPLE_RATE_HZ
AT = np.arange(LENGTH) / SAMPLE_RATE_HZ
ROOM = RNG.normal(0, 0.001, LENGTH)
CLAPS = np.where(AT % 2 < 0.3, RNG.normal(0, 0.1, LENGTH), 0.0)
HUM = 0.01 * np.sin(2 * np.pi * 50 * AT) + 0.02 * np.sin(2 * np.pi * 100 * AT)


def telephone(samples: np.ndarray) -> np.ndarray:
    """As G.711 has it: nothing above 4 kHz."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ) > 3900] = 0
    return np.fft.irfft(spectrum, len(samples))


def judged(samples: np.ndarray) -> tuple[str, ...]:
    judge = SetupJudge()
    at = datetime(2026, 1, 2, tzinfo=UTC)
    for n in range(len(samples) // FRAME_SAMPLES):
        part = samples[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES].astype(np.float32)
        judge.push(Frame("porch", at + timedelta(seconds=0.03 * n), Audio(part, SAMPLE_RATE_HZ)))
    return judge.verdict()


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        (ROOM + CLAPS, ("good",)),
        (np.zeros(LENGTH), ("silent",)),
        (ROOM, ("still",)),
        ((ROOM + CLAPS) * 0.01, ("quiet",)),
        (np.clip(20 * (ROOM + CLAPS), -1, 1), ("clipping",)),
        (ROOM + CLAPS + HUM, ("hum",)),
        (telephone(ROOM + CLAPS), ("telephone",)),
    ],
    ids=["good", "silent", "still", "quiet", "clipping", "hum", "telephone"],
)
def test_ten_seconds_are_judged(samples: np.ndarray, verdict: tuple[str, ...]):
    """Each fault by itself, and a good room."""
    assert judged(samples) == verdict


def choices(**more: Any) -> Choices:
    sources = [
        {"kind": "microphone", "device": "hw:CARD=Device,DEV=0", "room": "Küche"},
        {"kind": "camera", "device": "CAMERA_1", "room": "Küche"},
    ]
    people = [{"id": "PERSON_1", "name": "Anna's phone"}, {"id": "PERSON_2", "name": "Anna's phone"}]
    return Choices.model_validate({"sources": sources, "people": people, **more})


SECRETS = {
    "CAMERA_1": "rtsp://anna:pass-canary@10.0.0.7/1",
    "PERSON_1": "ntfys://ntfy.sh/topic-canary",
    "PERSON_2": "tgram://1:token-canary/2/",
    "BROKER": "broker-canary",
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("privacy", ["nothing", "no_speech", "everything"])
def test_what_is_written_is_a_good_configuration(language: str, privacy: str):
    """With every choice; no secret stands in it, and two rooms of one name have two."""
    broker = {"host": "10.0.0.2", "username": "ear"}
    every = ["smoke", "co", "break_in", "baby", "dog", "water", "help", "door", "washing"]
    bare = default_config([{"type": "demo", "name": "demo"}])
    found = written(choices(sounds=every, privacy=privacy, broker=broker), SECRETS, bare, language)
    config = found.check()
    assert "canary" not in found.text
    assert [source.name for source in config.sources] == ["kueche", "kueche_2"]
    assert len(config.rules) == 15
    assert config.evidence.clips == (privacy != "nothing")
    assert set(found.secrets.values()) == set(SECRETS.values())
    assert all(line == line.rstrip() for line in found.text.splitlines())


def test_a_fire_matters_whatever_is_chosen():
    """And nothing else where nothing else is."""
    bare = default_config([{"type": "demo", "name": "demo"}])
    config = written(choices(sounds=[]), SECRETS, bare, "en").check()
    assert {label for rule in config.rules for label in rule.hear} == {
        "smoke_alarm", "fire_alarm", "co_alarm", "unknown_alarm",
    }  # fmt: skip


def test_where_the_usual_folder_cannot_be_written_it_is_beside_the_state(tmp_path, monkeypatch):
    """It is written all the same, and what installs it is shown: nobody has chosen for nothing."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config").touch()
    bare = default_config([{"type": "demo", "name": "demo"}]).model_copy(update={"state_dir": tmp_path / "s"})
    where = place(bare, {})

    put(written(choices(), SECRETS, bare, "en"), where)

    assert where.file == tmp_path / "s/setup/earwitness.yaml"
    assert where.file.exists()
    assert where.target == OWN.expanduser()
    assert where.commands[0].endswith(f"{tmp_path}/.config/earwitness/earwitness.yaml")


def test_a_persons_file_is_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without one, and without systemd, the page writes the usual file; else it writes beside the state, and
    says what installs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    bare = default_config([{"type": "demo", "name": "demo"}]).model_copy(update={"state_dir": tmp_path / "s"})
    assert place(bare, {}).target is None
    assert place(bare, {}).file == OWN.expanduser()
    assert place(bare, {}).shown == "~/.config/earwitness/earwitness.yaml"
    put(written(choices(), SECRETS, bare, "en"), place(bare, {}))
    assert (place(bare, {}).file, place(bare, {}).target) == (
        tmp_path / "s/setup/earwitness.yaml", OWN.expanduser(),
    )  # fmt: skip
    service = place(bare.of_file(Path("/etc/earwitness/earwitness.yaml")), {"STATE_DIRECTORY": "/var/lib/ew"})
    put(written(choices(), SECRETS, bare, "en"), service)
    assert service.commands == [
        f"sudo install -D -m 644 {tmp_path}/s/setup/earwitness.yaml /etc/earwitness/earwitness.yaml",
        f'sudo sh -c "install -D -m 600 -t /etc/earwitness/credentials {tmp_path}/s/setup/credentials/*"',
        "sudo systemctl restart earwitness",
    ]
    monkeypatch.setenv("HOME", "/root")
    assert service.shown == f"{tmp_path}/s/setup/earwitness.yaml"
    assert place(bare.of_file(BUILT_IN), {}).target == OWN.expanduser()


def test_choices_last_and_their_secrets_stay(tmp_path: Path):
    """Under names of ours; a file that nobody understands is none."""
    drawer = Drawer(tmp_path)
    assert drawer.keep("CAMERA", "rtsp://a:b@c/d") == "CAMERA_1"
    assert drawer.keep("CAMERA", "rtsp://a:b@c/d") == "CAMERA_1"
    assert drawer.keep("CAMERA", "rtsp://e/f") == "CAMERA_2"
    drawer.write(Choices(step=3), drawer.read()[1])
    assert drawer.read() == (Choices(step=3), {"CAMERA_1": "rtsp://a:b@c/d", "CAMERA_2": "rtsp://e/f"})
    assert (tmp_path / "setup.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "setup.json").write_text("{")
    assert drawer.read() == (Choices(), {})
    assert shown("rtsp://a:b@[::1]:554/d?user=e&password=f") == "rtsp://[::1]:554/d"


def test_a_camera_with_another_password_is_the_same_camera(tmp_path):
    """Whoever mistyped it adds the camera again. Another stream is another, and so is another person."""
    drawer = Drawer(tmp_path)
    mistyped = drawer.keep("CAMERA", "rtsp://anna:wrogn@10.0.0.7/live?channel=1")
    assert drawer.keep("CAMERA", "rtsp://anna:wr:ong@10.0.0.7/live?channel=1") == mistyped
    assert drawer.keep("CAMERA", "rtsp://10.0.0.7/live?channel=2") != mistyped
    assert drawer.keep("PERSON", "pover://a@token") != drawer.keep("PERSON", "pover://b@token")
    assert drawer.read()[1][mistyped] == "rtsp://anna:wr:ong@10.0.0.7/live?channel=1"


@pytest.mark.parametrize(
    "address",
    ["syslog://", "dbus://", "json://10.0.0.1", "file:///etc/passwd", "mailto://a:b@c.de?pgpkey=mine.asc",
     "slack://a/b/c?template=/etc/passwd", "ntfy://x y", "exec://ls", "tgram://"],
)  # fmt: skip
def test_the_page_names_no_file_command_or_arbitrary_request(address: str):
    """These belong into the configuration, where only its owner writes."""
    with pytest.raises(ValueError, match="address"):
        address_of(NewPerson(service="apprise", address=address), "en")


def test_a_topic_of_ntfy_is_one_that_nobody_guesses():
    """Unless somebody has one."""
    made = {address_of(NewPerson(service="ntfy"), "en") for _ in range(5)}
    assert len(made) == 5
    assert address_of(NewPerson(service="ntfy", topic="mine"), "en") == "ntfys://ntfy.sh/mine"


@pytest.mark.parametrize(
    ("address", "seen"),
    [("rtsp://anna:secret@10.0.0.7:554/1?key=secret", "rtsp://10.0.0.7:554/1"),
     ("rtsp://[fe80::1]:554/1", "rtsp://[fe80::1]:554/1"),
     ("tgram://123:secret/4", "tgram://"), ("json://secret@[10.0.0.7/x", "json://"),
     ("ntfy://10.0.0.7:99999/a", "ntfy://")],
)  # fmt: skip
def test_an_address_is_shown_without_what_lets_somebody_in(address, seen):
    """Also one that is none of the web: services write keys where others have a port."""
    assert shown(address) == seen


def test_somebody_can_be_notified_over_telegram(home):
    """A bot's token has a colon where other addresses have a port; it is kept, and not shown again."""
    person = {"service": "telegram", "token": "123456789:AAsecretAA", "chat": "42"}
    kept = home.visit.ask("POST", "/api/setup/people", person)
    assert (kept.status, kept.json()["shown"]) == (200, "tgram://")
    found = home.visit.get("/api/setup")
    assert found.status == 200
    assert "tgram://" in [one["shown"] for one in found.json()["people"]]
    assert b"secret" not in kept.body + found.body


def test_only_admins_set_up_and_only_cameras_are_opened(home, tmp_path):
    """rtsp and http alone; a camera that sends is judged; what is kept is shown without its password."""
    visit = home.visit
    for address in ("file:///etc/passwd", "udp://127.0.0.1:9", "concat:/etc/passwd", "rtsp:///x"):
        assert visit.ask("POST", "/api/setup/cameras", {"address": address}).status == 422
    assert visit.ask("POST", "/api/setup/listen", {"kind": "camera", "device": "CAMERA_99"}).status == 404
    token = visit.ask("POST", "/api/tokens", {"name": "reader", "scope": "read"}).json()["key"]
    reader = {"Authorization": f"Bearer {token}"}
    for path in ("/api/setup", "/api/setup/devices", "/api/setup/configuration"):
        assert visit.ask("GET", path, headers=reader).status == 403
    assert visit.ask("POST", "/api/setup/cameras", {"address": "rtsp://x/"}, headers=reader).status == 403
    tried = {"kind": "camera", "device": "CAMERA_1"}
    assert visit.ask("POST", "/api/setup/listen", tried, headers=reader).status == 403
    assert visit.ask("DELETE", "/api/setup/cameras/CAMERA_1", headers=reader).status == 403
    server = RtspServer(_tone(tmp_path / "tone.wav"))
    server.start()
    try:
        address = server.url("pcma", "anna:pass-canary@")
        camera = visit.ask("POST", "/api/setup/cameras", {"address": address}).json()
        lines = visit.ask("POST", "/api/setup/listen", {"kind": "camera", "device": camera["id"]}).body
        heard = [json.loads(line) for line in lines.splitlines()]
    finally:
        server.kill()
    assert "canary" not in visit.get("/api/setup").body.decode()
    assert len([one for one in heard if "level_dbfs" in one]) > 10
    assert set(heard[-1]) == {"judged", "floor_dbfs", "loudest_dbfs"}
    assert visit.ask("DELETE", f"/api/setup/cameras/{camera['id']}").status == 204
    gone = visit.ask("POST", "/api/setup/listen", {"kind": "camera", "device": camera["id"]})
    assert gone.status == visit.ask("DELETE", "/api/setup/cameras/BROKER").status == 404


def _tone(path: Path) -> Path:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(((ROOM + CLAPS) * 32767).astype("<i2").tobytes())
    return path


def test_a_configuration_knows_its_file(tmp_path: Path):
    """The defaults have none; a copy keeps it."""
    bare = default_config([{"type": "demo", "name": "demo"}])
    assert bare.file is None
    named = bare.of_file(tmp_path / "a.yaml").model_copy(update={"node": "other"})
    assert named.file == tmp_path / "a.yaml"
    assert isinstance(named, Config)
