"""Prompts of a run with images made fresh: which source, which weights, made once, and the same in every process."""

import pickle
import warnings
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from stand_in_stream import FAMILIES, StandInStream

from distortlab.generation.stream import SampleStream
from refine_iqa_train.data.fresh import FreshQuestions
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.items import BLOCK, FRESH, Generations, assign_sources, make_item_rows
from refine_iqa_train.data.prompts import make_rated_row

POLICY = ImagePolicy(None)
PER_GENERATION = 6


class Weights:
    """Families in turn: those of generation g are all FAMILIES[g % 3]."""

    def weigh_families(self, generation: int) -> Mapping[str, float]:
        return {name: float(place == generation % 3) for place, name in enumerate(FAMILIES)}

    def weigh_severities(self, generation: int) -> Mapping[str, float] | None:
        return {str(1 + generation % 5): 1.0}


def make(
    stream: StandInStream, shares: Mapping[str, float] | None = None, sampler: Any = None, per_image: int = 1
) -> Dataset:
    fresh = FreshQuestions(cast(SampleStream, stream), POLICY, "thousandths", per_image)
    fresh.sampler = sampler
    rated = Dataset.from_list([dict(make_rated_row(f"photo {n}", f"{n}.png", 3.0)) for n in range(5)])

    def prepare(row: Any) -> Any:
        return {**fresh.make_row(0, 0), "sample_id": row["sample_id"]}

    shares = shares or {FRESH: 1.0}
    return make_item_rows(fresh, {"rated": rated}, prepare, shares, Generations(4, PER_GENERATION), seed=3)


def describe(row: Mapping[str, Any]) -> tuple[Any, ...]:
    prompt, pixels = row["prompt"][0]["content"], row["images"][0].tobytes()
    return row["item"], row["sample_id"], row["family"], row["severity"], prompt, pixels


# --- sources --------------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32),
    parts=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    count=st.integers(1, 3 * BLOCK),
    more=st.integers(0, 2 * BLOCK),
)
def test_sources_have_their_shares_and_do_not_depend_on_the_length_of_the_run(
    seed: int, parts: list[int], count: int, more: int
) -> None:
    shares = {f"source {n}": part / sum(parts) for n, part in enumerate(parts)}
    sources, places = assign_sources(seed, shares, count)
    longer = assign_sources(seed, shares, count + more)
    assert (longer[0][:count], longer[1][:count]) == (sources, places)
    for name, part in zip(shares, parts, strict=True):
        assert [place for place, source in zip(places, sources, strict=True) if source == name] == list(
            range(sources.count(name))
        )
        for block in range(count // BLOCK):
            found = sources[block * BLOCK : (block + 1) * BLOCK].count(name)
            assert abs(found - Fraction(part * BLOCK, sum(parts))) <= 1


def test_files_are_read_through_before_a_row_comes_again() -> None:
    rows = make(StandInStream(), {FRESH: 0.25, "rated": 0.75})[:]
    names = [name for name in rows["sample_id"] if name.startswith("photo")]
    assert len(names) > 10
    for start in range(0, len(names) - 4, 5):
        assert len(set(names[start : start + 5])) == 5
    assert names[:5] != names[5:10]
    fresh = [name for name in rows["sample_id"] if name.startswith("stream")]
    assert fresh == [f"stream-{n:06d}-recognition" for n in range(len(fresh))]
    assert rows["item"] == list(range(24))


# --- made once, and the same everywhere -----------------------------------------------------------------------------


def test_a_prompt_is_made_once_in_a_generation_of_answers() -> None:
    """As TRL's sampler and two processes ask: every prompt for four rollouts, every batch twice."""
    stream = StandInStream()
    rows = make(stream)
    for generation in range(4):
        for _ in range(2):
            for half in range(2):
                mine = range(generation * PER_GENERATION + 3 * half, generation * PER_GENERATION + 3 * half + 3)
                asked = [item for item in mine for _ in range(4)]
                found = rows.__getitems__(asked)
                assert [row["item"] for row in found] == asked
    assert sorted(stream.drawn) == list(range(24))


def test_what_was_made_is_not_kept_for_ever() -> None:
    stream = StandInStream()
    rows = make(stream)
    _ = rows[0:12]
    _ = rows[0]
    assert Counter(stream.drawn)[0] == 2


@given(order=st.permutations(range(4 * PER_GENERATION)))
def test_items_are_the_same_in_every_process_and_order(order: list[int]) -> None:
    sampler = Weights()
    everything = [describe(row) for row in make(StandInStream(), sampler=sampler).__getitems__(list(range(24)))]
    elsewhere = make(StandInStream(), sampler=sampler)
    assert [describe(elsewhere[item]) for item in order] == [everything[item] for item in order]


def test_the_sampler_is_asked_about_the_generation_of_an_item() -> None:
    rows = make(StandInStream(), sampler=Weights())[:]
    expected = [item // PER_GENERATION for item in range(24)]
    assert rows["family"] == [FAMILIES[generation % 3] for generation in expected]
    assert rows["severity"] == [1 + generation % 5 for generation in expected]


def ask_unevenly(index: int, replacement: int) -> int:
    """Two questions about most images, one about the others and what takes their place."""
    return 1 if index % 4 == 1 else 2


def test_all_questions_about_an_image_are_asked() -> None:
    stream = StandInStream(asked=ask_unevenly)
    names = make(stream, per_image=2)[0:8]["sample_id"]
    assert names == [
        "stream-000000-recognition",
        "stream-000000-recognition+",
        "stream-000001-recognition",
        "stream-000001-1-recognition",
        "stream-000002-recognition",
        "stream-000002-recognition+",
        "stream-000003-recognition",
        "stream-000003-recognition+",
    ]
    assert stream.drawn == [0, 1, 1, 2, 3], "each once"


@pytest.mark.parametrize("per_image", [2, 4])
def test_questions_about_an_image_are_the_same_in_every_process_and_order(per_image: int) -> None:
    """Also where some are of one generation and some of the next, which has other weights."""

    def open_rows() -> Dataset:
        return make(StandInStream(asked=ask_unevenly), sampler=Weights(), per_image=per_image)

    everything = [describe(row) for row in open_rows().__getitems__(list(range(24)))]
    for order in (range(23, -1, -1), np.random.default_rng(0).permutation(24).tolist()):
        elsewhere = open_rows()
        assert [describe(elsewhere[item]) for item in order] == [everything[item] for item in order]
    assert len({(row[1], row[2]) for row in everything}) == 24


def test_without_a_sampler_the_shares_are_those_of_the_recipe() -> None:
    class Recorder(StandInStream):
        def draw(self, index: int, families: Any = None, severities: Any = None, replacement: int = 0) -> Any:
            assert families is None
            assert severities is None
            return super().draw(index)

    assert len(make(Recorder())[:]["item"]) == 24


def test_a_copy_in_another_process_is_refused() -> None:
    """It would not hear of rewards. `datasets` pickles it to tell two data sets apart, which goes without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = make(StandInStream())
    stored = pickle.dumps(rows)
    with pytest.raises(TypeError, match="dataloader_num_workers: 0"):
        pickle.loads(stored)
