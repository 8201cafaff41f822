"""The estimate of memory: what is known of full training, and that less is less."""

import pytest

from refine_iqa_train.models.memory import ModelShape, Workload, estimate_memory

SHAPE = ModelShape(
    weights=4_000_000_000,
    linear=3_600_000_000,
    vision=400_000_000,
    vision_hidden=1024,
    vision_layers=24,
    hidden=2560,
    inner=9728,
    layers=36,
    kv=1024,
)


def test_full_training_takes_sixteen_bytes_a_weight() -> None:
    memory = estimate_memory(SHAPE, Workload(rows=1, rollouts=1, prompt=1, completion=1))
    assert memory.weights + memory.gradients + memory.optimizer == pytest.approx(16 * 4e9 / 2**30)


def test_less_is_less() -> None:
    whole = Workload(rows=8, rollouts=8, prompt=1200, completion=1024)
    full, shared = estimate_memory(SHAPE, whole), estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, shards=8))
    adapters, four = (
        estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, lora=64)),
        estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, 64, True)),
    )
    assert four.total < adapters.total < full.total
    assert shared.total < full.total
    assert estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, reference=True)).total > full.total
    assert estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, checkpointing=False)).total > full.total
    assert estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, frozen_vision=True)).total < full.total
