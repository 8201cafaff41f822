"""What people answered in a study by `distortlab study`, to stand beside models: predictions made elsewhere.

The file is what `distortlab study DATA --score ANSWERS -o people.json` writes. Two of its tasks are shared with models:
the type of a distortion, which people choose from twelve, and which of two images is more degraded.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from distortlab.analysis.study.scores import FORMAT
from distortlab.core.errors import UserError
from distortlab.storage.atomic import read_json

__all__ = ["PeopleScore", "PeopleShare", "read_people"]

_MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class PeopleShare:
    """The share of `n` answers that agree with the labels, 0 to 1, and its 95 % interval."""

    n: int
    value: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class PeopleScore:
    """A study. `people`: how many count; `sha256`: of the manifest of the data set; shares are None where not asked."""

    people: int
    sha256: str
    recognition: PeopleShare | None
    comparison: PeopleShare | None

    @property
    def name(self) -> str:
        """What stands in place of a model."""
        return f"people, n = {self.people}"


def read_people(path: Path) -> PeopleScore:
    """Read the scores of a study.

    Parameters
    ----------
    path
        A JSON file by `distortlab study --score`.

    Raises
    ------
    UserError
        For what is no such file, and for one without a task that models are asked too.
    """
    data = read_json(path) if path.is_file() and path.stat().st_size <= _MOST_BYTES else None
    about = data.get("data") if isinstance(data, Mapping) and data.get("format") == FORMAT else None
    if not isinstance(data, Mapping) or not isinstance(about, Mapping):
        raise UserError(
            f"{path} holds no scores of a study: distortlab study DATA --score ANSWERS -o {path} writes them"
        )
    people, tasks = data.get("n"), data.get("tasks")
    if not isinstance(people, int) or people < 1 or not isinstance(tasks, Mapping):
        raise UserError(f"{path} is damaged: it does not say how many people answered what; score the answers again")
    found = PeopleScore(
        people=people,
        sha256=str(about.get("manifest_sha256")),
        recognition=_read_share(path, tasks, "recognition"),
        comparison=_read_share(path, tasks, "comparison"),
    )
    if found.recognition is None and found.comparison is None:
        raise UserError(
            f"{path}: people were asked neither for types nor to compare, which are the tasks shared with models"
        )
    return found


def _read_share(path: Path, tasks: Mapping[str, object], task: str) -> PeopleShare | None:
    if task not in tasks:
        return None
    entry = tasks[task]
    share = entry.get("right") if isinstance(entry, Mapping) else None
    if isinstance(share, Mapping):
        interval, n = share.get("interval"), share.get("n")
        numbers = [share.get("value"), *(interval if isinstance(interval, list) and len(interval) == 2 else [None])]
        if isinstance(n, int) and n > 0 and all(map(_is_share, numbers)):
            value, low, high = (float(number) for number in numbers if number is not None)
            return PeopleShare(n, value, (low, high))
    raise UserError(
        f"{path} is damaged: the share of {task} is no number from 0 to 1 with its interval; score the answers again"
    )


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1
