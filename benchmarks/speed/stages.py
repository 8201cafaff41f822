"""Where the time of an image goes: the functions that do the work are wrapped, and the CPU time of each is added up.

A stage owns the time of its functions without that of the stages inside them, but for `rivals`, which owns all that
asking about them costs. Times are those of the thread that works; the thread that brings a growing file to the disk
is added to the stage of the files.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from importlib import import_module
from typing import Any

__all__ = ["FUNCTIONS", "RIVALS", "StageTimes", "find_owner", "measure_stages"]

FILES = "Parquet, file hashes, writes"
RIVALS = "rivals"
OPERATOR = "draw: operator"
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "compose scene": ("references.scenes.source:SceneEntry.load",),
    "read, decode": ("references.coco:read_picture", "references.coco:encode_image"),
    "screen": ("generation.reference_pool:screen",),
    "outlines to masks": ("references.coco:select_regions",),
    OPERATOR: (),
    "draw: measure": ("generation.working_image:measure_visibility",),
    "draw: mask, feather, blend": ("generation.working_image:render_edit",),
    "draw: gates, statistics": (
        "generation.loaded_reference:LoadedReference.region",
        "generation.loaded_reference:LoadedReference.scene",
        "generation.working_image:find_region_fault",
        "generation.working_image:find_label_fault",
    ),
    RIVALS: ("generation.draw:_find_distractors",),
    "encode": ("generation.working_image:WorkingImage.encode",),
    "SHA-256 of pixels": ("generation.draw:WorkingImage.hash_pixels",),
    "questions, rows": (
        "generation.shard:make_image_record",
        "generation.shard:make_questions",
    ),
    FILES: (
        "generation.shard:make_full_rows",
        "generation.shard:ShardFiles.__enter__",
        "generation.shard:ShardFiles.add",
        "generation.shard:ShardFiles.finish",
        "generation.shard:write_receipt",
    ),
}
"""The functions of each stage, as `module:name` of distortlab, where they are looked up when they are called."""


@dataclass(slots=True)
class StageTimes:
    """Seconds of CPU and calls of every stage."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _open: list[str] = field(default_factory=list)
    _since: float = 0.0

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time added to a stage."""

        @wraps(function)
        def measured(*arguments: Any, **options: Any) -> Any:
            if RIVALS in self._open:
                return function(*arguments, **options)
            self.calls[stage] += 1
            self._switch()
            self._open.append(stage)
            try:
                return function(*arguments, **options)
            finally:
                self._switch()
                self._open.pop()

        return measured

    def wrap_thread(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same for a function that another thread runs."""

        @wraps(function)
        def measured(*arguments: Any) -> Any:
            start = time.thread_time()
            try:
                return function(*arguments)
            finally:
                self.seconds[stage] += time.thread_time() - start

        return measured

    def _switch(self) -> None:
        """Give the time since the last switch to the stage that was on top."""
        now = time.thread_time()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


@contextmanager
def measure_stages() -> Iterator[StageTimes]:
    """Wrap the functions of all stages for the time of a `with` block."""
    times, before = StageTimes(), list[tuple[Any, str, Any]]()
    for stage, names in FUNCTIONS.items():
        for name in names:
            owner, attribute = find_owner(name)
            before.append((owner, attribute, getattr(owner, attribute)))
            setattr(owner, attribute, times.wrap(stage, getattr(owner, attribute)))
    edit, atomic = import_module("distortlab.distortions.edit"), import_module("distortlab.storage.atomic")
    before += [(edit, "find", edit.find), (atomic, "_to_disk", atomic._to_disk)]
    edit.find = _measure_operators(edit.find, times)  # type: ignore[attr-defined]
    atomic._to_disk = times.wrap_thread(FILES, atomic._to_disk)  # type: ignore[attr-defined]
    try:
        yield times
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)


def find_owner(name: str) -> tuple[Any, str]:
    """The module or class of a function of `FUNCTIONS`, and the name it has there."""
    module, _, path = name.partition(":")
    *classes, attribute = path.split(".")
    owner: Any = import_module(f"distortlab.{module}")
    for part in classes:
        owner = getattr(owner, part)
    return owner, attribute


def _measure_operators(find: Callable[[str], Any], times: StageTimes) -> Callable[[str], Any]:
    """`find`, with the operator of the row that it finds measured."""
    rows: dict[str, Any] = {}

    def find_measured(name: str) -> Any:
        if name not in rows:
            row = find(name)
            rows[name] = replace(row, operator=times.wrap(OPERATOR, row.operator))
        return rows[name]

    return find_measured
