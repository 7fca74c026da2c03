from pathlib import Path

import pytest

from monitor.audio import SAMPLE_RATE_HZ
from scripts.scenes.recordings import Pool, Unusable, read_manifest


def test_whole_sources_are_chosen(manifest: Path):
    """What a model was taught by can be left out by name."""
    assert {one.source for one in read_manifest(manifest, sources=["kennel", "roof"])} == {"kennel", "roof"}
    assert "kennel" not in {one.source for one in read_manifest(manifest, without=["kennel"])}


def test_labels_are_ours(manifest: Path):
    """AudioSet names with commas in them are one name."""
    talk = next(one for one in read_manifest(manifest) if one.path == "talk.wav")
    assert talk.labels == {"speech"}


def test_an_unknown_source_is_named(manifest: Path):
    """A misspelt source does not pass for an empty one."""
    with pytest.raises(Unusable, match="no source kenel; there are door, kennel"):
        read_manifest(manifest, sources=["kenel"])


def test_a_split_without_recordings_is_refused(manifest: Path):
    """Scenes of nothing would be heard without fault."""
    with pytest.raises(Unusable, match="no recording is left of 6"):
        read_manifest(manifest, split="train")


def test_quiet_ends_are_cut_off(pool: Pool):
    """A placed sound begins where it is said to begin."""
    assert len(pool.samples("bell.wav")) == pytest.approx(SAMPLE_RATE_HZ, rel=0.1)
