"""Reading a file in the COCO format: from JSON that may hold anything to pictures with their annotations.

The annotations are made small while the JSON is parsed, one by one: the parsed lists of the 860,000 outlines
of COCO would need several gigabytes at once.
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from distortlab.core.errors import UserError
from distortlab.references.regions.outlines import MAX_SIDE, Rectangle, Shape, read_rectangle, read_shape

__all__ = ["CocoAnnotation", "CocoDocument", "CocoImage", "read_document"]

Key = int | str
KEYS = ("images", "annotations", "categories")
LONGEST_NAME = 200

_COMMONS = (
    (1, "Attribution-NonCommercial-ShareAlike License", "by-nc-sa"),
    (2, "Attribution-NonCommercial License", "by-nc"),
    (3, "Attribution-NonCommercial-NoDerivs License", "by-nc-nd"),
    (4, "Attribution License", "by"),
    (5, "Attribution-ShareAlike License", "by-sa"),
    (6, "Attribution-NoDerivs License", "by-nd"),
)
COCO_LICENSES: dict[Key, str] = {
    **{key: f"{name} (http://creativecommons.org/licenses/{short}/2.0/)" for key, name, short in _COMMONS},
    7: "No known copyright restrictions (http://flickr.com/commons/usage/)",
    8: "United States Government Work (http://www.usa.gov/copyright.shtml)",
}
"""The table "licenses" of COCO's own annotation files of 2014 and 2017, by id."""
_COCO_ADDRESS = re.compile(r"https?://(images\.cocodataset|mscoco)\.org/")


class _RawAnnotation(NamedTuple):
    """An annotation before its image and category are known."""

    image: object
    category: object
    crowd: bool
    shape: Shape | str
    box: Rectangle | None
    area: float | None


class CocoAnnotation(NamedTuple):
    """An annotated object; `shape` is a reason where it is unusable, `area` and `box` are as declared."""

    name: str
    crowd: bool
    shape: Shape | str
    box: Rectangle | None
    area: float | None


class CocoImage(NamedTuple):
    """An image of the file. `size` is (rows, columns); `license` is None where the file names none."""

    id: str
    path: Path
    size: tuple[int, int]
    source: str
    license: str | None


@dataclass(slots=True)
class CocoDocument:
    """The images of a file and their annotations, by image id, and counts of what was left out, by reason."""

    images: dict[Key, CocoImage] = field(default_factory=dict)
    annotations: dict[Key, list[CocoAnnotation]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def items(self) -> Iterator[tuple[CocoImage, list[CocoAnnotation]]]:
        """Each image with its annotations, in the order of the file."""
        for key, image in self.images.items():
            yield image, self.annotations.get(key, [])


def read_document(path: Path, images: Path) -> CocoDocument:
    """Read an annotation file in the COCO format.

    Parameters
    ----------
    path
        The JSON file.
    images
        The folder of its images.

    Returns
    -------
    CocoDocument
        Images, their annotations, and counts of what is broken and was left out.

    Raises
    ------
    UserError
        For a file that is not of this format; the sentence names file and place.
    """
    if not images.is_dir():
        raise UserError(f"no folder of images at {images}")
    content = _parse_json(path)
    document = CocoDocument()
    names = _read_categories(content["categories"], document.skipped)
    licenses = _read_licenses(content.get("licenses"))
    _add_images(document, content["images"], images, licenses)
    _add_annotations(document, content["annotations"], names)
    return document


def _parse_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file, with its annotations as `_RawAnnotation`."""
    try:
        content = json.loads(path.read_bytes(), object_hook=_compact_annotation)
    except OSError as error:
        raise UserError(f"cannot read the annotations {path}: {error.strerror or error}") from None
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not usable JSON: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is not an annotation file: a JSON object is needed, it holds a {_json_kind(content)}")
    for key in KEYS:
        if key not in content:
            raise UserError(
                f"{path} is not a COCO, LVIS or Objects365 instances file: it has no {key!r} "
                f"(it has: {', '.join(map(repr, list(content)[:6])) or 'nothing'})"
            )
        if not isinstance(content[key], list):
            raise UserError(f"{path}: {key!r} is a {_json_kind(content[key])}, a list is needed")
    return content


def _json_kind(value: object) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")


def _compact_annotation(item: dict[str, Any]) -> Any:
    """Called by the JSON parser with every object; annotations are replaced by their compact form."""
    if "image_id" not in item or "category_id" not in item:
        return item
    box, area = read_rectangle(item["bbox"]) if "bbox" in item else None, item.get("area")
    shape = box if isinstance(box, str) else read_shape(item, box)
    known = isinstance(area, int | float) and area > 0 and math.isfinite(area)
    return _RawAnnotation(
        image=item["image_id"],
        category=item["category_id"],
        crowd=item.get("iscrowd") in (1, True),
        shape=shape,
        box=None if isinstance(box, str) else box,
        area=float(area) if known and area is not None else None,
    )


def _read_categories(items: list[Any], skipped: Counter[str]) -> dict[Key, str]:
    names: dict[Key, str] = {}
    for item in items:
        key = _key(item, "id")
        name = _printable(item.get("name")) if isinstance(item, dict) else ""
        if key is None or not name or len(name) > LONGEST_NAME or key in names:
            skipped["category without a usable id or name"] += 1
        else:
            names[key] = name
    return names


def _read_licenses(items: object) -> dict[Key, str]:
    """Licence id -> "name (address)"."""
    found: dict[Key, str] = {}
    for item in items if isinstance(items, list) else []:
        key = _key(item, "id")
        if key is not None:
            name, address = _printable(item.get("name")), _printable(item.get("url"))
            found[key] = f"{name} ({address})" if name and address else name or address
    return found


def _add_images(document: CocoDocument, items: list[Any], images: Path, licenses: dict[Key, str]) -> None:
    paths: set[Path] = set()
    folders: dict[str, Path] = {}
    for item in items:
        key = _key(item, "id")
        if key is None:
            document.skipped["image without a usable id"] += 1
            continue
        image = _read_image(key, item, images, folders, licenses)
        if isinstance(image, str):
            document.skipped[image] += 1
        elif key in document.images or image.path in paths:
            document.skipped["image listed twice"] += 1
        else:
            paths.add(image.path)
            document.images[key] = image


def _read_image(
    key: Key, item: dict[str, Any], images: Path, folders: dict[str, Path], licenses: dict[Key, str]
) -> CocoImage | str:
    size = item.get("height"), item.get("width")
    if not all(isinstance(side, int) and 0 < side <= MAX_SIDE for side in size):
        return "image of an absurd size"
    name = _safe_name(item)
    if name is None:
        return "image with a file name outside the folder"
    folder = str(name.parent)
    if folder not in folders:
        # LVIS and some exports name the split; its images may also lie in the folder itself.
        folders[folder] = images / folder if (images / folder).is_dir() else images
    place = folders[folder]
    source = _printable(item.get("coco_url")) or _printable(str(name))
    license_text = _find_license(item, source, licenses)
    return CocoImage(_identifier(key), place / name.name, (int(size[0] or 0), int(size[1] or 0)), source, license_text)


def _find_license(item: dict[str, Any], source: str, licenses: dict[Key, str]) -> str | None:
    """By the table of the file; where that was lost, as excerpts of COCO lose it, by COCO's own for images of COCO."""
    key = _key(item, "license")
    if key is None:
        return None
    return (licenses or (COCO_LICENSES if _COCO_ADDRESS.match(source) else {})).get(key)


def _safe_name(item: dict[str, Any]) -> PurePosixPath | None:
    """The file below the folder of images, or None where the name is missing or would lead out of it."""
    name = item.get("file_name")
    if name is None and isinstance(item.get("coco_url"), str):
        name = "/".join(item["coco_url"].split("/")[-2:])
    if not isinstance(name, str) or not name.isprintable():
        return None
    path = PurePosixPath(name.replace("\\", "/"))
    usable = path.name and not path.is_absolute() and ".." not in path.parts and ":" not in path.parts[0]
    return path if usable else None


def _add_annotations(document: CocoDocument, items: list[Any], names: dict[Key, str]) -> None:
    skipped = document.skipped
    for raw in items:
        if not isinstance(raw, _RawAnnotation):
            skipped["annotation without image or category"] += 1
        elif not isinstance(raw.image, int | str) or raw.image not in document.images:
            skipped["annotation of an unknown image"] += 1
        elif not isinstance(raw.category, int | str) or raw.category not in names:
            skipped["annotation of an unknown category"] += 1
        else:
            shape = _check_place(raw, document.images[raw.image].size)
            if isinstance(shape, str):
                skipped[shape] += 1
            found = CocoAnnotation(names[raw.category], raw.crowd, shape, raw.box, raw.area)
            document.annotations.setdefault(raw.image, []).append(found)


def _check_place(raw: _RawAnnotation, size: tuple[int, int]) -> Shape | str:
    """The shape, or a reason where its box says that none of it is inside the picture."""
    if isinstance(raw.shape, str) or raw.box is None:
        return raw.shape
    inside = raw.box.clip(size)
    return raw.shape if inside.width and inside.height else "outside the picture"


def _key(item: object, name: str) -> Key | None:
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _printable(value: object) -> str:
    """A string that can be written anywhere: no runs of space, control characters or lone surrogates."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def _identifier(key: Key) -> str:
    """A file-system-safe id: `coco-000000262145` for numbers, a hash for other keys."""
    if isinstance(key, int) and key >= 0:
        return f"coco-{key:012d}"
    return "coco-" + hashlib.sha256(repr(key).encode()).hexdigest()[:16]
