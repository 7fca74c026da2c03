"""A large audio-language model in memory: it encodes sound, weighs answers, and writes."""

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.audio import Audio
from monitor.classifiers.audio_llm.bounds import bounded
from monitor.classifiers.audio_llm.families import FAMILIES, Family
from monitor.classifiers.audio_llm.prefix_tree import Tree, pack
from monitor.classifiers.audio_llm.prompts import Question
from monitor.classifiers.audio_llm.scoring import Floats
from monitor.classifiers.pretrained import loading, open_weights, pick_device, pick_dtype, quiet, safe
from monitor.errors import ModelError

KEPT_WHOLE = [r"(.*\.)?audio_tower", r"(.*\.)?multi_modal_projector", r"(.*\.)?visual", "lm_head"]
"""Modules that are never quantised, as transformers' patterns for whole module names: the encoder is a small
part of the weights, and what it loses nothing brings back."""
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
        self._before, self._behind = (self.tokens(text) for text in family.prefix(system, chat=chat))

    def tokens(self, text: str) -> list[int]:
        """`text` as token ids, nothing added."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def encode(self, sounds: Sequence[Audio]) -> list[Any]:
        """Each sound (0.1-30 s, any rate) as the tokens that the language model hears."""
        import torch

        with torch.inference_mode():
            return self.family.encode(
                self.model, self.extractor, [bounded(sound).samples for sound in sounds]
            )

    def pack(self, asked: Sequence[Question]) -> Tree:
        """The questions with all their answers, packed for `log_likelihoods`."""
        lead = "" if self.chat else " "
        branches = [
            (self.family.question(q.text, chat=self.chat), [lead + a.text for a in q.answers]) for q in asked
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

    def write(self, heard: Any, question: str, max_new_tokens: int) -> str:
        """The model's own words about one sound, greedily, within a budget of tokens."""
        import torch
        from transformers import GenerationConfig

        asked = self._embed(self.tokens(self.family.question(question, chat=self.chat)))
        with torch.inference_mode():
            embeds = torch.cat([self._prefix(heard), asked])[None]
            out = self.model.generate(
                inputs_embeds=embeds,
                attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long, device=embeds.device),
                generation_config=GenerationConfig(
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    eos_token_id=self._ends(),
                    pad_token_id=self.tokenizer.pad_token_id,
                ),
            )
        return str(self.tokenizer.decode(out[0], skip_special_tokens=True))

    def _ends(self) -> list[int]:
        known = self.model.generation_config.eos_token_id
        ends = known if isinstance(known, list) else [known]
        return sorted({token for token in [*ends, self.tokenizer.eos_token_id] if token is not None})

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
        lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
        width, n = int(lengths.max()), len(tree.token_ids)
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
            picked.append((logits[:, spot, target] - logits.logsumexp(-1)[:, spot]).cpu())
        factors = torch.cat(picked).double().numpy()
        return np.stack([np.bincount(tree.answer, weights=one, minlength=tree.answers) for one in factors])


def load(
    model: str, *, device: str, dtype: Any, quantize: str | None, system: str | None, chat: bool
) -> AudioLanguageModel:
    """The model of that hub id or folder, in memory. ModelError names what is wrong and the fix."""
    with loading(model):
        import transformers

        quiet()
        config = transformers.AutoConfig.from_pretrained(model, **safe(model))
        family = _family(model, config.model_type)
        if quantize and family.experts:
            raise ModelError(
                f"{model}: quantize: {quantize} leaves a mixture of experts as large as it is; leave it "
                "out, or let a server hold a quantised one (`type: remote`)"
            )
        where = pick_device(device)
        loaded = open_weights(
            getattr(transformers, family.model_class),
            model,
            dtype=pick_dtype(dtype, where),
            device_map=_device_map(device, where),
            attn_implementation="sdpa",
            quantization_config=_quantization(quantize, where),
        )
        _check_placed(model, loaded)
        family.trim(loaded)
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, **safe(model))
        extractor = transformers.AutoFeatureExtractor.from_pretrained(model, **safe(model))
        _check_tokenizer(model, tokenizer, family)
        return AudioLanguageModel(loaded, tokenizer, extractor, family, system, chat)


def _family(model: str, model_type: str) -> Family:
    if model_type == "qwen3_asr":
        raise ModelError(f"{model}: Qwen3-ASR writes down words; name it under `transcripts:`")
    if model_type not in FAMILIES:
        raise ModelError(
            f"{model}: a {model_type!r} model is not one of the Qwen audio models; "
            "use `type: hub` for audio classifiers and CLAP"
        )
    return FAMILIES[model_type]


def _device_map(wanted: str, where: str) -> Any:
    """`auto` spreads over all GPUs when one is too small; anything else is one device."""
    return "auto" if wanted == "auto" and where == "cuda" else {"": where}


def _check_placed(model: str, loaded: Any) -> None:
    places = {str(place) for place in getattr(loaded, "hf_device_map", {}).values()}
    if len(places) > 1 and places & {"cpu", "disk"}:
        raise ModelError(
            f"{model}: the GPU has too little memory and part of the model would run elsewhere, "
            "far too slowly; choose a smaller model, `quantize: int8`, or a remote server"
        )


def _check_tokenizer(model: str, tokenizer: Any, family: Family) -> None:
    missing = [
        word
        for word in (family.audio_bos, family.audio_eos)
        if tokenizer.convert_tokens_to_ids(word) in (None, tokenizer.unk_token_id)
    ]
    if missing:
        raise ModelError(
            f"{model}: its tokenizer does not know {' '.join(missing)}; download the model again"
        )


def _quantization(quantize: str | None, where: str) -> Any:
    if quantize is None:
        return None
    import transformers

    if where == "mps":
        raise ModelError(f"quantize: {quantize} does not work on an Apple GPU (bitsandbytes); leave it out")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(f"quantize: {quantize} needs bitsandbytes; run `pip install bitsandbytes`")
    if quantize == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=KEPT_WHOLE)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype="bfloat16",
        llm_int8_skip_modules=KEPT_WHOLE,
    )
