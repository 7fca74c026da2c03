"""`earwitness eval --mine`: how well this house is heard, by what people said."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.console import config_in_force, err, out, warn, where_kept
from monitor.errors import SourceError

MOST_CLIPS = 200
"""Of the newest judged sounds a new model hears so many: ten seconds of one take it 40 ms."""

if TYPE_CHECKING:
    from monitor.classifiers.base import Classifier
    from monitor.config.model import Config
    from monitor.history.verdicts import Judged, VerdictWord


def show_mine(config: Path | None, other: "Classifier | None") -> None:
    """Precision and recall of this house; with another classifier what it makes of the kept clips."""
    from monitor.clock import SystemClock
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
    again = rejudged(_with_scores(folder, judged, other), _onsets(other))
    if again:
        out.print(f"{other.name}: {another_line(again)}", highlight=False)
    else:
        err.print("No clip of a judged sound is kept; `evidence: {clips: true}` keeps them from now on.")


def show_update(config: "Config") -> None:
    """What another version of the sound model than the one that has listened would make of what was judged
    here; nothing where it is the same, or nobody has judged anything."""
    from monitor.classifiers.taggers.embedded import EmbeddedConfig
    from monitor.teaching.versions import read_versions, versions_of

    folder = config.state_folder()
    listened = {one.classifier: one.version for one in read_versions(folder)}
    for name, version in versions_of(config).items():
        if listened.get(name, version) == version:
            continue
        block = next(b for b in config.classifiers if isinstance(b, EmbeddedConfig) and b.name == name)
        line = f"  model        {name} {version} is new, {listened[name]} has listened until now: "
        err.print(line + _of_judged(folder, block.build()), highlight=False, markup=False)


def _of_judged(folder: Path, model: "Classifier") -> str:
    """Words for what a model that is not loaded makes of the judged sounds; the newest, not all."""
    from monitor.clock import SystemClock
    from monitor.errors import ModelError, StoreError
    from monitor.history.verdicts import Verdicts
    from monitor.teaching.mine import another_line, rejudged

    try:
        with Verdicts(folder, SystemClock()) as verdicts:
            judged = verdicts.all()[-MOST_CLIPS:]
        if not judged:
            return "nobody has judged anything yet"
        model.load()
        again = rejudged(_with_scores(folder, judged, model), _onsets(model))
    except (StoreError, ModelError) as error:
        return f"it is not known how it judges your sounds ({error})"
    return another_line(again) if again else f"{len(judged)} judged sounds, but no clip of them is kept"


def _onsets(model: "Classifier") -> dict[str, float]:
    """The model's own, and the table's where it has none."""
    from monitor.events.defaults import rows

    own = {label: values["onset"] for label, values in model.thresholds.items() if "onset" in values}
    return {label: row.onset for label, row in rows().items()} | own


def _with_scores(
    folder: Path, judged: "list[tuple[Judged, VerdictWord]]", other: "Classifier"
) -> "Iterator[tuple[Judged, VerdictWord, Mapping[str, float]]]":
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
