"""Write the page of a study: draw images, pack them without loss, plan who is shown what."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from distortlab import __version__
from distortlab.analysis.study.answers import FORMAT, SEEN, VERSION
from distortlab.analysis.study.stimuli import TASKS, Stimuli, Stimulus, name_reference, read_stimuli
from distortlab.core.errors import UserError, describe_unknown
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.dataset.selection import Filter, RowLocation, find_images, sample_images
from distortlab.storage.atomic import new_file
from distortlab.tasks import recognition
from distortlab.tasks.comparison import CHOICES
from distortlab.tasks.terms import TERMS
from distortlab.visualization.static_page import PageFiles, PageParts, build_page
from distortlab.visualization.study.assignment import (
    Order,
    Pool,
    Trial,
    list_offered,
    plan_orders,
    plan_training,
    share_trials,
)
from distortlab.visualization.viewer.packing import DecodedRow, ImageGroup, decode_rows, pack_lossless

__all__ = ["StudySummary", "write_study"]

_SCRIPTS = ("session.js", "screen.js", "stage.js", "choices.js", "cards.js", "steps.js")
_PARTS = PageParts(
    "study/page/page.html",
    "study/page/style.css",
    ("assets/common.js", *(f"study/page/{name}" for name in _SCRIPTS)),
)
_TRIES = 3  # groups in a row that find no room, before the page is full
_BREAK = 24  # trials between two breaks


@dataclass(frozen=True, slots=True)
class StudySummary:
    """A page that was written. `images` of `matching` that can be asked about are in it, `left_out` were drawn and
    found no room; `trials`: by task, for one person; `skipped`: why a task is not asked.
    """

    out: Path
    bytes: int
    study: str
    images: int
    references: int
    matching: int
    left_out: int
    trials: dict[str, int]
    orders: int
    skipped: dict[str, str]


@dataclass(slots=True)
class _Page(PageFiles):
    """The images of the page so far: `entries` by name, as the scripts read them."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    size: int = 0
    stimuli: list[Stimulus] = field(default_factory=list)
    references: set[str] = field(default_factory=set)


def write_study(
    folder: str | Path,
    out: str | Path,
    *,
    trials: int = 100,
    tasks: Sequence[str] | None = None,
    seed: int = 0,
    seconds: float = 0.0,
    images: int = 160,
    orders: int = 48,
    split: str | None = None,
    megabytes: float = 32.0,
    blank: float = 0.3,
    progress: Callable[[int], None] = lambda images: None,
) -> StudySummary:
    """Write a page that asks people about images of a data set; `analysis.study.scores` reads what it downloads.

    Parameters
    ----------
    folder
        The data set. Images with one distortion are asked about.
    out
        The HTML file.
    trials
        How many one person answers, training not counted.
    tasks
        Some of "detection", "recognition", "comparison" and "grounding"; unless given, all that the data set allows.
    seed
        Which images, and in which orders.
    seconds
        How long an image stays, s; 0 for until it is answered.
    images
        The most images with a distortion to draw from. Whole scenes are drawn.
    orders
        How many orders of trials are prepared, one for each person.
    split
        Only images of this one.
    megabytes
        Room for pictures, 10**6 bytes each. Nothing is re-encoded: what finds no room is left out.
    blank
        Seconds of grey between two trials.
    progress
        Called with the number of images just done.

    Raises
    ------
    UserError
        For what is no data set, a task that cannot be asked, and a path that cannot be written.
    """
    out = Path(out)
    if not out.parent.is_dir():
        raise UserError(f"{out} cannot be written: there is no folder {out.parent}")
    _check_tasks(tasks)
    stored = open_data(folder)
    stimuli = read_stimuli(stored, _check_split(stored, split))
    places = _find_places(stored, stimuli, images, seed)
    page = _collect_images(stored, stimuli, places, megabytes * 1e6, progress)
    if not page.stimuli:
        raise UserError(f"no image fits into {megabytes:g} MB; give the page more room")
    pool = Pool(tuple(page.stimuli), frozenset(page.references))
    chosen, skipped = _choose_tasks(stored, pool, tasks)
    training = plan_training(pool, chosen, seed)
    planned = plan_orders(_set_aside(pool, training), share_trials(chosen, trials), seed, orders)
    facts = _collect_facts(stimuli, page, training, planned, {"seed": seed, "seconds": seconds, "blank": blank})
    with new_file(out) as file:
        for part in build_page(_PARTS, f"{stimuli.name} - distortlab study", facts, page.files):
            file.write(part.encode())
    counts = {task: len(shown) for task, shown in planned[0]}
    left_out = len(places) - len(page.stimuli)
    return StudySummary(
        out=out,
        bytes=file.size,
        study=facts["study"],
        images=len(page.stimuli),
        references=len(page.references),
        matching=len(stimuli.distorted),
        left_out=left_out,
        trials=counts,
        orders=orders,
        skipped=skipped,
    )


def _check_tasks(tasks: Sequence[str] | None) -> None:
    for task in tasks or ():
        if task not in TASKS:
            raise UserError(describe_unknown("task of a study", task, TASKS))


def _check_split(stored: StoredDataset, split: str | None) -> str | None:
    if split is not None and split not in stored.splits:
        raise UserError(describe_unknown(f"split of {stored.folder}", split, stored.splits))
    return split


def _choose_tasks(stored: StoredDataset, pool: Pool, tasks: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """(the tasks in their order, why others are not asked)."""
    reasons = list_offered(pool)
    for task in tasks or ():
        if task in reasons:
            raise UserError(f"{stored.folder} cannot be asked about in {task}: {reasons[task]}")
    wanted = [task for task in TASKS if task in (tasks or TASKS)]
    return [task for task in wanted if task not in reasons], {task: reasons[task] for task in wanted if task in reasons}


def _set_aside(pool: Pool, training: Mapping[str, Sequence[Trial]]) -> Pool:
    """The pool without the images of the training, where it is large enough to do without."""
    names = {name for shown in training.values() for trial in shown for name in trial.images}
    rest = pool.without(names)
    tasks = set(list_offered(pool))
    return rest if len(rest.stimuli) >= 3 * len(names) and set(list_offered(rest)) == tasks else pool


# --- images ---------------------------------------------------------------------------------------------------------


def _find_places(stored: StoredDataset, stimuli: Stimuli, images: int, seed: int) -> list[RowLocation]:
    """Where the images of whole scenes lie, drawn at random."""
    if not stimuli.distorted:
        why = ", ".join(f"{count:,} with {reason}" for reason, count in stimuli.skipped.items())
        raise UserError(f"{stored.folder} has no image with one distortion to ask about{f' ({why})' if why else ''}")
    found = find_images(stored, Filter(edits=(1,)))
    places = [place for place in found.places if place.image_id in stimuli.distorted]
    return sample_images(places, images, seed, whole_references=True)


def _collect_images(
    stored: StoredDataset,
    stimuli: Stimuli,
    places: Sequence[RowLocation],
    room: float,
    progress: Callable[[int], None],
) -> _Page:
    page, failed = _Page(), 0
    for _, members in groupby(decode_rows(stored, places), key=lambda one: one.base):
        group = list(members)
        packed = pack_lossless([one.pictures for one in group])
        progress(len(group))
        if page.size + packed.size <= room:
            failed = 0
            _add_group(page, packed, group, stimuli)
        elif (failed := failed + 1) == _TRIES:
            break
    return page


def _add_group(page: _Page, packed: ImageGroup, group: Sequence[DecodedRow], stimuli: Stimuli) -> None:
    page.size += packed.size
    base = page.add(packed.base)
    first = group[0]
    rows, columns = first.pictures.image.shape[:2]
    entry = {"width": columns, "height": rows, "base": base, "corner": None, "after": None}
    if first.pictures.reference is not None:
        page.references.add(first.place.reference_id)
        name = name_reference(first.place.reference_id)
        page.entries[name] = {"name": name, **entry}
    for one, layers in zip(group, packed.layers, strict=True):
        name = one.place.image_id
        page.entries[name] = {"name": name, **entry, "corner": layers.corner, "after": page.add(layers.after)}
        page.stimuli.append(stimuli.distorted[name])


# --- data -----------------------------------------------------------------------------------------------------------


def _collect_facts(
    stimuli: Stimuli,
    page: _Page,
    training: Mapping[str, Sequence[Trial]],
    planned: Sequence[Order],
    options: Mapping[str, float],
) -> dict[str, Any]:
    """What the scripts read. The truth is there for the training only."""
    places = {name: place for place, name in enumerate(page.entries)}
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "made_by": f"distortlab {__version__}",
        "data": {"name": stimuli.name, "manifest_sha256": stimuli.sha256},
        **options,
        "break_every": _BREAK,
        "families": [[term.family, term.phrase, term.looks] for term in TERMS],
        "images": list(page.entries.values()),
        "training": {
            task: [_describe_training(trial, stimuli, places) for trial in shown] for task, shown in training.items()
        },
        "orders": [
            [[task, [[places[name] for name in trial.images] for trial in shown]] for task, shown in order]
            for order in planned
        ],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return {**facts, "study": digest[:16]}


def _describe_training(trial: Trial, stimuli: Stimuli, places: Mapping[str, int]) -> dict[str, Any]:
    """A trial with its truth: the right answer, what it is in words, and where."""
    shown = [stimuli.distorted.get(name) for name in trial.images]
    worse = max(range(len(shown)), key=lambda place: one.v if (one := shown[place]) else 0.0)
    stimulus = shown[worse]
    right: object = SEEN[stimulus is None]
    if stimulus is not None and trial.task != "detection":
        right = {"recognition": stimulus.family, "comparison": CHOICES[worse], "grounding": list(stimulus.box)}[
            trial.task
        ]
    return {
        "images": [places[name] for name in trial.images],
        "right": right,
        "says": recognition.truth(stimulus.family, stimulus.severity) if stimulus else "Nothing was done to it",
        "boxes": [list(one.box) if one else None for one in shown],
    }
