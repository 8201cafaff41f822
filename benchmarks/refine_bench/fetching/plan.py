"""What fetching would do: which sets are there, where the others come from, how large they are, what they may be used
for.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distortlab.core.errors import BuildFailed, UserError, describe_unknown
from distortlab.storage.hub_client import Patience
from refine_bench.datasets import SETS, find_folder
from refine_bench.datasets.base import Facts
from refine_bench.fetching.remote import FoundFile, look_up
from refine_bench.fetching.sources import NOT_FETCHED, SOURCES, Source

__all__ = ["WORK", "SetPlan", "find_archives", "find_missing_room", "plan_fetch"]

WORK = ".fetch"
"""The folder of what is being fetched, below that of the sets."""
_QUICK = Patience(tries=3)
"""Who only looks does not wait long for a network that is not there."""


@dataclass(frozen=True, slots=True)
class SetPlan:
    """One set. `present`: where it is already; otherwise it comes from `source`, into `target`.

    `files`: the archives, where they are fetched; `local`: where they lie already, each perhaps in parts.
    """

    facts: Facts
    target: Path
    present: Path | None = None
    source: Source | None = None
    files: tuple[FoundFile, ...] = ()
    local: tuple[tuple[Path, ...], ...] = ()
    license: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def size(self) -> int | None:
        """Bytes of the archives, None where a server does not say."""
        if self.local:
            return sum(part.stat().st_size for parts in self.local for part in parts)
        sizes = [found.size for found in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def work(self) -> Path:
        """Where its downloads lie."""
        return self.target.parent / WORK / self.facts.name

    @property
    def remaining(self) -> int:
        """Bytes that must still be fetched, as far as servers say."""
        if self.local:
            return 0
        there = sum(path.stat().st_size for path in self.work.rglob("*") if path.is_file())
        return max(0, (self.size or 0) - there)


def plan_fetch(
    names: Sequence[str],
    data: Path,
    *,
    origin: str | None = None,
    archives: Path | None = None,
    patience: Patience | None = None,
) -> list[SetPlan]:
    """Look up sets; nothing is fetched.

    Parameters
    ----------
    names
        The sets.
    data
        The folder that holds the sets; it need not be there.
    origin
        "mirror" or "official" for places of one kind only.
    archives
        A folder with archives that were downloaded before, which are used instead.
    patience
        How often a request is made again; None for thrice.

    Raises
    ------
    UserError
        For a set that does not exist or is not fetched, and where no place has it.
    """
    for name in names:
        if name not in SETS:
            raise UserError(describe_unknown("set", name, SOURCES, "refine-bench fetch lists them"))
        if name not in SOURCES:
            raise UserError(f"{name} is not fetched: {NOT_FETCHED[name]} ({SETS[name].FACTS.url})")
    if archives is not None and not archives.is_dir():
        raise UserError(f"{archives} is not a folder")
    return [_plan_set(name, data, origin, archives, patience or _QUICK) for name in dict.fromkeys(names)]


def _plan_set(name: str, data: Path, origin: str | None, archives: Path | None, patience: Patience) -> SetPlan:
    facts = SETS[name].FACTS
    target = data / facts.folders[0]
    present = find_folder(facts, data)
    if present is not None:
        return SetPlan(facts, target, present)
    if target.exists():
        raise UserError(f"{target} is there and has no labels of {facts.title}; move it away, or complete it by hand")
    sources = [source for source in SOURCES[name] if origin in (None, source.origin)]
    if not sources:
        known = " and ".join(source.origin for source in SOURCES[name])
        raise UserError(f"{name} is not fetched from an {origin} place, only from: {known}")
    if archives is not None:
        return _plan_local(facts, target, sources, archives)
    errors: list[UserError] = []
    for source in sources:
        try:
            listing = look_up(source.archives, patience)
        except UserError as error:
            errors.append(error)
            continue
        notes = tuple(f"the {s.origin} was passed over: {e}" for s, e in zip(sources, errors, strict=False))
        return SetPlan(facts, target, None, source, listing.files, license=listing.license, notes=notes)
    if len(errors) == 1:
        raise errors[0]
    raise type(errors[0])(f"{name} cannot be had: " + "; ".join(map(str, errors)))


def _plan_local(facts: Facts, target: Path, sources: Sequence[Source], archives: Path) -> SetPlan:
    for source in sources:
        found = [find_archives(archives, file.name) for file in source.archives]
        if all(found):
            return SetPlan(facts, target, None, source, local=tuple(found))
    names = " or ".join(", ".join(file.name for file in source.archives) for source in sources)
    raise UserError(f"{archives} has no archive of {facts.title}: {names}")


def find_archives(folder: Path, name: str) -> tuple[Path, ...]:
    """Return an archive in a folder: one file, or the parts it was cut into (`.000`, `.001`, or `.part-aa`)."""
    whole = folder / name
    if whole.is_file():
        return (whole,)
    return tuple(sorted(path for path in folder.glob(f"{name}.*") if path.suffix not in (".part", ".json")))


def find_missing_room(plans: Sequence[SetPlan], data: Path) -> int:
    """Return the bytes that the disk is short of, at least: archives, and what comes out of them.

    Raises
    ------
    BuildFailed
        Where nothing can be said of the disk.
    """
    wanted = [plan for plan in plans if plan.present is None]
    packed = max((plan.remaining for plan in wanted), default=0)
    need = packed + sum(plan.size or 0 for plan in wanted)
    place = next(path for path in (data.resolve(), *data.resolve().parents) if path.is_dir())
    try:
        return max(0, need - shutil.disk_usage(place).free)
    except OSError as error:
        raise BuildFailed(f"{place} cannot be measured: {error.strerror or error}") from error
