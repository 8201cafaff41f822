"""Names that may stand beside each other: what lies inside a region is no wrong answer, and wordings are true."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import Gallery, picture, rows_of, small_recipe
from hypothesis import given
from hypothesis import strategies as st
from reference_samples import encoded

from distortlab.core.region import Box, Region
from distortlab.generation.candidates import (
    NameGroups,
    count_instances,
    select_compatible_names,
)
from distortlab.generation.generate import generate
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import NamedRegion, Reference
from distortlab.tasks import object as object_task
from distortlab.verification.verify import verify

SHAPE = (264, 330)
Places = tuple[tuple[str, tuple[int, int, int, int]], ...]


def reference(places: Places, annotated: Places = (), name: str = "r") -> Reference:
    def name_regions(named: Places) -> tuple[NamedRegion, ...]:
        return tuple(NamedRegion(Region.from_box(Box(*box), SHAPE), own) for own, box in named)

    image = picture(sum(map(ord, name)))
    return Reference(
        name,
        image,
        encoded(image, "PNG"),
        "png",
        "made",
        "none",
        name_regions(places),
        annotated=name_regions((*places, *annotated)),
    )


boxes = st.tuples(st.integers(0, 160), st.integers(0, 130), st.integers(1, 160), st.integers(1, 130)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
scenes_of_boxes = st.lists(st.tuples(st.sampled_from("abcde"), boxes), min_size=1, max_size=7).map(tuple)


def pixels(reference: Reference, name: str) -> np.ndarray:
    """The pixels of a name, by hand."""
    mask = np.zeros(SHAPE, bool)
    for place in reference.annotated:
        if place.object == name:
            mask[place.region.bbox.slices] |= place.region.mask != 0
    return mask


@given(scenes_of_boxes)
def test_names_inside_are_those_with_most_of_their_pixels_there(places: Places) -> None:
    made = reference(places)
    for place in made.regions:
        own = np.zeros(SHAPE, bool)
        own[place.region.bbox.slices] = place.region.mask != 0
        expected = {name for name, _ in places if (pixels(made, name) & own).sum() * 2 > pixels(made, name).sum()}
        assert NameGroups(made).find_names_inside(place.region) == expected


@given(scenes_of_boxes, st.randoms(use_true_random=False))
def test_names_that_stand_together_never_lie_inside_each_other(places: Places, source: "np.random.Random") -> None:
    made = reference(places)
    names = sorted({name for name, _ in places})
    source.shuffle(names)
    kept = select_compatible_names(names, NameGroups(made).conflicting_pairs)
    assert names[0] in kept
    for place in made.regions:
        if place.object in kept:
            assert NameGroups(made).find_names_inside(place.region) & kept <= {place.object}


TABLE: Places = (("table", (10, 10, 200, 200)), ("bowl", (60, 60, 120, 120)), ("lamp", (220, 40, 310, 140)))


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A bowl on a table, and a lamp; or nothing but a table with a bowl that is too small to be distorted."""

    number: int
    name_count: int = 3
    region_count: int = 3

    @property
    def id(self) -> str:
        return f"kitchen-{self.number:03d}"

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        if self.number % 3 == 0:
            return reference(TABLE[:1], (("bowl", (60, 60, 75, 75)),), self.id)
        if self.number % 3 == 1:
            return reference(TABLE, (("lamp", (0, 230, 20, 250)),), self.id)
        return reference(TABLE, (), self.id)


class Kitchens(Gallery):
    def entries(self, count: int) -> Sequence[Kitchen]:
        return [Kitchen(number) for number in range(count)]


@pytest.fixture(scope="module")
def kitchens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kitchens") / "data"
    vocabulary = {"table": 0.4, "bowl": 0.3, "lamp": 0.3, "cup": 0.3}
    recipe = small_recipe(n=90, images_per_shard=30, splits={"train": 1.0})
    generate(recipe, Kitchens(vocabulary=vocabulary), out, workers=1)
    return out


def test_nothing_that_lies_inside_is_offered(kitchens: Path) -> None:
    asked = Counter[str]()
    for row in rows_of(kitchens, "samples"):
        if row["task"] == "object":
            offered = set(object_task.read_candidates(row["prompt"][0]["content"]))
            assert not {"table", "bowl"} <= offered
            asked[row["solution"]] += 1
    assert {"table", "bowl", "lamp"} <= set(asked)
    assert not verify(kitchens, workers=1).problems


def test_an_instance_of_a_kind_is_told_and_tells_nothing(kitchens: Path) -> None:
    """Where a name stands for several things, or may, the wording says so, whichever name is the answer."""
    shown = {row["image_id"]: row["reference_id"] for row in rows_of(kitchens, "images")}
    told = Counter[tuple[bool, bool]]()
    for row in rows_of(kitchens, "samples"):
        if row["task"] == "object":
            prompt = row["prompt"][0]["content"]
            kitchen = Kitchen(int(shown[row["image_id"]][-3:]))
            counts = count_instances(kitchen.load(ReferenceRules(), RegionRules()))
            alone = kitchen.number % 3 == 0
            expected = alone or any(counts.get(name, 0) > 1 for name in object_task.read_candidates(prompt))
            assert ("instance of" in prompt) == expected
            told[expected, counts[row["solution"]] > 1] += 1
    assert told[True, False]
    assert told[True, True]
    assert told[False, False]


@pytest.mark.parametrize("wording", range(object_task.WORDINGS))
def test_every_wording_of_kinds_says_an_instance_of(wording: int) -> None:
    prompt = object_task.question(["person", "dog"], wording, of_kinds=True)
    assert "n instance of" in prompt
    assert object_task.read_candidates(prompt) == ["person", "dog"]
    assert "instance" not in object_task.question(["person", "dog"], wording)
