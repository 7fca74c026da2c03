"""Room responses: simulated shoebox rooms (image sources, pyroomacoustics) and measured ones."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.train_tagger.recordings import CACHE_RATE_HZ, decode

ROOMS = 120
SPOTS_PER_ROOM = 4
LONGEST_S = 0.8


def build_rooms(measured: Path, file: Path, seed: int = 0) -> None:
    """Simulate the rooms once and keep them beside the sample cache."""
    if file.exists():
        return
    rng = np.random.default_rng(seed)
    responses = [response for _ in range(ROOMS) for response in _shoebox(rng)]
    responses += [decode(path, CACHE_RATE_HZ).astype(np.float32) for path in sorted(measured.glob("*.flac"))]
    np.save(file, np.stack([_fitted(response) for response in responses]))


def _shoebox(rng: np.random.Generator) -> list[npt.NDArray[np.float32]]:
    """One room of a house with furniture's absorption, one microphone, several places of the sound."""
    import pyroomacoustics as pra

    size_m = rng.uniform([2.0, 1.8, 2.2], [9.0, 6.5, 3.2])
    rt60_s = rng.uniform(0.15, 0.9) * min(1.0, 0.35 + float(np.prod(size_m)) / 80)
    try:
        absorption, order = pra.inverse_sabine(max(rt60_s, 0.18), size_m)
    except ValueError:
        absorption, order = 0.7, 8  # so dead a room that Sabine's formula has no answer
    room = pra.ShoeBox(
        size_m,
        fs=CACHE_RATE_HZ,
        materials=pra.Material(absorption),
        max_order=min(order, 20),
        air_absorption=True,
    )
    for _ in range(SPOTS_PER_ROOM):
        room.add_source(rng.uniform(0.2, size_m - 0.2))
    room.add_microphone(rng.uniform(0.15, size_m - 0.15))
    room.compute_rir()
    return [np.asarray(response, np.float32) for response in room.rir[0]]


def _fitted(response: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Direct sound first, cut or padded to one length, unit energy."""
    start = max(0, int(np.argmax(np.abs(response))) - CACHE_RATE_HZ // 1000)
    fitted = np.zeros(int(LONGEST_S * CACHE_RATE_HZ), np.float32)
    kept = response[start : start + len(fitted)]
    fitted[: len(kept)] = kept
    return fitted / max(float(np.sqrt(np.dot(fitted, fitted))), 1e-9)
