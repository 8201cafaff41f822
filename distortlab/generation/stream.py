"""A stream: distorted images and their questions, made in memory while somebody learns from them.

Any item can be drawn alone; it depends on the recipe, the references, the seed and its index, and on nothing else.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import partial
from operator import index as read_index
from pathlib import Path
from types import TracebackType
from typing import Any, SupportsIndex

from distortlab.core.errors import BuildFailed, UserError
from distortlab.generation.plan import describe_code
from distortlab.generation.stream_ahead import align_index, draw_ahead, list_windows
from distortlab.generation.stream_failures import ItemFailure, explain_failures
from distortlab.generation.stream_items import StreamRules, StreamSample, WindowDrawer, draw_window
from distortlab.generation.stream_plan import WINDOW, StreamPlan, recall
from distortlab.generation.stream_weights import check_weights
from distortlab.recipe import Recipe, load_recipe
from distortlab.references import open_references
from distortlab.references.base import References

__all__ = ["SampleStream", "StreamSample", "stream"]

_KEPT_WINDOWS = 2
_VERSION = 2
"""Of what an item is. Streams of another one have other items."""


class SampleStream:
    """An endless iterator of samples, which can also be drawn one by one. Can be pickled.

    Parameters
    ----------
    recipe
        What is asked for.
    references
        Where the clean images come from.
    seed
        Takes the place of that of the recipe.
    start
        Index of the first item to come.
    workers
        Processes that draw ahead; with 0 the items are drawn in this one.
    """

    def __init__(
        self, recipe: Recipe, references: References, *, seed: int = 0, start: int = 0, workers: int = 0
    ) -> None:
        self._plan = StreamPlan(replace(recipe, seed=int(seed)), references)
        self._workers, self._part = _read_count("workers", workers), (0, 1)
        self._next = _read_count("start", start)
        self.replaced = Counter[str]()
        """Items that this object could not make and gave another one for, by reason."""
        self._drop_work()

    @property
    def families(self) -> tuple[str, ...]:
        """The families that an item can have."""
        return tuple(family for family, share in self._plan.recipe.families.items() if share > 0)

    @property
    def recipe(self) -> Recipe:
        """What is asked for, with the seed of the stream."""
        return self._plan.recipe

    @property
    def next_index(self) -> int:
        """Of the item that comes next."""
        return align_index(self._next, self._part)

    def draw(
        self,
        index: int,
        families: Mapping[str, float] | None = None,
        severities: Mapping[str, float] | None = None,
        replacement: int = 0,
    ) -> StreamSample:
        """Draw one item in this process, wherever the iteration is.

        Neighbors are the cheapest: references are kept for a window of 16 items.

        Parameters
        ----------
        index
            From 0.
        families, severities
            Name -> weight, in place of the shares of the recipe for this item; severities are named "1".."5". The item
            depends on (seed, index, weights). What is left out has no weight. Questions offer families by the same
            weights.
        replacement
            From 1: not the item, but what takes its place where nothing comes of it, and so on. The sample says which
            of them it is.

        Raises
        ------
        UserError
            For an index below 0, and for names or weights that cannot be.
        BuildFailed
            Where the references or the rules of the recipe allow no such item, nor any of those that would take its
            place.
        """
        index, replacement = _read_count("index", index), _read_count("replacement", replacement)
        if families is not None or severities is not None:
            check_weights(families, severities, self.families)
        drawers = self._spare_drawers if replacement else self._drawers
        drawn = self._open(drawers, index // WINDOW, replacement).draw(index, families, severities)
        if isinstance(drawn, StreamSample):
            return drawn
        return self._replace(index, drawn, families, severities, replacement)

    def open_window(self, number: int, replacement: int = 0) -> WindowDrawer:
        """What draws the 16 items from `number * 16` on: whoever holds it keeps their references in memory.

        `replacement` counts from 1 what takes the place of items that cannot be made.
        """
        return WindowDrawer(self._plan.make_window(number, replacement), self._rules)

    def _open(self, kept: dict[tuple[int, int], WindowDrawer], number: int, replacement: int = 0) -> WindowDrawer:
        return recall(kept, (number, replacement), lambda key: self.open_window(*key), _KEPT_WINDOWS)

    def _replace(
        self,
        index: int,
        failure: ItemFailure,
        families: Mapping[str, float] | None = None,
        severities: Mapping[str, float] | None = None,
        replacement: int = 0,
    ) -> StreamSample:
        """The first of the replacements of an item that can be made: it depends on the same as the item."""
        failures = [failure]
        while len(failures) < failures[-1].most_tries:
            drawer = self._open(self._spare_drawers, index // WINDOW, replacement + len(failures))
            drawn = drawer.draw(index, families, severities)
            if isinstance(drawn, StreamSample):
                self.replaced[failure.reason] += 1
                return drawn
            failures.append(drawn)
        raise BuildFailed(explain_failures(index, failures, [*self._plan.asked]))

    def __iter__(self) -> "SampleStream":
        return self

    def __next__(self) -> StreamSample:
        index = self.next_index
        if self._workers:
            sample = self._take_ahead(index)
        else:
            sample = self.draw(index)
        self._next = index + 1
        return sample

    def shard(self, number: int, of: int) -> "SampleStream":
        """The part of this stream that is the `number`-th of `of`, from 0: every `of`-th window of 16 items.

        Parts are for processes that read one stream together; they share no item, and a part of a part is one as well.
        """
        if not 0 <= number < of:
            raise UserError(f"shard({number}, {of}): parts of {of} are numbered from 0 to {max(of, 1) - 1}")
        part = SampleStream.__new__(SampleStream)
        part.__setstate__(self.__getstate__())
        part._part = (self._part[0] + self._part[1] * number, self._part[1] * of)
        return part

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here; plain values, ready for JSON."""
        return {"next": self.next_index, **self._identity}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another stream of the same recipe, references, seed and part was.

        Raises
        ------
        UserError
            Where the state is that of another stream; the sentence says what differs.
        """
        identity = self._identity
        missing = {"next", *identity} - set(state)
        if missing:
            raise UserError(f"this is no state of a stream: {', '.join(sorted(missing))} is missing")
        if other := [name for name, value in identity.items() if state[name] != value]:
            raise UserError(
                f"the state belongs to a stream with another {' and another '.join(other)}: open the stream as it was, "
                f"or begin a new one with start={state['next']}"
            )
        following = _read_count("next", state["next"])
        self.close()
        self._next = following

    def close(self) -> None:
        """End the worker processes. The stream stays usable: they are started again when an item is asked for."""
        if self._ahead is not None:
            self._ahead.close()
        self._drop_work()

    def __enter__(self) -> "SampleStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_plan", "_workers", "_part", "_next")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.replaced = Counter[str]()
        self._drop_work()

    def _drop_work(self) -> None:
        self._ahead: Generator[StreamSample | ItemFailure] | None = None
        self._drawers: dict[tuple[int, int], WindowDrawer] = {}
        self._spare_drawers: dict[tuple[int, int], WindowDrawer] = {}

    @property
    def _rules(self) -> StreamRules:
        plan = self._plan
        return StreamRules(plan.recipe, plan.vocabulary, tuple(plan.asked), plan.cell_shares)

    @property
    def _identity(self) -> dict[str, Any]:
        """What must be the same for two streams to have the same items."""
        return {
            "recipe": _hash({**self.recipe.as_dict(), "seed": None}),
            "seed": self.recipe.seed,
            "references": self._plan.references.fingerprint,
            "shard": list(self._part),
            "code": _hash({**describe_code(), "stream": _VERSION}),
        }

    def _take_ahead(self, index: int) -> StreamSample:
        if self._ahead is None:
            windows = list_windows(self._plan, self._part, index)
            self._ahead = draw_ahead(partial(draw_window, self._rules), windows, self._workers)
        try:
            drawn = next(self._ahead)
            return self._replace(index, drawn) if isinstance(drawn, ItemFailure) else drawn
        except BaseException:
            self.close()
            raise


def stream(
    recipe: Recipe | str | Path = "refine-perception-20k",
    references: References | str = "scenes",
    *,
    seed: int = 0,
    start: int = 0,
    workers: int = 0,
) -> SampleStream:
    """Open an endless stream of distorted images with their questions, made in memory.

    Parameters
    ----------
    recipe
        A `Recipe`, the path of a TOML file, or the name of a recipe that the package carries. Its number of images,
        splits and shards mean nothing here.
    references
        Clean images: a source, or its specification (`scenes`, `coco:JSON,IMAGES`, `folder:PATH`).
    seed
        Takes the place of that of the recipe. Item i depends on the recipe, the references, the seed and i.
    start
        Index of the first item to come.
    workers
        Processes that draw ahead, in the same order; with 0 the items are drawn in this one.

    Raises
    ------
    UserError
        For what cannot be, before any image is opened.

    Examples
    --------
    >>> import distortlab
    >>> samples = distortlab.stream("smoke", "scenes", seed=1)
    >>> first = next(samples)
    >>> first.index, first.image.shape, first.image.dtype
    (0, (480, 640, 3), dtype('uint8'))
    >>> samples.draw(0).questions == first.questions
    True
    """
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    if isinstance(references, str):
        references = open_references(references, seed, recipe.regions, recipe.references.licenses)
    return SampleStream(recipe, references, seed=seed, start=start, workers=workers)


def _read_count(name: str, value: SupportsIndex) -> int:
    try:
        count = read_index(value)
    except TypeError:
        count = -1
    if count < 0:
        raise UserError(f"{name} = {value!r} of a stream is not a whole number from 0 on")
    return count


def _hash(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
