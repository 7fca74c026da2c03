import pytest
import torch

from scripts.train_tagger.augment import mixed_up, time_shifted
from scripts.train_tagger.replay import ReplayBatch

SAMPLES = 1_600


def tones() -> ReplayBatch:
    """Eight examples: the n-th is a tone of n+1 cycles, has label n and is the n-th emotion; label 8 is
    unknown everywhere."""
    phase = torch.arange(1, 9)[:, None] * torch.arange(SAMPLES)[None] * (2 * torch.pi / SAMPLES)
    known = torch.ones(8, 9)
    known[:, 8] = 0
    return ReplayBatch(
        wave=(torch.sin(phase) * torch.logspace(1, 4, 8)[:, None]).short(),
        labels=torch.eye(8, 9),
        known=known,
        exact=torch.arange(8) < 4,
        emotion=torch.arange(8),
        teacher_logits=(10 * torch.eye(8) - 5).half(),
        teacher_embedding=torch.eye(8).half(),
    )


def heard(wave: torch.Tensor) -> torch.Tensor:
    """Level of each of the eight tones in every row, relative to the row's loudest."""
    levels = torch.fft.rfft(wave.float()).abs()[:, 1:9]
    relative: torch.Tensor = levels / levels.amax(1, keepdim=True)
    return relative


def test_without_a_share_nothing_changes() -> None:
    """Every field as it was."""
    before = tones()

    for old, new in zip(before.tensors(), mixed_up(before, 0.0, torch.Generator()).tensors(), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("seed", range(5))
def test_all_that_is_in_the_mixture_is_told(seed: int) -> None:
    """Labels and the teacher's classes of both; neither so faint that nobody would hear it."""
    mixed = mixed_up(tones(), 1.0, torch.Generator().manual_seed(seed))

    audible = heard(mixed.wave) > 0.2
    assert torch.equal(audible, mixed.labels[:, :8] > 0)
    assert torch.equal(audible, mixed.teacher_logits > 0)


@pytest.mark.parametrize("seed", range(5))
def test_an_emotion_is_kept_where_its_voice_stands_out(seed: int) -> None:
    """That of the sound 6 dB above the other, none where they are closer."""
    mixed = mixed_up(tones(), 1.0, torch.Generator().manual_seed(seed))

    for emotion, levels in zip(mixed.emotion.tolist(), heard(mixed.wave), strict=True):
        assert emotion == (int(levels.argmax()) if levels.sort().values[-2] <= 0.5 else -1)


def test_what_nobody_knows_of_one_is_not_known_of_both() -> None:
    """And a mixture is exact only when both are."""
    mixed = mixed_up(tones(), 1.0, torch.Generator().manual_seed(0))

    assert not mixed.known[:, 8].any()
    assert mixed.known[:, :8].all()
    assert torch.equal(mixed.exact, ~mixed.labels[:, 4:8].any(1))


def test_a_shift_turns_frames_round() -> None:
    """Each row by its own, by no more than it may; nothing is lost."""
    features = torch.arange(100.0).expand(6, 1, 3, 100)

    shifted = time_shifted(features, torch.Generator().manual_seed(0), furthest=0.1)

    by = shifted[:, 0, 0, 50] - 50
    assert by.abs().max() <= 10
    assert len(by.unique()) > 1
    assert torch.equal(shifted.sort(3).values, features)
    assert ((shifted.diff(dim=3) == 1) | (shifted.diff(dim=3) == -99)).all()
