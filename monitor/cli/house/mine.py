"""`earwitness eval --mine`: how well this house is heard, by what people said."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.console import config_in_force, err, out, warn, where_kept
from monitor.errors import SourceError

if TYPE_CHECKING:
    from monitor.classifiers.base import Classifier
    from monitor.history.verdicts import Judged, Word


def show_mine(config: Path | None, other: "Classifier | None") -> None:
    """Precision and recall of this house; with another classifier what it makes of the kept clips."""
    from monitor.clock import SystemClock
    from monitor.events.defaults import rows
    from monitor.history.verdicts import Verdicts
    from monitor.teaching.mine import another_line, record_lines, records, rejudged
    from monitor.teaching.versions import read_versions

    folder = where_kept(config_in_force(config, uses=()), config).state_folder()
    with Verdicts(folder, SystemClock()) as verdicts:
        found, judged = records(verdicts, read_versions(folder)), verdicts.all()
    if not found:
        out.print("Nobody has judged anything yet; begin with: earwitness review", highlight=False)
        return
    for line in record_lines(found):
        out.print(line, highlight=False, markup=False)
    if other is None:
        return
    onsets = {label: row.onset for label, row in rows().items()}
    onsets |= {label: values["onset"] for label, values in other.thresholds.items() if "onset" in values}
    again = rejudged(_with_scores(folder, judged, other), onsets)
    if again:
        out.print(f"{other.name}: {another_line(again)}", highlight=False)
    else:
        err.print("No clip of a judged sound is kept; `evidence: {clips: true}` keeps them from now on.")


def _with_scores(
    folder: Path, judged: "list[tuple[Judged, Word]]", other: "Classifier"
) -> "Iterator[tuple[Judged, Word, Mapping[str, float]]]":
    from monitor.cli.house.clips import clip_of
    from monitor.recordings.evaluation.scoring import classify_file
    from monitor.sources.recording import read_audio

    for event, word in judged:
        clip = clip_of(folder, event.event_id)
        if clip is None:
            continue
        try:
            yield event, word, classify_file(read_audio(clip), other).scores
        except SourceError as error:
            warn(str(error))
