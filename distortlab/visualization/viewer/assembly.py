"""Write the page: HTML, style, scripts, texts and pictures in one file, with a policy that allows nothing else."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from distortlab import __version__
from distortlab.core.errors import UserError
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.dataset.selection import (
    Filter,
    RowLocation,
    Selection,
    find_images,
    read_images,
    read_questions,
    report_damaged_rows,
    sample_images,
)
from distortlab.storage.atomic import new_file
from distortlab.visualization.colors import FAMILY_COLORS
from distortlab.visualization.viewer.entries import make_entry
from distortlab.visualization.viewer.packing import ImageGroup, Layers, Pictures, decode_pictures, pack_group

__all__ = ["PageSummary", "write_page"]

_SCRIPTS = ("state.js", "pixels.js", "stage.js", "panel.js", "images.js", "filters.js", "controls.js")
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_UNSAFE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


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
class _Page:
    """The images and files of the page so far."""

    images: list[dict[str, Any]] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    size: int = 0
    left_out: int = 0

    def add_file(self, data: bytes | None) -> int | None:
        """Add a file; returns its number."""
        if data is None:
            return None
        self.files.append(data)
        return len(self.files) - 1


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
        for part in _build_html(_collect_facts(stored, found, wanted, seed, page), page):
            file.write(part.encode())
    reencoded = sum(not image["pictures"]["exact"] for image in page.images)
    return PageSummary(out, file.size, len(page.images), len(found.places), found.total, reencoded, page.left_out)


# --- images ---------------------------------------------------------------------------------------------------------


class _DecodedRow(NamedTuple):
    place: RowLocation
    row: Mapping[str, Any]
    pictures: Pictures

    @property
    def base(self) -> object:
        """What it shares a base picture with."""
        return self.place.image_id if self.pictures.reference is None else self.row["reference"]["bytes"]


def _collect_images(
    stored: StoredDataset, places: list[RowLocation], room: float, progress: Callable[[int], None]
) -> _Page:
    """Pack group by group; each may take its share of the room, and what those before it left."""
    page, done = _Page(), 0
    questions = read_questions(stored, {place.image_id for place in places})
    for _, members in groupby(_decode_rows(stored, places), key=lambda one: one.base):
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


def _decode_rows(stored: StoredDataset, places: list[RowLocation]) -> Iterator[_DecodedRow]:
    for place, row in read_images(stored, places):
        with report_damaged_rows(stored, place.group):
            pictures = decode_pictures(row, f"{stored.folder / place.group.part.path}, {place.image_id}")
        yield _DecodedRow(place, row, pictures)


def _add_group(page: _Page, packed: ImageGroup, group: list[_DecodedRow], questions: Mapping[str, Any]) -> None:
    page.size += packed.size
    base = page.add_file(packed.base)
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
        "after": page.add_file(layers.after),
        "before": page.add_file(layers.before),
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


def _build_html(facts: Mapping[str, Any], page: _Page) -> Iterator[str]:
    """The page in pieces: the pictures never stand in memory as one text."""
    style, script = _read_asset("style.css"), "\n".join(map(_read_asset, _SCRIPTS))
    sources = f"style-src {_hash_inline(style)}; script-src {_hash_inline(script)}"
    slots = {
        "title": html.escape(f"{facts['name']} - distortlab view"),
        "policy": f"default-src 'none'; img-src data:; {sources}; base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "data": json.dumps(facts, ensure_ascii=False, allow_nan=False).translate(_UNSAFE),
    }
    for number, piece in enumerate(_SLOT.split(_read_asset("page.html"))):
        if number % 2 == 0:
            yield piece
        elif piece == "pictures":
            for index, data in enumerate(page.files):
                yield f'<script type="text/plain" id="file-{index}">{base64.b64encode(data).decode()}</script>\n'
        else:
            yield slots[piece]


def _read_asset(name: str) -> str:
    return resources.files("distortlab.visualization.viewer").joinpath("page", name).read_text(encoding="utf-8")


def _hash_inline(text: str) -> str:
    """The name under which a content security policy allows an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
