"""Qwen's own vocabulary as a tokenizer, from the wheel that carries it: `pip install --no-deps dashscope`.

Tests get by with a few of its ids, written down in `qwen_token_ids.json`; benchmarks and checkpoints for real
servers want the whole of it, for the head over it is a part of the cost.
"""

import base64
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen cuts a text into words before it looks for tokens (its tokenizer.json)."""


def ranks_file() -> Path | None:
    """The file of the vocabulary, a token in base64 and its id on each line; None where it is not
    installed."""
    spec = find_spec("dashscope")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [file for place in places if (file := Path(place) / "resources" / "qwen.tiktoken").is_file()]
    return found[0] if found else None


def qwen_tokenizer(ranks: Path, special: dict[str, int]) -> Any:
    """The tokenizer, with special tokens at their published ids."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    by_bytes = {
        base64.b64decode(token): int(rank)
        for token, rank in (line.split() for line in ranks.read_bytes().splitlines())
    }
    symbols = _symbols()
    spelt = {token: "".join(symbols[byte] for byte in token) for token in by_bytes}
    tokenizer = Tokenizer(
        models.BPE(
            vocab={spelt[token]: rank for token, rank in by_bytes.items()} | special,
            merges=_merges(by_bytes, spelt),
        )
    )
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        model_max_length=8192,
    )


def _symbols() -> dict[int, str]:
    """The printable letter that byte-level BPE writes for each byte (as GPT-2 has it)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _merges(ranks: dict[bytes, int], spelt: dict[bytes, str]) -> list[tuple[str, str]]:
    """The pairs that make up each token, in the order in which they are tried: a token's rank is when its
    pair was joined, so the pair is the one of lowest rank."""
    merges: list[tuple[int, int, int, str, str]] = []
    for token, rank in ranks.items():
        for i in range(1, len(token)):
            left, right = token[:i], token[i:]
            if left in ranks and right in ranks:
                merges.append((rank, ranks[left], ranks[right], spelt[left], spelt[right]))
    return [(left, right) for *_, left, right in sorted(merges)]
