"""Attention of the modules that see, over all windows of one length at once.

The Qwen-VL models of transformers attend within images, or within windows of them, one after the other: `sdpa` in a
Python loop. The attention below takes windows of equal length together, in one call for each length, and gives the same
numbers. It is an attention function of transformers, chosen for the vision configuration of one model.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["NAME", "attend_to_windows", "use_batched_attention"]

NAME = "batched_windows_flash_layout"
"""Under which transformers knows it. With "flash" in a name it hands over whole batches and the ends of their windows;
with any other name it loops."""
LOOPING = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe")
"""Model types whose vision attention loops."""


def use_batched_attention(model: "Module") -> bool:
    """Let the modules of a model that see attend to all windows of one length at once.

    Parameters
    ----------
    model
        Of transformers, with adapters or without.

    Returns
    -------
    bool
        Whether it does now; a model that does not loop, or that was loaded with another attention than `sdpa`, is left
        alone.
    """
    from transformers import AttentionInterface

    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = model.config
    if config.model_type not in LOOPING or config.vision_config._attn_implementation not in ("sdpa", NAME):
        return False
    AttentionInterface.register(NAME, attend_to_windows)
    model.set_attn_implementation({"vision_config": NAME})
    return True


def attend_to_windows(
    module: "Module",
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,
    *,
    cu_seq_lens_q: Tensor,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend within each window, in both directions; with the signature that transformers calls.

    Parameters
    ----------
    module
        The one that attends; not looked at.
    query, key, value
        (1, heads, N, d) float: the tokens of all windows, one window after the other.
    attention_mask
        None: windows are what keeps tokens apart.
    cu_seq_lens_q
        (windows + 1,) int: where each begins, and N.
    scaling, dropout
        Of the products of queries and keys; the share of weights that are left out.

    Returns
    -------
    tuple
        (1, N, heads, d) float, and no weights.
    """
    lengths = (cu_seq_lens_q[1:] - cu_seq_lens_q[:-1]).tolist()
    parts = [part[0].transpose(0, 1) for part in (query, key, value)]  # (N, H, d)

    def attend(windows: Sequence[Tensor], length: int) -> Tensor:
        """(m * L, H, d) each, m windows of one length L; the same."""
        q, k, v = (part.unflatten(0, (-1, length)).transpose(1, 2) for part in windows)  # (m, H, L, d)
        out: Tensor = scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling)
        return out.transpose(1, 2).flatten(0, 1)

    kinds = sorted(set(lengths))
    if len(kinds) == 1:
        return attend(parts, kinds[0])[None], None
    if len(kinds) == len(lengths):  # nothing to take together
        windows = zip(*(part.split(lengths) for part in parts), strict=True)
        return torch.cat([attend(window, n) for window, n in zip(windows, lengths, strict=True)])[None], None
    places = _group_places(cu_seq_lens_q, lengths, kinds)
    grouped = [attend([part[place] for part in parts], n) for n, place in zip(kinds, places, strict=True)]
    return torch.cat(grouped)[torch.cat(places).argsort()][None], None


def _group_places(ends: Tensor, lengths: Sequence[int], kinds: Sequence[int]) -> list[Tensor]:
    """For each length the places of the tokens of its windows, one window after the other."""
    starts, sizes = ends[:-1], torch.tensor(lengths, device=ends.device)
    return [(starts[sizes == n, None] + torch.arange(n, device=ends.device)).flatten() for n in kinds]
