r"""Names of images: made comparable, and matched with the names of a set by their path suffix.

People name one image in many ways: `jp2k/img1.bmp`, `/data/live/jp2k/img1.bmp`, `JP2K\IMG1.BMP`, `img1`. A name is
matched where exactly one image of the set can be meant, and refused where several can.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from urllib.parse import unquote

__all__ = [
    "AmbiguousName",
    "NameIndex",
    "UnknownName",
    "list_suffixes",
    "normalize_name",
    "quote_name",
    "shorten_names",
]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_DRIVE = re.compile(r"[A-Za-z]:(?=/|$)")
_ENDING = re.compile(r"\.(?:bmp|gif|jp2|jpe?g|pgm|png|pnm|ppm|tiff?|webp)$")


class UnknownName(ValueError):
    """No image of the set has this name."""


class AmbiguousName(ValueError):
    """Several images of the set could be meant."""


def normalize_name(text: str) -> str:
    r"""Return a name as a relative path with forward slashes.

    Backslashes, `./`, `..`, a leading slash, a drive, a URL's scheme with its query, and the way in which accents are
    written are made alike. Nothing is looked up on a disk.

    >>> from refine_bench.datasets.image_names import normalize_name
    >>> normalize_name("C:\\live\\.\\jp2k\\img1.bmp"), normalize_name("https://host/a%20b.png?raw=1")
    ('live/jp2k/img1.bmp', 'host/a b.png')
    """
    name = unicodedata.normalize("NFC", text).strip()
    scheme = _SCHEME.match(name)
    if scheme:
        name = name[scheme.end() :]
        if scheme[1].lower() in ("http", "https", "file"):
            name = unquote(name.partition("?")[0].partition("#")[0])
    parts: list[str] = []
    for part in _DRIVE.sub("", name.replace("\\", "/"), count=1).split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def quote_name(name: str) -> str:
    """Return a name for a message: on one line, and not longer than can be read."""
    return repr(name if len(name) <= 120 else f"{name[:50]}...{name[-50:]}")


def list_suffixes(name: str) -> list[str]:
    """Return a path and its suffixes, longest first: "a/b/c.png", "b/c.png", "c.png"."""
    parts = name.split("/")
    return ["/".join(parts[k:]) for k in range(len(parts))]


def shorten_names(names: Sequence[str]) -> list[str]:
    """Return the shortest path suffix of each name that tells it from the others; the name where there is none."""
    index = NameIndex(names)
    return [index.shorten(name) for name in names]


def _fold_case(name: str) -> str:
    return name.casefold()


def _fold_without_ending(name: str) -> str:
    return _ENDING.sub("", name.casefold())


class _Spelling:
    """The names of a set in one spelling, by themselves and by their suffixes."""

    def __init__(self, names: Iterable[str], spell: Callable[[str], str]) -> None:
        self.spell = spell
        self.whole: Mapping[str, list[str]] = defaultdict(list)
        self.suffixes: Mapping[str, list[str]] = defaultdict(list)
        for name in names:
            spelled = list_suffixes(spell(normalize_name(name)))
            self.whole[spelled[0]].append(name)
            for suffix in spelled:
                self.suffixes[suffix].append(name)

    def find(self, name: str) -> list[str]:
        """The names that `name` is, that end with it, or that it ends with."""
        spelled = self.spell(name)
        for table, keys in (
            (self.whole, [spelled]),
            (self.suffixes, [spelled]),
            (self.whole, list_suffixes(spelled)[1:]),
        ):
            found = next((table[key] for key in keys if key in table), None)
            if found:
                return found
        return []

    def find_moved(self, name: str, folders: frozenset[str]) -> list[str]:
        """The names that share the longest suffix, as where files were copied into another folder.

        A folder of the set that is another one than the file's says that another image is meant.
        """
        spelled = list_suffixes(self.spell(name))
        for longer, suffix in pairwise(spelled):
            if suffix in self.suffixes:
                folder = longer.removesuffix(f"/{suffix}").casefold()
                return [] if folder in folders else self.suffixes[suffix]
        return []


class NameIndex:
    """The names of a set, by which images are found whatever their folders, case and ending, if they are unique so.

    Parameters
    ----------
    names
        The full names of all images of the set; not of one split alone, so that a name of another split
        is not taken for one of this.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(dict.fromkeys(names))
        paths = [normalize_name(name).casefold() for name in self._names]
        self._folders = frozenset(part for path in paths for part in path.split("/")[:-1])
        self._spellings: dict[Callable[[str], str], _Spelling] = {}

    def find(self, name: str) -> str:
        """Return the name of the set that `name` means.

        The same path, or one that ends with the other, counts first: as written, then whatever its case, then without
        its ending. Last comes the longest suffix in common, where the folder before it is none of the set's.

        Raises
        ------
        UnknownName, AmbiguousName
        """
        wanted = normalize_name(name)
        for spell in (str, _fold_case, _fold_without_ending):
            found = self._spelling(spell).find(wanted)
            if found:
                return _require_one(name, found)
        for spell in (_fold_case, _fold_without_ending):
            found = self._spelling(spell).find_moved(wanted, self._folders)
            if found:
                return _require_one(name, found)
        raise UnknownName(f"no image is called {quote_name(name)}")

    def shorten(self, name: str) -> str:
        """Return the shortest suffix of a name of the set by which it is found; the name itself where there is none."""
        return next(
            (suffix for suffix in reversed(list_suffixes(normalize_name(name))) if self._finds(suffix, name)), name
        )

    def _finds(self, suffix: str, name: str) -> bool:
        try:
            return self.find(suffix) == name
        except AmbiguousName:
            return False

    def _spelling(self, spell: Callable[[str], str]) -> _Spelling:
        if spell not in self._spellings:
            self._spellings[spell] = _Spelling(self._names, spell)
        return self._spellings[spell]


def _require_one(name: str, found: Sequence[str]) -> str:
    if len(found) > 1:
        more = f" or {len(found) - 2:,} more" if len(found) > 2 else ""
        raise AmbiguousName(f"{quote_name(name)} may be {quote_name(found[0])} or {quote_name(found[1])}{more}")
    return found[0]
