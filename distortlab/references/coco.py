"""References from an annotation file in the COCO format: COCO itself, LVIS, Objects365 and what is exported
like them.

A file is read once. What is broken in it is left out and counted by reason, never guessed at; a file that is
not of this format at all is a `UserError`. Entries keep their own annotations only, so that they travel to
workers cheaply.

Layouts: COCO names each image by `file_name`; LVIS by `coco_url`, whose last two parts are the split and the
file; Objects365 has folders in `file_name` and no outlines, so its boxes are the regions.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from distortlab.core.errors import BadRecipe, BadReference, UserError
from distortlab.core.image import get_shape
from distortlab.recipe import LicenseRules, ReferenceRules, RegionRules
from distortlab.references.base import Reference
from distortlab.references.coco_document import CocoAnnotation, CocoDocument, CocoImage, read_document
from distortlab.references.licenses import find_fault, is_allowed
from distortlab.references.listing import ListedReferences, hash_order
from distortlab.references.loading import encode_image, make_reference, read_picture
from distortlab.references.regions.outlines import Polygons, Rectangle, Shape, prepare_shape
from distortlab.references.regions.rules import find_box_violation
from distortlab.references.regions.selection import AnnotatedRegion, select_regions

__all__ = ["LICENSE", "Coco", "CocoEntry", "Outline", "open_coco"]

LICENSE = (
    "Annotations: CC BY 4.0, COCO Consortium (cocodataset.org). Images: their photographers', under the "
    "Flickr Terms of Use; each one's own licence is kept per image where the annotation file names it."
)

LICENSE_LEFT_OUT = "license left out by the recipe"
_LICENSES = LicenseRules()


class Outline(NamedTuple):
    """One annotated object of an entry."""

    name: str
    crowd: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class CocoEntry:
    """One image with its annotations.

    Parameters
    ----------
    id
        `coco-` and the number of the image.
    path
        Of its file.
    size
        (rows, columns) as annotated.
    source
        Its address on the web, or its file name.
    license
        Of the image, else of the whole data set.
    outlines
        The annotations that can be drawn.
    others
        Names of those that cannot.
    name_count
        How many names could be distorted, judged by areas and boxes.
    region_count
        How many annotations could be distorted, judged in the same way.
    """

    id: str
    path: Path
    size: tuple[int, int]
    source: str
    license: str
    outlines: tuple[Outline, ...]
    others: tuple[str, ...] = ()
    name_count: int = 0
    region_count: int = 0

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        """Read the image and select its regions at the size it is kept in. Raises `BadReference`."""
        upright, file = read_picture(self.path, references)
        self._check_size(get_shape(upright.image), upright.transposed)
        picture = encode_image(upright, file, references)
        selection = select_regions(self._prepare_outlines(get_shape(picture.image)), regions)
        by_hand = not any(isinstance(outline.shape, Rectangle) for outline in self.outlines)
        return make_reference(self.id, picture, selection, self.source, self.license, self.objects, by_hand)

    @property
    def objects(self) -> tuple[str, ...]:
        """The distinct names of all that is annotated, small, crowded or badly drawn as it may be, sorted."""
        return tuple(sorted({outline.name for outline in self.outlines}.union(self.others)))

    def _check_size(self, found: tuple[int, int], turned: bool) -> None:
        if found == self.size:
            return
        rows, columns = self.size
        if turned and found == (columns, rows):
            raise BadReference(f"{self.path}: its EXIF orientation turns it, but it was annotated unturned")
        raise BadReference(
            f"{self.path}: has {found[1]} x {found[0]} pixels, but {columns} x {rows} in the annotation file"
        )

    def _prepare_outlines(self, size: tuple[int, int]) -> Iterator[AnnotatedRegion]:
        """The regions at `size` (rows, columns), or what draws them."""
        for outline in self.outlines:
            yield AnnotatedRegion(outline.name, prepare_shape(outline.shape, self.size, size), outline.crowd)


class Coco(ListedReferences[CocoEntry]):
    """The images of one annotation file that hold at least one region that could pass `rules`."""

    name = "coco"
    license = LICENSE

    def __init__(self, annotations: Path, images: Path, rules: RegionRules, licenses: LicenseRules = _LICENSES) -> None:
        document = read_document(annotations, images)
        known = Counter(picture.license or LICENSE for picture in document.images.values())
        if fault := find_fault(licenses.allow, licenses.deny, known):
            raise BadRecipe(fault)
        super().__init__()
        self._skipped = document.skipped
        self._entries = sorted(self._select(document, rules, licenses), key=lambda entry: hash_order(entry.id))
        if not self._entries:
            left_out = "; ".join(f"{count} {reason}" for reason, count in self._skipped.most_common(4))
            raise UserError(f"{annotations} holds no usable instance ({left_out or 'it has no annotations'})")

    def _select(self, document: CocoDocument, rules: RegionRules, licenses: LicenseRules) -> Iterator[CocoEntry]:
        """The entries that can be used; the others and all names are counted."""
        for picture, annotations in document.items():
            usable = [a for a in annotations if _can_pass(a, picture, rules)]
            names = sorted({a.name for a in usable})
            if not is_allowed(picture.license or LICENSE, licenses.allow, licenses.deny):
                self._skipped[LICENSE_LEFT_OUT] += 1
            elif names:
                self._count_names(names)
                yield _make_entry(picture, annotations, len(names), len(usable))
            else:
                self._skipped["image without a region that may be distorted"] += 1

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the ids, file names, sizes and annotations of the entries; not over where they lie."""
        digest = hashlib.sha256()
        for entry in self._entries:
            digest.update(repr((entry.id, entry.size, entry.others)).encode())
            for outline in entry.outlines:
                digest.update(_outline_bytes(outline))
        return digest.hexdigest()


def open_coco(annotations: Path, images: Path, rules: RegionRules, licenses: LicenseRules = _LICENSES) -> Coco:
    """Read an annotation file in the COCO format; no image is read.

    Parameters
    ----------
    annotations
        The JSON file.
    images
        The folder of its images.
    rules
        Which regions may be distorted: images without such a region are left out, judged by areas and boxes.
    licenses
        Which licenses may be used.

    Raises
    ------
    UserError
        For a file that is not of this format, and where no image can be used.
    BadRecipe
        For a license that none of the images has, and where no image is left.
    """
    return Coco(annotations, images, rules, licenses)


def _outline_bytes(outline: Outline) -> bytes:
    """Bytes that differ where outlines differ, by `repr`: fields are not renamed. Coordinates go in raw: faster."""
    shape = outline.shape
    if isinstance(shape, Polygons):
        head = repr((outline.name, outline.crowd, [len(part) for part in shape.parts]))
        return b"".join((head.encode(), *shape.parts))
    return repr(outline).encode()


def _make_entry(
    picture: CocoImage, annotations: Sequence[CocoAnnotation], name_count: int, region_count: int
) -> CocoEntry:
    outlines = tuple(Outline(a.name, a.crowd, a.shape) for a in annotations if not isinstance(a.shape, str))
    others = sorted({a.name for a in annotations if isinstance(a.shape, str)})
    return CocoEntry(
        picture.id,
        picture.path,
        picture.size,
        picture.source,
        picture.license or LICENSE,
        outlines,
        tuple(others),
        name_count,
        region_count,
    )


def _can_pass(annotation: CocoAnnotation, picture: CocoImage, rules: RegionRules) -> bool:
    if isinstance(annotation.shape, str) or (annotation.crowd and not rules.crowd):
        return False
    box = annotation.box.clip(picture.size) if annotation.box else None
    area = annotation.area
    if box is not None and (isinstance(annotation.shape, Rectangle) or area is None):
        area = box.width * box.height
    sides = (box.width, box.height) if box else None
    return area is None or find_box_violation(area, sides, picture.size, rules) is None
