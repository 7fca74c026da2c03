import io
import json
from pathlib import Path

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.errors import ConfigError, SourceUnavailable
from monitor.recordings.evaluation.evaluate import evaluate
from monitor.recordings.evaluation.scoring import active_rms, classify_file, noisy
from testkit.builders import noise, tone
from testkit.labelled_clips import manifest, recording
from testkit.tagger_models import embedded_model


@pytest.fixture
def classifier(tmp_path: Path) -> EmbeddedClassifier:
    """Loaded; hears loudness: dog_bark is ten times the mean square, speech half of that."""
    made = EmbeddedConfig(type="embedded", model=embedded_model(tmp_path, onsets={"dog_bark": 0.4})).build()
    made.load()
    return made


def test_scores_of_a_file_are_the_highest_of_its_windows(classifier: EmbeddedClassifier) -> None:
    """A short bark in a quiet minute counts in full, and its window is named."""
    samples = np.concatenate([noise(40.0), tone(500, 1.0, -12.0), noise(19.0)])

    said = classify_file(Audio(samples, SAMPLE_RATE_HZ), classifier)

    assert said.scores["dog_bark"] == pytest.approx(0.63, abs=0.03)
    best = max(said.frames, key=lambda frame: frame[1]["dog_bark"])
    assert 37.8 <= best[0] <= 41.0
    assert len(said.frames) == 37
    assert said.duration_s == 60.0


def test_a_report_counts_what_was_right_and_wrong(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """Two barks, one too soft to be heard; one loud background that is taken for a bark."""
    file = manifest(
        tmp_path,
        (recording(tmp_path / "loud.wav", tone(500, 2.0, -12.0)), "Bark", ""),
        (recording(tmp_path / "soft.wav", tone(500, 2.0, -30.0)), "dog_bark", ""),
        (recording(tmp_path / "fan.wav", noise(36.0, -13.0)), "", ""),
        (recording(tmp_path / "room.wav", noise(36.0, -60.0)), "", ""),
    )

    report = evaluate(file, classifier)

    (bark,) = report.conditions[0].labels
    assert (bark.label, bark.clips, bark.onset) == ("dog_bark", 2, 0.4)
    assert (bark.recall.successes, bark.recall.trials) == (1, 2)
    assert (bark.precision.successes, bark.precision.trials) == (1, 2)
    assert bark.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert report.false_events["dog_bark"].events == 1
    assert report.false_events["dog_bark"].hours == pytest.approx(0.02)
    assert report.false_events["knock"].events == 0


def test_noise_is_added_at_the_asked_ratio() -> None:
    """Measured while the sound sounds, so that pauses do not count."""
    sound = np.concatenate([tone(500, 1.0, -20.0), np.zeros(3 * SAMPLE_RATE_HZ, np.float32)])
    hum = tone(100, 4.0, -50.0)

    mixed = noisy(Audio(sound, SAMPLE_RATE_HZ), hum, 10.0)

    added = mixed.samples - sound
    assert 20 * np.log10(active_rms(sound) / np.sqrt(np.mean(added**2))) == pytest.approx(10.0, abs=0.1)


def test_noise_makes_a_condition_of_its_own(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """Clean first, then each ratio, over the manifest's own backgrounds; twice the same."""
    file = manifest(
        tmp_path,
        (recording(tmp_path / "bark.wav", tone(500, 2.0, -25.0)), "dog_bark", ""),
        (recording(tmp_path / "fan.wav", noise(5.0, -40.0)), "", ""),
    )

    first, second = (evaluate(file, classifier, snrs_db=[10.0, 0.0]) for _ in range(2))

    assert [c.snr_db for c in first.conditions] == [None, 10.0, 0.0]
    assert first.to_json() == second.to_json()


def test_emotions_are_counted_where_the_manifest_has_them(
    tmp_path: Path, classifier: EmbeddedClassifier
) -> None:
    """This model takes every voice for angry; one that it cannot hear counts as wrong."""
    file = manifest(
        tmp_path,
        (recording(tmp_path / "a.wav", tone(300, 2.0, -10.0)), "Speech", "angry"),
        (recording(tmp_path / "b.wav", tone(300, 2.0, -10.0)), "Speech", "neutral"),
        (recording(tmp_path / "c.wav", tone(300, 2.0, -60.0)), "Speech", "angry"),
    )

    report = evaluate(file, classifier)

    assert {e: (r.successes, r.trials) for e, r in report.emotion.items()} == {
        "neutral": (0, 1),
        "angry": (1, 2),
    }
    assert report.emotion_accuracy == pytest.approx(0.25)


def test_the_report_is_json_table_and_picture(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """What one shows is in the others: figures, derived ones too, NaN as null."""
    from rich.console import Console

    file = manifest(
        tmp_path,
        (recording(tmp_path / "bark.wav", tone(500, 2.0, -12.0)), "dog_bark", ""),
        (recording(tmp_path / "knock.wav", tone(500, 2.0, -50.0)), "knock", ""),
    )
    report = evaluate(file, classifier, snrs_db=[10.0])

    document = json.loads(report.to_json())
    console = Console(width=120, file=io.StringIO())
    console.print(report.table())
    report.draw(tmp_path / "report.png")

    assert document["conditions"][0]["mean_average_precision"] == pytest.approx(
        report.conditions[0].mean_average_precision, abs=1e-5
    )
    assert document["conditions"][0]["labels"][0]["precision"]["value"] is None
    assert document["conditions"][0]["confusion"]["dog_bark"] == {"dog_bark": 1}
    assert "dog_bark" in console.file.getvalue()  # type: ignore[attr-defined]
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")


def test_every_wrong_row_of_a_manifest_is_named(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """With its line and what may have been meant; AudioSet names without a label of ours are passed over."""
    file = manifest(tmp_path, ("a.wav", "dogbark", ""), ("b.wav", "Zither;knock", ""), ("", "knock", ""))

    with pytest.raises(ConfigError) as caught:
        evaluate(file, classifier)

    assert [p.split("clips.csv:")[1] for p in caught.value.problems] == [
        "2: unknown label 'dogbark'; did you mean 'dog_bark'?",
        "4: the path is empty",
    ]


@pytest.mark.parametrize("content", ["", "file,label\na.wav,knock\n"])
def test_a_file_that_is_no_manifest_is_refused(
    tmp_path: Path, classifier: EmbeddedClassifier, content: str
) -> None:
    """Saying what it needs."""
    file = tmp_path / "clips.csv"
    file.write_text(content)

    with pytest.raises(ConfigError, match="columns path and labels"):
        evaluate(file, classifier)


def test_a_missing_recording_is_named(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """A wrong path is a mistake in the list, said before an hour of work."""
    with pytest.raises(SourceUnavailable, match=r"gone\.wav: there is no such file"):
        evaluate(manifest(tmp_path, ("gone.wav", "knock", "")), classifier)


def test_a_damaged_recording_ends_no_evaluation(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """What is there of it is heard; one that cannot be read at all is left out; both are named."""
    cut = tmp_path / "cut.wav"
    recording(cut, tone(500, 4.0, -12.0))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (tmp_path / "text.wav").write_text("no sound at all")
    whole = recording(tmp_path / "whole.wav", tone(500, 2.0, -12.0))
    rows = [(name, "dog_bark", "") for name in (str(cut), "text.wav", whole)]

    report = evaluate(manifest(tmp_path, *rows), classifier)

    assert (report.clips, report.unread) == (2, 1)
    assert [doubt.split(": ")[1][:9] for doubt in report.doubts] == ["cut short", "cannot be"]


def test_an_onset_is_proposed_from_enough_recordings(tmp_path: Path, classifier: EmbeddedClassifier) -> None:
    """Five barks and five rooms: the onset between them, with the YAML to paste."""
    rows = [
        (recording(tmp_path / f"{n}.wav", tone(500, 2.0, level)), label, "")
        for n, (label, level) in enumerate([("dog_bark", -12.0)] * 5 + [("", -60.0)] * 5)
    ]

    report = evaluate(manifest(tmp_path, *rows), classifier)

    (bark,) = report.conditions[0].labels
    assert bark.proposal is not None
    assert 0.1 < bark.proposal.onset < 0.6
    assert report.proposals.startswith("labels:\n  dog_bark: {onset: 0.3")
