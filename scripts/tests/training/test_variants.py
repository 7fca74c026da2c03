from pathlib import Path

import pytest

from scripts.train_tagger.variants import judge_variants
from testkit.builders import noise, tone
from testkit.labelled_clips import manifest, recording
from testkit.tagger_models import embedded_model


def model(folder: Path, variant: str, free: dict[str, int]) -> Path:
    """A tagger that knows how loud a sound is, and how many free recordings taught each label."""
    folder.mkdir()
    return embedded_model(
        folder,
        training={
            "variant": variant,
            "steps": 100,
            "clips": 7,
            "recipe": {"hinted_steps": 40},
            "clips_by_label": {label: {"all": 5, "free": count} for label, count in free.items()},
        },
    )


def test_labels_without_free_recordings_are_left_out_of_the_comparison(tmp_path: Path) -> None:
    """They would speak for the other variant alone. A loud bark comes first, soft speech last."""
    clips = manifest(
        tmp_path,
        (recording(tmp_path / "loud.wav", tone(500, 2.0, -12.0)), "Bark", ""),
        (recording(tmp_path / "soft.wav", tone(500, 2.0, -40.0)), "Speech", ""),
        (recording(tmp_path / "fan.wav", noise(2.0, -20.0)), "", ""),
    )
    models = [
        model(tmp_path / "free", "free", {"dog_bark": 3, "speech": 0, "knock": 2}),
        model(tmp_path / "all", "all", {"dog_bark": 0, "speech": 0, "knock": 0}),
    ]

    free, everything = judge_variants(clips, models)

    for found in (free, everything):
        assert found["mean_average_precision"] == pytest.approx((1 + 1 / 3) / 2)
        assert found["of_free_labels"] == pytest.approx(1.0)
        assert found["free_labels"] == 1
    assert (free["variant"], everything["variant"]) == ("free", "all")
    assert (free["steps"], free["hinted_steps"], free["clips"]) == (100, 40, 7)
