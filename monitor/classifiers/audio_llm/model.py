"""A large audio-language model in memory: it encodes sound, weighs answers, and writes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.audio import Audio
from monitor.classifiers.audio_llm.bounds import bounded
from monitor.classifiers.audio_llm.families import Family
from monitor.classifiers.audio_llm.prefix_tree import Tree, pack
from monitor.classifiers.audio_llm.prompts import Question
from monitor.classifiers.audio_llm.scoring import Floats

_LOGIT_ROWS = 256
"""Rows of the vocabulary computed at once: 256 x 152k logits in float32 are 156 MB."""


class AudioLanguageModel:
    """One model, its tokenizer and its feature extractor. Not for use from two threads at once."""

    def __init__(
        self, model: Any, tokenizer: Any, extractor: Any, family: Family, system: str | None, chat: bool
    ):
        self.model = model
        self.tokenizer = tokenizer
        self.extractor = extractor
        self.family = family
        self.chat = chat
        self.prompts = family.prompts(chat=chat)
        self._before, self._behind = (self.tokens(text) for text in family.prefix(system, chat=chat))
        self._ends = _ends(model, tokenizer)
        forget_generation_habits(model)

    def tokens(self, text: str) -> list[int]:
        """`text` as token ids, nothing added."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode(self, sounds: Sequence[Audio]) -> list[Any]:
        """Each sound (0.1 s to the family's `longest_s`, any rate) as the tokens that the language model
        hears."""
        import torch

        with torch.inference_mode():
            return self.family.encode(
                self.model,
                self.extractor,
                [bounded(sound, self.family.longest_s).samples for sound in sounds],
            )

    def pack(self, asked: Sequence[Question]) -> Tree:
        """The questions with all their answers, packed for `log_likelihoods`."""
        branches = [
            (
                self.family.question(q.text, chat=self.chat, opening=q.opening),
                [(" " if q.opening or not self.chat else "") + a.text for a in q.answers],
            )
            for q in asked
        ]
        return pack(branches, self.tokens)

    def log_likelihoods(self, heard: Sequence[Any], tree: Tree) -> Floats:
        """log P(answer | sound, question) in nats, shape (sounds, answers): one forward for all of them.

        `heard` is what `encode` gave. Prefixes of different length are padded on the left.
        """
        import torch

        with torch.inference_mode():
            prefixes = [self._prefix(one) for one in heard]
            embeds, mask, positions = self._row(prefixes, tree)
            hidden = self.model.model.language_model(
                inputs_embeds=embeds, attention_mask=mask, position_ids=positions, use_cache=False
            ).last_hidden_state
            return self._read(hidden[:, embeds.shape[1] - len(tree.token_ids) :], tree)

    def write(self, heard: Sequence[Any], question: str, max_new_tokens: int) -> list[str]:
        """The model's own words about each sound, greedily, within a budget of tokens; all of them at once.

        `heard` is what `encode` gave. Prefixes of different length are padded on the left."""
        import torch

        with torch.inference_mode():
            asked = self._embed(self.tokens(self.family.question(question, chat=self.chat)))
            rows = [torch.cat([self._prefix(one), asked]) for one in heard]
        return self._go_on(rows, max_new_tokens)

    def write_about(self, text: str, max_new_tokens: int) -> str:
        """The model's own words about words, without a sound; of chat models alone."""
        import torch

        with torch.inference_mode():
            row = self._embed(self.tokens(self.family.words_only(text)))
        return self._go_on([row], max_new_tokens)[0]

    def _go_on(self, rows: Sequence[Any], max_new_tokens: int) -> list[str]:
        """What the model writes after each row of embeddings."""
        import torch
        from torch.nn.utils.rnn import pad_sequence
        from transformers import GenerationConfig

        with torch.inference_mode():
            embeds = pad_sequence(list(rows), batch_first=True, padding_side="left")
            lengths = torch.tensor([len(row) for row in rows], device=embeds.device)
            at = torch.arange(embeds.shape[1], device=embeds.device)
            out = self.model.generate(
                inputs_embeds=embeds,
                attention_mask=(at >= embeds.shape[1] - lengths[:, None]).long(),
                generation_config=GenerationConfig(
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    eos_token_id=self._ends,
                    pad_token_id=self.tokenizer.pad_token_id,
                ),
            )
        return [str(self.tokenizer.decode(row, skip_special_tokens=True)) for row in out]

    def _embed(self, token_ids: Sequence[int]) -> Any:
        import torch

        table = self.model.get_input_embeddings()
        return table(torch.tensor(token_ids, dtype=torch.long, device=table.weight.device))

    def _prefix(self, heard: Any) -> Any:
        import torch

        before, behind = self._embed(self._before), self._embed(self._behind)
        return torch.cat([before, heard.to(before.device, before.dtype), behind])

    def _row(self, prefixes: Sequence[Any], tree: Tree) -> tuple[Any, Any, Any]:
        """Embeddings (batch, row, hidden), who may look at whom (batch, 1, row, row), positions (batch, row),
        of a row that is prefix and tree."""
        import torch

        device = prefixes[0].device
        width, n = max(map(len, prefixes)), len(tree.token_ids)
        lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
        branch = self._embed(tree.token_ids.tolist())
        embeds = torch.stack(
            [torch.cat([one.new_zeros(width - len(one), one.shape[1]), one, branch]) for one in prefixes]
        )
        at = torch.arange(width, device=device)
        real = at >= (width - lengths)[:, None]
        mask = torch.zeros(len(prefixes), 1, width + n, width + n, dtype=torch.bool, device=device)
        mask[:, 0, :width, :width] = (at <= at[:, None]) & real[:, None, :]
        mask[:, 0, width:, :width] = real[:, None, :]
        mask[:, 0, width:, width:] = torch.from_numpy(tree.visible).to(device)
        # A row of padding that may look at nothing would become NaN and spread; it looks at itself.
        mask[:, 0].diagonal(dim1=1, dim2=2).fill_(True)
        depth = torch.from_numpy(tree.depth).to(device)
        positions = torch.cat([real.cumsum(1).sub(1).clamp(min=0), lengths[:, None] + depth], dim=1)
        return embeds, mask, positions

    def _read(self, hidden: Any, tree: Tree) -> Floats:
        import torch

        nodes, row_of = np.unique(tree.node, return_inverse=True)
        rows = hidden[:, torch.from_numpy(nodes).to(hidden.device)]
        target, spot = torch.from_numpy(tree.target), torch.from_numpy(row_of)
        picked = []
        for part in rows.split(max(1, _LOGIT_ROWS // rows.shape[1])):
            logits = self.model.lm_head(part).float()
            # The head may be on another GPU than the layers before it.
            spot, target = spot.to(logits.device), target.to(logits.device)
            picked.append(logits[:, spot, target] - logits.logsumexp(-1)[:, spot])
        # Brought to the host once: a GPU would stand still at each part.
        factors = torch.cat(picked).cpu().double().numpy()
        return np.stack([np.bincount(tree.answer, weights=one, minlength=tree.answers) for one in factors])


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end an answer: the checkpoint's own, and the end of a turn."""
    known = model.generation_config.eos_token_id
    ends = known if isinstance(known, list) else [known]
    return sorted({token for token in [*ends, tokenizer.eos_token_id] if token is not None})


def forget_generation_habits(model: Any) -> None:
    """Drop the checkpoint's own settings for writing. transformers fills what a call leaves open from them,
    and a published repetition penalty of 1.1 would make an answer that is called greedy something else."""
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig()
