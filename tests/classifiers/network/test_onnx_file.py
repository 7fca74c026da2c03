"""What is not a model of ours is said to be none, and nothing worse happens."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.classifiers.network.lowering import lowered
from monitor.classifiers.network.network import SoundNetwork
from monitor.classifiers.network.onnx_file import NotOurs, read_graph
from monitor.classifiers.taggers.embedded import EmbeddedConfig, shipped_model
from testkit.tagger_models import embedded_model


def test_the_shipped_model_is_read_whole() -> None:
    """Its entrance, its four outputs, and every name that a node takes is made by another."""
    graph = read_graph(shipped_model().read_bytes())
    made = {*graph.inputs, *graph.weights}

    for node in graph.nodes:
        assert made.issuperset(node.inputs)
        made.add(node.output)

    assert graph.inputs == ("wave",)
    assert set(graph.outputs) == {"scores", "frames", "emotion", "embedding"}
    assert made.issuperset(graph.outputs)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x3a\x05\x0a", b"\x08", bytes(range(256))])
def test_a_file_of_something_else_is_refused(content: bytes) -> None:
    """Empty, text, cut off, any bytes."""
    with pytest.raises(NotOurs):
        SoundNetwork(content)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 60_000), byte=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(at: int, byte: int) -> None:
    """No other error, whichever of the bytes before the weights is wrong."""
    content = bytearray(shipped_model().read_bytes())
    content[at] = byte

    try:
        lowered(read_graph(bytes(content)), halves=True, panel=16)
    except NotOurs:
        return


def test_a_model_of_another_make_is_left_to_onnxruntime(tmp_path: Path) -> None:
    """It loads and is asked as before."""
    file = embedded_model(tmp_path)
    with pytest.raises(NotOurs):
        SoundNetwork(file.read_bytes())

    classifier = EmbeddedConfig(type="embedded", model=file).build()
    classifier.load()
    assert classifier.classify([]) == []
