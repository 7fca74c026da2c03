"""The large model on tiny random models of all three families, loaded from disk as the real ones are."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import sanitize
from monitor.classifiers.audio_llm.bounds import parts
from monitor.classifiers.audio_llm.loading import KEPT_WHOLE, with_ears_whole
from monitor.classifiers.audio_llm.qwen import QwenClassifier, QwenConfig
from monitor.errors import ClassifyError, ModelError
from monitor.labels import VOICED, emotions
from monitor.types import Detection
from testkit import tiny_models
from testkit.builders import noise, segment, tone
from testkit.tiny_quantised import quantise

FAMILIES: dict[str, Callable[[Path], Path]] = {
    "qwen2_audio": tiny_models.qwen2_audio,
    "qwen25_omni": tiny_models.qwen25_omni,
    "qwen3_omni": tiny_models.qwen3_omni,
}
SOUNDS = [tone(3100, 0.6), noise(2.0, -20), noise(5.3, -30, seed=1), tone(440, 1.0)]


@pytest.fixture(scope="session", params=list(FAMILIES))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FAMILIES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def qwen2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.qwen2_audio(tmp_path_factory.mktemp("qwen2"))


def listener(folder: Path, **options: object) -> QwenClassifier:
    block = {"type": "qwen", "model": str(folder), "device": "cpu", "dtype": "float32", **options}
    classifier = QwenConfig.model_validate(block).build()
    classifier.load()
    return classifier


def scores(detections: list[Detection], id: str) -> dict[str, float]:
    return {d.label: d.score for d in detections if d.segment_id == id}


def test_every_family_scores_every_label_of_every_segment(folder: Path) -> None:
    """Each segment gets one detection for every label, with a probability, its onset and its source."""
    classifier = listener(folder)
    segments = [replace(segment(sound, id=f"{i:012x}"), onset_s=0.2) for i, sound in enumerate(SOUNDS)]

    detections = classifier.classify(segments)

    assert len(detections) == len(segments) * len(classifier.labels)
    for one in segments:
        found = scores(detections, one.id)
        assert found.keys() == classifier.labels
        assert all(0 < score < 1 for score in found.values())
        assert len({round(score, 9) for score in found.values()}) > 10
    assert {d.classifier for d in detections} == {"qwen"}
    assert all((d.started_at - segments[0].started_at).total_seconds() == 0.2 for d in detections)


@pytest.mark.parametrize("strategy", ["phrases", "choice", "yes_no"])
def test_a_batch_of_different_lengths_scores_as_each_alone(folder: Path, strategy: str) -> None:
    """In float32 no score in a left-padded batch is more than 1e-4 from that of the segment alone."""
    classifier = listener(folder, strategy=strategy, labels=["glass_break", "dog_bark", "speech"])
    segments = [segment(sound, id=f"{i:012x}") for i, sound in enumerate(SOUNDS)]

    together = classifier.classify(segments)
    alone = [detection for one in segments for detection in classifier.classify([one])]

    assert np.std([d.score for d in together if d.label == "speech"]) > 1e-3, "the audio makes no difference"
    assert [d.label for d in together] == [d.label for d in alone]
    assert [d.score for d in together] == pytest.approx([d.score for d in alone], abs=1e-4)


def test_in_bfloat16_a_batch_gives_the_same_top_label(folder: Path) -> None:
    """In bfloat16 scores move by at most 0.02 between batch and single, and the likeliest label stays."""
    classifier = listener(
        folder, dtype="bfloat16", temperature=10.0, labels=["glass_break", "dog_bark", "cough"]
    )
    segments = [segment(sound, id=f"{i:012x}") for i, sound in enumerate(SOUNDS)]

    together = classifier.classify(segments)

    for one in segments:
        batch, single = scores(together, one.id), scores(classifier.classify([one]), one.id)
        assert max(batch, key=batch.__getitem__) == max(single, key=single.__getitem__)
        assert [batch[k] for k in single] == pytest.approx(list(single.values()), abs=0.02)


def test_silence_scores_the_prior(qwen2_folder: Path) -> None:
    """Content-free calibration: the silence it was calibrated with scores exactly the prior everywhere."""
    classifier = listener(qwen2_folder, prior=0.07)
    silence = segment(np.zeros(2 * SAMPLE_RATE_HZ, np.float32))

    assert [d.score for d in classifier.classify([silence])] == pytest.approx([0.07] * len(classifier.labels))


def test_emotion_is_a_distribution_on_voiced_labels_alone(qwen2_folder: Path) -> None:
    """With `emotion` the voiced labels carry all emotions, which sum to 1; other labels carry none."""
    found = listener(qwen2_folder, emotion=True).classify([segment(SOUNDS[1])])

    assert {d.label for d in found if d.emotion is not None} == VOICED
    emotion = next(d.emotion for d in found if d.label == "speech")
    assert emotion is not None
    assert set(emotion) == set(emotions())
    assert sum(emotion.values()) == pytest.approx(1)


def test_a_description_goes_to_the_likeliest_label(qwen2_folder: Path) -> None:
    """With `describe` exactly one detection of a segment carries text: the one with the highest score."""
    found = listener(qwen2_folder, describe=True, max_new_tokens=5).classify([segment(SOUNDS[1])])

    [described] = [d for d in found if d.description is not None]
    assert described.score == max(d.score for d in found)


def test_asking_keeps_to_the_budget_and_to_one_line(folder: Path) -> None:
    """`ask` and `describe` write at most `max_new_tokens` tokens, as one printable line; voice chat too."""
    classifier = listener(folder, max_new_tokens=6)
    sound = Audio(SOUNDS[1], SAMPLE_RATE_HZ)

    for answer in (classifier.ask(sound, "What is it?"), classifier.describe(sound), classifier.ask(sound)):
        # The tiny tokenizer spells one byte a token.
        assert len(answer) <= 6
        assert answer == " ".join(answer.split())


def test_answers_are_those_of_the_models_own_generate(qwen2_folder: Path) -> None:
    """The words are the model's own: the same as transformers' processor and generate() give."""
    import torch
    from transformers import AutoProcessor

    classifier = listener(qwen2_folder, max_new_tokens=12)
    model = classifier._model.model
    processor = AutoProcessor.from_pretrained(qwen2_folder, local_files_only=True)
    talk = [
        {"role": "user", "content": [{"type": "audio", "audio_url": ""}, {"type": "text", "text": "Well?"}]}
    ]
    text = processor.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
    inputs = processor(text=text, audio=[SOUNDS[2]], sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")

    with torch.inference_mode():
        out = model.generate(**inputs, max_new_tokens=12, do_sample=False)
    own = processor.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)

    assert len(own) > 3
    assert classifier.ask(Audio(SOUNDS[2], SAMPLE_RATE_HZ), "Well?") == sanitize(own)


def test_likelihoods_are_those_of_the_models_own_forward(folder: Path) -> None:
    """Every answer behind the shared prefix is as likely as in a forward of its own, written out in full,
    with the audio padded as the models' makers pad it."""
    import torch

    classifier = listener(folder, labels=["glass_break", "dog_bark", "speech"], emotion=True)
    loaded, tree = classifier._model, classifier._asked(None).tree
    assert tree is not None
    [heard] = loaded.encode([Audio(SOUNDS[1], SAMPLE_RATE_HZ)])
    [shared] = loaded.log_likelihoods([heard], tree)
    features = loaded.extractor(
        [SOUNDS[1]],
        sampling_rate=SAMPLE_RATE_HZ,
        padding="max_length",
        return_attention_mask=True,
        return_tensors="pt",
    )
    before, behind = loaded.family.prefix(None, chat=True)
    pad = [loaded.model.config.audio_token_id] * len(heard)
    answers = [(q, a.text) for q in classifier._questions for a in q.answers]

    for (question, answer), expected in zip(answers, shared, strict=True):
        asked = loaded.family.question(question.text, chat=True, opening=question.opening)
        answer = f" {answer}" if question.opening else answer
        rest = loaded.tokens(behind + asked + answer)
        ids = torch.tensor([loaded.tokens(before) + pad + rest])
        with torch.inference_mode():
            logits = loaded.model(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                input_features=features["input_features"],
                feature_attention_mask=features["attention_mask"],
            ).logits
        n = len(loaded.tokens(answer))
        own = logits[0, -n - 1 : -1].log_softmax(-1).gather(1, ids[0, -n:, None]).sum()
        assert expected == pytest.approx(float(own), abs=1e-3)


def test_the_chat_text_is_the_processors_own(qwen2_folder: Path) -> None:
    """What stands around the audio is what Qwen2-Audio's own chat template writes."""
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(qwen2_folder, local_files_only=True)
    talk = [
        {"role": "user", "content": [{"type": "audio", "audio_url": ""}, {"type": "text", "text": "Why?"}]}
    ]
    family = listener(qwen2_folder)._model.family

    before, behind = family.prefix(None, chat=True)

    assert before + "<|AUDIO|>" + behind + family.question(
        "Why?", chat=True
    ) == processor.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)


def test_what_is_too_short_is_filled_and_what_is_too_long_is_cut_in_parts(qwen2_folder: Path) -> None:
    """20 ms gets scores like any segment; 40 s is heard in two parts and the louder evidence counts."""
    classifier = listener(qwen2_folder, labels=["dog_bark"])
    short, late = segment(tone(440, 0.02)), segment(np.concatenate([noise(20, -30), tone(900, 20)]))

    [blip] = classifier.classify([short])
    [both] = classifier.classify([late])
    halves = [classifier.classify([segment(part.samples)])[0].score for part in parts(late.audio)]

    assert 0 < blip.score < 1
    assert len(halves) == 2
    assert both.score == pytest.approx(max(halves), abs=1e-4)


def test_asking_about_more_than_30_s_says_so(qwen2_folder: Path) -> None:
    """The models would cut it off in silence; we refuse and name the limit."""
    with pytest.raises(ClassifyError, match=r"31\.0 s of sound is too long; give it at most 30 s"):
        listener(qwen2_folder).describe(Audio(noise(31), SAMPLE_RATE_HZ))


def test_other_rates_are_resampled(qwen2_folder: Path) -> None:
    """A 48 kHz sound is heard as the same sound at 16 kHz."""
    classifier = listener(qwen2_folder, max_new_tokens=8)
    sound = Audio(tone(440, 2.0), SAMPLE_RATE_HZ)

    assert classifier.ask(sound.resampled(48_000), "What?") == classifier.ask(sound, "What?")


def test_the_base_model_is_asked_without_chat(qwen2_folder: Path) -> None:
    """`chat: false` leaves the chat tokens out, and still scores every label."""
    classifier = listener(qwen2_folder, chat=False, labels=["cough"])

    assert classifier._model.family.prefix(None, chat=False) == ("<|audio_bos|>", "<|audio_eos|>")
    assert [d.label for d in classifier.classify([segment(SOUNDS[0])])] == ["cough"]


def test_it_can_be_closed_and_loaded_again(qwen2_folder: Path) -> None:
    """After `close` asking is an error with the fix; after another `load` the scores are as before."""
    classifier = listener(qwen2_folder)
    before = classifier.classify([segment(SOUNDS[0])])
    classifier.close()

    with pytest.raises(ClassifyError, match="call load"):
        classifier.classify([segment(SOUNDS[0])])
    classifier.load()
    assert [d.score for d in classifier.classify([segment(SOUNDS[0])])] == [d.score for d in before]


def test_only_the_labels_in_doubt_are_asked_about(folder: Path) -> None:
    """A segment that comes with labels gets scores for those alone: the same as when all are asked about."""
    classifier = listener(folder, labels=["glass_break", "dog_bark", "speech", "cough"], emotion=True)
    one = segment(SOUNDS[1])
    doubt = replace(one, about=frozenset({"glass_break", "gunshot"}))

    whole = {d.label: d for d in classifier.classify([one])}
    narrow = {d.label: d for d in classifier.classify([doubt])}

    assert narrow["glass_break"].score == pytest.approx(whole["glass_break"].score, abs=1e-4)
    assert {label for label, d in narrow.items() if d.score > 0} == {"glass_break"}
    assert narrow["speech"].emotion == pytest.approx(whole["speech"].emotion, abs=1e-4)


@pytest.mark.parametrize("strategy", ["phrases", "choice", "yes_no"])
def test_a_batch_may_ask_each_segment_something_else(qwen2_folder: Path, strategy: str) -> None:
    """One is asked about glass, one about nothing, one about everything: each gets what it was asked."""
    classifier = listener(qwen2_folder, strategy=strategy, labels=["glass_break", "dog_bark", "speech"])
    asked = [frozenset({"glass_break"}), frozenset[str](), None]
    segments = [replace(segment(SOUNDS[i], id=f"{i:012x}"), about=about) for i, about in enumerate(asked)]

    found = classifier.classify(segments)

    assert [sorted(scores(found, one.id)) for one in segments] == [
        ["glass_break"],
        [],
        ["dog_bark", "glass_break", "speech"],
    ]


def test_descriptions_are_written_in_batches(qwen2_folder: Path) -> None:
    """Sounds of different length in one batch get the words that each gets alone."""
    classifier = listener(qwen2_folder, describe=True, max_new_tokens=8, labels=["cough"], dtype="float32")
    segments = [segment(sound, id=f"{i:012x}") for i, sound in enumerate(SOUNDS)]

    together = [d.description for d in classifier.classify(segments)]

    assert len(set(together)) > 1
    assert together == [classifier.describe(one.audio) for one in segments]


def test_settings_for_writing_that_come_with_a_checkpoint_do_not_leak(tmp_path: Path) -> None:
    """A published repetition penalty, temperature or top_k leave a greedy answer as it is."""
    folder = tiny_models.qwen2_audio(tmp_path, seed=5)
    settings = json.loads((folder / "generation_config.json").read_text())
    settings["eos_token_id"] = [0]
    (folder / "generation_config.json").write_text(json.dumps(settings))
    sound = Audio(noise(2.0, -20, seed=3), SAMPLE_RATE_HZ)
    plain = listener(folder, max_new_tokens=24).ask(sound, "What is it then?")

    published = {"do_sample": True, "repetition_penalty": 1.3, "temperature": 0.7, "top_k": 2, "top_p": 0.5}
    (folder / "generation_config.json").write_text(json.dumps({**settings, **published}))
    classifier = listener(folder, max_new_tokens=24)

    assert {classifier.ask(sound, "What is it then?") for _ in range(2)} == {plain}
    assert len(plain) > 10


def test_a_model_that_overflows_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    """NaN is no answer: the message names the dtype that mends it."""
    from safetensors.torch import load_file, save_file

    folder = tiny_models.qwen2_audio(tmp_path)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("layers.1.mlp.down_proj.weight"))
    weights[name].fill_(float("inf"))
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(
        ModelError, match="not numbers, because the model overflows; set dtype: bfloat16 or float32"
    ):
        listener(folder)


def test_a_model_that_overflows_later_is_an_error_and_no_score(tmp_path: Path) -> None:
    """Whatever it answered before."""
    classifier = listener(tiny_models.qwen2_audio(tmp_path), labels=["gunshot"])
    classifier._model.model.lm_head.weight.data.fill_(float("nan"))

    with pytest.raises(ClassifyError, match="are not numbers"):
        classifier.classify([segment(SOUNDS[0])])


def test_a_deaf_model_is_refused(tmp_path: Path) -> None:
    """One whose ears were lost on the way answers alike to everything."""
    from safetensors.torch import load_file, save_file

    folder = tiny_models.qwen2_audio(tmp_path)
    weights = load_file(folder / "model.safetensors")
    for name in weights:
        if "multi_modal_projector" in name:
            weights[name].zero_()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(ModelError, match="same answer to a tone, a voice and silence, so it does not hear"):
        listener(folder)


@pytest.mark.parametrize(
    ("method", "package"),
    [
        ("awq", "gptqmodel"),
        ("gptq", "gptqmodel"),
        ("compressed-tensors", "compressed-tensors"),
        ("bitsandbytes", "bitsandbytes"),
        ("torchao", "torchao"),
        ("hqq", "hqq"),
    ],
)
def test_a_quantised_folder_names_the_one_package_that_is_missing(
    qwen2_folder: Path, tmp_path: Path, method: str, package: str
) -> None:
    """Before any weight is read, as the command that mends it; and it is not quantised a second time."""
    folder = tmp_path / "quantised"
    shutil.copytree(qwen2_folder, folder)
    call_quantised(folder, {"quant_method": method, "bits": 4})

    with pytest.raises(ModelError, match=f"quantised by {method}; run `pip install {package}`$"):
        listener(folder)
    with pytest.raises(ModelError, match=f"quantised by {method} already; leave out quantize: int8"):
        listener(folder, quantize="int8")


def call_quantised(folder: Path, how: dict[str, object]) -> None:
    """Let the folder's configuration call its weights quantised."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "quantization_config": how}))


def test_a_way_of_quantising_that_nobody_here_reads_is_refused(qwen2_folder: Path, tmp_path: Path) -> None:
    """transformers would take the weights for whole ones, and the scores would be noise."""
    folder = tmp_path / "quantised"
    shutil.copytree(qwen2_folder, folder)
    call_quantised(folder, {"quant_method": "modelopt"})

    with pytest.raises(ModelError, match=r"quantised by modelopt, which transformers cannot read; choose"):
        listener(folder)


@pytest.mark.parametrize("layout", ["alone", "inside a whole Omni"])
def test_a_folder_in_fp8_loads(tmp_path: Path, layout: str) -> None:
    """Every weight is what FP8 stands for; the encoder is whole. A whole Omni folder says beside its parts
    how it is quantised."""
    import torch

    folder = (tiny_models.qwen2_audio if layout == "alone" else tiny_models.qwen25_omni)(tmp_path / "model")
    if layout != "alone":
        folder = tiny_models.as_whole_omni(folder, tmp_path / "omni")

    whole = quantise(folder, "fp8")

    stored, meant = (listener(each)._model.model.state_dict() for each in (folder, whole))
    for name, weight in meant.items():
        assert torch.allclose(stored[name].float(), weight, atol=1e-6), name


@pytest.mark.parametrize(
    ("how", "read"),
    [
        (
            {"quant_method": "awq", "modules_to_not_convert": ["ear"]},
            {"modules_to_not_convert": ["ear", *KEPT_WHOLE]},
        ),
        ({"quant_method": "compressed-tensors"}, {"dequantize": True}),
    ],
)
def test_how_a_folder_is_quantised_is_told_to_the_part_that_is_loaded(
    how: dict[str, Any], read: dict[str, Any]
) -> None:
    """The encoder is whole whatever the folder calls it, and nothing waits for a call of the whole model to
    be unpacked: its parts are called."""
    whole = SimpleNamespace(thinker_config=SimpleNamespace(), quantization_config=how)

    loaded = with_ears_whole(whole, dict(how))

    assert loaded is whole.thinker_config
    assert loaded.quantization_config == {**how, **read}


def test_only_the_language_model_is_quantised(folder: Path) -> None:
    """By transformers' own reading of the patterns: what hears, projects and reads out stays as it is."""
    from torch.nn import Linear
    from transformers.quantizers.quantizers_utils import should_convert_module

    model = listener(folder)._model.model
    linear = [name for name, module in model.named_modules() if isinstance(module, Linear)]
    converted = [name for name in linear if should_convert_module(name, KEPT_WHOLE)]

    assert converted == [name for name in linear if name.startswith("model.language_model.")]
    assert 0 < len(converted) < len(linear)


def test_quantising_without_bitsandbytes_names_it(qwen2_folder: Path) -> None:
    """The message is the command that mends it, rather than a failure deep inside."""
    assert find_spec("bitsandbytes") is None, "this environment must be without it for the message"
    with pytest.raises(ModelError, match="int8 needs bitsandbytes; run `pip install bitsandbytes`"):
        listener(qwen2_folder, quantize="int8")


def test_quantising_a_mixture_of_experts_is_refused(tmp_path: Path) -> None:
    """bitsandbytes leaves its experts, which are nearly all of it, as large as they are."""
    folder = tiny_models.qwen3_omni(tmp_path)

    with pytest.raises(ModelError, match="int4 does not shrink a mixture of experts"):
        listener(folder, quantize="int4")


def test_a_model_that_is_not_there_offline(tmp_path: Path) -> None:
    """Without the hub an unknown id names the cache, HF_HUB_OFFLINE and the command that fetches it; a
    path that is not there is called a folder."""
    with pytest.raises(ModelError, match=r"nobody/nothing: not in the local cache.*hf download"):
        listener(Path("nobody/nothing"))
    with pytest.raises(ModelError, match="there is no such folder"):
        listener(tmp_path / "nothing")


@pytest.mark.parametrize(
    "damaged", ["model.safetensors", "config.json", "tokenizer.json", "processor_config.json"]
)
def test_a_damaged_folder_is_one_clear_error(tmp_path: Path, damaged: str) -> None:
    """Whichever file is broken, the message names the folder and the fix, in one line."""
    folder = tiny_models.qwen2_audio(tmp_path)
    (folder / damaged).write_bytes(b"\x00garbage")

    with pytest.raises(ModelError, match="download it again") as error:
        listener(folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_weights_are_not_made_up(tmp_path: Path) -> None:
    """transformers fills what a file lacks with chance; we refuse to listen with that, and name a weight."""
    from safetensors.torch import load_file, save_file

    folder = tiny_models.qwen2_audio(tmp_path)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("layers.1.mlp.up_proj.weight"))
    del weights[name]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(ModelError, match=r"1 weights missing, such as .*up_proj\.weight; download"):
        listener(folder)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    """A folder whose weights are a pickle is refused: a pickle can run anything."""
    import torch

    folder = tiny_models.qwen2_audio(tmp_path)
    torch.save({"lm_head.weight": torch.zeros(1)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()

    with pytest.raises(ModelError, match=r"model\.safetensors"):
        listener(folder)


def test_a_model_of_another_kind_names_the_right_block(tmp_path: Path) -> None:
    """A classifier given as a Qwen model is refused with the block to use instead."""
    from transformers import ASTConfig

    ASTConfig(hidden_size=32, num_attention_heads=2).save_pretrained(tmp_path)

    with pytest.raises(
        ModelError, match=r"'audio-spectrogram-transformer' model is not one of .* `type: hub`"
    ):
        listener(tmp_path)


@pytest.mark.parametrize("kind", ["qwen25_omni", "qwen3_omni"])
def test_only_the_thinker_of_a_whole_omni_model_is_loaded(tmp_path: Path, kind: str) -> None:
    """A folder saved as the whole of an Omni model loads its thinker without eyes, and scores as that."""
    thinker, whole = FAMILIES[kind](tmp_path / "thinker"), tmp_path / "whole"
    tiny_models.as_whole_omni(thinker, whole)

    alone = listener(thinker, labels=["cough"]).classify([segment(SOUNDS[1])])
    loaded = listener(whole, labels=["cough"])
    inside = loaded.classify([segment(SOUNDS[1])])

    assert loaded._model.model.model.visual is None
    assert [d.score for d in inside] == pytest.approx([d.score for d in alone], abs=1e-6)
