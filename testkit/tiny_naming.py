"""A tiny audio-language model that is taught to answer some questions about some sounds with a letter.

A random one names no letter, and a server that gives no log probabilities has nothing else to give. What is
taught is the head alone: it proves what goes out and comes back, never accuracy.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.audio import Audio
from monitor.classifiers.audio_llm import loading

MARGIN = 8.0
"""How far, in logits, a taught token lies above every other at its place; a server's own arithmetic moves
it by hundredths."""


@dataclass(frozen=True, slots=True)
class NamingLesson:
    """A question about a sound, and the letter that answers it."""

    sound: Audio
    question: str
    letter: str


def teach(folder: Path, into: Path, lessons: Sequence[NamingLesson]) -> Path:
    """The model in `folder` with a head that gives each lesson's letter and then ends; saved to `into`,
    whole. At most as many lessons as half the width of the model."""
    import torch

    model = loading.load(str(folder), device="cpu", dtype="float32", quantize=None, system=None, chat=True)
    end = model.tokenizer.convert_tokens_to_ids("<|im_end|>")
    with torch.inference_mode():
        asked = [_asked(model, lesson) for lesson in lessons]
        said = [model.tokens(lesson.letter) for lesson in lessons]
        rows = [*asked, *(torch.cat([a, model._embed(s)]) for a, s in zip(asked, said, strict=True))]
        places = torch.stack([_place(model, row) for row in rows])
        head = model.model.lm_head.weight
        targets = [*(letter for [letter] in said), *(end for _ in said)]
        spoken = sorted(set(targets))
        wanted = (places @ head[spoken].T).clone()
        least = float((places @ head.T).max()) + MARGIN
        wanted[torch.arange(len(targets)), [spoken.index(target) for target in targets]] = least
        # The smallest change that gives these logits at these places, and nearly none elsewhere.
        change = torch.linalg.pinv(places.double()) @ (wanted - places @ head[spoken].T).double()
        head[spoken] += change.T.float()
    model.model.save_pretrained(into)
    for file in folder.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, into)
    return into


def _asked(model: Any, lesson: NamingLesson) -> Any:
    import torch

    [heard] = model.encode([lesson.sound])
    text = model.family.question(lesson.question, chat=True)
    return torch.cat([model._prefix(heard), model._embed(model.tokens(text))])


def _place(model: Any, row: Any) -> Any:
    """What the head sees behind a row of embeddings."""
    return model.model.model.language_model(inputs_embeds=row[None], use_cache=False).last_hidden_state[0, -1]
