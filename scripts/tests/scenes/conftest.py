from pathlib import Path

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from scripts.scenes.recordings import Pool, read_manifest, write_wav

HEAD = "path,source,group,labels,duration_s,split\n"
ROWS = [
    ("bark1.wav", "kennel", "a", "Bark;Dog", 1.0),
    ("bark2.wav", "kennel", "b", "Bark", 1.0),
    ("bell.wav", "door", "c", "Doorbell", 1.0),
    ("rain.wav", "roof", "d", "Rain", 6.0),
    ("talk.wav", "parlour", "e", "Male speech, man speaking;Speech", 6.0),
    ("talk and bark.wav", "parlour", "f", "Speech;Bark", 6.0),
]


def noise(seconds: float, seed: int) -> np.ndarray:
    """Half a second of silence around noise."""
    rng = np.random.default_rng(seed)
    quiet = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)
    loud = np.asarray(0.2 * rng.normal(size=int(seconds * SAMPLE_RATE_HZ)), np.float32)
    return np.concatenate([quiet, np.clip(loud, -1, 1), quiet])


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest with six recordings of four sources."""
    folder = tmp_path_factory.mktemp("recordings")
    for number, (path, *_, seconds) in enumerate(ROWS):
        write_wav(folder / path, noise(seconds, number))
    lines = [f'{path},{source},{group},"{labels}",{s},valid\n' for path, source, group, labels, s in ROWS]
    (folder / "manifest.csv").write_text(HEAD + "".join(lines))
    return folder / "manifest.csv"


@pytest.fixture
def pool(manifest: Path) -> Pool:
    """All of its recordings."""
    return Pool(manifest.parent, read_manifest(manifest))
