"""Pictures of the docs, and what each shows: which distortions, settings, V, mean colours."""

import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
from PIL import Image as pillow

from distortlab.core.image import Image
from distortlab.distortions.catalog import FAMILIES
from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.storage.atomic import hash_file
from distortlab.visualization.contact_sheet import make_dataset_tiles
from distortlab.visualization.gallery import Step, draw_catalog_sheet, load_sample_photograph, render_steps, select_rows
from distortlab.visualization.tiles import Tile, draw_sheet

__all__ = ["PICTURES", "RenderedPicture", "is_picture_stale", "name_sheet", "render_family", "write_picture"]

DOCS = Path(__file__).parent


@lru_cache
def render_family(family: str) -> tuple[Step, ...]:
    return tuple(render_steps(*load_sample_photograph(), select_rows([family], "matched")))


def name_sheet(family: str) -> str:
    return f"images/gallery/{family}.webp"


class RenderedPicture(NamedTuple):
    """A picture and what it shows, ready for JSON: text and settings exact, V and colours within a tolerance."""

    image: Image
    facts: list[dict[str, Any]]


def draw_family(family: str) -> RenderedPicture:
    """A sheet of the gallery."""
    shown = render_family(family)
    return RenderedPicture(draw_catalog_sheet(*load_sample_photograph(), shown), list(map(list_facts, shown)))


def draw_families() -> RenderedPicture:
    """One variant of every family at five severities, two families in a row."""
    shown = [step for family in FAMILIES for step in render_family(family)[:5]]
    tiles = [Tile(step.image, f"{step.row.family} {step.severity}", f"V {step.v:.1f}") for step in shown]
    return RenderedPicture(draw_sheet(tiles, columns=10, width=136, height=177), list(map(list_facts, shown)))


def list_facts(step: Step) -> dict[str, Any]:
    row = step.row
    exact = {"name": row.name, "version": row.version, "unit": row.unit, "amount": step.amount}
    return {**exact, "severity": step.severity, "v": round(step.v, 3), "colours": average_colors(step.image)}


def draw_samples() -> RenderedPicture:
    """Twenty images of a data set made from the built-in references."""
    return draw_dataset("smoke", 40)


def draw_diagnosis() -> RenderedPicture:
    """The same of images of every kind."""
    return draw_dataset("diagnosis-25k", 20)


def draw_dataset(recipe: str, n: int) -> RenderedPicture:
    with tempfile.TemporaryDirectory() as folder:
        generate(load_recipe(recipe, n=n, images_per_shard=n), "scenes", folder, workers=1)
        tiles = list(make_dataset_tiles(folder, 20))
    facts = [{"title": tile.title, "note": tile.note, "colours": average_colors(tile.image)} for tile in tiles]
    return RenderedPicture(draw_sheet(tiles, columns=5, width=220), facts)


def average_colors(image: Image) -> list[int]:
    """The mean colours of 3 x 3 parts."""
    return [int(level) for level in cv2.resize(image, (3, 3), interpolation=cv2.INTER_AREA).ravel()]


PICTURES: dict[str, Callable[[], RenderedPicture]] = {
    "images/families.jpg": draw_families,
    "images/samples.jpg": draw_samples,
    "images/diagnosis.jpg": draw_diagnosis,
    **{name_sheet(family): partial(draw_family, family) for family in FAMILIES},
}


def is_picture_stale(name: str, picture: RenderedPicture, known: Mapping[str, Any]) -> bool:
    """Whether a picture is not there, is not the one whose facts are known, or shows something else than it should."""
    path, entry = DOCS / name, known.get(name)
    if entry is None or not path.exists() or hash_file(path) != entry["sha256"]:
        return True
    return list(picture.image.shape[:2]) != entry["size"] or not is_close(picture.facts, entry["facts"])


def is_close(one: Any, other: Any, slack: float = 0.0) -> bool:
    """Whether two facts agree: V within 0.05, colours within 2 of 255 levels, all else exactly."""
    if isinstance(one, dict) and isinstance(other, dict):
        slacks = {"v": 0.05, "colours": 2.0}
        return one.keys() == other.keys() and all(is_close(one[key], other[key], slacks.get(key, 0.0)) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(is_close(a, b, slack) for a, b in zip(one, other, strict=True))
    return one == other or (slack > 0 and abs(one - other) <= slack)


def write_picture(name: str, picture: RenderedPicture) -> dict[str, Any]:
    path = DOCS / name
    path.parent.mkdir(exist_ok=True)
    options = {"quality": 85, "optimize": True} if path.suffix == ".jpg" else {"quality": 62, "method": 6}
    pillow.fromarray(picture.image).save(path, **options)
    return {"sha256": hash_file(path), "size": list(picture.image.shape[:2]), "facts": picture.facts}
