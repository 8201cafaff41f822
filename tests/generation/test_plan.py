"""The plan: which references are used, and which images are asked about objects."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from dataset_samples import Gallery, small_recipe

from distortlab.generation.plan import EditRequest, Slot, make_plan


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


def test_every_image_has_one_edit_in_a_region() -> None:
    plan = make_plan(small_recipe(n=40), Gallery())
    edits = [slot.edits for shard in plan.shards for slot in shard.slots]
    assert len(edits) == 40
    assert all(len(own) == 1 and own[0].place == "region" for own in edits)


@pytest.mark.parametrize("edits", [(), (EditRequest("noise", 3), EditRequest("blur", 2, "whole"))])
def test_the_family_of_a_slot_is_that_of_its_only_edit(edits: tuple[EditRequest, ...]) -> None:
    one = Slot("train-000000", (EditRequest("noise", 3, difficulty="easy"),), ("object",), 0, 0)
    assert (one.family, one.severity, one.difficulty) == ("noise", 3, "easy")
    slot = Slot("train-000000", edits, ("object",), 0, 0)
    for name in ("family", "severity", "difficulty"):
        with pytest.raises(ValueError, match=f"asks for {len(edits)} edits, not for one"):
            getattr(slot, name)
