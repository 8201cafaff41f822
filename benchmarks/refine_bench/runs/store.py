"""A run on disk: what was asked of whom, the truth of every item, and the answers, saved as they come.

    run.json              model, sets, protocols, decoding, environment; written before the first answer
    items/SET.jsonl       a line per item with its truth: scoring needs nothing else
    answers/SET.jsonl     a line per answer, appended; what a killed run leaves is whole lines, and one torn one at most

An answer is filed under the hash of all that could change it, so the same command goes on where it was, and two runs
merge.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from distortlab.core.errors import UserError
from distortlab.storage.atomic import new_file, read_json, write_json
from refine_bench.datasets.image_names import shorten_names
from refine_bench.prompts.items import ItemSet, slugify
from refine_bench.runs.records import AnswerRow, ItemRow, RunHead, SetFacts, find_difference

__all__ = ["FORMAT", "AnswerLog", "Run", "check_name", "hash_request", "open_runs"]

FORMAT = 1
SYNC_S = 0.25
"""Lines reach the system at once, so a killed process loses none; the disk within this time, should the power fail."""


def hash_request(**parts: object) -> str:
    """Return the address of an answer: a hash of image bytes, prompt, decoding, model, processor and sample."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class AnswerLog:
    """Answers of one set. A torn last line is cut off when the file is opened for writing: its question is asked
    again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.torn = _cut_torn_line(path)
        self.done = {row["key"] for row in read_lines(path) if row.get("error") is None}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._lock = threading.Lock()
        self._synced = time.monotonic()

    def append(self, row: Mapping[str, Any]) -> None:
        """Save an answer."""
        line = json.dumps(row, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            if row.get("error") is None:
                self.done.add(row["key"])
            if time.monotonic() - self._synced > SYNC_S:
                self._sync()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def close(self) -> None:
        """Bring everything to the disk."""
        with self._lock:
            if not self._file.closed:
                self._file.flush()
                self._sync()
                self._file.close()

    def __enter__(self) -> "AnswerLog":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _cut_torn_line(path: Path) -> int:
    """Cut off what stands behind the last line break; how many bytes that was."""
    if not path.is_file():
        return 0
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        end = size
        while end:
            start = max(0, end - 65536)
            file.seek(start)
            place = file.read(end - start).rfind(b"\n")
            if place >= 0:
                end = start + place + 1
                break
            end = start
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
    return size - end


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; a torn last one is not there. Raises `UserError` for a line that is damaged."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
            except ValueError:
                raise UserError(f"{path}, row {number}: no JSON; the file was damaged after it was written") from None
            if isinstance(row, dict):
                yield row


def open_runs(folders: Sequence[Path]) -> list["Run"]:
    """Open runs under names that tell them apart: the folder's, and as much of its path as that needs.

    Raises
    ------
    UserError
        Where a folder is no run, or is named twice.
    """
    runs = [Run(folder) for folder in folders]
    paths = [folder.resolve().as_posix() for folder in folders]
    for path in paths:
        if paths.count(path) > 1:
            raise UserError(f"{path} is named twice")
    for run, name in zip(runs, shorten_names(paths), strict=True):
        run.name = name
    return runs


def check_name(name: str) -> str:
    """Return a model's name on one line. Raises `UserError` where nothing is left of it."""
    if not name.split():
        raise UserError("--name is empty; say what the model is called")
    return " ".join(name.split())


class Run:
    """A run folder. `name`: that of the folder; `open_runs` makes it longer where two have one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.resolve().name
        head = read_json(folder / "run.json")
        if not isinstance(head, dict) or "model" not in head or "sets" not in head:
            raise UserError(f"{folder} is no run: it has no readable run.json")
        if not isinstance(head.get("format"), int) or head["format"] > FORMAT:
            raise UserError(f"{folder} has format {head.get('format')!r}; this version reads up to {FORMAT}")
        self.head = cast(RunHead, head)

    @classmethod
    def open(cls, folder: Path, model: Mapping[str, Any], more: Mapping[str, Any]) -> "Run":
        """Begin a run, or go on with one of the same model. Raises `UserError` where another model's run is."""
        if (folder / "run.json").exists():
            run = cls(folder)
            changed = [k for k in ("spec", "revision", "processor") if run.head["model"].get(k) != model.get(k)]
            if changed:
                was, now = run.head["model"].get(changed[0]), model.get(changed[0])
                raise UserError(
                    f"{folder} holds another run: model {changed[0]} is {was!r} there and {now!r} here; use --out"
                )
            return run
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} is not empty and is no run; use another --out")
        write_json(folder / "run.json", {"format": FORMAT, "model": dict(model), "sets": {}, **more})
        return cls(folder)

    @property
    def model(self) -> str:
        """What its model is called: the name it was given, or its own."""
        about = self.head["model"]
        return str(self.head.get("model_name") or about.get("name") or about["spec"])

    def rename(self, name: str) -> None:
        """Call the model something else from now on. Raises `UserError` for a name without a letter."""
        self.head["model_name"] = check_name(name)
        write_json(self.folder / "run.json", self.head)

    def find_file(self, kind: str, entry: str) -> Path:
        """The file of a set: "items" or "answers"."""
        return self.folder / kind / f"{entry}.jsonl"

    def add_set(self, found: ItemSet, about: Mapping[str, Any]) -> str:
        """Enter a set with its items; the name of its files. The same set, asked in the same way, keeps its entry."""
        entry = slugify(f"{found.name}-{about['protocol']['name']}")
        known = self.head["sets"].get(entry)
        facts: dict[str, Any] = {"set": found.name, "kind": found.kind, "sha256": found.sha256, **about}
        if known is not None:
            name = find_difference(known, facts)
            if name is not None:
                raise UserError(f"{self.folder} has answers on {found.name} with another {name}; use another --out")
            facts = {**known, **facts}
        with new_file(self.find_file("items", entry)) as file:
            for item in found.items:
                row = {"id": item.id, "prompt": item.prompt, "truth": dict(item.truth)}
                file.write(json.dumps(row, allow_nan=False).encode() + b"\n")
        self.head["sets"][entry] = cast(SetFacts, facts)
        write_json(self.folder / "run.json", self.head)
        return entry

    def read_items(self, entry: str) -> list[ItemRow]:
        """The items of a set, in its order."""
        return [cast(ItemRow, row) for row in read_lines(self.find_file("items", entry))]

    def read_answers(self, entry: str) -> dict[tuple[str, int], AnswerRow]:
        """The last answer to every (item, sample); one that failed gives way to one that did not."""
        found: dict[tuple[str, int], AnswerRow] = {}
        for row in read_lines(self.find_file("answers", entry)):
            place = (str(row.get("item")), int(row.get("sample", 0)))
            if row.get("error") is None or place not in found:
                found[place] = cast(AnswerRow, row)
        return found
