"""References from a folder of pictures that nobody annotated: regions are segmented and have no names."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from distortlab.core.errors import UserError
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import NamedRegion, Reference
from distortlab.references.listing import ListedReferences, hash_order
from distortlab.references.loading import encode_image, make_reference, read_picture
from distortlab.references.regions.segmentation import segment_image
from distortlab.references.regions.selection import RegionSelection

__all__ = ["LICENSE", "Folder", "FolderEntry", "open_folder"]

LICENSE = "Images from a local folder; whose they are and what may be done with them is known to its owner only."
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One file of a folder.

    Parameters
    ----------
    id
        Unique in the folder.
    path
        Of the file.
    relative
        Its path below the folder, with slashes.
    """

    id: str
    path: Path
    relative: str

    @property
    def name_count(self) -> int:
        """None are known."""
        return 0

    @property
    def region_count(self) -> int:
        """Not known before it is segmented."""
        return 0

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        """Read the picture and segment it at the size it is kept in. Raises `BadReference`."""
        picture = encode_image(*read_picture(self.path, references), references)
        segments = tuple(NamedRegion(region, None) for region in segment_image(picture.image, regions))
        return make_reference(self.id, picture, RegionSelection(segments), self.relative, LICENSE)


class Folder(ListedReferences[FolderEntry]):
    """All pictures below a folder, by suffix. Hidden files and folders are passed over.

    Whether a picture has regions is known once it is read, and nobody named them.
    """

    name = "folder"
    license = LICENSE

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UserError(f"no folder of images at {root}")
        super().__init__()
        entries = (_make_entry(root, path) for path in _find_files(root, self._skipped))
        # In the order of the hashes, so that the first few of a folder of classes are not all of one class.
        self._entries = sorted(entries, key=lambda entry: hash_order(entry.id))
        if not self._entries:
            raise UserError(f"no pictures below {root}; looked for {', '.join(SUFFIXES)}")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the relative paths and the sizes of the files in bytes; the pictures are not read."""
        digest = hashlib.sha256()
        for entry in self._entries:
            digest.update(f"{entry.id} {_file_size(entry.path)}\n".encode())
        return digest.hexdigest()


def open_folder(root: Path) -> Folder:
    """List the pictures below a folder; none is read.

    Parameters
    ----------
    root
        The folder.

    Raises
    ------
    UserError
        Where there is no such folder, or no picture below it.
    """
    return Folder(root)


def _find_files(root: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Files with a known suffix, sorted. Links to folders are followed, but no folder is entered twice."""
    visited: set[str] = set()

    def unreadable(_: OSError) -> None:
        skipped["folder that cannot be read"] += 1

    for folder, below, names in os.walk(root, followlinks=True, onerror=unreadable):
        real = os.path.realpath(folder)
        if real in visited:
            below.clear()
            skipped["folder linked twice"] += 1
            continue
        visited.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                yield Path(folder, name)
            else:
                skipped["file of another kind"] += 1


def _make_entry(root: Path, path: Path) -> FolderEntry:
    """The id is made of the letters and digits of the path, and of its hash, which tells `a-b` from `a_b`."""
    relative = path.relative_to(root).as_posix()
    digest = hashlib.sha256(os.fsencode(relative)).hexdigest()[:12]
    words = re.sub(r"[^a-z0-9]+", "-", relative.rpartition(".")[0].lower()).strip("-")[-48:].strip("-")
    name = f"folder-{words}-{digest}" if words else f"folder-{digest}"
    return FolderEntry(name, path, os.fsencode(relative).decode("utf-8", "replace"))


def _file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
