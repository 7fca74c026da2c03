"""What a receiver remembers over a restart."""

from pathlib import Path

from structlog.testing import capture_logs

from monitor.config.model import Config
from monitor.delivery.delivery import ignore_late
from monitor.delivery.kept.memory import KeptMemory, video_of
from monitor.delivery.kept.writer import KeptWriter
from monitor.publishers.base import memory_file
from monitor.publishers.frigate import VideoLinks
from testkit.fakes import raise_it

VIDEO = "http://frigate:5000/explore?event_id=f1"


def test_it_is_known_again_after_a_restart(tmp_path: Path) -> None:
    """And what was learnt meanwhile is not lost for it."""
    links = VideoLinks()
    with KeptWriter(KeptMemory(tmp_path, "frigate", links), ignore_late, raise_it):
        links.add("e1", "f1", VIDEO)
    again = VideoLinks()
    again.add("e2", "f2", "page")
    with KeptWriter(KeptMemory(tmp_path, "frigate", again), ignore_late, raise_it):
        assert again.rows() == {"e1": ("f1", VIDEO), "e2": ("f2", "page")}
    assert (tmp_path / memory_file("frigate")).stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_costs_what_was_remembered_alone(tmp_path: Path) -> None:
    """It is logged, and written anew."""
    (tmp_path / memory_file("frigate")).write_text('["half')
    links = VideoLinks()
    with (
        capture_logs() as logs,
        KeptWriter(KeptMemory(tmp_path, "frigate", links), ignore_late, raise_it),
    ):
        links.add("e1", "f1", "page")
    assert [line["event"] for line in logs] == ["frigate begins without what it remembered"]
    again = VideoLinks()
    KeptMemory(tmp_path, "frigate", again).read()
    assert again.of("e1") == "f1"


def test_the_page_finds_the_video_of_an_event(tmp_path: Path) -> None:
    """In the file, for whatever Frigate is called in the configuration."""
    links = VideoLinks()
    links.add("e1", "f1", VIDEO)
    KeptMemory(tmp_path, "nvr", links).write()
    frigate = {
        "type": "frigate",
        "name": "nvr",
        "url": "http://frigate:5000",
        "cameras": {"porch": "porch_cam"},
    }
    config = Config.model_validate({"sources": [{"type": "demo", "name": "porch"}], "publishers": [frigate]})
    assert video_of(config, tmp_path, "e1") == VIDEO
    assert video_of(config, tmp_path, "e2") is None
