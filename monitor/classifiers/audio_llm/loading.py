"""An audio-language model from a folder or the hub into memory, quantised or whole."""

import importlib.util
from typing import Any

from monitor.classifiers.audio_llm.families import FAMILIES, Family
from monitor.classifiers.audio_llm.model import AudioLanguageModel
from monitor.classifiers.pretrained import loading, open_weights, pick_device, pick_dtype, quiet, safe
from monitor.errors import ModelError

KEPT_WHOLE = [r"(.*\.)?audio_tower", r"(.*\.)?multi_modal_projector", r"(.*\.)?visual", "lm_head"]
"""Modules that are never quantised, as transformers' patterns for whole module names: the encoder is a small
part of the weights, and what it loses nothing brings back."""


def load(
    model: str, *, device: str, dtype: Any, quantize: str | None, system: str | None, chat: bool
) -> AudioLanguageModel:
    """The model of that hub id or folder, in memory. ModelError names what is wrong and the fix."""
    with loading(model):
        import transformers

        quiet()
        config = transformers.AutoConfig.from_pretrained(model, **safe(model))
        family = _family(model, config.model_type)
        quantised = _check_quantised(model, config, quantize)
        if quantize and family.experts:
            raise ModelError(
                f"{model}: quantize: {quantize} does not shrink a mixture of experts; leave it "
                "out, or run a quantised one on a server (`type: remote`)"
            )
        where = pick_device(device)
        loaded = open_weights(
            getattr(transformers, family.model_class),
            model,
            config=with_ears_whole(config, quantised) if quantised else None,
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
        raise ModelError(f"{model}: Qwen3-ASR writes transcripts; name it under `transcripts:`")
    if model_type not in FAMILIES:
        raise ModelError(
            f"{model}: a {model_type!r} model is not one of the Qwen audio models; "
            "use `type: hub` for audio classifiers and CLAP"
        )
    return FAMILIES[model_type]


_QUANTISED_BY = {
    "awq": ("gptqmodel",),
    "gptq": ("gptqmodel", "optimum"),
    "compressed-tensors": ("compressed_tensors",),
    "bitsandbytes": ("bitsandbytes",),
    "torchao": ("torchao",),
    "hqq": ("hqq",),
}
"""Ways of quantising that public folders come with, and the packages that read them. FP8 needs none, and of
the others transformers itself names the package."""


def _check_quantised(model: str, config: Any, quantize: str | None) -> dict[str, Any] | None:
    """How the folder's weights are quantised; None where they are whole. ModelError when something is missing
    to read them."""
    thinker = getattr(config, "thinker_config", config)
    found = getattr(config, "quantization_config", None) or getattr(thinker, "quantization_config", None)
    if not found:
        return None
    how: dict[str, Any] = found if isinstance(found, dict) else found.to_dict()
    method = str(getattr(how.get("quant_method"), "value", how.get("quant_method")))
    if quantize:
        raise ModelError(
            f"{model}: its weights are quantised by {method} already; leave out quantize: {quantize}"
        )
    if method not in _methods():
        raise ModelError(
            f"{model}: its weights are quantised by {method}, which transformers cannot read; choose AWQ, "
            "GPTQ, FP8 or compressed-tensors, or run it on a server (`type: remote`)"
        )
    for package in _QUANTISED_BY.get(method, ()):
        if importlib.util.find_spec(package) is None:
            name = package.replace("_", "-")
            raise ModelError(f"{model}: its weights are quantised by {method}; run `pip install {name}`")
    return {**how, "quant_method": method}


def with_ears_whole(config: Any, how: dict[str, Any]) -> Any:
    """The configuration of what is loaded, with how its weights are quantised: whole Omni folders name that
    beside their parts, and the class of a part does not look there. Lists of what is left whole are by the
    names of the transformers that wrote them; without ours it would look for a quantised encoder."""
    if how["quant_method"] in ("awq", "fp8"):
        how["modules_to_not_convert"] = [*(how.get("modules_to_not_convert") or ()), *KEPT_WHOLE]
    if how["quant_method"] == "compressed-tensors":
        # Left compressed, they are unpacked by the first call of the whole model; we call its parts.
        how["dequantize"] = True
    loaded = getattr(config, "thinker_config", config)
    loaded.quantization_config = how
    return loaded


def _methods() -> set[str]:
    """The ways of quantising that transformers reads. It loads a folder of any other as if its weights were
    whole, and what they then say is noise."""
    from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING

    return {*AUTO_QUANTIZER_MAPPING, "bitsandbytes"}


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
