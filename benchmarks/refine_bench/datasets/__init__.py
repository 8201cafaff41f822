"""Sets of images with a truth, read from their official files, untouched.

`load("koniq:zscore+512", root)` gives rows of `RatedImage`; the trainer uses nothing else of this package. One file per
set, which holds its facts and its rows; `base` checks them all alike. Nothing here imports torch.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from distortlab.core.errors import UserError, describe_unknown
from refine_bench.datasets import (
    abench,
    agiqa,
    bid,
    clive,
    csiq,
    flive,
    kadid,
    koniq,
    live,
    metas,
    pipal,
    qbench2,
    qbench_a1,
    qbench_a2,
    spaq,
    tid2013,
    uhdiqa,
)
from refine_bench.datasets.base import Adapter, ChoiceQuestion, Facts, Problem, RatedImage, Scale, parse_choice, to_five
from refine_bench.datasets.checks import check_questions, check_rows
from refine_bench.datasets.meta_info import LISTS, find_meta_info

__all__ = [
    "SETS",
    "ChoiceQuestion",
    "ChoiceSet",
    "Problem",
    "RatedImage",
    "RatedSet",
    "Scale",
    "Spec",
    "find_facts",
    "find_folder",
    "has_labels",
    "load",
    "load_questions",
    "locate_folder",
    "name_kind",
    "parse_spec",
    "to_five",
]

ADAPTERS: tuple[Any, ...] = (
    koniq,
    spaq,
    kadid,
    clive,
    csiq,
    tid2013,
    live,
    agiqa,
    flive,
    pipal,
    bid,
    uhdiqa,
    qbench_a1,
    qbench_a2,
    qbench2,
    abench,
    metas,
)
SETS: Mapping[str, Adapter] = MappingProxyType({module.FACTS.name: module for module in ADAPTERS})
"""By the name on the command line."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A set and its variant. `str()` spells out every option: that is what a result is filed under."""

    facts: Facts
    choice: Mapping[str, str]
    file: Path | None = None

    def __str__(self) -> str:
        words = "+".join(self.choice[axis.name] for axis in self.facts.axes)
        if self.file is not None:
            return f"{self.facts.name}:{self.file.name}" + (f"+{words}" if words else "")
        return f"{self.facts.name}:{words}" if words else self.facts.name


@dataclass(frozen=True, slots=True)
class RatedSet:
    """Rows of `RatedImage`, and what came to light while reading them.

    `observed`: the range of the scores in the whole set, whatever the split. DeQA-Score, Q-Insight and Refine-IQA map
    with it; the declared one is `scale`. `problems`: rows that were left out, each with file and row. `sha256`: of
    names and scores. `names`: of all images of the set, whatever the split.
    """

    spec: Spec
    rows: tuple[RatedImage, ...]
    scale: Scale
    observed: Scale
    problems: tuple[Problem, ...]
    expected: int | None
    sha256: str
    names: tuple[str, ...]

    def five(self, mos: float, *, observed: bool = False) -> float:
        """A score on 1-5, by the declared range or by the observed one."""
        return to_five(mos, self.observed if observed else self.scale)


@dataclass(frozen=True, slots=True)
class ChoiceSet:
    """Questions, and what came to light while reading them."""

    spec: Spec
    rows: tuple[ChoiceQuestion, ...]
    problems: tuple[Problem, ...]
    expected: int | None
    sha256: str


def parse_spec(text: str) -> Spec:
    """Parse the name of a set and its variant.

    Parameters
    ----------
    text
        "koniq", "koniq:zscore+512", or "meta:FILE.json+norm" for a file of labels.

    Returns
    -------
    Spec
        The set with an option of every axis, by default the first one.

    Raises
    ------
    UserError
        With the nearest known name, where a set or an option does not exist, or two options exclude each other.

    Examples
    --------
    >>> from refine_bench.datasets import parse_spec
    >>> str(parse_spec("koniq:zscore+512"))
    'koniq:zscore+512+official-2015'
    >>> parse_spec("kadid").facts.count({"split": "2000"})
    2000
    """
    name, _, rest = text.partition(":")
    if name not in SETS:
        raise UserError(describe_unknown("set", name, SETS, "refine-bench list"))
    facts = SETS[name].FACTS
    if facts.labels:
        return Spec(facts, MappingProxyType(parse_choice(facts, [word for word in rest.split("+") if word])))
    file, *words = rest.split("+")
    if not file:
        raise UserError(f"{name} needs a file: {name}:FILE.json")
    return Spec(facts, MappingProxyType(parse_choice(facts, words)), Path(file))


def find_facts(text: str) -> Facts:
    """Return what is known of a set by its name with or without a variant, "kadid:10125".

    A name that no set has, as in a run of a later version, has no facts: the title is the name.
    """
    name = text.partition(":")[0]
    return SETS[name].FACTS if name in SETS else Facts(name, text, "rated", (), (), {})


def name_kind(text: str, kind: str) -> str:
    """Return what to call a distortion of a set: "01 Gaussian blur" where file names number it, as in KADID-10k."""
    return f"{kind} {find_facts(text).kinds.get(kind, '')}".strip()


def find_folder(facts: Facts, root: Path) -> Path | None:
    """Find the folder of a set by its label files.

    Parameters
    ----------
    facts
        The set.
    root
        Its folder, or a folder that holds it.

    Returns
    -------
    Path or None
        None where the label files are in neither.
    """
    if not root.is_dir():
        return None
    below = sorted(path for path in root.iterdir() if path.is_dir())
    named = [path for path in below if path.name.lower() in facts.folders]
    others = [path for path in below if path not in named]
    return next((folder for folder in (*named, root, *others) if has_labels(folder, facts)), None)


def has_labels(folder: Path, facts: Facts) -> bool:
    """Whether a folder has the label files of a set, or pyiqa's list in their place.

    pyiqa keeps its lists in a folder of their own, beside the sets: such a list counts where the folder has a name that
    people give the set.
    """
    groups = [(entry,) if isinstance(entry, str) else entry for entry in facts.labels]
    if groups and all(any(True for name in group for _ in folder.glob(name)) for group in groups):
        return True
    if not facts.meta_info:
        return False
    is_named = folder.name.lower() in facts.folders
    if folder.name == LISTS:
        return False
    return (folder / facts.meta_info).is_file() or (is_named and find_meta_info(folder, facts.meta_info) is not None)


def load(spec: str | Spec, root: str | Path, *, images: bool = True, strict: bool = True) -> RatedSet:
    """Read a set of rated images.

    Parameters
    ----------
    spec
        The set and its variant, e.g. "koniq:qalign-2010".
    root
        Its folder, or a folder that holds it.
    images
        Whether the images must be there.
    strict
        Raise where a row is wrong; otherwise it is left out and named in `problems`.

    Raises
    ------
    UserError
        Where the set is not there, a file or a column is wrong, or no row is left.
    """
    spec = parse_spec(spec) if isinstance(spec, str) else spec
    if spec.facts.kind != "rated":
        raise UserError(f"{spec.facts.name} holds questions, not ratings")
    folder = locate_folder(spec, Path(root))
    choice = {**spec.choice, **({"file": str(spec.file)} if spec.file else {})}
    scale = spec.facts.scale(spec.choice)
    listed = list(SETS[spec.facts.name].rows(folder, choice))
    chosen, whole, problems = check_rows(listed, scale, images)
    if problems and (strict or not chosen):
        raise UserError(summarize_problems(problems, f"{spec}: {len(problems):,} rows cannot be used"))
    if not chosen:
        raise UserError(f"{spec}: no row in {folder}")
    observed = _find_range(whole, scale)
    return RatedSet(
        spec=spec,
        rows=tuple(chosen),
        scale=observed if spec.file and spec.choice.get("label") == "score" else scale,
        observed=observed,
        problems=tuple(problems),
        expected=spec.facts.count(spec.choice),
        sha256=_hash_rows((row.name, row.mos) for row in chosen),
        names=tuple(row.name for row in listed if row.name),
    )


def load_questions(spec: str | Spec, root: str | Path, *, images: bool = True, strict: bool = True) -> ChoiceSet:
    """Read a set of questions; arguments and errors as in `load`."""
    spec = parse_spec(spec) if isinstance(spec, str) else spec
    if spec.facts.kind == "rated":
        raise UserError(f"{spec.facts.name} holds ratings, not questions")
    folder = locate_folder(spec, Path(root))
    rows, problems = check_questions(SETS[spec.facts.name].rows(folder, spec.choice), images)
    if problems and (strict or not rows):
        raise UserError(summarize_problems(problems, f"{spec}: {len(problems):,} questions cannot be used"))
    if not rows:
        raise UserError(f"{spec}: no question in {folder}")
    digest = _hash_rows((row.name, row.question, row.options, row.answer) for row in rows)
    return ChoiceSet(spec, tuple(rows), tuple(problems), spec.facts.count(spec.choice), digest)


def locate_folder(spec: Spec, root: Path) -> Path:
    """Return the folder of a set; of a file of labels, the folder of its images.

    Raises
    ------
    UserError
        With the files that were looked for, where the set is not there.
    """
    if spec.file is not None:
        if not spec.file.is_file():
            raise UserError(f"{spec.file} is not a file")
        return root
    folder = find_folder(spec.facts, root)
    if folder is None:
        names = " or ".join(chain.from_iterable([n] if isinstance(n, str) else n for n in spec.facts.labels))
        raise UserError(f"{spec.facts.title} is not in {root}, nor in a folder there: no {names} ({spec.facts.url})")
    return folder


def summarize_problems(problems: Iterable[Problem], head: str) -> str:
    """One sentence with the first few."""
    listed = list(problems)
    shown = "; ".join(str(problem) for problem in listed[:3])
    return f"{head}: {shown}" + (f"; and {len(listed) - 3:,} more" if len(listed) > 3 else "")


def _find_range(rows: Iterable[RatedImage], scale: Scale) -> Scale:
    scores = [row.mos for row in rows]
    low, high = min(scores), max(scores)
    return Scale(low, high if high > low else low + 1.0, scale.higher_is_better, firm=False)


def _hash_rows(rows: Iterable[tuple[Any, ...]]) -> str:
    text = "\n".join(json.dumps(row) for row in rows)
    return hashlib.sha256(text.encode()).hexdigest()
