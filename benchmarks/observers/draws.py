"""Accepted draws of the generator as rows of features, every variant about as often as every other."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from features import compute_features

from distortlab.distortions.catalog import FAMILIES, find, list_variants
from distortlab.distortions.edit import render_edit
from distortlab.generation.draw import DistortedImage, draw_image
from distortlab.generation.plan import make_plan
from distortlab.generation.reference_pool import ReferencePool
from distortlab.recipe import Recipe, default_recipe
from distortlab.references import open_references

LABELS = ("family", "variant", "severity", "reference")


def make_recipe(count: int, seed: int = 0) -> Recipe:
    """The default recipe for `count` images, with as many of a family as it has variants; no questions are asked."""
    families = {family: float(len(list_variants(family, "matched"))) for family in FAMILIES}
    return default_recipe(
        n=count,
        seed=seed,
        families=families,
        splits={"train": 1.0},
        tasks={"recognition": 1.0},
        samples_per_image=1.0,
        max_images_per_reference=10_000,
        images_per_shard=100_000,
        keep_references=False,
    )


def draw_images(spec: str, recipe: Recipe) -> Iterator[DistortedImage]:
    """The images of a data set, without their files."""
    for shard in make_plan(recipe, open_references(spec, recipe.seed, recipe.regions)).shards:
        pool, known = ReferencePool(shard.entries, recipe, shard.spare, patches=True), set[str]()
        for slot in shard.slots:
            image = draw_image(slot, pool, known)
            if image is not None:
                yield image


def measure_draws(spec: str, count: int, seed: int = 0) -> pd.DataFrame:
    """A row for each of about `count` accepted draws: `LABELS`, and the features of the region."""
    rows = []
    for image in draw_images(spec, make_recipe(count, seed)):
        edit, before = image.edits[0], image.reference.image
        box, row = edit.bbox, find(edit.distortion)
        crop = np.ascontiguousarray(before[box.slices])
        found = compute_features(crop, render_edit(before, edit), edit.region.mask, box.x1, box.y1)
        labels = (row.family, row.name, edit.severity, image.reference.id)
        rows.append({**dict(zip(LABELS, labels, strict=True)), **found})
        if len(rows) % 1000 == 0:
            print(f"  {len(rows):,} draws", flush=True)
    return pd.DataFrame(rows)
