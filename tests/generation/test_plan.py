"""The plan: which references are used, and which images are asked about objects."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dataset_samples import Gallery, small_recipe

from distortlab.generation.plan import make_plan


@dataclass(frozen=True)
class Mixed(Gallery):
    """Every third painting has three names, the others one."""

    kinds: Sequence[str] = ("alone", "alone", "good")
    limit: int | None = 600
    vocabulary: Mapping[str, float] = field(default_factory=lambda: {"cat": 0.5, "dog": 0.5})


def test_object_questions_go_to_references_with_a_choice_of_names() -> None:
    recipe = small_recipe(n=200, images_per_shard=50)
    plan = make_plan(recipe, Mixed())
    slots = [(slot, shard.entries[slot.entry]) for shard in plan.shards for slot in shard.slots]
    assert sum(entry.name_count for _, entry in slots) / len(slots) > 2.4
    assert len({entry.id for _, entry in slots}) == 100
    chosen = [entry.name_count for slot, entry in slots if "object" in slot.tasks]
    assert min(chosen) == 3
    total = Counter(task for slot, _ in slots for task in slot.tasks)
    assert max(total.values()) - min(total.values()) <= 2


def test_references_come_as_they_are_where_no_object_is_asked_for() -> None:
    recipe = small_recipe(n=200, images_per_shard=50, tasks={"grounding": 1.0, "recognition": 1.0}, samples_per_image=2)
    plan = make_plan(recipe, Mixed())
    entries = [shard.entries[slot.entry] for shard in plan.shards for slot in shard.slots]
    assert 0.2 < sum(entry.name_count == 3 for entry in entries) / len(entries) < 0.5
