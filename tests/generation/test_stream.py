"""A stream: an item depends on its index alone, workers and states change nothing, and what cannot be is an error."""

import hashlib
import json
import multiprocessing
import pickle
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from dataset_samples import Gallery, Painting, small_recipe, write_coco

import distortlab
from distortlab.core import seeds
from distortlab.core.errors import BuildFailed, UserError
from distortlab.dataset.schema import RFT, arrow_schema
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import render
from distortlab.generation.stream import SampleStream, StreamSample
from distortlab.generation.stream_failures import ItemFailure
from distortlab.generation.stream_items import WindowDrawer, draw_window
from distortlab.generation.stream_plan import BLOCK, WINDOW, StreamPlan
from distortlab.generation.stream_weights import redraw_edits
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe
from distortlab.references import open_references
from distortlab.tasks.terms import FAMILIES, PHRASES

RECIPE = small_recipe()
LENGTH = 2 * WINDOW + 5


def identify(sample: StreamSample) -> dict[str, Any]:
    """All that a sample says, in values that can be compared."""
    arrays = (sample.image, sample.reference, *([] if sample.other is None else [sample.other]))
    pixels = [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]
    return {
        "index": sample.index,
        "pixels": pixels,
        "edits": sample.edits,
        "regions": [*sample.regions, *sample.other_regions],
        "questions": sample.questions,
        "encoded": sample.encode(),
    }


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Twelve photographs with outlines."""
    return write_coco(tmp_path_factory.mktemp("coco"), 12)


@pytest.fixture(scope="module")
def first(photographs: str) -> list[dict[str, Any]]:
    """The first items, drawn one after the other."""
    return [identify(sample) for sample in islice(distortlab.stream(RECIPE, photographs, seed=5), LENGTH)]


def make_set_recipe(**changes: Any) -> Recipe:
    kinds = {"pristine": 1, "whole": 2, "local": 2, "regions": {"1": 1, "2": 1, "3": 1}}
    usual = {"composition": kinds, "tasks": {"diagnosis": 2, "comparison": 1}, "samples_per_image": 1}
    return small_recipe(**{**usual, **changes})


def gallery(*kinds: str, limit: int | None = None, recipe: Recipe = RECIPE, **options: Any) -> SampleStream:
    return distortlab.stream(recipe, Gallery(kinds or ("good",), limit), **options)


# --- the address of an item -----------------------------------------------------------------------------------------


def test_an_item_depends_on_its_index_alone(photographs: str, first: list[dict[str, Any]]) -> None:
    assert [item["index"] for item in first] == list(range(LENGTH))
    assert len({item["pixels"][0] for item in first}) == LENGTH
    for index in (LENGTH - 1, 3, WINDOW, WINDOW - 1):
        assert identify(distortlab.stream(RECIPE, photographs, seed=5).draw(index)) == first[index]
    again = distortlab.stream(RECIPE, photographs, seed=5)
    order = np.random.default_rng(0).permutation(LENGTH).tolist()
    assert [identify(again.draw(index)) for index in order] == [first[index] for index in order]


def test_a_stream_starts_where_it_is_told(photographs: str, first: list[dict[str, Any]]) -> None:
    later = distortlab.stream(RECIPE, photographs, seed=5, start=WINDOW - 2)
    assert [identify(sample) for sample in islice(later, 4)] == first[WINDOW - 2 : WINDOW + 2]
    other = distortlab.stream(RECIPE, photographs, seed=6)
    assert identify(next(other))["pixels"] != first[0]["pixels"]


def test_workers_give_the_same_items_in_the_same_order(photographs: str, first: list[dict[str, Any]]) -> None:
    before = set(multiprocessing.active_children())
    with distortlab.stream(RECIPE, photographs, seed=5, start=2, workers=2) as samples:
        found = [identify(sample) for sample in islice(samples, LENGTH - 2)]
        started = set(multiprocessing.active_children()) - before
        assert samples.draw(1).index == 1
        assert samples.state_dict()["next"] == LENGTH
    assert found == first[2:]
    assert len(started) == 2
    assert set(multiprocessing.active_children()) == before


def test_workers_end_where_the_stream_is_dropped(photographs: str) -> None:
    before = set(multiprocessing.active_children())
    samples = distortlab.stream(RECIPE, photographs, workers=1)
    next(samples)
    assert set(multiprocessing.active_children()) - before
    del samples
    assert set(multiprocessing.active_children()) == before


@pytest.mark.parametrize("workers", [0, 1])
def test_a_state_goes_on_where_it_was_taken(photographs: str, first: list[dict[str, Any]], workers: int) -> None:
    samples = distortlab.stream(RECIPE, photographs, seed=5, workers=workers)
    for _ in range(WINDOW + 3):
        next(samples)
    state = samples.state_dict()
    for _ in range(2):
        next(samples)
    other = distortlab.stream(RECIPE, photographs, seed=5, start=99)
    for restored in (samples, other):
        restored.load_state_dict(state)
        assert identify(next(restored)) == first[WINDOW + 3]
    samples.close()
    assert identify(next(pickle.loads(pickle.dumps(other)))) == first[WINDOW + 4]


def test_an_item_far_away_is_there_at_once() -> None:
    far = 10**9 + 7
    sample = distortlab.stream("smoke", "scenes").draw(far)
    assert sample.index == far
    assert sample.questions[0]["image_id"] == f"stream-{far}"
    assert open_references("scenes").entries(10**12)[10**12 - 1].id == f"scene-{10**12 - 1}"


# --- what an item is ------------------------------------------------------------------------------------------------


def test_an_item_is_what_its_rows_say(photographs: str) -> None:
    kinds = set[str]()
    for sample in islice(distortlab.stream(RECIPE, photographs, seed=1), WINDOW):
        assert np.array_equal(render(sample.reference, sample.edits), sample.image)
        assert not sample.reference.flags.writeable
        assert sample.image.flags.writeable
        rows = sample.encode()
        assert pa.Table.from_pylist(list(rows), schema=arrow_schema(RFT)).num_rows == len(sample.questions)
        for row, question in zip(rows, sample.questions, strict=True):
            assert {**question, "images": row["images"]} == row
            assert (row["distortion"], row["severity"]) == (
                sample.regions[0]["distortion"],
                sample.regions[0]["severity"],
            )
            shown = [decode_image(picture["bytes"]).image for picture in row["images"]]
            assert np.array_equal(shown[-1], sample.image)
            assert all(np.array_equal(picture, sample.reference) for picture in shown[:-1])
            assert len(shown) == (2 if row["task"] == "recognition_reference" else 1)
            kinds.add(row["task"])
    assert kinds == set(RECIPE.tasks)


def test_an_item_whose_regions_cannot_be_compared_is_asked_what_was_done() -> None:
    kinds = {"local": 1, "regions": {"2": 1}}
    recipe = make_set_recipe(composition=kinds, tasks={"comparison_regions": 3, "diagnosis": 1})
    stream = gallery(recipe=recipe, limit=8)
    found = [sample.questions for sample in islice(stream, 3 * WINDOW)]
    assert {len(questions) for questions in found} == {1}
    asked = [question["task"] for (question,) in found]
    assert "comparison_regions" in asked
    assert asked.count("diagnosis") > len(asked) // 4


def test_items_of_all_kinds_depend_on_their_index_alone() -> None:
    recipe = make_set_recipe()
    found = list(islice(gallery(recipe=recipe, limit=8), 2 * WINDOW))
    assert {len(sample.edits) for sample in found} == {0, 1, 2, 3}
    for sample in found:
        assert np.array_equal(render(sample.reference, sample.edits), sample.image)
        assert sample.image.flags.writeable
        (question,), (row,) = sample.questions, sample.encode()
        shown = [decode_image(picture["bytes"]).image for picture in row["images"]]
        assert len(shown) == (2 if question["task"] == "comparison" else 1)
        assert all(map(np.array_equal, shown, sample.select_pictures(question)))
        if question["task"] == "diagnosis":
            assert np.array_equal(shown[0], sample.image)
            assert len(json.loads(question["solution"])) == len(sample.regions) == len(sample.edits)
    asked = Counter(sample.questions[0]["task"] for sample in found)
    assert asked.keys() == {"diagnosis", "comparison"}
    for index in (2 * WINDOW - 1, 5, WINDOW):
        assert identify(gallery(recipe=recipe, limit=8).draw(index)) == identify(found[index])
    weighted = [gallery(recipe=recipe, limit=8).draw(index, {"blur": 1}) for index in range(4)]
    assert all("blur" in {region["distortion"] for region in sample.regions} for sample in weighted if sample.edits)


COMPARED = make_set_recipe(
    composition={"pristine": 1, "whole": 4, "local": 1}, tasks={"comparison": 3, "diagnosis": 1}, samples_per_image=2
)


@pytest.fixture(scope="module")
def compared() -> list[StreamSample]:
    """Items about which everything is asked: what was done to each, and how it compares."""
    return list(islice(gallery(recipe=COMPARED, limit=8, seed=4), 4 * WINDOW))


def test_an_item_brings_the_image_that_it_is_compared_with(compared: list[StreamSample]) -> None:
    asked = [(s, q) for s in compared for q in s.questions if q["task"] == "comparison"]
    assert len(asked) > WINDOW
    for sample, question in asked:
        assert sample.other is not None
        assert np.array_equal(render(sample.reference, sample.other_edits), sample.other)
        own, other = (
            max((region["visibility"]["v"] for region in of), default=0.0)
            for of in (sample.regions, sample.other_regions)
        )
        name = f"stream-{sample.index:09d}"
        is_first = question["image_id"] != name
        assert (question["other_image_id"], question["image_id"]) == (
            (name, f"{name}-other") if is_first else (f"{name}-other", name)
        )
        assert question["solution"] == ("First" if is_first == (own > other) else "Second")
        first, second = sample.select_pictures(question)
        assert (second is sample.other, first is sample.other) == (is_first, not is_first)
        (row,) = (row for row in sample.encode() if row["task"] == "comparison")
        shown = [decode_image(picture["bytes"]).image for picture in row["images"]]
        assert all(map(np.array_equal, shown, (first, second)))
        margin = 1.5 if len({r["distortion"] for r in (*sample.regions, *sample.other_regions)}) == 1 else 3
        assert max(own, other) >= margin * min(own, other)
    assert all(sample.other is None for sample in compared if len(sample.questions) == 1)


def test_which_of_two_images_is_worse_is_not_told_by_the_order(compared: list[StreamSample]) -> None:
    solutions = Counter(q["solution"] for sample in compared for q in sample.questions if q["task"] == "comparison")
    assert min(solutions.values()) > sum(solutions.values()) / 4
    pairs = [(s.regions[0], s.other_regions[0]) for s in compared if s.regions and s.other_regions]
    alike = [one["distortion"] == other["distortion"] for one, other in pairs]
    assert 0.2 < np.mean(alike) < 0.9
    assert {len(s.other_regions) for s in compared if not s.regions and s.other is not None} == {1}
    for index in (5, WINDOW):
        assert identify(gallery(recipe=COMPARED, limit=8, seed=4).draw(index)) == identify(compared[index])


def test_images_are_compared_by_the_weights_of_families() -> None:
    samples = gallery(recipe=COMPARED, limit=8, seed=4)
    drawn = [samples.draw(index, {"blur": 1, "noise": 1}) for index in range(WINDOW // 2)]
    assert {region["distortion"] for s in drawn for region in (*s.regions, *s.other_regions)} == {"blur", "noise"}
    assert any(s.other_regions for s in drawn)


def test_what_cannot_be_asked_becomes_a_question_about_the_box() -> None:
    """Not about the type: families that seldom show on two objects would be the answer more often."""
    every = dict.fromkeys(("recognition", "recognition_reference", "object", "grounding"), 1)
    for planned in (1, 2, 3):
        recipe = small_recipe(tasks=every, samples_per_image=planned)
        slots, samples = StreamPlan(recipe, Gallery()).make_window(0).slots, gallery("nameless", recipe=recipe)
        assert any("object" in slot.tasks for slot in slots)
        for number, slot in enumerate(slots):
            asked = {question["task"] for question in samples.draw(number).questions}
            assert asked == {"grounding" if task == "object" else task for task in slot.tasks}


# --- shares and weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"families": {"blur": 3, "noise": 1}, "difficulties": {"easy": 1, "hard": 1}}])
def test_shares_are_exact_in_every_block(changes: dict[str, Any]) -> None:
    recipe = small_recipe(**changes)
    plan = StreamPlan(recipe, Gallery())
    orders = []
    for block in range(2):
        windows = [plan.make_window(block * BLOCK // WINDOW + at) for at in range(BLOCK // WINDOW)]
        slots = [slot for window in windows for slot in window.slots]
        cells = Counter((slot.family, slot.severity) for slot in slots)
        for cell, shares in plan.cell_shares.items():
            whole = sum(sum(own.values()) for own in plan.cell_shares.values())
            assert abs(cells[cell] - BLOCK * sum(shares.values()) / whole) < 1, cell
        asked = Counter(task for slot in slots for task in slot.tasks)
        assert max(asked.values()) - min(asked.values()) <= 1
        assert [slot.image_id for slot in slots] == [f"stream-{block * BLOCK + at:09d}" for at in range(BLOCK)]
        orders.append([slot.edits for slot in slots])
    assert orders[0] != orders[1]


def test_kinds_are_exact_in_every_block_and_no_family_comes_twice_in_an_image() -> None:
    plan = StreamPlan(make_set_recipe(images_per_reference=16), Gallery(limit=5))
    for block in range(2):
        windows = [plan.make_window(block * BLOCK // WINDOW + at) for at in range(BLOCK // WINDOW)]
        slots = [slot for window in windows for slot in window.slots]
        kinds = Counter(tuple(edit.place for edit in slot.edits) for slot in slots)
        assert abs(kinds[()] - BLOCK / 5) < 1
        assert abs(kinds[("whole",)] - 2 * BLOCK / 5) < 1
        assert all(abs(kinds[("region",) * count] - 2 * BLOCK / 15) < 1 for count in (1, 2, 3))
        cells = Counter((edit.family, edit.severity) for slot in slots for edit in slot.edits)
        assert max(cells.values()) - min(cells.values()) <= 1
        for slot in slots:
            for weights in (None, {"blur": 1.0}, {"blur": 1.0, "noise": 0.1}):
                source = seeds.stream(0, slot.image_id, "cells")
                edits = redraw_edits(slot.edits, plan.cell_shares, source, weights)
                assert [edit.place for edit in edits] == [edit.place for edit in slot.edits]
                assert len({edit.family for edit in edits}) == len(edits)
                asked = {edit.family for edit in edits} & set(weights or FAMILIES)
                assert len(asked) == min(len(edits), len(weights or FAMILIES))
                again = redraw_edits(slot.edits, plan.cell_shares, source, weights, repeat=True)
                assert weights is None or {edit.family for edit in again} <= set(weights)
    with pytest.raises(UserError, match="none of these references has more than 3"):
        StreamPlan(make_set_recipe(composition={"regions": {"4": 1}}, tasks={"diagnosis": 1}), Gallery(limit=5))


def test_references_come_equally_often_and_begin_with_other_regions() -> None:
    plan = StreamPlan(small_recipe(images_per_reference=2.5), Gallery(limit=30))
    used: Counter[str] = Counter()
    turns: dict[str, list[int]] = {}
    for number in range(5 * 30):
        window = plan.make_window(number)
        for slot in window.slots:
            entry = window.entries[slot.entry]
            used[entry.id] += 1
            turns.setdefault(entry.id, []).append(slot.turn)
        primary = {slot.entry for slot in window.slots}
        assert primary == set(range(len(primary)))
        assert len({entry.id for entry in window.entries}) == len(window.entries) == 30
    assert len(used) == 30
    assert max(used.values()) - min(used.values()) <= 12
    assert all(len(set(own)) == len(own) for own in turns.values())


def draw_cells(count: int, families: Mapping[str, float] | None, severities: Mapping[str, float] | None) -> Any:
    plan = StreamPlan(RECIPE, Gallery())
    for number in range(count // WINDOW):
        for slot in plan.make_window(number).slots:
            source = seeds.stream(0, slot.image_id, "cells")
            (edit,) = redraw_edits(slot.edits, plan.cell_shares, source, families, severities)
            yield edit.family, edit.severity


def test_weights_take_the_place_of_shares() -> None:
    families = {"blur": 0.6, "noise": 0.3, "darken": 0.1, "brighten": 0.0}
    severities = {"1": 0.5, "5": 0.5}
    count = 4096
    cells = Counter(draw_cells(count, families, severities))
    assert {family for family, _ in cells} == {"blur", "noise", "darken"}
    for (family, severity), found in cells.items():
        share = families[family] * severities[str(severity)]
        assert abs(found / count - share) < 5 * (share * (1 - share) / count) ** 0.5
    only = Counter(draw_cells(1024, None, {"3": 1.0}))
    assert {severity for _, severity in only} == {3}
    assert {family for family, _ in only} == set(FAMILIES)


def test_an_item_with_weights_depends_on_index_and_weights() -> None:
    weights = {"blur": 0.5, "noise": 0.5}
    samples, others = gallery(seed=2), gallery(seed=2)
    for _ in range(5):
        next(others)
    drawn = [identify(samples.draw(index, weights)) for index in range(8)]
    assert [identify(others.draw(index, dict(reversed(weights.items())))) for index in range(8)] == drawn
    assert {find(item["edits"][0].distortion).family for item in drawn} == set(weights)
    assert all(sample.edits[0].severity == 5 for sample in (samples.draw(i, weights, {"5": 2}) for i in range(4)))
    assert samples.draw(3).questions == others.draw(3).questions


def test_questions_offer_what_the_weights_have() -> None:
    samples = gallery(recipe=small_recipe(tasks={"recognition": 1}, samples_per_image=1), seed=2)

    def list_types(index: int, weights: Mapping[str, float] | None) -> set[str]:
        prompt = samples.draw(index, weights).questions[0]["prompt"][0]["content"]
        return {name for name in PHRASES.values() if re.search(rf"\b{name}\b", prompt)}

    offered = [list_types(index, {"blur": 0.6, "noise": 0.4}) for index in range(6)]
    assert all(types == {PHRASES["blur"], PHRASES["noise"]} for types in offered)
    assert all(len(list_types(index, None)) == 4 for index in range(3))


def test_weights_that_cannot_be_are_refused() -> None:
    samples = gallery(recipe=small_recipe(families={"blur": 1, "noise": 1}))
    assert samples.families == ("blur", "noise")
    for families, severities, words in (
        ({"darken": 1.0}, None, "no family of this stream called 'darken'"),
        ({"blur": 0.0}, None, "no family has a weight above 0"),
        ({"blur": float("nan")}, None, "the weight of family 'blur' is nan"),
        (None, {"6": 1.0}, "no severity of this stream called '6'"),
        (None, {}, "no severity has a weight above 0"),
        ({"noise": -1.0}, None, "the weight of family 'noise' is -1.0"),
    ):
        with pytest.raises(UserError, match=words):
            samples.draw(0, families, severities)


# --- parts ----------------------------------------------------------------------------------------------------------


def list_indices(samples: SampleStream, below: int) -> list[int]:
    out = []
    while samples.next_index < below:
        out.append(samples.next_index)
        samples.load_state_dict({**samples.state_dict(), "next": samples.next_index + 1})
    return out


def test_parts_share_nothing_and_leave_nothing_out() -> None:
    whole = gallery(start=7)
    below = 6 * WINDOW
    parts = [whole.shard(0, 3), whole.shard(1, 3), whole.shard(2, 3).shard(0, 2), whole.shard(2, 3).shard(1, 2)]
    indices = [list_indices(part, below) for part in parts]
    assert sorted(index for own in indices for index in own) == list(range(7, below))
    part = whole.shard(1, 3)
    sample = next(part)
    assert sample.index == WINDOW
    assert identify(sample) == identify(whole.draw(WINDOW))
    assert whole.next_index == 7
    with pytest.raises(UserError, match=r"parts of 2 are numbered from 0 to 1"):
        whole.shard(2, 2)


def test_a_part_is_drawn_ahead_as_well(photographs: str, first: list[dict[str, Any]]) -> None:
    with distortlab.stream(RECIPE, photographs, seed=5, start=WINDOW - 1, workers=1).shard(0, 2) as part:
        found = [identify(sample) for sample in islice(part, 3)]
        assert part.state_dict()["next"] == 2 * WINDOW + 2
    assert found == [first[WINDOW - 1], *first[2 * WINDOW : 2 * WINDOW + 2]]


# --- other libraries ------------------------------------------------------------------------------------------------


def test_torch_and_datasets_are_not_imported() -> None:
    code = (
        "import sys, distortlab; next(distortlab.stream('smoke', 'scenes')).encode();"
        "print([name for name in ('torch', 'datasets', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_a_data_set_of_torch(photographs: str, first: list[dict[str, Any]]) -> None:
    data = pytest.importorskip("torch.utils.data")

    class Samples(data.IterableDataset):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.samples = distortlab.stream(RECIPE, photographs, seed=5)

        def __iter__(self) -> Any:
            info = data.get_worker_info()
            return iter(self.samples.shard(info.id, info.num_workers) if info else self.samples)

    alone = [sample.index for sample in islice(data.DataLoader(Samples(), batch_size=None), 3)]
    assert alone == [0, 1, 2]
    loader = data.DataLoader(Samples(), batch_size=None, num_workers=2, multiprocessing_context="fork")
    found = list(islice(loader, 4))
    assert [sample.index for sample in found] == [0, WINDOW, 1, WINDOW + 1]
    assert [identify(sample) for sample in found] == [first[sample.index] for sample in found]


def list_rows(spec: str, count: int) -> Any:
    for sample in islice(distortlab.stream(RECIPE, spec, seed=5), count):
        yield from sample.encode()


def test_it_is_a_data_set_of_datasets(photographs: str, first: list[dict[str, Any]]) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.IterableDataset.from_generator(list_rows, gen_kwargs={"spec": photographs, "count": 4})
    assert list(rows) == [row for item in first[:4] for row in item["encoded"]]


def test_the_examples_of_the_page_run() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("datasets")
    page = (Path(__file__).parents[2] / "docs" / "stream.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 5
    program = "\n".join([*examples, "print(sample.index)"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


# --- what cannot be -------------------------------------------------------------------------------------------------


def test_a_state_of_another_stream_is_refused(photographs: str) -> None:
    samples = gallery(seed=4, limit=20)
    next(samples)
    state = samples.state_dict()
    others = {
        "recipe": gallery(seed=4, limit=20, recipe=small_recipe(codec="webp")),
        "seed": gallery(seed=5, limit=20),
        "references": distortlab.stream(RECIPE, photographs, seed=4),
        "shard": samples.shard(0, 2),
    }
    for what, other in others.items():
        with pytest.raises(UserError, match=f"belongs to a stream with another {what}: .* start=1$") as caught:
            other.load_state_dict(state)
        assert "\n" not in str(caught.value)
        assert other.next_index != 1 or what == "shard"
    for broken in ({}, {**state, "next": -1}, {**state, "next": "3"}, {k: v for k, v in state.items() if k != "code"}):
        with pytest.raises(UserError):
            samples.load_state_dict(broken)
        assert samples.next_index == 1


def test_a_changed_reference_file_is_noticed(tmp_path: Path) -> None:
    from reference_samples import encoded, photograph

    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(encoded(photograph(seed=seed), "PNG"))
    state = distortlab.stream(RECIPE, f"folder:{tmp_path}").state_dict()
    distortlab.stream(RECIPE, f"folder:{tmp_path}").load_state_dict(state)
    (tmp_path / "1.png").write_bytes(encoded(photograph(seed=9), "PNG"))
    with pytest.raises(UserError, match="another references"):
        distortlab.stream(RECIPE, f"folder:{tmp_path}").load_state_dict(state)


def test_references_that_all_fail_end_it_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Counter[str]()
    original = Painting.load

    def load(self: Painting, *rules: Any) -> Any:
        opened[self.id] += 1
        return original(self, *rules)

    monkeypatch.setattr(Painting, "load", load)
    samples = gallery("tiny", "broken", "tiny", "broken", "empty", limit=100_000)
    reasons = (
        r"none of the 192 references that item 0 of the stream and 2 in its place may be made from can be used "
        r"\(\d+ too small, \d+ no region that passes the rules, \d+ cannot be read\): take other references"
    )
    with pytest.raises(BuildFailed, match=reasons) as caught:
        next(samples)
    assert "\n" not in str(caught.value)
    assert len(opened) == 3 * 64
    assert set(opened.values()) == {1}
    with pytest.raises(BuildFailed):
        next(samples)


def test_some_references_that_fail_do_no_harm() -> None:
    samples = gallery("good", "broken", "tiny", "good", limit=12, seed=1)
    found = [identify(sample) for sample in islice(samples, WINDOW)]
    assert [item["index"] for item in found] == list(range(WINDOW))
    fresh = gallery("good", "broken", "tiny", "good", limit=12, seed=1)
    assert identify(fresh.draw(WINDOW - 1)) == found[-1]


@pytest.mark.parametrize(
    ("kinds", "changes", "reason"),
    [
        (("tiny",), {}, "no reference can be used"),
        (("grey",), {"families": {"saturate_weaken": 1}, "references": {"min_chroma": 0}}, "every draw was rejected"),
        (("nameless",), {"tasks": {"object": 1}, "samples_per_image": 1}, "nothing can be asked"),
    ],
)
def test_what_cannot_be_made_is_replaced_and_counted(
    kinds: tuple[str, ...], changes: dict[str, Any], reason: str
) -> None:
    """The references of the first window are of no use, those of the next ones are."""
    recipe, sources = small_recipe(images_per_reference=16, **changes), (*kinds * 64, *("good",) * 64)
    samples = gallery(*sources, recipe=recipe, seed=3)
    drawn = [next(samples) for _ in range(3)]
    assert [sample.index for sample in drawn] == [0, 1, 2]
    assert [sample.replacement for sample in drawn] == [1, 1, 1]
    assert [sample.questions[0]["image_id"] for sample in drawn] == [f"stream-{n:09d}-1" for n in range(3)]
    assert samples.replaced == {reason: 3}
    assert identify(gallery(*sources, recipe=recipe, seed=3).draw(1)) == identify(drawn[1])
    usual = gallery(recipe=recipe, seed=3).draw(1)
    assert (usual.replacement, usual.edits[0].severity) == (0, drawn[1].edits[0].severity)


@pytest.mark.slow
def test_workers_replace_what_cannot_be_made() -> None:
    sources = (*("tiny",) * 64, *("good",) * 64)
    recipe = small_recipe(images_per_reference=16)
    found = [identify(sample) for sample in islice(gallery(*sources, recipe=recipe, start=WINDOW - 2), 4)]
    with gallery(*sources, recipe=recipe, start=WINDOW - 2, workers=1) as samples:
        assert [identify(sample) for sample in islice(samples, 4)] == found
        assert samples.replaced == {"no reference can be used": 2}


def test_an_error_in_a_worker_comes_after_the_items_before_it(tmp_path: Path) -> None:
    spec = write_coco(tmp_path, 2)
    for path in (tmp_path / "images").iterdir():
        path.write_bytes(b"no picture")
    before = set(multiprocessing.active_children())
    samples = distortlab.stream(RECIPE, spec, workers=1)
    for _ in range(2):
        with pytest.raises(BuildFailed, match=r"none of the 2 references .*2 cannot be read"):
            next(samples)
        assert set(multiprocessing.active_children()) == before


def test_what_was_drawn_before_an_error_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = gallery()
    original = WindowDrawer.draw

    def draw(self: WindowDrawer, index: int) -> StreamSample | ItemFailure:
        if index == 3:
            raise UserError("no more")
        return original(self, index)

    monkeypatch.setattr(WindowDrawer, "draw", draw)
    drawer = samples.open_window(0)
    found, error = draw_window(drawer.rules, (drawer.window, 1))
    assert [sample.index for sample in found if isinstance(sample, StreamSample)] == [1, 2]
    assert str(error) == "no more"


def test_another_family_takes_the_place_of_one_that_never_shows() -> None:
    recipe = small_recipe(families={"saturate_weaken": 1, "noise": 1}, references={"min_chroma": 0})
    samples = gallery("grey", limit=4, recipe=recipe)
    assert {sample.edits[0].distortion.partition(".")[0] for sample in islice(samples, 6)} == {"noise"}
    alone = gallery("grey", limit=2, recipe=small_recipe(families={"saturate_weaken": 1}, references={"min_chroma": 0}))
    with pytest.raises(BuildFailed, match=r"item 0 .* and 8 in its place .* for \d+ saturate_weaken: grey region"):
        next(alone)


@pytest.mark.parametrize("options", [{"start": -1}, {"workers": -1}, {"start": 0.5}, {"workers": None}])
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="is not a whole number from 0 on"):
        gallery(**options)
    with pytest.raises(UserError, match="index = -1 of a stream"):
        gallery().draw(-1)
