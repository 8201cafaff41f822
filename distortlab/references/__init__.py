"""Where clean images come from.

A source is written as one word of the command line, and opened here:

    scenes                   built in: composed scenes, as many as you like, no download
    scenes:SEED              the same with another seed
    coco:FILE.json,FOLDER    an annotation file in the format of COCO, LVIS or Objects365, and its images
    folder:FOLDER            all pictures below a folder; regions come from segmentation and have no names
    hf:USER/DATASET:SPLIT    a data set on the Hugging Face Hub, with boxes or masks if it has any
"""

from pathlib import Path

from distortlab.core.errors import BadRecipe, UserError, describe_unknown
from distortlab.recipe import LicenseRules, RegionRules
from distortlab.references.base import Entry, NamedRegion, Reference, References
from distortlab.references.licenses import find_fault

__all__ = ["Entry", "NamedRegion", "Reference", "References", "open_references"]

_RULES = RegionRules()
_LICENSES = LicenseRules()


def open_references(
    spec: str, seed: int = 0, rules: RegionRules = _RULES, licenses: LicenseRules = _LICENSES
) -> References:
    """Open a source of clean images. No image is read yet.

    Parameters
    ----------
    spec
        "scenes", "scenes:SEED", "coco:FILE.json,FOLDER", "folder:FOLDER" or "hf:USER/DATASET:SPLIT".
    seed
        Seed of the built-in scenes, unless `spec` has one of its own.
    rules
        Which regions may be distorted: decides which entries of an annotation file count as usable.
    licenses
        Which licenses may be used.

    Raises
    ------
    UserError
        For a kind of source or a path that does not exist, and a file that cannot be used.
    BadRecipe
        For a license that no reference has, and where no reference is left.

    Examples
    --------
    >>> from distortlab import open_references
    >>> references = open_references("scenes:7")
    >>> references.name, [entry.id for entry in references.entries(2)]
    ('scenes', ['scene-000000', 'scene-000001'])
    """
    kind, _, rest = spec.partition(":")
    if kind not in _KINDS:
        raise UserError(
            describe_unknown(
                "kind of references",
                kind,
                _KINDS,
                "scenes, coco:FILE.json,FOLDER, folder:FOLDER, hf:USER/DATASET:SPLIT",
            )
        )
    return _KINDS[kind](rest, seed, rules, licenses)


def _check_licenses(references: References, text: str, licenses: LicenseRules) -> References:
    """A source whose entries are all under one license."""
    if fault := find_fault(licenses.allow, licenses.deny, {text: references.count or 1}):
        raise BadRecipe(fault)
    return references


def _scenes(rest: str, seed: int, rules: RegionRules, licenses: LicenseRules) -> References:
    from distortlab.references.scenes.source import LICENSE, Scenes

    if rest and not (rest.isascii() and rest.isdecimal() and len(rest) < 19):
        raise UserError(f"scenes:{rest}: the seed of the scenes is a whole number, e.g. scenes:7")
    return _check_licenses(Scenes(int(rest) if rest else seed), LICENSE, licenses)


def _coco(rest: str, seed: int, rules: RegionRules, licenses: LicenseRules) -> References:
    from distortlab.references.coco import open_coco

    commas = [at for at, letter in enumerate(rest) if letter == ","]
    if not commas:
        raise UserError(f"coco:{rest}: an annotation file and a folder are needed, as in coco:FILE.json,FOLDER")
    # A path may hold commas itself: the one that ends the name of an existing file is meant.
    at = next((at for at in commas if Path(rest[:at]).expanduser().is_file()), commas[0])
    return open_coco(Path(rest[:at]).expanduser(), Path(rest[at + 1 :]).expanduser(), rules, licenses)


def _folder(rest: str, seed: int, rules: RegionRules, licenses: LicenseRules) -> References:
    from distortlab.references.folder import LICENSE, open_folder

    if not rest:
        raise UserError("folder: a path is needed, as in folder:FOLDER")
    return _check_licenses(open_folder(Path(rest).expanduser()), LICENSE, licenses)


def _hub(rest: str, seed: int, rules: RegionRules, licenses: LicenseRules) -> References:
    from distortlab.references.hub.source import open_hub

    found = open_hub(rest)
    return _check_licenses(found, found.table.license, licenses)


_KINDS = {"scenes": _scenes, "coco": _coco, "folder": _folder, "hf": _hub}
