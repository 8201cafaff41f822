"""The prompts of a run with images made fresh, as a map-style data set: item i is the i-th prompt that is trained on.

TRL does not shuffle it, so that the order of the items is that of the run, a run that goes on leaves out what was
trained on without making it, and each process makes the images of its own prompts alone. Which items come from files,
and which of their rows, depends on the seed and the number of the item.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from distortlab.core.seeds import stream
from distortlab.generation.allocation import largest_remainder
from refine_iqa_train.data.fresh import FreshQuestions
from refine_iqa_train.models.rows import StoredRow, TrainingRow

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["FRESH", "Generations", "assign_sources", "make_item_rows"]

FRESH = "fresh"
BLOCK = 1024
"""Items over which the shares of fresh ones and of files are exact, but for rounding."""


class Generations(NamedTuple):
    """How many generations of answers a run has, at most, and how many items, or prompts, are in each."""

    number: int
    items: int


def assign_sources(seed: int, shares: Mapping[str, float], count: int) -> tuple[list[str], list[int]]:
    """Choose where each of the first items of a run comes from.

    Parameters
    ----------
    seed
        The run's.
    shares
        By source.
    count
        How many items; those of a shorter run are the first of a longer one.

    Returns
    -------
    tuple of list
        The source of each item, and its place among the items of that source.
    """
    counts = largest_remainder(shares, BLOCK)
    block = [source for source, n in counts.items() for _ in range(n)]
    blocks = range(-(-count // BLOCK))
    sources = [source for number in blocks for source in stream(seed, "sources", number).permute(block)][:count]
    seen = dict.fromkeys(counts, 0)
    places = []
    for source in sources:
        places.append(seen[source])
        seen[source] += 1
    return sources, places


def make_item_rows(
    fresh: FreshQuestions,
    files: Mapping[str, "Dataset"],
    prepare: Callable[[StoredRow], TrainingRow],
    shares: Mapping[str, float],
    generations: Generations,
    seed: int,
) -> "Dataset":
    """Make the data set whose rows are prepared when they are indexed.

    Parameters
    ----------
    fresh
        Makes the questions of the source `FRESH`.
    files
        Stored rows of the other sources, by name.
    prepare
        Prepares a stored row.
    shares
        By source.
    generations
        Of the run; the data set has all their items.
    seed
        The run's.
    """
    from datasets import Dataset

    count = generations.number * generations.items
    sources, places = assign_sources(seed, shares, count)
    rows = Dataset.from_dict({"item": range(count), "source": sources, "place": places})
    return rows.with_transform(_ItemPreparer(fresh, files, prepare, generations.items, seed))


class _ItemPreparer:
    """Prepares items, each once in a generation of answers: TRL asks for it once for every rollout and every use."""

    def __init__(
        self,
        fresh: FreshQuestions,
        files: Mapping[str, "Dataset"],
        prepare: Callable[[StoredRow], TrainingRow],
        items: int,
        seed: int,
    ) -> None:
        self._fresh, self._files, self._prepare = fresh, files, prepare
        self._items, self._seed = items, seed
        self._recent: OrderedDict[int, TrainingRow] = OrderedDict()
        self._permute = lru_cache(maxsize=len(files) + 1)(self._permute_rows)

    def __call__(self, columns: Mapping[str, Sequence[object]]) -> dict[str, list[object]]:
        wanted = zip(columns["item"], columns["source"], columns["place"], strict=True)
        rows = [cast(Mapping[str, object], self._find_row(*cast(tuple[int, str, int], address))) for address in wanted]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def _find_row(self, item: int, source: str, place: int) -> TrainingRow:
        if item in self._recent:
            self._recent.move_to_end(item)
            return self._recent[item]
        if source == FRESH:
            row = self._fresh.make_row(place, item // self._items)
        else:
            files = self._files[source]
            epoch, number = divmod(place, len(files))
            row = self._prepare(files[self._permute(source, epoch)[number]])
        self._recent[item] = {**row, "item": item}
        while len(self._recent) > self._items:
            self._recent.popitem(last=False)
        return self._recent[item]

    def _permute_rows(self, source: str, epoch: int) -> list[int]:
        return stream(self._seed, source, epoch).permute(range(len(self._files[source])))

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        """For the fingerprints of `datasets`, which hash it. A copy in another process would not hear of rewards."""
        return _refuse_copy, ()

    def __deepcopy__(self, memo: object) -> "_ItemPreparer":
        return self


def _refuse_copy() -> None:
    raise TypeError("images are made fresh in the process that trains (trainer.dataloader_num_workers: 0)")
