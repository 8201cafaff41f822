"""Finishing a data set: the sum of the receipts, the samples table, the card, and last of all the manifest."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.analysis.shortcuts import measure_shortcuts
from distortlab.dataset.croissant.distribution import PATH as CROISSANT
from distortlab.dataset.croissant.document import render_croissant
from distortlab.dataset.layout import ARCHIVE, FORMAT, FULL, PLAN_PATH, Layout
from distortlab.dataset.manifest import Entries, FileEntry, Manifest, Totals
from distortlab.dataset.reader import StoredDataset
from distortlab.dataset.rows import SampleRow
from distortlab.dataset.schema import SAMPLES
from distortlab.dataset.tables import describe_table, open_table
from distortlab.dataset.writer import open_writer
from distortlab.generation.card.card import render_card
from distortlab.generation.plan import Plan
from distortlab.generation.receipt import Receipt, is_whole, quarantine_path
from distortlab.generation.report import Account
from distortlab.storage.atomic import add_seal, find_seal_fault_in, format_json, parse_json
from distortlab.storage.base import Storage

__all__ = ["finish", "list_own_folders", "list_own_names", "make_account"]

_FEW = 20
_BOOKS = ("_distortlab/done", "_distortlab/quarantine")


def list_own_names(layout: Layout) -> tuple[str, ...]:
    """All that a data set or an archive has, the manifest first and the plan last: the order of removal."""
    return ("MANIFEST.json", CROISSANT, "README.md", *layout.folders, *_BOOKS, PLAN_PATH)


def list_own_folders(layout: Layout) -> tuple[str, ...]:
    """The folders in which a data set or an archive has files."""
    return ("", *layout.folders, *_BOOKS, "_distortlab")


def make_account(plan: Plan, out: Storage, receipts: Sequence[Receipt], finished: bool) -> Account:
    """The sum of the receipts, as the account of a run. `finished`: whether the data set is whole."""
    counts: dict[str, Counter[str]] = {}
    splits: Counter[str] = Counter()
    for receipt in receipts:
        splits[receipt.split] += receipt.images
        for name, values in receipt.counts.items():
            counts.setdefault(name, Counter()).update(values)
    counts.setdefault("skipped", Counter()).update(plan.skipped)
    return Account(
        out=out.place,
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
        quarantined=list(islice(_read_quarantine(out, receipts), _FEW)),
    )


def _read_quarantine(out: Storage, receipts: Sequence[Receipt]) -> Iterator[dict[str, str]]:
    for receipt in receipts:
        if receipt.failures:
            lines = (out.read(quarantine_path(receipt.shard)) or b"").splitlines()
            yield from (value for line in lines if isinstance(value := parse_json(line), dict))


def finish(plan: Plan, account: Account, receipts: Sequence[Receipt], out: Storage, layout: Layout = FULL) -> None:
    """Write the samples table, the card, croissant.json (an archive has only the card), and last of all the manifest,
    unless all is there.
    """
    files = {path: entry for receipt in receipts for path, entry in sorted(receipt.files.items())}
    if _is_finished(out, plan, files):
        return
    if layout.has_samples:
        for split in account.splits:
            files |= _write_samples(out, files, split)
    text = _archive_card(plan, account) if layout is ARCHIVE else _card(plan, account, files, out)
    out.write_text("README.md", text)
    data = text.encode()
    files["README.md"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "rows": 0}
    manifest = _manifest(plan, account, files)
    if layout.manifest_entry:
        manifest["store"] = layout.name
    if layout is ARCHIVE:
        # The recipe again as text: the card shows its keys in their order, which sorted JSON does not keep.
        stored = {
            "license": plan.license,
            "skipped": dict(plan.skipped),
            "recipe_text": json.dumps(plan.recipe.as_dict()),
        }
        manifest["plan"] = {**plan.identity, **stored}
    else:
        out.write_text(CROISSANT, render_croissant(StoredDataset.from_manifest(out, manifest), card=text))
    out.write_text("MANIFEST.json", format_json(add_seal(manifest)))


def _card(plan: Plan, account: Account, files: Entries, out: Storage) -> str:
    totals: Totals = {"images": account.images, "samples": account.samples, "splits": account.splits}
    blind = measure_shortcuts(StoredDataset.from_manifest(out, {"files": dict(files), "totals": totals}))
    return render_card(plan, account, files, blind, _first_samples(out, files))


def _first_samples(out: Storage, files: Entries) -> list[SampleRow]:
    """Some questions to show in the card."""
    path = next((path for path in sorted(files) if path.startswith("samples/")), None)
    if path is None:
        return []
    with out.local(path) as here, pq.ParquetFile(here) as file:
        return next((batch.to_pylist() for batch in file.iter_batches(400)), [])


def _manifest(plan: Plan, account: Account, files: dict[str, FileEntry]) -> Manifest:
    return {
        "format": FORMAT,
        "plan_sha256": plan.sha256,
        "generator_version": plan.identity["generator_version"],
        "files": files,
        "totals": {"images": account.images, "samples": account.samples, "splits": account.splits},
        "failures": {"references": account.failures, "opened": account.opened, "unfilled": account.unfilled},
        "counts": account.counts,
    }


def _is_finished(out: Storage, plan: Plan, files: Entries) -> bool:
    """The manifest is as it was written, of this plan, names these files, and all files that it names are there; those
    that are not of a shard, whose hashes were compared before, are as they were written.
    """
    data = out.read("MANIFEST.json")
    known = parse_json(data)
    if (
        data is None
        or find_seal_fault_in(data)
        or not isinstance(known, dict)
        or known.get("plan_sha256") != plan.sha256
    ):
        return False
    listed = known.get("files", {})
    if not all(listed.get(path) == entry for path, entry in files.items()) or not is_whole(out, listed):
        return False
    return not out.find_damaged({path: entry for path, entry in listed.items() if path not in files})


def _write_samples(out: Storage, files: Entries, split: str) -> dict[str, FileEntry]:
    """`rft` without the image bytes, in one file for each split: small enough to load whole."""
    path = f"samples/{split}-00000-of-00001.parquet"
    # Numbers have five digits, or more where there are more.
    shards = sorted((name for name in files if name.startswith(f"rft/{split}-")), key=lambda name: (len(name), name))
    rows = 0
    with out.new_file(path) as file, open_writer(pa.PythonFile(file, mode="w"), SAMPLES) as writer:
        for shard in shards:
            with (
                out.table_source(shard, list(SAMPLES)) as source,
                open_table(source, f"{out}/{shard}", files[shard]) as table,
            ):
                rft = table.read(columns=list(SAMPLES))
            writer.write_table(rft.combine_chunks(), row_group_size=max(1, rft.num_rows))
            rows += rft.num_rows
        file.keep_end()
    return {path: describe_table(file, rows)}  # `file` knows its hash when it is written


def _archive_card(plan: Plan, account: Account) -> str:
    return f"""# {plan.recipe.name}, as an archive

{account.images:,} distorted images and {account.samples:,} questions about them, in a form to keep and to send: every
reference once, and of every image the part that differs from it. Nothing is lost. The data set itself:

    distortlab materialize <this folder> -o data/

| table | a row is |
|---|---|
| `patches` | an image: its recipe, and the box around its regions as a lossless WebP, black outside of them |
| `references` | a clean image; `reference_row` of `patches` counts the rows of the file of the same name |
| `questions` | a question, without images |

Made by `distortlab` {plan.identity["generator_version"]} from `{plan.source}` references, seed {plan.recipe.seed}, plan
`{plan.sha256[:12]}`. {plan.license} The licence of each is in `reference_license`.
"""
