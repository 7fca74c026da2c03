"""The model in eight bits (static quantisation, QDQ): what that would cost and bring."""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from monitor.classifiers.embedded import EmbeddedClassifier
from monitor.evaluation.evaluate import condition, score_clips
from monitor.evaluation.manifest import Clip, read_clips
from scripts.train_tagger.mixing import Mixer
from scripts.train_tagger.onnx_graph import Calibration, student_graph
from scripts.train_tagger.recordings import Recording, SampleCache
from scripts.train_tagger.release import WINDOW_S, load_averaged, opened, write_manifest, write_model
from scripts.train_tagger.timing import second_of_noise
from scripts.train_tagger.training import Places

BATCH, BATCHES = 8, 24
"""Mixtures of training recordings from which the ranges of activations are taken."""
Waves = npt.NDArray[np.float32]


def quantised(graph: onnx.ModelProto, waves: Iterator[Waves], *, seven_bits: bool) -> bytes:
    """The graph with 8-bit convolutions; front end, gates and heads stay as they are, for they are small and
    a few of their values matter over many decades. `graph` must have float32 weights.

    x86 processors without VNNI add pairs of 8-bit products in 16 bits, which overflow; `seven_bits` keeps
    weights so small that they cannot.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder:
        full, small = Path(folder) / "full.onnx", Path(folder) / "int8.onnx"
        full.write_bytes(graph.SerializeToString())
        quantize_static(
            str(full), str(small), _reader(waves), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"],
            nodes_to_exclude=_gates(graph), reduce_range=seven_bits,
        )  # fmt: skip
        return small.read_bytes()


def _gates(graph: onnx.ModelProto) -> list[str]:
    """Squeeze-excitation works on one value a channel: nothing to be saved there."""
    inside: set[str] = set()
    for node in graph.graph.node:
        if node.op_type == "GlobalAveragePool" or (node.op_type != "Mul" and inside & set(node.input)):
            inside |= set(node.output)
    return sorted(inside)


def _reader(waves: Iterator[Waves]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Waves] | None:
            wave = next(waves, None)
            return None if wave is None else {"wave": wave}

    return Reader()


def mixtures(recordings: Sequence[Recording], cache: Path, seed: int = 0) -> Iterator[Waves]:
    """Batches of training mixtures as long as the model's window."""
    rng = np.random.default_rng([2, seed])
    rooms = np.load(cache / "rooms.npy", mmap_mode="r")
    mixer = Mixer(recordings, SampleCache(cache), rooms, WINDOW_S)
    for _ in range(BATCHES):
        waves = np.stack([mixer.draw(rng).student_wave for _ in range(BATCH)])
        yield waves.astype(np.float32) / np.float32(32768)


def trial(places: Places, recordings: Sequence[Recording], shipped: Path) -> list[dict[str, Any]]:
    """Size, mAP on the held-out clips and time of the checkpoint in 32, 8 and 7 bits.

    The three are timed by turns, so that what else the machine does strikes all alike.
    """
    used, held_out = ([r for r in recordings if r.split == split] for split in ("train", "valid"))
    manifest = places.run / "valid.csv"
    write_manifest(held_out, places.data / "train", manifest)
    about = json.loads(shipped.with_suffix(".json").read_text())
    made = _made(places, used, about["calibration"])
    models = [(name, places.run / f"{name}.onnx") for name in made]
    for name, file in models:
        write_model(file, made[name], about)
    times_ms = _times_ms([opened(file) for _, file in models])
    return [
        {
            "weights": name,
            "bytes": file.stat().st_size,
            "mean_average_precision": _precision(read_clips(manifest), file),
            "batch_ms": round(time_ms, 2),
        }
        for (name, file), time_ms in zip(models, times_ms, strict=True)
    ]


def _precision(clips: Sequence[Clip], model: Path) -> float:
    return round(condition(score_clips(clips, opened(model)), None, {}).mean_average_precision, 4)


def _made(places: Places, used: Sequence[Recording], scaling: dict[str, list[float]]) -> dict[str, bytes]:
    student = load_averaged(places.run)
    calibration = Calibration(*(np.array(scaling[name], np.float32) for name in ("scale", "shift")))
    wide = student_graph(student, calibration, compact=False)
    eight, seven = (
        quantised(wide, mixtures(used, places.cache), seven_bits=small) for small in (False, True)
    )
    compact = student_graph(student, calibration).SerializeToString()
    return {"float": compact, "int8": eight, "int7": seven}


def _times_ms(classifiers: Sequence[EmbeddedClassifier], rounds: int = 30) -> list[float]:
    """The least processor time a one-second window takes each of them in a batch of 32."""
    segments = [second_of_noise(seed) for seed in range(32)]
    times: list[list[float]] = [[] for _ in classifiers]
    for _ in range(rounds):
        for classifier, taken in zip(classifiers, times, strict=True):
            began = time.process_time()
            classifier.classify(segments)
            taken.append(time.process_time() - began)
    return [1000 * min(taken) / len(segments) for taken in times]
