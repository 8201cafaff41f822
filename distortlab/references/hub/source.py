"""References from a data set on the Hugging Face Hub: `hf:user/dataset[@revision][:[config/]split][?key=value&...]`.

Images are read row by row from Parquet files over HTTP, in the process that needs them. Where the table says what is in
them (boxes, masks, names), those are the regions; where it does not, they are segmented. The commit is part of the
fingerprint: a data set that moves on is another source.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa
import pyarrow.compute as pc

from distortlab.core.errors import BadReference, UserError, describe_unknown
from distortlab.core.image import get_shape
from distortlab.imaging.decode import MAX_BYTES
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import Entry, NamedRegion, Reference
from distortlab.references.hub.objects import Columns, find_columns, read_names, read_shapes
from distortlab.references.hub.tables import (
    RowGroup,
    SplitFiles,
    find_files,
    list_row_groups,
    read_column,
    read_footer,
    read_row,
)
from distortlab.references.listing import CountedReferences, hash_order
from distortlab.references.loading import decode_picture, encode_image, make_reference
from distortlab.references.regions.outlines import draw_shape
from distortlab.references.regions.segmentation import segment_image
from distortlab.references.regions.selection import AnnotatedRegion, RegionSelection, select_regions
from distortlab.storage.hub_client import Patience, connect

__all__ = ["HubEntry", "HubImages", "HubTable", "open_hub"]

_SPEC = re.compile(
    r"(?P<repo>[^@:?]+)(?:@(?P<revision>[^:?]+))?(?::(?:(?P<config>[^/?]+)/)?(?P<split>[^/?]+))?(?:\?(?P<options>.*))?"
)
_OPTIONS = ("image", "objects", "bbox")
_FORM = "hf:user/dataset[@revision][:[config/]split][?image=COLUMN&objects=COLUMN&bbox=xywh|xyxy|cxcywh]"


@dataclass(frozen=True, slots=True)
class HubTable:
    """What all entries of a source share."""

    files: SplitFiles
    columns: Columns
    license: str


@dataclass(frozen=True, slots=True)
class HubEntry:
    """One row of a table.

    Parameters
    ----------
    table
        What all rows share.
    group
        The row group that holds the row.
    row
        Counted within the row group.
    name_count
        How many names there are among what it shows.
    """

    table: HubTable
    group: RowGroup
    row: int
    name_count: int = 0

    @property
    def id(self) -> str:
        """Of the file at its commit, and the row in it."""
        files = self.table.files
        place = hashlib.sha256(f"{files.repo}@{files.commit}/{self.group.path}".encode()).hexdigest()
        return f"hf-{place[:12]}-{self.group.first + self.row:07d}"

    @property
    def region_count(self) -> int:
        """Not known: shapes are read with the image."""
        return 0

    @property
    def source(self) -> str:
        """Where it is from."""
        files = self.table.files
        return f"hf://datasets/{files.repo}@{files.commit}/{self.group.path}#{self.group.first + self.row}"

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        """Fetch the row, read the picture, find the regions.

        Raises `BadReference` for a row that cannot be used, and `UserError` where the Hub does not give it: that is no
        fault of the row, and the build goes on when it is run again.
        """
        row = read_row(self.table.files, self.group, self.row, self.table.columns.to_read)
        data = _image_bytes(row[self.table.columns.image], self.source)
        upright, file = decode_picture(data, references, self.source)
        picture = encode_image(upright, file, references)
        columns = self.table.columns
        if columns.objects is None:
            segments = tuple(NamedRegion(region, None) for region in segment_image(picture.image, regions))
            selection, names = RegionSelection(segments, segments), []
        else:
            if upright.transposed:
                raise BadReference(
                    f"{self.source}: its EXIF orientation turns it; which way it was annotated is not known"
                )
            candidates = self._draw_objects(row[columns.objects], get_shape(upright.image), get_shape(picture.image))
            selection = select_regions(candidates, regions)
            names = sorted({candidate.name for candidate in candidates if candidate.name})
        return make_reference(self.id, picture, selection, self.source, self.table.license, names)

    def _draw_objects(self, objects: Any, size: tuple[int, int], drawn_size: tuple[int, int]) -> list[AnnotatedRegion]:
        """The regions, annotated at `size` (rows, columns), at `drawn_size`."""
        try:
            return [
                AnnotatedRegion(name, shape if isinstance(shape, str) else draw_shape(shape, size, drawn_size))
                for name, shape in read_shapes(self.table.columns, objects, size)
            ]
        except BadReference as error:
            raise BadReference(f"{self.source}: {error}") from None


def _image_bytes(value: Any, source: str) -> bytes:
    data = value.get("bytes") if isinstance(value, dict) else None
    if not isinstance(data, bytes) or not data:
        raise BadReference(f"{source}: the table does not hold the bytes of the image")
    if len(data) > MAX_BYTES:
        raise BadReference(f"{source}: has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    return data


class HubImages(CountedReferences):
    """The rows of one split. Row groups come in the order of hashes of their places, the rows of one in theirs: however
    many are asked for, they are from all over the split, and each byte is fetched once.
    """

    def __init__(self, table: HubTable, license_sentence: str) -> None:
        super().__init__()
        self.table = table
        self.license = license_sentence
        # (row group, the rows of it that can be used with the number of names in each, or None for all)
        self._groups: list[tuple[RowGroup, Mapping[int, int] | None]] = sorted(self._list_groups(), key=_group_order)
        if not self.count:
            raise UserError(f"{self.name} holds no image that could be used")

    @property
    def name(self) -> str:
        """With the commit, so that it can be asked for again."""
        files = self.table.files
        return f"hf:{files.repo}@{files.commit[:12]}:{files.config}/{files.split}"

    def _list_groups(self) -> Iterator[tuple[RowGroup, Mapping[int, int] | None]]:
        files, columns = self.table.files, self.table.columns
        groups = list_row_groups(files)
        if columns.objects is None or columns.name is None:
            yield from ((group, None) for group in groups)
            return
        for path in files.paths:
            own = [group for group in groups if group.path == path]
            arrays = read_column(files, path, columns.objects, columns.name)
            for group, array in zip(own, arrays, strict=True):
                yield group, self._count_rows(array)

    def _count_rows(self, array: pa.ChunkedArray) -> dict[int, int]:
        """The rows that show something, with the number of names; what they show is counted."""
        rows: dict[int, int] = {}
        for row, names in enumerate(_names_by_row(self.table.columns, array)):
            if not names:
                self._skipped["image without objects"] += 1
                continue
            known = sorted({name for name in names if name})
            rows[row] = len(known)
            self._count_names(known)
        return rows

    @cached_property
    def count(self) -> int:
        """Rows; with objects, where the table knows of any."""
        return sum(group.rows if rows is None else len(rows) for group, rows in self._groups)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the commit, the files and the columns: the commit stands for all that is in them."""
        files = self.table.files
        return hashlib.sha256(repr((files.repo, files.commit, files.paths, self.table.columns)).encode()).hexdigest()

    def entries(self, count: int) -> Sequence[Entry]:
        """The first `count` rows."""
        entries: list[Entry] = []
        for group, rows in self._groups:
            for row in range(group.rows) if rows is None else rows:
                if len(entries) == count:
                    return entries
                entries.append(HubEntry(self.table, group, row, rows[row] if rows else 0))
        return entries


def open_hub(spec: str, patience: Patience | None = None) -> HubImages:
    """Open a data set on the Hub; no image is fetched.

    Parameters
    ----------
    spec
        `user/dataset[@revision][:[config/]split][?key=value&...]`, without `hf:`.
    patience
        How often a request is made again; None for the usual.

    Raises
    ------
    UserError
        For a data set, split or column that does not exist or may not be read.
    """
    found = _SPEC.fullmatch(spec)
    if not found:
        raise UserError(f"hf:{spec} cannot be read; it is written {_FORM}")
    options = dict(parse_qsl(found["options"] or "", keep_blank_values=True))
    for key in options:
        if key not in _OPTIONS:
            raise UserError(describe_unknown("option of hf:", key, _OPTIONS))
    hub = connect(found["repo"], patience=patience)
    files, card = find_files(hub, found["revision"], found["config"], found["split"])
    schema = read_footer(files, files.paths[0]).schema.to_arrow_schema()
    license_name = _card_license(card)
    sentence = (
        f"Images of the data set {files.repo} on the Hugging Face Hub ({files.config}, {files.split}, commit "
        f"{files.commit[:12]}); licence, as its card states it: {license_name}."
    )
    return HubImages(HubTable(files, find_columns(schema, files.repo, options), license_name), sentence)


def _card_license(card: Mapping[str, Any]) -> str:
    names = card.get("license")
    names = names if isinstance(names, list) else [names]
    stated = ", ".join(str(name) for name in names if name)
    more = " ".join(str(card[key]) for key in ("license_name", "license_link") if card.get(key))
    return f"{stated} ({more})" if stated and more else stated or "none stated"


def _names_by_row(columns: Columns, array: pa.ChunkedArray) -> Iterator[list[str | None]]:
    """The names of every row, of a struct of lists or a list of structs."""
    assert columns.name is not None
    for chunk in array.chunks:
        if pa.types.is_struct(chunk.type):
            lists = pc.struct_field(chunk, columns.name)
            values = lists.to_pylist()
        else:
            values = [[item.get(columns.name) for item in row or ()] for row in chunk.to_pylist()]
        yield from (read_names(columns, row or ()) for row in values)


def _group_order(group: tuple[RowGroup, Any]) -> str:
    return hash_order(f"{group[0].path}:{group[0].group}")
