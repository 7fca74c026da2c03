"""How fast the large model is, and how much its shared prefix saves over asking with generate().

    OMP_NUM_THREADS=2 python scripts/bench/qwen.py --write docs/reference/large-model-speed-cpu.md
    python scripts/bench/qwen.py --size real --device cuda --peak-tflops 989 \\
        --write docs/reference/large-model-speed-gpu.md

Weights are random: they say how fast a model of that size is, and nothing about how well it hears. The
tokenizer is Qwen's own where `dashscope` is installed, which carries it (`pip install --no-deps dashscope`);
else one is made here of whole words, which counts a quarter fewer tokens.

On a bare GPU machine without a network: bring the wheels that `scripts/bench/qwen-wheels.txt` lists (its
first lines are the commands), and run the second line above. It builds the model where it runs, prints how
long each stage took, writes the file after each table, and leaves out what would go over `--most-s`.
"""

import argparse
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.families import Family, Qwen2Audio
from monitor.classifiers.audio_llm.model import AudioLanguageModel
from monitor.classifiers.audio_llm.phrases import hearable
from monitor.classifiers.audio_llm.prefix_tree import Tree
from monitor.classifiers.audio_llm.prompts import Question, questions
from monitor.classifiers.audio_llm.scoring import Floats
from testkit.markdown import table
from testkit.qwen_vocabulary import qwen_tokenizer, ranks_file

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
VOCABULARY = 156_032
"""Qwen2-Audio's own: the head over it is part of the cost."""


@dataclass(frozen=True)
class Size:
    """Layers and widths of an encoder (`ear`) and a language model (`brain`)."""

    ear_layers: int
    ear_width: int
    ear_heads: int
    layers: int
    width: int
    heads: int
    inner: int


SIZES = {
    "tiny": Size(2, 64, 2, 2, 64, 2, 128),
    "mid": Size(6, 512, 8, 8, 768, 12, 2048),
    "real": Size(32, 1280, 20, 32, 4096, 32, 11008),
}


@dataclass
class MarkdownReport:
    """Markdown in the making."""

    file: Path | None = None
    most_s: float = float("inf")
    """When this has passed since the start, no further row is begun."""
    lines: list[str] = field(default_factory=list)
    began_s: float = field(default_factory=time.perf_counter)

    def say(self, text: str = "") -> None:
        print(text, flush=True)
        self.lines.append(text)

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        """Print it, and write all so far: a machine that is taken away leaves what was measured."""
        self.say(table(head, rows))
        self.say()
        if self.file is not None:
            self.file.write_text("\n".join(self.lines).rstrip() + "\n", encoding="utf-8")

    def has_time(self, what: str) -> bool:
        """Whether another row may be begun; one that may not is named."""
        passed_s = time.perf_counter() - self.began_s
        print(f"{passed_s:6.0f} s  {what}", file=sys.stderr, flush=True)
        if passed_s > self.most_s:
            self.say(f"Left out after {passed_s:.0f} s: {what}.")
        return passed_s <= self.most_s


def word_tokenizer(texts: list[str]) -> Any:
    """A byte-level BPE tokenizer trained on what is asked until every word is one token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=8000, initial_alphabet=alphabet, special_tokens=SPECIAL)
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left"
    )


def published_tokenizer() -> Any:
    """Qwen's own, where its vocabulary is installed."""
    ranks = ranks_file()
    return qwen_tokenizer(ranks, {token: 151643 + i for i, token in enumerate(SPECIAL)}) if ranks else None


def _texts(family: Family, asked: tuple[Question, ...]) -> list[str]:
    prompt = "".join(family.prefix(None, chat=True))
    return [prompt, *(f"{q.text}\n{q.opening} {a.text}" for q in asked for a in q.answers)] * 3


def random_model(size: Size, tokenizer: Any, device: str, dtype: torch.dtype) -> Any:
    """Qwen2-Audio of that size with random weights, made where it runs."""
    import transformers as t

    config = t.Qwen2AudioConfig(
        audio_config=t.Qwen2AudioEncoderConfig(
            num_mel_bins=128,
            encoder_layers=size.ear_layers,
            encoder_attention_heads=size.ear_heads,
            encoder_ffn_dim=4 * size.ear_width,
            d_model=size.ear_width,
            max_source_positions=1500,
        ).to_dict(),
        text_config=t.Qwen2Config(
            vocab_size=VOCABULARY,
            hidden_size=size.width,
            intermediate_size=size.inner,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.heads,
            max_position_embeddings=8192,
        ).to_dict(),
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    config._attn_implementation = "sdpa"
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return t.Qwen2AudioForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(before)


def listener(size: Size, device: str, dtype: torch.dtype) -> tuple[AudioLanguageModel, tuple[Question, ...]]:
    """A model of that size, and what it is asked: every label and the emotion."""
    from transformers import WhisperFeatureExtractor

    torch.manual_seed(0)
    asked = questions("phrases", hearable(), emotion=True)
    family = Qwen2Audio()
    tokenizer = published_tokenizer() or word_tokenizer(_texts(family, asked))
    model = random_model(size, tokenizer, device, dtype)
    extractor = WhisperFeatureExtractor(feature_size=128, chunk_length=30)
    return AudioLanguageModel(model, tokenizer, extractor, family, None, chat=True), asked


def sound(duration_s: float, seed: int = 0) -> Audio:
    """Noise of that length."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal(round(duration_s * SAMPLE_RATE_HZ)) * 0.1
    return Audio(samples.astype(np.float32), SAMPLE_RATE_HZ)


def naive(
    loaded: AudioLanguageModel, asked: tuple[Question, ...], heard: Audio, tokens: int, listed: bool
) -> int:
    """Ask each question with transformers' processor and generate(): encoder and prefill anew each time.

    `listed` writes the candidates into the question, as whoever parses the answer would have to. Returns the
    tokens that went through the language model.
    """
    from transformers import GenerationConfig, Qwen2AudioProcessor

    processor = Qwen2AudioProcessor(loaded.extractor, loaded.tokenizer)
    config = GenerationConfig(max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False, pad_token_id=0)
    count = 0
    before, behind = loaded.family.prefix(None, chat=True)
    for question in asked:
        words = question.text
        if listed:
            words += " Candidates: " + ", ".join(answer.text for answer in question.answers)
        text = (
            before + "<|AUDIO|>" + behind + loaded.family.question(words, chat=True, opening=question.opening)
        )
        inputs = processor(
            text=text, audio=[heard.samples], sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt"
        )
        inputs = inputs.to(loaded.model.device)
        inputs["input_features"] = inputs["input_features"].to(loaded.model.dtype)
        out = loaded.model.generate(**inputs, generation_config=config)
        new = out.shape[1] - inputs["input_ids"].shape[1]
        if new != tokens:
            raise SystemExit(f"generate() wrote {new} tokens, not {tokens}")
        count += out.shape[1]
    return count


def shared(loaded: AudioLanguageModel, tree: Tree, sounds: list[Audio]) -> Floats:
    """Our way: the encoder once, and all questions and answers behind one prefix. Log-likelihoods of shape
    (sounds, answers)."""
    return loaded.log_likelihoods(loaded.encode(sounds), tree)


def expanded(loaded: AudioLanguageModel, asked: tuple[Question, ...], heard: Audio) -> Floats:
    """The other way to share a prefix: its cache copied for each question, then for each answer.
    Log-likelihoods of shape (answers,)."""
    from transformers import DynamicCache

    decoder, head = loaded.model.model.language_model, loaded.model.lm_head
    with torch.inference_mode():
        prefix = loaded._prefix(loaded.encode([heard])[0])[None]
        start = decoder(
            inputs_embeds=prefix, past_key_values=DynamicCache(config=decoder.config), use_cache=True
        )
        return np.concatenate(
            [_expanded_question(loaded, decoder, head, start.past_key_values, question) for question in asked]
        )


def _expanded_question(
    loaded: AudioLanguageModel, decoder: Any, head: Any, cache: Any, question: Question
) -> Floats:
    cache = deepcopy(cache)
    text = loaded.family.question(question.text, chat=True, opening=question.opening)
    words = loaded._embed(loaded.tokens(text))[None]
    first = decoder(inputs_embeds=words, past_key_values=cache, use_cache=True).last_hidden_state[:, -1:]
    answers = [loaded.tokens(" " + answer.text) for answer in question.answers]
    width = max(map(len, answers))
    padded = torch.tensor([ids + [0] * (width - len(ids)) for ids in answers], device=first.device)
    hidden = first.expand(len(answers), -1, -1)
    if width > 1:
        cache.batch_repeat_interleave(len(answers))
        rest = decoder(input_ids=padded[:, :-1], past_key_values=cache, use_cache=True).last_hidden_state
        hidden = torch.cat([hidden, rest], 1)
    factors = head(hidden).float().log_softmax(-1).gather(2, padded[..., None])[..., 0]
    real = torch.tensor([[i < len(ids) for i in range(width)] for ids in answers], device=first.device)
    return np.asarray((factors * real).sum(1).double().cpu().numpy())


@dataclass(frozen=True)
class Taken:
    """What a piece of work took."""

    wall_s: float
    cpu_s: float
    """Of all threads of this process: on a machine that others use, too, the fairer figure."""


def measured(work: Callable[[], object], device: str, runs: int) -> list[Taken]:
    """What each of `runs` took, the GPU's work done."""
    taken = []
    for _ in range(runs):
        _finish(device)
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        work()
        _finish(device)
        taken.append(Taken(time.perf_counter() - wall_s, time.process_time() - cpu_s))
    return taken


def _finish(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def median(taken: list[Taken]) -> Taken:
    """The median of each figure."""
    return Taken(statistics.median(t.wall_s for t in taken), statistics.median(t.cpu_s for t in taken))


def warmed(work: Callable[[], object], device: str, runs: int) -> Taken:
    """The median of `runs`, after one that warms up."""
    work()
    return median(measured(work, device, runs))


def peak_mib(device: str) -> float:
    """The most memory held so far: of the GPU, or of the process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_doubt(asked: tuple[Question, ...]) -> tuple[Question, ...]:
    """What is asked when the small model leaves two labels open."""
    narrowed = (q if q.kind == "emotion" else q.only(frozenset({"glass_break", "dishes"})) for q in asked)
    return tuple(question for question in narrowed if question is not None)


NAIVE = {2.0: ((16, False),), 5.0: ((4, False), (16, False), (32, False), (16, True)), 10.0: ((16, False),)}
"""By length of segment: tokens that generate() writes, and whether the candidates stand in the question."""
COPIED_AT_S = 5.0
"""The length at which the other way of sharing a prefix is measured."""
COLUMNS = [
    "segment",
    "way",
    "tokens",
    "wall s",
    "times the tree",
    "CPU s",
    "times the tree",
    "peak MiB so far",
]


def versus_naive(
    report: MarkdownReport, loaded: AudioLanguageModel, asked: Any, device: str, runs: int
) -> None:
    """Shared prefix against three generate() calls."""
    tree = loaded.pack(asked)
    rows = []
    for duration_s, ways in NAIVE.items():
        if not report.has_time(f"shared prefix against generate(), {duration_s:g} s"):
            break
        heard = sound(duration_s)
        ours = warmed(partial(shared, loaded, tree, [heard]), device, runs)
        tokens = len(loaded._prefix(loaded.encode([heard])[0])) + len(tree.token_ids)

        def row(name: str, tokens: int, took: Taken, heard: Audio = heard, ours: Taken = ours) -> None:
            cells = [f"{heard.duration_s:g} s", name, str(tokens)]
            for figure, unit in ((took.wall_s, ours.wall_s), (took.cpu_s, ours.cpu_s)):
                cells += [f"{figure:.2f}", f"{figure / unit:.1f}"]
            rows.append([*cells, f"{peak_mib(device):.0f}"])
            print(*rows[-1], sep="  ", file=sys.stderr)

        row("shared prefix, packed in a tree", tokens, ours)
        doubt = loaded.pack(in_doubt(asked))
        short = warmed(partial(shared, loaded, doubt, [heard]), device, runs)
        fewer = tokens - len(tree.token_ids) + len(doubt.token_ids)
        row("the same, about two labels in doubt and the emotion", fewer, short)
        if duration_s == COPIED_AT_S:
            apart = np.abs(expanded(loaded, asked, heard) - shared(loaded, tree, [heard])[0]).max()
            copied = median(measured(partial(expanded, loaded, asked, heard), device, runs))
            row(f"shared prefix, cache copied to each answer (differs by {apart:.0e} nats)", tokens, copied)
        for new, listed in ways:
            counts: list[int] = []
            work = partial(naive, loaded, asked, heard, new, listed)
            took = median(measured(lambda: counts.append(work()), device, runs))  # noqa: B023
            row(f"3 x generate(), {new} tokens" + ", candidates listed" * listed, counts[0], took)
    report.table(COLUMNS, rows)


def encoder_cost(report: MarkdownReport, loaded: AudioLanguageModel, device: str, runs: int) -> None:
    """What padding every segment to 30 s would cost."""
    rows = [
        [f"{duration_s:g} s", *_encoder_ms(loaded, duration_s, device, runs)]
        for duration_s in (2.0, 5.0, 10.0, 30.0)
        if report.has_time(f"encoder, {duration_s:g} s")
    ]
    report.table(["segment", "features and encoder, wall ms", "CPU ms"], rows)


def _encoder_ms(loaded: AudioLanguageModel, duration_s: float, device: str, runs: int) -> list[str]:
    took = warmed(partial(loaded.encode, [sound(duration_s)]), device, runs)
    return [f"{1000 * took.wall_s:.0f}", f"{1000 * took.cpu_s:.0f}"]


COMPILED_S = (2.0, 2.0, 2.7, 2.7, 5.0, 5.3, 10.0, 7.7)
"""Lengths in the order in which a compiled model meets them: each of the first two twice."""


def compiling(report: MarkdownReport, loaded: AudioLanguageModel, asked: Any, device: str) -> None:
    """Whether `torch.compile` of the language model pays: every length as it is, and compiled."""
    tree = loaded.pack(asked)
    inner = loaded.model.model
    eager, faster = inner.language_model, torch.compile(inner.language_model)
    shared(loaded, tree, [sound(COMPILED_S[0])])
    rows = []
    for seed, duration_s in enumerate(COMPILED_S):
        work = partial(shared, loaded, tree, [sound(duration_s, seed)])
        taken = []
        for inner.language_model in (eager, faster):
            [took] = measured(work, device, 1)
            taken.append(took.wall_s if device.startswith("cuda") else took.cpu_s)
        rows.append([f"{duration_s:g} s", *(f"{each:.2f}" for each in taken)])
    inner.language_model = eager
    report.table(["segment, in this order", "eager, s", "compiled, s"], rows)


def throughput(
    report: MarkdownReport, loaded: AudioLanguageModel, asked: Any, options: argparse.Namespace
) -> None:
    """Segments a second, latency and the share of the hardware's arithmetic, by batch and length."""
    tree = loaded.pack(asked)
    runs = max(options.runs, 20 if options.device.startswith("cuda") else 1)
    rows = [
        [f"{duration_s:g} s", str(batch), *_throughput(loaded, tree, duration_s, batch, runs, options)]
        for duration_s in (2.0, 5.0, 10.0)
        for batch in (1, 8, 32)
        if report.has_time(f"batch {batch}, {duration_s:g} s")
    ]
    head = ["segment", "batch", "segments/s", "p95 ms", "peak MiB", "TFLOP a segment", "TFLOP/s", "of peak"]
    report.table(head, rows)


def _throughput(
    loaded: AudioLanguageModel,
    tree: Tree,
    duration_s: float,
    batch: int,
    runs: int,
    options: argparse.Namespace,
) -> list[str]:
    from torch.utils.flop_counter import FlopCounterMode

    sounds = [sound(duration_s, seed) for seed in range(batch)]
    if options.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    with FlopCounterMode(display=False) as counter:
        shared(loaded, tree, sounds)
    taken = [t.wall_s for t in measured(partial(shared, loaded, tree, sounds), options.device, runs)]
    flops, middle_s = counter.get_total_flops(), statistics.median(taken)
    tflops = flops / middle_s / 1e12
    share = f"{100 * tflops / options.peak_tflops:.0f} %" if options.peak_tflops else "-"
    p95_ms = 1000 * float(np.quantile(taken, 0.95))
    return [
        f"{batch / middle_s:.2f}", f"{p95_ms:.0f}", f"{peak_mib(options.device):.0f}",
        f"{flops / batch / 1e12:.2f}", f"{tflops:.1f}", share,
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="mid")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--peak-tflops", type=float, help="the device's dense peak in this dtype, for its share"
    )
    parser.add_argument("--batches", action="store_true", help="also batch 1, 8 and 32; always on a GPU")
    parser.add_argument("--compile", action="store_true", help="only this: does torch.compile pay?")
    parser.add_argument(
        "--most-s", type=float, help="begin nothing after so many seconds; by default 420 on a GPU"
    )
    parser.add_argument("--write", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    gpu = options.device.startswith("cuda")
    dtype = getattr(torch, options.dtype or ("bfloat16" if gpu else "float32"))
    report = MarkdownReport(options.write, options.most_s or (420.0 if gpu else float("inf")))
    report.has_time("building the model")
    loaded, asked = listener(SIZES[options.size], options.device, dtype)
    parameters = sum(p.numel() for p in loaded.model.parameters())
    name = torch.cuda.get_device_name() if gpu else f"{platform.machine()}, {torch.get_num_threads()} threads"
    report.say(f"# Speed of the large model on a {'GPU' if gpu else 'CPU'}")
    report.say()
    report.say(
        f"Written by `scripts/bench/qwen.py`. Random weights: Qwen2-Audio, {options.size} size, "
        f"{parameters / 1e6:.0f} M parameters, {dtype}, {name}, torch {torch.__version__}. "
        f"{len(asked)} questions, {sum(len(q.answers) for q in asked)} candidate phrases; "
        f"medians of {options.runs} runs."
    )
    report.say()
    if options.compile:
        compiling(report, loaded, asked, options.device)
        return
    encoder_cost(report, loaded, options.device, options.runs)
    if gpu or options.batches:
        throughput(report, loaded, asked, options)
    versus_naive(report, loaded, asked, options.device, options.runs)
    print(f"{time.perf_counter() - report.began_s:6.0f} s  the end", file=sys.stderr)


if __name__ == "__main__":
    main()
