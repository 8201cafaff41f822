"""The benchmark of learning: what it counts, and that nothing of an answer gets into the eye or the cold start."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from script_modules import BENCHMARKS, isolate_scripts

FOLDER = BENCHMARKS / "learning"


@pytest.fixture(autouse=True)
def scripts() -> Iterator[None]:
    with isolate_scripts(FOLDER):
        yield


def make_completion(thought: str, answer: str) -> str:
    return f"<think>Random grain or specks are added: {thought}, 4 of 5.</think><answer>{answer}</answer>"


NOISE = make_completion("noise", "Noise, Severe")
TORN = make_completion("blur", "Noise, Severe")


def make_plain_windows(families: tuple[str, ...]) -> Any:
    from windows import Windows

    images = np.arange(len(families), dtype=np.uint8)[:, None, None, None] * np.ones((1, 64, 64, 3), np.uint8)
    return Windows(images, families, (4,) * len(families))


def test_no_scene_is_in_two_pools() -> None:
    from windows import SCENES

    ranges = sorted(SCENES.values())
    assert all(a < b for a, b in ranges)
    assert all(first[1] <= second[0] for first, second in pairwise(ranges))


def test_windows_of_a_scene_have_every_family_equally_often(monkeypatch: pytest.MonkeyPatch) -> None:
    import windows
    from settings import FOUR

    monkeypatch.setitem(windows.SCENES, "one", (0, 1))
    made = windows.make_windows("one", FOUR, 8)
    assert made.images.shape == (8, 64, 64, 3)
    assert Counter(made.families) == dict.fromkeys(FOUR.variants, 2)
    assert (windows.make_windows("one", FOUR, 8).images == made.images).all()


def test_permuted_severities_stay_with_their_families() -> None:
    from windows import permute_severities

    windows = make_plain_windows(("noise", "blur") * 50)._replace(severities=(1, 2) * 25 + (3, 4) * 25)
    moved = permute_severities(windows)
    assert moved.families == windows.families
    assert moved.severities != windows.severities
    assert Counter(zip(*moved[1:], strict=True)) == Counter(zip(*windows[1:], strict=True))


def test_patches_are_those_of_the_processor() -> None:
    import torch
    from eye import cut_patches, list_grids
    from PIL import Image

    from refine_iqa_train.training.tiny_processor import build_tiny_processor

    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    processor = build_tiny_processor("qwen3_vl").image_processor
    found = processor(images=[Image.fromarray(one) for one in images], return_tensors="pt")
    torch.testing.assert_close(cut_patches(images), found["pixel_values"])
    assert found["image_grid_thw"].tolist() == list_grids(2).tolist()


def test_statistics_tell_levels_from_grain() -> None:
    from eye import STATISTICS, compute_statistics

    ramp = np.broadcast_to(np.linspace(0, 255, 64)[None, :, None], (64, 64, 3))
    grain = ramp + np.random.default_rng(0).normal(0, 20, ramp.shape)
    images = np.stack([ramp, ramp // 64 * 64, np.clip(grain, 0, 255)]).astype(np.uint8)
    smooth, steps, noisy = (dict(zip(STATISTICS, values, strict=True)) for values in compute_statistics(images))
    assert steps["levels of a channel, log"] < smooth["levels of a channel, log"]
    assert steps["share of equal neighbors"] > 0.9 > noisy["share of equal neighbors"]
    assert noisy["mean detail (absolute Laplacian), log"] > smooth["mean detail (absolute Laplacian), log"]


def test_a_probe_counts_what_it_calls_right() -> None:
    from eye import Probe

    probe = Probe(("a", "b"), ((3, 1), (2, 4)))
    assert (probe.right, probe.total) == (7, 10)


@pytest.mark.parametrize(
    ("completion", "right"),
    [
        (NOISE, {"form", "answer", "thinking", "agreement", "severity"}),
        (TORN, {"form", "answer", "severity"}),
        (make_completion("noise", "Blur, Severe"), {"form", "thinking", "severity"}),
        ("<answer>Noise, Slight</answer>", {"answer"}),
        ("", set()),
    ],
)
def test_what_is_right_about_a_completion(completion: str, right: set[str]) -> None:
    from measure import mark_completion

    marks = mark_completion(completion, "Noise, Severe")
    assert {name for name, is_right in marks.items() if is_right} == right


def test_answers_are_counted_by_truth_and_by_what_is_said() -> None:
    from measure import UNREAD, count_answers, list_recalls

    found = count_answers([NOISE, NOISE, TORN, "x"], make_plain_windows(("noise", "noise", "blur", "blur")))
    assert {name: found[name] for name in ("n", "form", "answer", "thinking", "agreement")} == {
        "n": 4, "form": 3, "answer": 2, "thinking": 3, "agreement": 2
    }  # fmt: skip
    assert found["confusion"]["blur"] == {"blur": 0, "noise": 1, UNREAD: 1}
    assert list_recalls(found["confusion"]) == {"noise": 1.0, "blur": 0.0}


def test_wilson_intervals() -> None:
    from measure import wilson_interval

    assert wilson_interval(0, 0) == (0.0, 1.0)
    low, high = wilson_interval(50, 100)  # 0.4038 and 0.5962 by statsmodels
    assert (round(low, 4), round(high, 4)) == (0.4038, 0.5962)


def test_every_opening_of_the_report_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from run import note_opening
    from windows import SCENES

    file = tmp_path / "openings.jsonl"
    assert [note_opening(file, "four", [0, 1]) for _ in range(2)] == [1, 2]
    assert json.loads(file.read_text().splitlines()[1])["seeds"] == [0, 1]
    monkeypatch.setitem(SCENES, "report", (7, 8))
    assert note_opening(file, "four", [0]) == 1


def test_a_run_goes_on_with_what_it_had_not_done(tmp_path: Path) -> None:
    from training import Arm, run_once

    calls = []

    def train(out: Path) -> dict[str, Any]:
        assert not out.exists()
        out.mkdir()
        calls.append(out.name)
        return {"seconds": 1.5}

    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "half.bin").touch()
    for steps in (1, 1, 2):
        conditions = {"arm": Arm("stage1", {"max_steps": steps})}
        assert run_once(tmp_path / "b", conditions, train) == {"seconds": 1.5}
    assert calls == ["b", "b"], "once, and once more under other conditions"


def test_conditions_follow_the_files_they_name(tmp_path: Path) -> None:
    from training import Arm, describe_conditions

    eye, arm = tmp_path / "eye.pt", Arm("sft", {}, {"vision": str(tmp_path / "eye.pt"), "rewards.shuffle": "group"})
    found = []
    for weights in (b"a", b"a", b"b"):
        eye.write_bytes(weights)
        (tmp_path / "model.safetensors").touch()
        found.append(describe_conditions(tmp_path, arm, 0, None))
    assert found[0] == found[1] != found[2]


def test_held_out_windows_of_seeds_do_not_overlap() -> None:
    from run import select_held_out
    from settings import HELD, SEEDS

    windows = make_plain_windows(("noise", "blur") * (HELD * len(SEEDS) // 2))
    whole = windows._replace(severities=tuple(range(HELD * len(SEEDS))))
    places = [select_held_out(whole, seed).severities for seed in SEEDS]
    assert sorted(place for part in places for place in part) == list(range(HELD * len(SEEDS)))


def test_a_source_draws_families_by_the_shares_of_its_sampler() -> None:
    from arms import WindowSource

    class NoiseAlone:
        def weigh_families(self, generation: int) -> dict[str, float]:
            return {"noise": float(generation > 0), "blur": float(generation == 0)}

    windows = make_plain_windows(("noise", "blur") * 30)
    source = WindowSource(windows, lambda row: row, seed=0)
    drawn = Counter(windows.families[source.choose_window(number, 0)] for number in range(200))
    assert min(drawn.values()) > 70
    source.sampler = NoiseAlone()
    assert {windows.families[source.choose_window(number, 1)] for number in range(50)} == {"noise"}
    assert {windows.families[source.choose_window(number, 0)] for number in range(50)} == {"blur"}
    row = source.make_row(7, 1)
    assert row == source.make_row(7, 1)
    assert row["distortion"] == "noise"


def test_boxes_are_asked_for_in_thousandths() -> None:
    from grounding import compute_chance, write_solution

    assert write_solution((0, 16, 32, 48)) == "[0, 250, 500, 750]"
    assert round(compute_chance(), 3) == 0.238


def test_one_of_four_patches_is_distorted_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import objects
    from windows import SCENES

    monkeypatch.setitem(SCENES, "some", (0, 40))
    patches = objects.cut_patches("some")
    assert set(patches) == set(objects.MATERIALS)
    for window in objects.make_mosaics("some", 1):
        x, y, *_ = window.box
        parts = {
            corner: window.image[corner[1] :, corner[0] :][: objects.PART, : objects.PART] for corner in objects.CORNERS
        }
        clean = [
            {name for name, known in patches.items() if any((part == patch).all() for patch in known)}
            for corner, part in parts.items()
            if corner != (x, y)
        ]
        assert sorted(map(len, clean)) == [1, 1, 1]
        assert {window.solution}.union(*clean) == set(objects.MATERIALS)
        assert not any((parts[x, y] == patch).all() for patch in patches[window.solution])


def test_names_are_counted() -> None:
    from local_runs import LocalWindow
    from objects import measure_names

    windows = [
        LocalWindow(np.zeros((64, 64, 3), np.uint8), (0, 0, 32, 32), "blur", name) for name in ("brick", "denim")
    ]
    found = measure_names(["<think>x</think><answer>Brick</answer>"] * 2, windows)
    assert (found["right name"], found["commonest name"]) == (0.5, 1.0)


def test_a_curve_is_averaged_over_what_lies_behind() -> None:
    from plots import smooth_curve

    steps, means = smooth_curve([1.0, 3.0, 5.0, 7.0], window=2)
    assert steps.tolist() == [1, 2, 3, 4]
    assert means.tolist() == [1.0, 2.0, 4.0, 6.0]


def make_results(after: int, control: int) -> dict[str, Any]:
    def count(right: int) -> dict[str, Any]:
        confusion = {
            "noise": {"noise": right, "blur": 100 - right, "unread": 0},
            "blur": {"noise": 0, "blur": 100, "unread": 0},
        }
        return {
            "n": 200,
            **dict.fromkeys(("form", "answer", "thinking", "agreement"), 100 + right),
            "confusion": confusion,
        }

    arms = {"cold": 0, "grpo": after, "shuffled": control, "supervised": 90}
    found = {arm: {"sampled": count(right), "greedy": count(right)} for arm, right in arms.items()}
    return {"seeds": {"0": found}, "probe": {"classes": ["noise", "blur"], "confusion": [[95, 5], [0, 100]]}}


def test_what_is_asked_of_every_seed_is_checked() -> None:
    from page import format_requirements

    assert "no" not in format_requirements(make_results(after=80, control=4)).replace("noise", "").split("\n", 2)[2]
    bad = format_requirements(make_results(after=25, control=20))
    assert bad.count("**no**") == 5


def test_tables_stand_between_their_marks_and_nothing_else_moves() -> None:
    from page import TABLES, fill_tables

    page = "before\n<!-- learning: recalls, by make learning -->\nold\n<!-- end -->\nafter\n"
    filled = fill_tables(page, make_results(80, 4), TABLES, "learning")
    assert filled.startswith("before\n<!-- learning: recalls, by make learning -->\n| recall, sampled |")
    assert filled.endswith("|\n<!-- end -->\nafter\n")
    assert "old" not in filled
    assert "| `noise` | 0.00 to 0.80 | 0.90 to 0.90 | 0.95 |" in filled


@pytest.mark.parametrize("page", ["learning.md", "training.md"])
def test_the_tables_of_the_docs_are_those_of_the_results(page: str) -> None:
    from page import TABLES, fill_tables

    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    text = (FOLDER.parents[1] / "docs" / page).read_text(encoding="utf-8")
    assert "<!-- learning: " in text
    assert fill_tables(text, results, TABLES, "learning") == text


def make_run(seeds: str, split: str = "report", steps: int | None = None) -> dict[str, Any]:
    return {"split": split, "steps": steps, "minutes": 10.0, "seeds": {seed: {} for seed in seeds}}


@pytest.mark.parametrize(
    ("earlier", "seeds", "minutes"),
    [
        (make_run("01"), ["0", "1", "2"], 20.0),
        (make_run("2"), ["2"], 10.0),
        (make_run("01", split="choose"), ["2"], 10.0),
        (make_run("01", steps=3), ["2"], 10.0),
    ],
)
def test_seeds_of_an_earlier_run_stay_where_it_was_alike(
    earlier: dict[str, Any], seeds: list[str], minutes: float
) -> None:
    from run import join_runs

    joined = join_runs(earlier, make_run("2"))
    assert (list(joined["seeds"]), joined["minutes"]) == (seeds, minutes)


@pytest.mark.parametrize("what", ["full", "arms"])
def test_tables_of_twelve_families_are_those_of_the_results(what: str) -> None:
    from page import fill_tables
    from run import find_tables

    file = FOLDER / f"{what}.json"
    if not file.exists():
        pytest.skip(f"{what} was not run yet")
    text = (FOLDER.parents[1] / "docs" / "learning.md").read_text(encoding="utf-8")
    assert f"<!-- {what}: " in text
    assert fill_tables(text, json.loads(file.read_text(encoding="utf-8")), find_tables(what), what) == text
