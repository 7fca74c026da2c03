"""In which arithmetic the network learns."""

import torch

from scripts.train_tagger.network import quick_arithmetic


def test_it_learns_in_bfloat16_only_where_the_processor_has_instructions_for_it():
    """Elsewhere a product stays in float32, which is quicker there."""
    has = torch.cpu.get_capabilities()

    with quick_arithmetic():
        product = torch.ones(2, 2) @ torch.ones(2, 2)

    quick = has.get("avx512_bf16") or has.get("amx_bf16")
    assert product.dtype == (torch.bfloat16 if quick else torch.float32)
