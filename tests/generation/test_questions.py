"""Candidates give nothing away: who knows the world and does not look is right no more often than chance has it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from dataset_samples import Painting, small_recipe

from distortlab.core.region import Box, Region
from distortlab.core.seeds import stream
from distortlab.generation.loaded_reference import LoadedReference
from distortlab.generation.plan import make_plan
from distortlab.generation.questions import Subject, ask, draw_object_candidates, draw_type_candidates
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import NamedRegion, Reference
from distortlab.tasks.terms import FAMILIES

HOMES = (
    ("person",), ("person",), ("cat",), ("dog",), ("clock",), ("train",), ("giraffe",), ("zebra",),
    ("fork", "knife"), ("person", "surfboard"), ("person", "tie", "car"), ("cat", "couch"),
    ("bed", "book", "lamp", "clock", "vase"), ("dog", "frisbee", "person"),
)  # fmt: skip
"""What stands together in an image; a person is rarely alone, and three in four are in a crowd."""


@dataclass(frozen=True, slots=True)
class Home:
    """An image without pixels worth looking at: its names, some of them several times."""

    number: int

    @property
    def id(self) -> str:
        return f"home-{self.number:06d}"

    @property
    def names(self) -> tuple[str, ...]:
        return HOMES[stream("home", self.number).below(len(HOMES))]

    @property
    def name_count(self) -> int:
        return len(self.names)

    @property
    def region_count(self) -> int:
        return len(self.names)

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        shape = (4, 4)
        named = [name for name in self.names for _ in range(5 if name == "person" else 1)]
        places = tuple(NamedRegion(Region.from_box(Box(0, 0, 2, 2), shape), name) for name in named)
        image = np.zeros((*shape, 3), np.uint8)
        return Reference(self.id, image, b"", "png", "made in code", "none", places)


@dataclass(frozen=True)
class World:
    """As many homes as one likes."""

    count: None = None
    name: str = "world"
    license: str = "none"
    fingerprint: str = "w" * 64
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def vocabulary(self) -> Mapping[str, float]:
        found = Counter(name for home in HOMES for name in home)
        return {name: count / len(HOMES) for name, count in found.items()}

    @property
    def alone(self) -> Mapping[str, float]:
        found = Counter(home[0] for home in HOMES if len(home) == 1)
        return {name: count / len(HOMES) for name, count in found.items()}

    def entries(self, count: int) -> Sequence[Home]:
        return [Home(number) for number in range(count)]


def asked(images: int) -> Iterator[tuple[list[str], str]]:
    """(candidates, answer) of the object questions of a data set of the world."""
    recipe = small_recipe(n=images, images_per_reference=2.5, splits={"train": 1.0})
    plan = make_plan(recipe, World())
    for shard in plan.shards:
        for slot in shard.slots:
            loaded = LoadedReference(shard.entries[slot.entry].load(recipe.references, recipe.regions), recipe)
            place = loaded.reference.regions[loaded.order_regions(slot.image_id, slot.turn)[0]]
            others = tuple(dict.fromkeys(n.object for n in loaded.reference.regions if n.object != place.object))
            subject = Subject(slot.image_id, slot.family, 3, Box(0, 0, 2, 2), (4, 4), place.object, others, not others)
            source = stream(slot.image_id, "object")
            found = draw_object_candidates(subject, plan.vocabulary, recipe.questions.object_candidates, source)
            if len(found) > 1:
                yield found, str(place.object)


@pytest.fixture(scope="module")
def questions() -> list[tuple[list[str], str]]:
    return list(asked(12_000))


def test_no_candidate_of_a_set_is_the_answer_more_often_than_another(questions: list[tuple[list[str], str]]) -> None:
    """Chi-square over the members of every set that came up often, summed: its mean is its degrees of freedom."""
    sets: dict[tuple[str, ...], Counter[str]] = {}
    for found, answer in questions:
        sets.setdefault(tuple(sorted(found)), Counter())[answer] += 1
    chi, freedom = 0.0, 0
    for names, right in sets.items():
        expected = sum(right.values()) / len(names)
        if expected >= 8:
            chi += sum((right[name] - expected) ** 2 / expected for name in names)
            freedom += len(names) - 1
    assert freedom > 20
    assert chi < freedom + 5 * (2 * freedom) ** 0.5


def test_nobody_is_lost_and_nothing_is_certain(questions: list[tuple[list[str], str]]) -> None:
    assert len(questions) > 11_900
    assert all(answer in found and len(found) == len(set(found)) for found, answer in questions)
    assert Counter(len(found) for found, _ in questions)[4] > 1_000
    together = {tuple(sorted(home)) for home in HOMES}
    one_name = [found for found, answer in questions if (answer,) in together and len(found) == 4]
    assert {name for found in one_name for name in found} > {"person", "giraffe", "zebra"}


@pytest.mark.parametrize("share", [0.3, 0.45, 0.7, 0.95])
def test_a_name_that_is_nearly_always_the_answer_is_no_good_guess(share: float) -> None:
    """Whether it is a third, half or nearly all of the images: offered, it is right as often as chance has it."""
    others = dict.fromkeys(("a", "b", "c", "d", "e", "f"), (1 - share) / 6)
    vocabulary = {"person": share, **others}
    right, expected, variance = 0, 0.0, 0.0
    for number in range(6000):
        own = list(vocabulary)[stream("own", number).choose_index(list(vocabulary.values()))]
        subject = Subject(str(number), "blur", 3, Box(0, 0, 2, 2), (4, 4), own, (), True)
        found = draw_object_candidates(subject, vocabulary, 4, stream("draw", number))
        if "person" in found and len(found) > 1:
            right += own == "person"
            expected += 1 / len(found)
            variance += (1 - 1 / len(found)) / len(found)
    assert expected > 100
    assert abs(right - expected) < 4 * variance**0.5


@pytest.mark.parametrize("shares", [{"blur": 3.0}, {"blur": 0.5, "noise": 2.0}, {"pixelate": 0.0}])
def test_a_family_with_a_larger_share_is_no_better_guess(shares: dict[str, float]) -> None:
    families = {**dict.fromkeys(FAMILIES, 1.0), **shares}
    offered, right = Counter[str](), Counter[str]()
    for number in range(6000):
        own = list(families)[stream("own", number).choose_index(list(families.values()))]
        found = draw_type_candidates(own, families, 4, stream("draw", number))
        offered.update(found)
        right[own] += 1
        assert own in found
        assert len(found) == len(set(found)) == 4
    for family, count in offered.items():
        assert abs(right[family] - count / 4) < 4 * (count * 3 / 16) ** 0.5, family


def test_a_question_about_no_region_is_not_asked_here() -> None:
    subject = Subject("train-000000", "noise", 3, Box(0, 0, 2, 2), (4, 4), "cat", ("dog",))
    with pytest.raises(ValueError, match="questions of quality are not about one region"):
        ask("quality", subject, small_recipe(), {})


def test_a_question_is_not_asked_without_a_choice() -> None:
    subject = Subject("i", "blur", 3, Box(0, 0, 2, 2), (4, 4), "cat", (), False)
    assert ask("object", subject, small_recipe(), {"cat": 1.0, "dog": 1.0}) is None
    assert Painting(0).name_count == 3
