"""Fetching a set: archives are brought, unpacked into a hidden folder, completed, checked, and given their name."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

from distortlab.core.errors import BuildFailed, UserError
from distortlab.core.progress import show_progress
from distortlab.storage.atomic import explain_os_errors, hidden_folder, is_temporary, write_json
from distortlab.storage.hub_client import Patience
from distortlab.storage.locks import SharedLock
from distortlab.storage.unpack import BadArchive, unpack_archive
from refine_bench.datasets import has_labels
from refine_bench.fetching.checks import SetCheck, check_set
from refine_bench.fetching.plan import WORK, SetPlan
from refine_bench.fetching.remote import FoundFile, download, look_up
from refine_bench.fetching.sources import MIRROR_LABELS, Extra, HubFile

__all__ = ["FetchOptions", "FetchedSet", "describe_plan", "fetch_set", "fetch_sets"]

_DEEPEST = 3
RECORD = "fetched.json"


class FetchedSet(TypedDict):
    """What became of a set. `status`: "present", "planned" or "fetched"."""

    set: str
    title: str
    status: str
    folder: str
    origin: str | None
    files: list[Mapping[str, Any]]
    bytes: int | None
    license: str
    terms: str
    check: SetCheck | None
    notes: list[str]


class FetchOptions(TypedDict, total=False):
    """How to fetch. `keep`: archives stay; `any_labels`: labels with another hash are taken too."""

    keep: bool
    any_labels: bool
    quiet: bool


def describe_plan(plan: SetPlan, status: str, check: SetCheck | None = None, notes: Sequence[str] = ()) -> FetchedSet:
    """What is known of a set, ready for JSON."""
    local = [{"from": str(part), "size": part.stat().st_size} for parts in plan.local for part in parts]
    remote = [
        {"from": str(f.file), "size": f.size, "sha256": f.sha256, "revision": f.revision or None} for f in plan.files
    ]
    return {
        "set": plan.facts.name,
        "title": plan.facts.title,
        "status": status,
        "folder": str(plan.present or plan.target),
        "origin": plan.source.origin if plan.source else None,
        "files": [*local, *remote],
        "bytes": plan.size if plan.source else None,
        "license": plan.license,
        "terms": plan.facts.url,
        "check": check,
        "notes": [*plan.notes, *notes],
    }


def fetch_sets(
    plans: Sequence[SetPlan],
    *,
    patience: Patience | None = None,
    options: FetchOptions | None = None,
    done: Callable[[FetchedSet], None] = lambda found: None,
) -> list[FetchedSet]:
    """Fetch sets, one after another; those that are present are checked only.

    Parameters
    ----------
    plans
        From `plan_fetch`; whoever calls has seen to their licenses.
    patience
        How often a request is made again; None for the usual.
    options
        How to fetch.
    done
        Called with each set when it is there.

    Raises
    ------
    UserError
        In one sentence; the sets before it are whole, and the same call goes on.
    """
    found = []
    for plan in plans:
        result = _check_present(plan) if plan.present else fetch_set(plan, patience or Patience(), options or {})
        done(result)
        found.append(result)
    return found


def _check_present(plan: SetPlan) -> FetchedSet:
    assert plan.present is not None
    check = check_set(plan.facts.name, plan.present)
    notes = _list_notes(check)
    if check["without_image"]:
        notes.append(f"move {plan.present} away, and the same command fetches all of it")
    return describe_plan(plan, "present", check, notes)


def fetch_set(plan: SetPlan, patience: Patience, options: FetchOptions) -> FetchedSet:
    """Fetch one set; raises as `fetch_sets` does."""
    data = plan.target.parent
    with _hold(data / WORK):
        archives = _bring_archives(plan, patience, options.get("quiet", False))
        with hidden_folder(data / WORK / plan.facts.name) as staging:
            _unpack(archives, staging, plan, options.get("quiet", False))
            root = _find_root(plan, staging)
            notes = _complete(plan, root, patience)
            check = _check(plan, root, options.get("any_labels", False))
            notes += _list_notes(check)
            write_json(root / RECORD, {**describe_plan(plan, "fetched", check, notes), "folder": ""})
            with explain_os_errors(plan.target):
                root.rename(plan.target)
        if not options.get("keep", False):
            shutil.rmtree(plan.work, ignore_errors=True)
    return describe_plan(plan, "fetched", check, notes)


@contextmanager
def _hold(work: Path) -> Iterator[None]:
    """Alone in the folder of downloads; what killed runs left unpacked there is removed."""
    with explain_os_errors(work):
        work.mkdir(parents=True, exist_ok=True)
    with SharedLock(work / "lock") as lock, lock.alone() as alone:
        if not alone:
            raise UserError(f"another fetch is at work in {work.parent}; wait until it has ended")
        for path in work.iterdir():
            if is_temporary(path.name):
                shutil.rmtree(path, ignore_errors=True)
        yield


def _bring_archives(plan: SetPlan, patience: Patience, quiet: bool) -> list[tuple[Path, ...]]:
    if plan.local:
        return list(plan.local)
    with show_progress(f"bytes of {plan.facts.name}", plan.size, quiet=quiet) as advance:
        return [(download(found, plan.work, patience, advance),) for found in plan.files]


def _unpack(archives: Sequence[tuple[Path, ...]], staging: Path, plan: SetPlan, quiet: bool) -> None:
    packed = sum(part.stat().st_size for parts in archives for part in parts)
    free = shutil.disk_usage(staging).free
    if packed > free:
        raise BuildFailed(
            f"{plan.facts.title} unpacks to at least {packed / 1e9:.1f} GB, and {staging.parent} has {free / 1e9:.1f}; "
            "make room and run the same command again, it goes on from here"
        )
    with show_progress(f"bytes of {plan.facts.name} unpacked", packed, quiet=quiet) as advance:
        for number, parts in enumerate(archives):
            try:
                unpack_archive(parts, staging, progress=advance)
            except BadArchive as error:
                if plan.local or plan.files[number].sha256:
                    raise
                parts[0].unlink()  # it may be the download that is broken
                raise BadArchive(f"{error}; it was thrown away, run the same command again") from None


def _find_root(plan: SetPlan, staging: Path) -> Path:
    """The folder of the set in what was unpacked: where its label files are, else where they belong."""
    level = [staging]
    for _ in range(_DEEPEST):
        found = next((folder for folder in level if has_labels(folder, plan.facts)), None)
        if found is not None:
            return found
        level = [path for folder in level for path in sorted(folder.iterdir()) if path.is_dir()]
    assert plan.source is not None
    named = staging / plan.source.root
    return named if named.is_dir() else staging


def _complete(plan: SetPlan, root: Path, patience: Patience) -> list[str]:
    """Bring the label files that the archives lack; returns what was not to be had."""
    assert plan.source is not None
    notes = []
    for extra in plan.source.extras:
        if any(root.rglob(extra.file.name)):
            continue
        try:
            _bring_extra(plan, extra, root, patience)
        except UserError as error:
            if extra.needed and not _has_lists(plan, root):
                raise
            notes.append(f"without {extra.file.name}: {error}")
    if plan.facts.meta_info and not has_labels(root, plan.facts):
        _bring_extra(plan, Extra(HubFile(MIRROR_LABELS, plan.facts.meta_info)), root, patience)
        notes.append(f"the archives hold no labels: they are from pyiqa's {plan.facts.meta_info}")
    return notes


def _has_lists(plan: SetPlan, root: Path) -> bool:
    return bool(plan.facts.meta_info) or has_labels(root, plan.facts)


def _bring_extra(plan: SetPlan, extra: Extra, root: Path, patience: Patience) -> None:
    beside = {path.parent for parts in plan.local for path in parts}
    for folder in beside:
        for place in (folder / extra.file.name, folder / "meta_info" / extra.file.name):
            if place.is_file():
                shutil.copyfile(place, root / extra.file.name)
                return
    found: FoundFile = look_up([extra.file], patience).files[0]
    path = download(found, plan.work / "labels", patience, lambda step: None)
    with explain_os_errors(root):
        path.replace(root / extra.file.name)


def _check(plan: SetPlan, root: Path, any_labels: bool) -> SetCheck:
    """Read what was unpacked. Raises `UserError` for what must not get the name of the set."""
    kept = "" if plan.local else f"; what was downloaded stays in {plan.work}"
    try:
        check = check_set(plan.facts.name, root)
    except UserError as error:
        raise UserError(f"what was unpacked is not {plan.facts.title} as it is known: {error}{kept}") from None
    if check["labels"] == "other" and not any_labels:
        raise UserError(
            f"the labels of {plan.facts.title} are not the known ones (sha256 {check['sha256'][:12]}... of "
            f"{check['variant']} instead of {plan.facts.sha256[:12]}...); --any-labels takes them as they are{kept}"
        )
    if check["n"] and check["without_image"] == check["n"]:
        raise UserError(f"none of the {check['n']:,} images of {plan.facts.title} is where its labels name it{kept}")
    return check


def _list_notes(check: SetCheck) -> list[str]:
    notes = []
    if check["labels"] == "other":
        notes.append(f"labels: not the known ones, sha256 {check['sha256'][:12]}...")
    if check["expected"] is not None and check["n"] + check["left_out"] != check["expected"]:
        notes.append(f"{check['n']:,} rows, where {check['variant']} has {check['expected']:,}")
    if check["left_out"]:
        notes.append(f"{check['left_out']:,} rows cannot be used")
    if check["without_image"]:
        notes.append(f"{check['without_image']:,} images are missing")
    return notes
