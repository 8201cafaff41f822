"""A data set as a folder: starting it, continuing it, finishing it.

README.md  MANIFEST.json  images/  rft/  samples/  _distortlab/{plan.json, done/, quarantine/}
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.account import Account
from distortlab.build import Job, Receipt
from distortlab.card import card
from distortlab.engines.local import default_workers, run_local
from distortlab.errors import BadRecipe, UserError
from distortlab.files import new_file, read_json, sealed, sha256_of, write_json, write_text
from distortlab.plan import FORMAT, Plan, make_plan
from distortlab.recipe import Recipe, load_recipe
from distortlab.references import open_references
from distortlab.references.base import References
from distortlab.schema import SAMPLES, open_writer
from distortlab.shortcuts import shortcuts
from distortlab.stored import stored_from

__all__ = ["generate"]

_OWN = ("README.md", "MANIFEST.json", "images", "rft", "samples", "_distortlab")


def generate(
    recipe: Recipe | str | Path = "refine-perception-20k",
    references: References | str = "scenes",
    out: str | Path = "data",
    *,
    workers: int | None = None,
    shard: tuple[int, int] | None = None,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda images: None,
) -> Account:
    """Make a data set, or go on with one.

    `recipe` a `Recipe`, the path of a TOML file, or the name of one that the package carries. `references` a source or
    its specification (`scenes`, `coco:JSON,IMAGES`, `folder:PATH`). `shard=(k, n)` makes only the k-th of n parts
    (k from 1); the call without it does what is left and finishes. What is already there is kept; a folder that holds
    another plan is refused unless `overwrite`. Raises `UserError` before any work for what cannot be, `BuildFailed`
    for a disk that is full or a worker that was killed; look at `Account.trouble` for the rest.
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    whole, (part, parts) = shard is None, _checked(shard or (1, 1))
    out = Path(out)
    if isinstance(references, str):
        references = open_references(references, recipe.seed, recipe.regions)
    plan = make_plan(recipe, references)
    _claim(out, plan, overwrite)
    jobs = [Job(recipe, plan.vocabulary, plan.sha256, own, out) for own in plan.shards]
    receipts = list(run_local(jobs[part - 1 :: parts], workers or default_workers(), progress))
    account = _account(plan, out, receipts, finished=whole)
    if account.finished:
        _finish(plan, account, receipts)
    return account


def _checked(shard: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= shard[0] <= shard[1]:
        raise BadRecipe(f"--shard {shard[0]}/{shard[1]}: parts are 1/{shard[1]} to {shard[1]}/{shard[1]}")
    return shard


# --- starting -------------------------------------------------------------------------------------------------------


def _claim(out: Path, plan: Plan, overwrite: bool) -> None:
    """Make the folder this plan's, or refuse."""
    file = out / "_distortlab" / "plan.json"
    known = read_json(file)
    if file.exists() and overwrite:
        _clear(out)
    elif file.exists():
        if not isinstance(known, dict) or known.get("sha256") != plan.sha256:
            raise BadRecipe(_refusal(out, known, plan))
        return
    elif out.exists() and (not out.is_dir() or any(name for name in _OWN if (out / name).exists())):
        raise UserError(f"{out} is in use and is not a data set that was begun here; choose another --out")
    _checked_folder(out)
    write_json(file, {"sha256": plan.sha256, **plan.identity})


def _checked_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the folder {out} cannot be made: {error.strerror}") from error


def _clear(out: Path) -> None:
    for name in _OWN:
        path = out / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _refusal(out: Path, known: Any, plan: Plan) -> str:
    wanted = json.loads(json.dumps(plan.identity))
    differences = list(_differences(known if isinstance(known, dict) else {}, wanted))
    return (
        f"{out} holds another plan: {'; '.join(differences[:3])}. Continue with the same recipe and references, choose "
        "another --out, or start again with --overwrite"
    )


def _differences(old: Any, new: Any, path: str = "") -> Iterable[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(new.keys() | (old.keys() - {"sha256"})):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path} is {json.dumps(old)} there and {json.dumps(new)} here"


# --- finishing ------------------------------------------------------------------------------------------------------


def _account(plan: Plan, out: Path, receipts: Sequence[Receipt], finished: bool) -> Account:
    counts: dict[str, Counter[str]] = {}
    splits: Counter[str] = Counter()
    for receipt in receipts:
        splits[receipt.split] += receipt.images
        for name, values in receipt.counts.items():
            counts.setdefault(name, Counter()).update(values)
    counts.setdefault("skipped", Counter()).update(plan.skipped)
    return Account(
        out=out,
        finished=finished,
        wanted=sum(len(part.slots) for part in plan.shards),
        images=sum(receipt.images for receipt in receipts),
        samples=sum(receipt.samples for receipt in receipts),
        bytes=sum(file["bytes"] for receipt in receipts for file in receipt.files.values()),
        unfilled=sum(receipt.unfilled for receipt in receipts),
        opened=sum(receipt.opened for receipt in receipts),
        failures=sum(receipt.failures for receipt in receipts),
        max_failures=plan.recipe.max_failures,
        splits=dict(splits),
        counts={name: dict(sorted(values.items())) for name, values in counts.items()},
    )


def _finish(plan: Plan, account: Account, receipts: Sequence[Receipt]) -> None:
    """The samples table, the card, and last of all the manifest."""
    out = account.out
    manifest = out / "MANIFEST.json"
    _remove_temporary(out)
    files = {path: entry for receipt in receipts for path, entry in sorted(receipt.files.items())}
    if _is_finished(manifest, plan, files):
        return
    for split in account.splits:
        files |= _write_samples(out, plan, split)
    totals = {"images": account.images, "samples": account.samples, "splits": account.splits}
    blind = shortcuts(stored_from(out, {"files": files, "totals": totals}))
    write_text(out / "README.md", card(plan, account, files, blind, _first_samples(out, files)))
    readme = out / "README.md"
    files["README.md"] = {"sha256": sha256_of(readme), "bytes": readme.stat().st_size, "rows": 0}
    write_json(manifest, sealed(_manifest(plan, account, files)))


def _manifest(plan: Plan, account: Account, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "plan_sha256": plan.sha256,
        "generator_version": plan.identity["generator_version"],
        "files": files,
        "totals": {"images": account.images, "samples": account.samples, "splits": account.splits},
        "failures": {"references": account.failures, "opened": account.opened, "unfilled": account.unfilled},
        "counts": account.counts,
    }


def _is_finished(manifest: Path, plan: Plan, files: dict[str, dict[str, Any]]) -> bool:
    """The manifest is of this plan, names these files, and the small files that it names are there."""
    known = read_json(manifest)
    if not isinstance(known, dict) or known.get("plan_sha256") != plan.sha256:
        return False
    listed = known.get("files", {})
    same = all(listed.get(path) == entry for path, entry in files.items())
    return same and all(
        (manifest.parent / path).exists() and (manifest.parent / path).stat().st_size == entry["bytes"]
        for path, entry in listed.items()
    )


def _write_samples(out: Path, plan: Plan, split: str) -> dict[str, dict[str, Any]]:
    """`rft` without the image bytes, in one file for each split: small enough to load whole."""
    path = f"samples/{split}-00000-of-00001.parquet"
    rows = 0
    with new_file(out / path) as file:
        with open_writer(pa.PythonFile(file, mode="w"), SAMPLES) as writer:
            for part in plan.shards:
                if part.split == split:
                    rft = pq.read_table(out / "rft" / part.file_name, columns=list(SAMPLES))
                    writer.write_table(rft.combine_chunks(), row_group_size=max(1, rft.num_rows))
                    rows += rft.num_rows
        entry = {"sha256": file.sha256, "bytes": file.size, "rows": rows}
    return {path: entry}


def _first_samples(out: Path, files: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Some questions to show in the card."""
    path = next((path for path in sorted(files) if path.startswith("samples/")), None)
    if path is None:
        return []
    with pq.ParquetFile(out / path) as file:
        return next((batch.to_pylist() for batch in file.iter_batches(400)), [])


def _remove_temporary(out: Path) -> None:
    """What a killed run left. Every shard has its receipt, so no other run is writing."""
    for folder in (out, *(out / name for name in _OWN[2:]), out / "_distortlab/done", out / "_distortlab/quarantine"):
        for path in folder.glob(".*.tmp"):
            if re.fullmatch(r"\..+\.[0-9a-f]{8}\.tmp", path.name):
                path.unlink(missing_ok=True)
