"""Images with no edit, with one of the whole frame, and with several: rows, and a data set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataset_samples import Painting, small_recipe

from distortlab.core.region import Box, Region
from distortlab.generation.draw import draw_image
from distortlab.generation.plan import EditRequest, Slot
from distortlab.generation.reference_pool import ReferencePool
from distortlab.generation.rows import make_image_record
from distortlab.recipe import Recipe, ReferenceRules, RegionRules
from distortlab.references.base import NamedRegion, Reference

Row = dict[str, Any]

ALL_KINDS = {"pristine": 1, "whole": 1, "local": 1, "regions": {"1": 1, "2": 1, "3": 1}}
SETS = small_recipe(
    n=16,
    composition=ALL_KINDS,
    tasks={"diagnosis": 10, "comparison": 3, "comparison_regions": 3},
    severities={"1": 1, "5": 1},  # far enough apart to be compared
    samples_per_image=1.6,
    images_per_reference=3,
    images_per_shard=8,
    splits={"train": 1},
    seed=6,
)
"""Of `Gallery()`: every kind of image, and every task about sets."""


@dataclass(frozen=True, slots=True)
class Nested:
    """A painting with a large region, and one that lies inside it."""

    number: int

    @property
    def id(self) -> str:
        return f"nested-{self.number:06d}"

    @property
    def name_count(self) -> int:
        return 2

    @property
    def region_count(self) -> int:
        return 2

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        reference = Painting(self.number).load(references, regions)
        size = reference.image.shape[:2]
        boxes = (Box(10, 10, 190, 170), Box(40, 40, 130, 120))
        places = tuple(NamedRegion(Region.from_box(box, size), name) for box, name in zip(boxes, "ab", strict=True))
        return replace(reference, id=self.id, regions=places)


def make_row(edits: Sequence[EditRequest], recipe: Recipe, entry: Painting | Nested, number: int = 0) -> Row:
    """A row of `images` with its pictures."""
    pool = ReferencePool((entry,), recipe, 0)
    made = draw_image(Slot(f"train-{number:06d}", tuple(edits), (), 0, number), pool, set())
    assert made is not None
    return make_image_record(made, recipe).as_row()
