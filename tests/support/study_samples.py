"""A data set for studies, and scripted people: they see a distortion with a known chance, by its V alone."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow.parquet as pq
from dataset_samples import edit_manifest

from distortlab.analysis.study.answers import find_worse
from distortlab.analysis.study.stimuli import Stimuli, Stimulus, name_reference
from distortlab.core.region import Box
from distortlab.core.seeds import stream
from distortlab.dataset.schema import TABLES
from distortlab.dataset.writer import make_table, open_writer
from distortlab.storage.atomic import hash_file
from distortlab.tasks.terms import FAMILIES

Row = dict[str, Any]


def make_study_data(usual: Path, folder: Path, copies: int = 5) -> Path:
    """A data set with every image `copies` times: every family at every severity, V from 0.4 to 12. What is done to the
    pixels is another thing: scripted people look at V.
    """
    out = Path(copytree(usual, folder))
    number = 0
    for path in sorted((out / "images").glob("*.parquet")):
        rows = [row for row in pq.read_table(path).to_pylist() for _ in range(copies)]
        made = [_vary(row, number + place) for place, row in enumerate(rows)]
        write_rows(out, path, made)
        number += len(made)
    return out


def _vary(row: Row, number: int) -> Row:
    severity = 1 + number % 5
    v = 0.45 * 2 ** (severity - 1 + stream("study", "v", number).uniform(0, 0.8))
    region = {**row["regions"][0], "distortion": FAMILIES[number % 12], "severity": severity}
    region["visibility"] = {**region["visibility"], "v": v}
    return {**row, "image_id": f"train-{number:06d}", "regions": [region]}


def write_rows(folder: Path, path: Path, rows: Sequence[Row]) -> None:
    """Write a table of images, and the manifest with it."""
    with path.open("wb") as sink:
        writer = open_writer(sink, TABLES["images"])
        writer.write_table(make_table(list(rows), TABLES["images"]))
        writer.close()
    name = path.relative_to(folder).as_posix()
    entry = {"bytes": path.stat().st_size, "sha256": hash_file(path), "rows": len(rows)}
    edit_manifest(folder, lambda manifest: manifest["files"].update({name: entry}))


def make_stimuli(scenes: int = 40, each: int = 4) -> Stimuli:
    """Stimuli in memory: every family at every severity, `each` of a scene."""
    found = Stimuli("data", "a" * 64)
    for number in range(scenes * each):
        severity, scene = 1 + number % 5, f"scene-{number // each}"
        v = 0.45 * 2 ** (severity - 1 + stream("study", "v", number).uniform(0, 0.8))
        name = f"train-{number:06d}"
        box = Box(10 + number % 7, 20, 110, 100)
        family = FAMILIES[number % 12]
        found.distorted[name] = Stimulus(name, scene, "train", family, "gaussian", severity, v, box, 0.1)
        found.pristine.add(name_reference(scene))
        found.sizes |= dict.fromkeys((name, name_reference(scene)), (330, 264))
    return found


@dataclass(frozen=True)
class Person:
    """A person who sees half of the distortions at V = `threshold`, 3 to the octave, and guesses now and then."""

    name: str
    stimuli: Stimuli
    threshold: float = 2.0
    slope: float = 3.0
    guess: float = 0.08
    lapse: float = 0.02

    def sees(self, names: Sequence[str]) -> bool:
        """Whether a distortion is seen in the images of a trial."""
        v = max((one.v for name in names if (one := self.stimuli.distorted.get(name))), default=0.0)
        chance = 1 / (1 + (self.threshold / v) ** (self.slope / math.log(2))) if v else 0.0
        return stream("person", self.name, *names).uniform() < self.guess + (1 - self.guess - self.lapse) * chance

    def answer(self, task: str, names: Sequence[str]) -> Any:
        """What is answered: the truth where it is seen, otherwise something else."""
        seen, lot = self.sees(names), stream("person", self.name, "lot", *names).below(12)
        if task == "detection":
            return "distorted" if seen else "untouched"
        if task == "comparison":
            worse = names.index(str(find_worse(names, self.stimuli)))
            return ("First", "Second")[worse if seen else lot % 2]
        one = self.stimuli.distorted[names[0]]
        if task == "recognition":
            return one.family if seen else FAMILIES[lot]
        return [(one.box.x1 + one.box.x2) // 2, (one.box.y1 + one.box.y2) // 2] if seen else None

    def fill(self, facts: dict[str, Any], slot: int) -> dict[str, Any]:
        """The answers that the page with these facts would download."""
        names = [image["name"] for image in facts["images"]]
        trials = [
            {"task": task, "images": [names[k] for k in shown], "answer": self.answer(task, [names[k] for k in shown])}
            for task, block in facts["orders"][slot]
            for shown in block
        ]
        about = {key: facts[key] for key in ("format", "version", "study", "data")}
        timed = [{**trial, "seconds": 1.5, "input": "key"} for trial in trials]
        screen = {"scale": 1, "pixels_per_degree": 40.0}
        return {**about, "participant": self.name, "order": slot, "finished": "now", "screen": screen, "trials": timed}


def write_answers(folder: Path, people: Sequence[dict[str, Any]]) -> list[Path]:
    """A file for each person."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number:02d}.json" for number in range(len(people))]
    for path, person in zip(paths, people, strict=True):
        path.write_text(json.dumps(person))
    return paths
