"""What attention over all windows at once saves, on a CPU: python benchmarks/vision_attention.py

Seconds of CPU of the tiny models' vision parts, one thread, the least of several turns that alternate; and the largest
difference of the tokens from those of transformers' loop.
"""

import time
from collections.abc import Callable, Sequence

import torch

from refine_iqa_train.models.vision_attention import use_batched_attention
from refine_iqa_train.training.tiny_model import build_tiny_model
from refine_iqa_train.training.tiny_processor import PATCH, build_tiny_tokenizer

TURNS = 6
GRIDS = {"128 images of 8 x 8 patches": [[1, 8, 8]] * 128, "16 images of 20 x 20 patches": [[1, 20, 20]] * 16}


def measure_once(work: Callable[[], torch.Tensor]) -> tuple[float, torch.Tensor]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def compare(family: str, grid: Sequence[Sequence[int]], backward: bool) -> tuple[float, float, float]:
    """Seconds looped and batched, and the largest difference."""
    model = build_tiny_model(family, build_tiny_tokenizer(family))
    visual, sizes = model.model.visual, torch.tensor(grid)
    pixels = torch.randn(int(sizes.prod(1).sum()), 2 * 3 * PATCH**2, generator=torch.Generator().manual_seed(0))

    def see() -> torch.Tensor:
        visual.zero_grad()
        with torch.set_grad_enabled(backward):
            tokens = visual(pixels, grid_thw=sizes).pooler_output
            if backward:
                tokens.square().mean().backward()
        return tokens.detach()

    best = {"looped": float("inf"), "batched": float("inf")}
    tokens = {}
    for _ in range(TURNS):
        for kind in best:
            model.set_attn_implementation({"vision_config": "sdpa"})
            if kind == "batched":
                assert use_batched_attention(model)
            seconds, tokens[kind] = measure_once(see)
            best[kind] = min(best[kind], seconds)
    return best["looped"], best["batched"], float((tokens["looped"] - tokens["batched"]).abs().max())


def main() -> None:
    torch.set_num_threads(1)
    for family in ("qwen3_vl", "qwen2_5_vl"):
        for name, grid in GRIDS.items():
            for backward in (True, False):
                looped, batched, difference = compare(family, grid, backward)
                way = "forward and back" if backward else "forward"
                print(
                    f"{family}, {name}, {way}: looped {1e3 * looped:.0f} ms, batched {1e3 * batched:.0f} ms, "
                    f"difference {difference:.1g}"
                )


if __name__ == "__main__":
    main()
