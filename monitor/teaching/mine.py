"""How well this house is heard, by what people said; and whether another model would hear it better."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.history.verdicts import Judged, Verdicts, VerdictWord
from monitor.labels import label_name
from monitor.teaching.versions import Version, version_at


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """One label, as one classifier has heard it."""

    label: str
    classifier: str
    right: int
    wrong: int
    missed: int
    """Of the label, whoever should have heard it."""
    version: str = ""
    """Of the model, when it was heard; empty where that is not known."""

    @property
    def precision(self) -> float | None:
        """Share of its judged events that were right; None where none was judged."""
        judged = self.right + self.wrong
        return self.right / judged if judged else None

    @property
    def recall(self) -> float | None:
        """Share of what was there that was reported; None where nobody has missed anything: that nobody said
        so does not mean that nothing was missed."""
        return self.right / (self.right + self.missed) if self.missed else None


@dataclass(frozen=True, slots=True)
class Another:
    """What another model makes of the judged sounds of which a clip is kept."""

    label: str
    right_kept: int
    right_lost: int
    wrong_gone: int
    wrong_kept: int


def records(verdicts: Verdicts, versions: Sequence[Version] = ()) -> list[TrackRecord]:
    """By label and the classifier and version that found it, those with the most verdicts first. Raises
    StoreError."""
    words: Counter[tuple[str, str, str, VerdictWord]] = Counter(
        (one.heard, one.classifier, version_at(versions, one.classifier, one.started_at), word)
        for one, word in verdicts.all()
    )
    missed = Counter(one.label for one in verdicts.missed())
    known = list(dict.fromkeys(key[:3] for key in words))
    known += [(label, "", "") for label in missed if label not in {label for label, _, _ in known}]
    found = [
        TrackRecord(*key[:2], words[*key, "right"], words[*key, "wrong"], missed[key[0]], key[2])
        for key in known
    ]
    return sorted(found, key=lambda one: (-(one.right + one.wrong), one.label))


def rejudged(
    judged: Iterable[tuple[Judged, VerdictWord, Mapping[str, float]]], onsets: Mapping[str, float]
) -> list[Another]:
    """By label: each judged event with another model's scores for its clip, held to that model's onsets. A
    label that it does not know is left out."""
    counts: dict[str, Counter[tuple[VerdictWord, bool]]] = {}
    for event, word, scores in judged:
        if event.heard in scores and event.heard in onsets:
            reported = scores[event.heard] >= onsets[event.heard]
            counts.setdefault(event.heard, Counter())[word, reported] += 1
    return [
        Another(label, own["right", True], own["right", False], own["wrong", False], own["wrong", True])
        for label, own in sorted(counts.items())
    ]


def record_lines(found: Sequence[TrackRecord]) -> Iterator[str]:
    """As a table in plain text."""
    yield f"{'sound':22} {'by':24} {'right':>6} {'wrong':>6} {'missed':>7} {'precision':>10} {'recall':>7}"
    for one in found:
        yield (
            f"{label_name(one.label):22} {_by(one):24} {one.right:6d} {one.wrong:6d} {one.missed:7d} "
            f"{_share(one.precision):>10} {_share(one.recall):>7}"
        )


def _by(one: TrackRecord) -> str:
    return f"{one.classifier} {one.version}".strip()


def another_line(found: Sequence[Another]) -> str:
    """`your 212 judged sounds: 4 better, 1 worse`, and which."""
    better = sum(one.wrong_gone for one in found)
    worse = sum(one.right_lost for one in found)
    count = sum(one.right_kept + one.right_lost + one.wrong_gone + one.wrong_kept for one in found)
    which = [
        f"{label_name(one.label)} {one.wrong_gone} better, {one.right_lost} worse"
        for one in found
        if one.wrong_gone or one.right_lost
    ]
    return f"your {count} judged sounds with a clip: {better} better, {worse} worse" + (
        f" ({'; '.join(which)})" if which else ""
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
