"""Small references and data sets, and ways to run the command line, for the tests of building."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from in_process import Outcome
from numpy.typing import NDArray
from reference_samples import annotation, encoded, square
from skimage import data

from distortlab.core.errors import BadReference
from distortlab.core.region import Box, Region
from distortlab.generation.plan import Plan
from distortlab.generation.shard import ShardJob
from distortlab.recipe import Recipe, ReferenceRules, RegionRules, default_recipe
from distortlab.references import Entry, NamedRegion, Reference
from distortlab.storage.atomic import add_seal, write_json
from distortlab.storage.base import Folder

ROWS, COLUMNS = 264, 330
NAMES = ("cat", "dog", "bird", "red car", "traffic light")
PLACES = ((12, 14, 120), (180, 20, 110), (90, 140, 100))
"""(x, y, side) of the three objects of every picture."""


_read_coffee = cache(data.coffee)


def picture(number: int, rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.uint8]:
    """A piece of scikit-image's cup of coffee, another one for every number: every distortion shows on it."""
    moved = np.roll(_read_coffee(), (37 * number, 61 * number), (0, 1))[:rows, :columns]
    return np.ascontiguousarray(moved[:, ::-1] if number % 2 else moved)


# --- references in memory -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Painting:
    """A picture made in code. `kind`: good, grey, tiny, empty (no region), alone (one region), nameless or broken."""

    number: int
    kind: str = "good"

    @property
    def id(self) -> str:
        return f"painting-{self.number:06d}"

    @property
    def name_count(self) -> int:
        return {"good": 3, "alone": 1}.get(self.kind, 0)

    @property
    def region_count(self) -> int:
        return self.name_count

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        if self.kind == "broken":
            raise BadReference(f"{self.id}.jpg: damaged or not readable: the end is missing")
        image = _painted(self.number, self.kind)
        found = () if self.kind == "empty" else _squares(image.shape[:2], self.number)
        if self.kind == "nameless":
            found = tuple(NamedRegion(place.region, None) for place in found)
        return Reference(
            id=self.id,
            image=image,
            encoded=encoded(image, "PNG"),
            extension="png",
            source=f"{self.id}.png",
            license="made in code",
            regions=found[:1] if self.kind == "alone" else found,
            objects=tuple(sorted({place.object for place in found if place.object})),
            skipped={"too thin": 1} if self.number == 0 else {},
        )


def _painted(number: int, kind: str) -> NDArray[np.uint8]:
    image = picture(number, 100, 120) if kind == "tiny" else picture(number)
    if kind == "grey":
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.ascontiguousarray(image)


def _squares(shape: tuple[int, int], number: int) -> tuple[NamedRegion, ...]:
    fitting = [(x, y, side) for x, y, side in PLACES if x + side <= shape[1] and y + side <= shape[0]]
    return tuple(
        NamedRegion(Region.from_box(Box(x, y, x + side, y + side), shape), NAMES[(number + i) % len(NAMES)])
        for i, (x, y, side) in enumerate(fitting)
    )


@dataclass(frozen=True)
class Gallery:
    """Paintings as a source; `kinds` says of what kind each is. `limit` None: as many as one likes."""

    kinds: Sequence[str] = ("good",)
    limit: int | None = None
    vocabulary: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.5))
    fingerprint: str = "f" * 64
    name: str = "gallery"
    license: str = "made in code"
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int | None:
        return self.limit

    @property
    def alone(self) -> Mapping[str, float]:
        return self.vocabulary

    def entries(self, count: int) -> Sequence[Entry]:
        most = count if self.limit is None else min(count, self.limit)
        return [Painting(number, self.kinds[number % len(self.kinds)]) for number in range(most)]


# --- references on disk ---------------------------------------------------------------------------------------------


def coco_document(pictures: int) -> dict[str, Any]:
    """`pictures` images of three objects each, with names in turn."""
    annotations = [
        annotation(3 * key + i, key, (key + i) % len(NAMES) + 1, **_outlined(*place))
        for key in range(1, pictures + 1)
        for i, place in enumerate(PLACES)
    ]
    images = [
        {"id": key, "file_name": f"{key:012d}.jpg", "width": COLUMNS, "height": ROWS} for key in range(1, pictures + 1)
    ]
    categories = [{"id": key, "name": name} for key, name in enumerate(NAMES, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _outlined(x: int, y: int, side: int) -> dict[str, Any]:
    return {"segmentation": [square(x, y, side)], "bbox": [x, y, side, side], "area": side * side}


def write_coco(folder: Path, pictures: int) -> str:
    """Writes an annotation file and its images; returns the specification for `--refs`."""
    images = folder / "images"
    images.mkdir(parents=True)
    for key in range(1, pictures + 1):
        (images / f"{key:012d}.jpg").write_bytes(encoded(picture(key), "JPEG", quality=92))
    (folder / "instances.json").write_text(json.dumps(coco_document(pictures)))
    return f"coco:{folder / 'instances.json'},{images}"


def images_of(spec: str) -> Path:
    """The folder of images of a specification by `write_coco`."""
    return Path(spec.partition(",")[2])


# --- data sets ------------------------------------------------------------------------------------------------------


def small_recipe(**changes: Any) -> Recipe:
    """Twelve images in three shards, two of them for training, unless something else is asked for."""
    usual = {"n": 12, "images_per_reference": 2, "images_per_shard": 4, "splits": {"train": 0.75, "validation": 0.25}}
    return default_recipe(**{**usual, **changes})


def jobs_of(plan: Plan, out: Path) -> list[ShardJob]:
    return [ShardJob(plan.recipe, plan.vocabulary, plan.sha256, shard, Folder(out)) for shard in plan.shards]


def rows_of(folder: Path, kind: str) -> list[dict[str, Any]]:
    """All rows of one of the tables of a data set."""
    return [row for path in sorted((folder / kind).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def quarantined(folder: Path) -> list[dict[str, str]]:
    """The references that could not be used, with the reasons."""
    files = sorted((folder / "_distortlab" / "quarantine").iterdir())
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def published(folder: Path) -> dict[str, str]:
    """Every file of a data set with its hash, but for what is never published."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "_distortlab" not in path.parts]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def temporary(folder: Path) -> list[Path]:
    """What a run that was stopped may leave, and a run that finished must not."""
    return sorted(folder.rglob("*.tmp"))


def flip_byte(path: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    """Read, change and write a JSON file."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def edit_manifest(folder: Path, change: Callable[[Any], None]) -> None:
    """Change a manifest and give it a seal that fits, as whoever makes one up can."""
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    change(manifest)
    write_json(folder / "MANIFEST.json", add_seal({name: part for name, part in manifest.items() if name != "seal"}))


# --- the command line, in a process of its own ----------------------------------------------------------------------

COMMAND = (sys.executable, "-m", "distortlab.cli")
ENVIRONMENT = {**os.environ, "COLUMNS": "120", "HF_HUB_OFFLINE": "1"}


def command(
    *arguments: object, timeout: float = 60, environment: Mapping[str, str] = MappingProxyType({}), **options: Any
) -> Outcome:
    """Run the program in a process of its own and wait for it."""
    words = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**ENVIRONMENT, **environment},
        check=False,
        **options,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@contextmanager
def child_signals(on_stop: Any) -> Iterator[None]:
    """What programs that are started meanwhile do on Ctrl-C: `SIG_IGN` is inherited, any other handler is not."""
    before = signal.signal(signal.SIGINT, on_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def started(*arguments: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The program in a session of its own, so that a signal to the group reaches it and its workers alone.

    It hears Ctrl-C, also where the tests themselves run in the background of a script and do not.
    """
    words = [*COMMAND, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": ENVIRONMENT}
    with child_signals(signal.default_int_handler):
        process = subprocess.Popen(words, start_new_session=True, **{**pipes, **options})
    with process:
        try:
            yield process
        finally:
            process.kill()


def assert_one_sentence(err: str) -> str:
    """What stands on stderr is one line from the program and no traceback; returns the line."""
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].startswith("distortlab: "), err
    return lines[0]
