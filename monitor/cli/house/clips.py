"""The kept clip of an event."""

from pathlib import Path

from monitor.evidence.clips import ClipFolder, Retention

CLIPS = (".flac", ".opus")


def clip_of(state_folder: Path, event_id: str) -> Path | None:
    """The clip of an event; None where none was kept."""
    folder = ClipFolder(state_folder / "evidence", Retention(0, 0, 0))
    kept = [*folder.files(), *folder.files(locked=True)]
    return next((one.path for one in kept if one.event_id == event_id and one.path.suffix in CLIPS), None)
