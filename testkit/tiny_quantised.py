"""Folders of tiny models with quantised weights, laid out as public ones are: FP8, compressed-tensors, AWQ
and GPTQ. The projections of the language model alone are quantised; the encoder is whole.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

GROUP = 32
"""Inputs that share a scale in AWQ and GPTQ."""
_AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)
WIDE: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128}
"""Widths that AWQ's and GPTQ's kernels take, for a tiny model's `brain`."""
Weights = dict[str, Any]


def quantise(folder: Path, method: str) -> Path:
    """Quantise the folder's weights in place by fp8, compressed-tensors, awq or gptq. The weights that those
    stand for are written into the folder's sibling `<name>-whole`, which is the result."""
    import shutil

    from safetensors.torch import load_file, save_file

    whole = folder.with_name(f"{folder.name}-whole")
    shutil.copytree(folder, whole)
    weights = load_file(folder / "model.safetensors")
    stored, meant = dict(weights), dict(weights)
    for name in [name for name in weights if _is_quantised(name)]:
        del stored[name]
        parts, meant[name] = _WAYS[method](weights[name].float())
        stored |= {name.removesuffix("weight") + part: value for part, value in parts.items()}
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    save_file(meant, whole / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "quantization_config": _HOW[method]}))
    return whole


def _is_quantised(name: str) -> bool:
    projects = name.endswith("proj.weight") and ".layers." in name
    return projects and "audio_tower" not in name and "visual" not in name


def _fp8(weight: Any) -> tuple[Weights, Any]:
    import torch

    scale = weight.abs().max() / torch.finfo(torch.float8_e4m3fn).max
    stored = (weight / scale).to(torch.float8_e4m3fn)
    return {"weight": stored, "weight_scale_inv": torch.full((1, 1), float(scale))}, stored.float() * scale


def _codes(weight: Any) -> tuple[Any, Any, Any]:
    """Codes 0-15 with 8 for zero (outputs, inputs), scales (outputs, groups), and the weights they mean."""
    groups = weight.view(len(weight), -1, GROUP)
    scales = (groups.abs().amax(-1) / 7).clamp(min=1e-6).half().float()
    codes = (groups / scales[..., None]).round().clamp(-8, 7) + 8
    meant = (codes - 8) * scales[..., None]
    return codes.view(weight.shape).int(), scales, meant.view(weight.shape)


def _packed(codes: Any, order: tuple[int, ...]) -> Any:
    """Eight codes of a row in one 32-bit number."""
    import torch

    packed = torch.zeros(len(codes), codes.shape[1] // 8, dtype=torch.int32)
    for place, at in enumerate(order):
        packed |= codes[:, at::8] << (4 * place)
    return packed


def _zeros(scales: Any, zero: int, order: tuple[int, ...]) -> Any:
    import torch

    return _packed(torch.full((scales.shape[1], len(scales)), zero, dtype=torch.int32), order)


def _packed_int4(weight: Any) -> tuple[Weights, Any]:
    import torch

    codes, scales, meant = _codes(weight)
    shape = torch.tensor(weight.shape)
    packed = _packed(codes, tuple(range(8)))
    return {"weight_packed": packed, "weight_scale": scales, "weight_shape": shape}, meant


def _awq(weight: Any) -> tuple[Weights, Any]:
    codes, scales, meant = _codes(weight)
    parts = {
        "qweight": _packed(codes.t().contiguous(), _AWQ_ORDER),
        "qzeros": _zeros(scales, 8, _AWQ_ORDER),
        "scales": scales.t().contiguous().half(),
    }
    return parts, meant


def _gptq(weight: Any) -> tuple[Weights, Any]:
    import torch

    codes, scales, meant = _codes(weight)
    parts = {
        "qweight": _packed(codes, tuple(range(8))).t().contiguous(),
        "qzeros": _zeros(scales, 7, tuple(range(8))),  # GPTQ's first format stores one less
        "scales": scales.t().contiguous().half(),
        "g_idx": torch.arange(weight.shape[1], dtype=torch.int32) // GROUP,
    }
    return parts, meant


_WAYS: dict[str, Callable[[Any], tuple[Weights, Any]]] = {
    "fp8": _fp8,
    "compressed-tensors": _packed_int4,
    "awq": _awq,
    "gptq": _gptq,
}
_WHOLE = ["audio_tower", "multi_modal_projector", "visual", "lm_head"]
_HOW: dict[str, dict[str, Any]] = {
    "fp8": {"quant_method": "fp8", "weight_block_size": [128, 128], "modules_to_not_convert": _WHOLE},
    "compressed-tensors": {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head", *(f"re:.*{name}.*" for name in _WHOLE[:3])],
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {
                    "num_bits": 4,
                    "type": "int",
                    "symmetric": True,
                    "strategy": "group",
                    "group_size": GROUP,
                    "dynamic": False,
                },
            }
        },
    },
    # As older lists are: names that do not begin as those of today's modules do.
    "awq": {
        "quant_method": "awq",
        "bits": 4,
        "group_size": GROUP,
        "version": "gemm",
        "zero_point": True,
        "modules_to_not_convert": ["audio_tower", "visual"],
    },
    "gptq": {
        "quant_method": "gptq",
        "bits": 4,
        "group_size": GROUP,
        "desc_act": False,
        "sym": True,
        "checkpoint_format": "gptq",
        "block_name_to_quantize": "model.language_model.layers",
    },
}
