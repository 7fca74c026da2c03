"""Small random-weight models of every family we load, saved to a folder as their makers save the real ones.

They prove the code path, never accuracy.
"""

import warnings
from pathlib import Path
from string import ascii_uppercase
from typing import Any

CHAT_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
AUDIO_TOKENS = {
    "qwen2": ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"],
    "qwen3": ["<|audio_pad|>", "<|audio_start|>", "<|audio_end|>"],
}
VISION_TOKENS = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
EAR = {
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "d_model": 32,
    "num_mel_bins": 128,
}
MROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}


def byte_tokenizer(special: list[str], **named: Any) -> Any:
    """A tokenizer that spells any text in bytes and knows the special tokens; nothing is trained."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        model_max_length=8192,
        **named,
    )


def _lively(model: Any) -> Any:
    """`model` with larger weights: fresh ones give nearly the same answer to every sound, and a test that
    compares answers would then compare nothing."""
    import torch

    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.mul_(6)
    return model


def _legible(model: Any, tokenizer: Any) -> Any:
    """`model` whose head never prefers a control character: an answer of nothing else is none."""
    import torch

    spelt = tokenizer.convert_ids_to_tokens(range(256))
    with torch.no_grad():
        model.lm_head.weight[[i for i, symbol in enumerate(spelt) if ord(symbol) >= 256]] = 0
    return model


def _whisper_features(chunk_length: int) -> Any:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=128, chunk_length=chunk_length)


def _save(folder: Path, *parts: Any) -> Path:
    for part in parts:
        part.save_pretrained(folder)
    return folder


def qwen2_audio(
    folder: Path, *, seed: int = 0, ear: dict[str, Any] = EAR, brain: dict[str, Any] = SMALL
) -> Path:
    """Qwen2-Audio with its processor; `ear` and `brain` set the sizes of encoder and language model."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    tokenizer = byte_tokenizer(CHAT_TOKENS + AUDIO_TOKENS["qwen2"])
    config = t.Qwen2AudioConfig(
        audio_config=t.Qwen2AudioEncoderConfig(max_source_positions=1500, **ear).to_dict(),
        text_config=t.Qwen2Config(
            vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, bos_token_id=None, **brain
        ).to_dict(),
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    model = t.Qwen2AudioForConditionalGeneration(config)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    processor = t.Qwen2AudioProcessor(_whisper_features(30), tokenizer)
    return _save(folder, _legible(_lively(model), tokenizer), processor)


def qwen2_audio_of_real_words(folder: Path, ranks: Path, *, seed: int = 0) -> Path:
    """The same over Qwen's whole vocabulary (`qwen_vocabulary`), as engines expect it. Four layers in the
    encoder: llama.cpp's converter numbers the convolutions like layers."""
    import torch
    import transformers as t

    from testkit.qwen_vocabulary import qwen_tokenizer

    torch.manual_seed(seed)
    special = [*CHAT_TOKENS, *AUDIO_TOKENS["qwen2"]]
    tokenizer = qwen_tokenizer(ranks, {token: 151643 + i for i, token in enumerate(special)})
    ear = {**EAR, "encoder_layers": 4, "d_model": 128, "encoder_ffn_dim": 256}
    brain = {**SMALL, "hidden_size": 128, "intermediate_size": 256, "max_position_embeddings": 8192}
    config = t.Qwen2AudioConfig(
        audio_config=t.Qwen2AudioEncoderConfig(max_source_positions=1500, **ear).to_dict(),
        text_config=t.Qwen2Config(
            vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id, bos_token_id=None, **brain
        ).to_dict(),
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    model = t.Qwen2AudioForConditionalGeneration(config)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights.mul_(4)
        # A head that is loud about letters: among 151 thousand words a random one would never list any.
        model.lm_head.weight[[tokenizer.convert_tokens_to_ids(letter) for letter in ascii_uppercase]] *= 8
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return _save(folder, model, t.Qwen2AudioProcessor(_whisper_features(30), tokenizer))


def _thinker_ids(tokenizer: Any, kind: str) -> dict[str, int]:
    ids = tokenizer.convert_tokens_to_ids
    pad, start, end = AUDIO_TOKENS[kind]
    return {
        "audio_token_id": ids(pad),
        "audio_start_token_id": ids(start),
        "audio_end_token_id": ids(end),
        "vision_start_token_id": ids("<|vision_start|>"),
        "vision_end_token_id": ids("<|vision_end|>"),
        "image_token_id": ids("<|image_pad|>"),
        "video_token_id": ids("<|video_pad|>"),
        "user_token_id": ids("u"),
    }


def _eye(**more: Any) -> dict[str, Any]:
    return {
        "depth": 1,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 32,
        **more,
    }


def qwen25_omni(folder: Path, *, seed: int = 0) -> Path:
    """The thinker of Qwen2.5-Omni, with tokenizer and feature extractor."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    tokenizer = byte_tokenizer(CHAT_TOKENS + AUDIO_TOKENS["qwen2"] + VISION_TOKENS)
    config = t.Qwen2_5OmniThinkerConfig(
        audio_config={**EAR, "output_dim": 32},
        vision_config=_eye(fullatt_block_indexes=[0]),
        text_config={
            "vocab_size": len(tokenizer),
            "rope_parameters": MROPE,
            "pad_token_id": tokenizer.pad_token_id,
            **SMALL,
        },
        **_thinker_ids(tokenizer, "qwen2"),
    )
    model = t.Qwen2_5OmniThinkerForConditionalGeneration(config)
    return _save(folder, _legible(_lively(model), tokenizer), tokenizer, _whisper_features(300))


def qwen3_omni(folder: Path, *, seed: int = 0) -> Path:
    """The thinker of Qwen3-Omni (mixture of experts), with tokenizer and feature extractor."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    tokenizer = byte_tokenizer(CHAT_TOKENS + AUDIO_TOKENS["qwen3"] + VISION_TOKENS)
    config = t.Qwen3OmniMoeThinkerConfig(
        audio_config={**EAR, "output_dim": 32, "downsample_hidden_size": 16},
        vision_config=_eye(num_position_embeddings=16, deepstack_visual_indexes=[0]),
        text_config={
            "vocab_size": len(tokenizer),
            "rope_parameters": {**MROPE, "mrope_interleaved": True},
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "pad_token_id": tokenizer.pad_token_id,
            **SMALL,
        },
        **_thinker_ids(tokenizer, "qwen3"),
    )
    model = t.Qwen3OmniMoeThinkerForConditionalGeneration(config)
    return _save(folder, _legible(_lively(model), tokenizer), tokenizer, _whisper_features(30))


def as_whole_omni(thinker: Path, folder: Path) -> Path:
    """A thinker's folder as the hub's Omni folders are laid out: every weight under `thinker.`, its
    configuration inside the whole one, an extractor's settings among those for pictures, and weights of a
    talker that a listener has no use for."""
    import json
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(thinker, folder)
    weights = {f"thinker.{name}": value for name, value in load_file(folder / "model.safetensors").items()}
    weights["talker.codec_head.weight"] = torch.zeros(4, 4)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    kind = config["model_type"].removesuffix("_thinker")
    whole = {"model_type": kind, "thinker_config": config, "enable_audio_output": True}
    (folder / "config.json").write_text(json.dumps(whole))
    extractor = json.loads((folder / "preprocessor_config.json").read_text())
    pictures = {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "merge_size": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps({**extractor, **pictures}))
    return folder


def ast(folder: Path, classes: list[str], *, seed: int = 0) -> Path:
    """An Audio Spectrogram Transformer with these classes; hears the first 1.3 s of a window."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    config = t.ASTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_length=128,
        id2label=dict(enumerate(classes)),
        problem_type="multi_label_classification",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
        extractor = t.ASTFeatureExtractor(max_length=128)
    return _save(folder, _lively(t.ASTForAudioClassification(config)), extractor)


def wav2vec2(folder: Path, classes: list[str], *, seed: int = 0) -> Path:
    """A wav2vec2 sequence classifier with these classes, as models of emotion are."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    config = t.Wav2Vec2Config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=[16] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=16,
        id2label=dict(enumerate(classes)),
    )
    return _save(folder, t.Wav2Vec2ForSequenceClassification(config), t.Wav2Vec2FeatureExtractor())


def clap(folder: Path, *, seed: int = 0) -> Path:
    """CLAP with a text and an audio encoder."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    tokenizer = byte_tokenizer(CHAT_TOKENS)
    config = t.ClapConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "pad_token_id": tokenizer.pad_token_id,
        },
        audio_config={
            "patch_embeds_hidden_size": 16,
            "hidden_size": 128,
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [2, 2, 2, 2],
        },
        projection_dim=32,
    )
    return _save(
        folder, _lively(t.ClapModel(config)), tokenizer, t.ClapFeatureExtractor(truncation="rand_trunc")
    )


def qwen3_aligner(folder: Path, *, seed: int = 0) -> Path:
    """Qwen3-ForcedAligner with its processor; its times end at 4 s."""
    import transformers as t

    pad, start, end = AUDIO_TOKENS["qwen3"]
    config, processor = _qwen3_words(
        seed,
        "{% for m in messages %}{% for part in m['content'] %}"
        f"{{% if part['type'] == 'audio' %}}{start}{pad}{end}"
        "{% else %}{{ part['text'] }}<timestamp><timestamp>{% endif %}"
        "{% endfor %}{% endfor %}",
    )
    config.num_labels = 50
    return _save(folder, _lively(t.Qwen3ASRForTokenClassification(config)), processor)


def qwen3_asr(folder: Path, *, seed: int = 0) -> Path:
    """Qwen3-ASR with its processor."""
    import transformers as t

    pad, start, end = AUDIO_TOKENS["qwen3"]
    # As published: the system's part stands there also when nobody gives one.
    config, processor = _qwen3_words(
        seed,
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\n<|im_end|>\n{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
        "{% for part in m['content'] %}"
        f"{{% if part['type'] == 'audio' %}}{start}{pad}{end}{{% else %}}{{{{ part['text'] }}}}{{% endif %}}"
        "{% endfor %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    )
    return _save(folder, _lively(t.Qwen3ASRForConditionalGeneration(config)), processor)


def _qwen3_words(seed: int, template: str) -> tuple[Any, Any]:
    """Configuration and processor of the models that write or align words."""
    import torch
    import transformers as t

    torch.manual_seed(seed)
    pad, start, end = AUDIO_TOKENS["qwen3"]
    tokenizer = byte_tokenizer(
        [*CHAT_TOKENS, pad, start, end, "<asr_text>", "<timestamp>"],
        extra_special_tokens={"audio_token": pad, "audio_bos_token": start, "audio_eos_token": end},
    )
    ids = tokenizer.convert_tokens_to_ids
    config = t.Qwen3ASRConfig(
        audio_config={
            "model_type": "qwen3_asr_encoder",
            "output_dim": 32,
            "downsample_hidden_size": 16,
            **EAR,
        },
        text_config={
            "model_type": "qwen3",
            "vocab_size": len(tokenizer),
            "head_dim": 16,
            "tie_word_embeddings": True,
            **SMALL,
        },
        audio_token_id=ids(pad),
        timestamp_token_id=ids("<timestamp>"),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.pad_token_id],
    )
    processor = t.Qwen3ASRProcessor(t.Qwen3ASRFeatureExtractor(), tokenizer, chat_template=template)
    return config, processor
