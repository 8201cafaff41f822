"""What is compared: the floor, this generator, and the script that people write today. All see the same files."""

import tempfile
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image as pillow

from distortlab.generation.plan import Plan, make_plan
from distortlab.generation.shard import ShardJob, run_shard
from distortlab.imaging.encode import encode_png
from distortlab.recipe import Recipe, default_recipe
from distortlab.references import Entry, open_references
from distortlab.storage.base import Folder

__all__ = ["Contestant", "floor", "generator", "make_single_shard_plan", "peer"]

# A contestant works through some images and returns how many it made.
Contestant = Callable[[], int]


def make_single_shard_plan(spec: str, images: int, per_reference: float, seed: int = 0) -> Plan:
    """One shard of `images` images, `per_reference` from each reference."""
    recipe = default_recipe(
        n=images, seed=seed, images_per_reference=per_reference, images_per_shard=images, splits={"train": 1.0}
    )
    return make_plan(recipe, open_references(spec, 0, recipe.regions))


def floor(plan: Plan) -> Contestant:
    """Read the reference, decode it, encode it losslessly: what any generator must do for every image."""
    paths = [entry.path for entry in _primary(plan)]  # type: ignore[attr-defined]

    def work() -> int:
        for path in paths:
            encode_png(simplejpeg.decode_jpeg(path.read_bytes(), "RGB"))
        return len(paths)

    return work


def generator(plans: Sequence[Plan]) -> Contestant:
    """Distortlab with everything: screening, regions, edits, measurement, questions, both tables, hashes, fsync.

    Each time another of the plans: with a hundred images it is luck how many of them go through a dear codec.
    """
    turns = cycle(plans)

    def work() -> int:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            return run_shard(_job(next(turns), Path(folder))).images

    return work


def _job(plan: Plan, out: Path) -> ShardJob:
    return ShardJob(plan.recipe, plan.vocabulary, plan.sha256, plan.shards[0], Folder(out))


def _primary(plan: Plan) -> tuple[Entry, ...]:
    shard = plan.shards[0]
    return shard.entries[: shard.primary]


def peer(plan: Plan, level: int | None) -> Contestant:
    """What people write: albumentations on the whole image, a float composite through a blurred mask, Pillow PNG.

    `level` is Pillow's compress_level; None leaves it at its default of 6. The masks are drawn before the clock starts,
    and references without a region are left out.
    """
    from peers import transforms

    make = transforms()
    masks = [(entry, _first_mask(entry, plan.recipe)) for entry in _primary(plan)]
    pairs = [(entry, mask) for entry, mask in masks if mask is not None]

    def work() -> int:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            for i, (entry, mask) in enumerate(pairs):
                image = np.array(pillow.open(entry.path).convert("RGB"))  # type: ignore[attr-defined]
                out = _composite(image, make(i % 12, i * 7 % 5 + 1)(image=image)["image"], mask)
                options = {} if level is None else {"compress_level": level}
                pillow.fromarray(out).save(Path(folder) / f"{i:06d}.png", **options)
        return len(pairs)

    return work


def _first_mask(entry: Entry, recipe: Recipe) -> np.ndarray | None:
    reference = entry.load(recipe.references, recipe.regions)
    if not reference.regions:
        return None
    region = reference.regions[0].region
    full = np.zeros(region.size, np.float32)
    full[region.bbox.slices] = region.mask
    return full


def _composite(image: np.ndarray, distorted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    import cv2

    weight = cv2.GaussianBlur(mask, (0, 0), 3)[..., None]
    mixed = distorted.astype(np.float32) * weight + image.astype(np.float32) * (1 - weight)
    return np.clip(mixed, 0, 255).astype(np.uint8)
