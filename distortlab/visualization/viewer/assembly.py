"""Write the page: choose images, pack them within the room there is, and put them into one file."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from distortlab import __version__
from distortlab.core.errors import UserError
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.dataset.selection import (
    Filter,
    RowLocation,
    Selection,
    find_images,
    read_questions,
    report_damaged_rows,
    sample_images,
)
from distortlab.storage.atomic import new_file
from distortlab.visualization.colors import FAMILY_COLORS
from distortlab.visualization.static_page import PageFiles, PageParts, build_page
from distortlab.visualization.viewer.entries import make_entry
from distortlab.visualization.viewer.packing import DecodedRow, ImageGroup, Layers, decode_rows, pack_group

__all__ = ["PageSummary", "write_page"]

_SCRIPTS = ("state.js", "pixels.js", "stage.js", "panel.js", "images.js", "filters.js", "controls.js")
_PARTS = PageParts(
    "viewer/page/page.html",
    "viewer/page/style.css",
    ("assets/common.js", *(f"viewer/page/{name}" for name in _SCRIPTS)),
)


@dataclass(frozen=True, slots=True)
class PageSummary:
    """A page that was written: `images` of the `matching` of `total` in the data set; `reencoded` have surroundings
    that are not the stored pixels; `left_out` were drawn and found no room.
    """

    out: Path
    bytes: int
    images: int
    matching: int
    total: int
    reencoded: int
    left_out: int


@dataclass(slots=True)
class _Page(PageFiles):
    """The images and files of the page so far."""

    images: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0
    left_out: int = 0


def write_page(
    folder: str | Path,
    out: str | Path,
    *,
    sample: int = 60,
    seed: int = 0,
    wanted: Filter | None = None,
    megabytes: float = 32.0,
    progress: Callable[[int], None] = lambda images: None,
) -> PageSummary:
    """Write a page that shows a sample of a data set.

    Parameters
    ----------
    folder
        The data set.
    out
        The HTML file.
    sample
        The most images to show. Whole references are drawn: images of one photograph stand side by side.
    seed
        Seed of the sample.
    wanted
        Which images to draw from; all, unless given.
    megabytes
        Room for pictures, 10**6 bytes each. Where it is not enough, surroundings are re-encoded, then images left out,
        and the page says so.
    progress
        Called with the number of images just done.

    Raises
    ------
    UserError
        For what is no data set, a filter that nothing fits, and a path that cannot be written.
    """
    out = Path(out)
    if not out.parent.is_dir():
        raise UserError(f"{out} cannot be written: there is no folder {out.parent}")
    stored, wanted = open_data(folder), wanted or Filter()
    found = find_images(stored, wanted)
    page = _collect_images(
        stored, sample_images(found.places, sample, seed, whole_references=True), megabytes * 1e6, progress
    )
    if not page.images:
        raise UserError(f"no image fits into {megabytes:g} MB; give the page more room, or fewer images")
    with new_file(out) as file:
        facts = _collect_facts(stored, found, wanted, seed, page)
        for part in build_page(_PARTS, f"{facts['name']} - distortlab view", facts, page.files):
            file.write(part.encode())
    reencoded = sum(not image["pictures"]["exact"] for image in page.images)
    return PageSummary(out, file.size, len(page.images), len(found.places), found.total, reencoded, page.left_out)


# --- images ---------------------------------------------------------------------------------------------------------


def _collect_images(
    stored: StoredDataset, places: list[RowLocation], room: float, progress: Callable[[int], None]
) -> _Page:
    """Pack group by group; each may take its share of the room, and what those before it left."""
    page, done = _Page(), 0
    questions = read_questions(stored, {place.image_id for place in places})
    for _, members in groupby(decode_rows(stored, places), key=lambda one: one.base):
        group = list(members)
        done += len(group)
        packed = pack_group([one.pictures for one in group], room * done / len(places) - page.size)
        if page.size + packed.size > room:
            page.left_out += len(group)
        else:
            with report_damaged_rows(stored, group[0].place.group):
                _add_group(page, packed, group, questions)
        progress(len(group))
    return page


def _add_group(page: _Page, packed: ImageGroup, group: list[DecodedRow], questions: Mapping[str, Any]) -> None:
    page.size += packed.size
    base = page.add(packed.base)
    for one, layers in zip(group, packed.layers, strict=True):
        rows, columns = one.pictures.image.shape[:2]
        entry = make_entry(one.row, one.place.group.part.split, questions[one.place.image_id])
        entry |= {"width": columns, "height": rows}
        page.images.append(
            {**entry, "pictures": {"base": base, **_store_layers(page, layers), "why": one.pictures.why}}
        )


def _store_layers(page: _Page, layers: Layers) -> dict[str, Any]:
    return {
        "corner": layers.corner,
        "after": page.add(layers.after),
        "before": page.add(layers.before),
        "exact": layers.exact,
        "thumb": "data:image/webp;base64," + base64.b64encode(layers.thumb).decode(),
    }


# --- text -----------------------------------------------------------------------------------------------------------


def _collect_facts(stored: StoredDataset, found: Selection, wanted: Filter, seed: int, page: _Page) -> dict[str, Any]:
    return {
        "name": stored.folder.resolve().name,
        "total": found.total,
        "matching": len(found.places),
        "filter": str(wanted),
        "seed": seed,
        "left_out": page.left_out,
        "made_by": f"distortlab {__version__}",
        "has_sets": any(image["kind"] != "1" for image in page.images),
        "colors": {family: f"rgb({red}, {green}, {blue})" for family, (red, green, blue) in FAMILY_COLORS.items()},
        "images": page.images,
    }
