"""Dense ladders: what is shown, what a run keeps, and thresholds that are known beforehand."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_runs import HOSTILE
from bench_servers import say_score, serving
from in_process import Cli

from distortlab.distortions.catalog import CATALOG, find
from distortlab.imaging.decode import decode_image
from distortlab.severity.human_scores import KADID_MEANS
from refine_bench.datasets.ladders import COPIES, LadderItem, Photograph, list_ladder, load_photographs, select_rows
from refine_bench.models import Request, Response
from refine_bench.prompts.answers import Answer
from refine_bench.runs.inference import ask_model
from refine_bench.runs.ladders import plan_ladders
from refine_bench.runs.store import Run
from refine_bench.scoring.kadid_means import EQUAL_V, compare_with_people
from refine_bench.scoring.sensitivity import SensitivityScore, score_sensitivity

STEP = 10.0
"""Levels of the mean that the meter below does not notice."""


class Meter:
    """Notices nothing but a mean that is off by more than `STEP` levels; grows worse with it."""

    spec, revision, processor = "meter", "1", "none"
    about: Mapping[str, Any] = {"kind": "measure", "name": "meter", "sign": -1.0}

    def __init__(self) -> None:
        self.means: dict[str, float] = {}

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        return {}

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        for request in requests:
            mean = float(decode_image(request.images[0]).image.mean())
            off = abs(mean - self.means.setdefault(str(request.truth["photograph"]), mean))
            yield Response(request, Answer(value=off if off > STEP else 0.0))

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def photographs() -> list[Photograph]:
    return load_photographs("scenes", 2, 256, is_region=False)


def measure(folder: Path, items: list[LadderItem]) -> SensitivityScore:
    model = Meter()
    found = plan_ladders(model, items, folder, "scenes")
    return score_sensitivity(ask_model(model, [found.plan], folder), found.entry)


# --- what is shown --------------------------------------------------------------------------------------------------


def test_nobody_sees_a_difference_to_unharmed_copies(photographs: list[Photograph]) -> None:
    for photograph in photographs:
        for name in COPIES:
            made = LadderItem(photograph, copy=name).render()
            assert made.v < 1
            assert (name == "reference") == bool((made.image == photograph.image).all())


@pytest.mark.parametrize("row", CATALOG, ids=lambda row: row.name)
def test_a_ladder_goes_from_end_to_end_of_the_dial(row: Any, photographs: list[Photograph]) -> None:
    items = [item for item in list_ladder(photographs[:1], [row], 50) if item.variant]
    amounts = [item.amount for item in items]
    places = [row.dial.locate(amount) for amount in amounts]
    assert (places[0], places[-1]) == pytest.approx((0, 1), abs=0.02)
    assert bool((np.diff(places) > 0).all())
    assert len(amounts) == 50 or (row.dial.whole and len(amounts) > 40)
    assert len({item.id for item in items}) == len(items)


def test_a_region_alone_is_distorted_where_that_is_asked_for() -> None:
    photograph = load_photographs("scenes", 1, 256, is_region=True)[0]
    image, reference, _ = LadderItem(photograph, None, "noise.gaussian_rgb", 3, 0.2).render()
    changed = (image != reference).any(axis=2)
    inside = np.zeros(changed.shape, bool)
    inside[photograph.region.bbox.slices] = photograph.region.mask != 0
    assert changed.any()
    assert not changed[~inside].any()


# --- thresholds that are known --------------------------------------------------------------------------------------


def test_a_known_threshold_is_found(photographs: list[Photograph], tmp_path: Path) -> None:
    rows = select_rows(["darken.shift_rgb", "blur.gaussian"])
    items = list(list_ladder(photographs, rows, 20))
    score = measure(tmp_path / "run", items)
    darken, blur = sorted(score["variants"], key=lambda each: each["variant"], reverse=True)
    assert all(each["noise"] == 0 for each in score["photographs"].values())
    for curve in darken["curves"]:
        made = {item.amount: item.render() for item in items if item.id.startswith(f"{curve['photograph']}/darken")}
        off = {amount: abs(each.image.mean() - each.reference.mean()) for amount, each in made.items()}
        first = next(amount for amount in curve["amounts"] if off[amount] > STEP)
        assert curve["notices"] is not None
        assert curve["notices"]["amount"] == first
        assert curve["notices"]["v"] == made[first].v
        assert curve["notices"]["side"] == "worse"
    assert (darken["direction"], darken["noticed"]) == ("falls", 2)
    assert (blur["direction"], blur["noticed"], blur["notices_v"]) == ("flat", 0, None)
    assert score["unnoticed"] == ["blur.gaussian"]


def test_people_agree_with_themselves_and_not_with_their_opposite() -> None:
    means = {name: [(list(v), list(s))] for name, cells in KADID_MEANS.items() for v, s in [zip(*cells, strict=True)]}
    found = compare_with_people(means)
    assert found["srcc"] == found["srcc_families"] == pytest.approx(1)
    assert len(found["cells"]) == 5 * len(KADID_MEANS)
    assert [each["people_rank"] for each in found["families"]] == list(range(1, 10))
    assert all(each["people_rank"] == each["quality_rank"] for each in found["families"])
    assert "pixelate" not in {each["family"] for each in found["families"]}  # not judged at so small a V
    assert KADID_MEANS["pixelate.block"][0][0] > EQUAL_V
    opposite = compare_with_people({name: [(v, [-s for s in scores])] for name, [(v, scores)] in means.items()})
    assert opposite["srcc"] == opposite["srcc_families"] == pytest.approx(-1)


# --- runs -----------------------------------------------------------------------------------------------------------


def test_what_is_there_is_neither_made_nor_asked_again(
    photographs: list[Photograph], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = list(list_ladder(photographs[:1], select_rows(["darken.shift_rgb"]), 6))
    whole = measure(tmp_path / "run", items)
    answers = next((tmp_path / "run" / "answers").iterdir())
    lines = answers.read_text().splitlines(keepends=True)
    answers.write_text("".join(lines[:-3]) + lines[-1][:20])  # two are missing, one is torn
    made: list[str] = []
    render = LadderItem.render
    monkeypatch.setattr(LadderItem, "render", lambda item: made.append(item.id) or render(item))
    model = Meter()
    model.means = {photographs[0].id: float(photographs[0].image.mean())}
    found = plan_ladders(model, items, tmp_path / "run", "scenes")
    assert (found.done, found.left) == (len(items) - 3, 3)
    again = score_sensitivity(ask_model(model, [found.plan], tmp_path / "run"), found.entry)
    assert made == [item.id for item in items[-3:]]
    assert again == whole


def test_other_settings_are_refused_in_the_same_folder(cli: Cli, tmp_path: Path) -> None:
    words = ("sensitivity", "--model", "psnr", "--photographs", 1, "--max-side", 256, "--variants", "darken.shift_rgb")
    assert cli(*words, "--settings", 3, "--out", tmp_path / "run").code == 0
    done = cli(*words, "--settings", 4, "--out", tmp_path / "run")
    assert done.code != 0
    assert "with another sha256; use another --out" in done.err


def test_a_model_that_is_asked(cli: Cli, tmp_path: Path) -> None:
    """For this one bright is good: brightening is an improvement, and its page says so; its name stays text."""
    out = tmp_path / "run"
    variants = "brighten.shift_rgb,darken.shift_rgb"
    words = ("--photographs", 1, "--max-side", 256, "--settings", 4, "--variants", variants, "--out", out)
    with serving(say_score) as server:
        usual = ("--model", f"openai:{server.url}#my-model", *words, "--reader", "text", "--name", HOSTILE)
        assert "up to 416 tokens in answers (32 each)" in cli("sensitivity", *usual, "--dry-run").err
        assert not out.exists()
        done = cli("sensitivity", *usual, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found == json.loads((out / "sensitivity.json").read_text())
    brighten, darken = found["variants"]
    assert (brighten["direction"], brighten["better"], darken["direction"]) == ("rises", 1, "falls")
    text = (out / "sensitivity.html").read_text()
    assert "<script" not in text
    assert "onerror=alert" in text
    assert "<img" not in text
    assert "run on ladders" in cli("score", out).err
    assert Run(out).model.startswith("<script")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--variants", "blurr"), "no variant or family called 'blurr'; did you mean 'blur'"),
        (("--settings", "2000"), "--settings 2000 is outside 2 .. 1000"),
        (("--refs", "folder:nowhere"), "no folder of images at nowhere"),
        (("--model", "constant", "--protocol", "qbench-a1"), "qbench-a1 is for choice sets; what is asked here"),
    ],
)
def test_what_cannot_be_is_one_sentence(cli: Cli, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    usual = ("--model", "psnr", "--photographs", 1, "--max-side", 256, "--settings", 3)
    done = cli("sensitivity", *usual, "--out", tmp_path / "run", *words)
    assert done.code != 0
    assert message in done.err
    assert "Traceback" not in done.err


def test_too_few_photographs_are_refused(cli: Cli, tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.full((400, 400, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    done = cli("sensitivity", "--model", "psnr", "--refs", f"folder:{tmp_path}", "--out", tmp_path / "run")
    assert "has 0 photographs that can be used, of 1 that were opened; 3 are wanted" in done.err


def test_find_names_all_variants_of_a_family() -> None:
    assert select_rows(["darken.shift_rgb", "noise"])[0].family == "noise"
    assert len(select_rows([])) == len(CATALOG)
    assert find("blur.gaussian") in select_rows(["blur"])
