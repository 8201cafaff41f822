"""What `verify` finds: damage anywhere, and lies that fit every hash."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, Painting, edit_json, rows_of, small_recipe
from forging import Rows, forge, rewrite, seal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_samples import encoded

from distortlab import generate
from distortlab.core.errors import UserError
from distortlab.core.image import pixels_sha256
from distortlab.dataset.schema import TABLES
from distortlab.distortions.edit import MEASURE_VERSION
from distortlab.imaging.decode import read_image
from distortlab.references import Entry, Reference
from distortlab.verification.report import Report
from distortlab.verification.verify import verify
from distortlab.verification.whole import check_balance, check_ladder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight images in three shards, one reference that cannot be read."""
    out = tmp_path_factory.mktemp("verified") / "data"
    kinds = ("good", "good", "broken", "good", "good", "good", "good")
    recipe = small_recipe(n=8, images_per_shard=3, max_failures=1.0)
    generate(recipe, Gallery(kinds=kinds), out, workers=1)
    assert any((out / "_distortlab" / "quarantine").glob("*.jsonl"))
    return out


@pytest.fixture
def own_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def said(report: Report) -> str:
    return "\n".join(report.problems)


def test_what_is_right_passes_and_says_what_was_looked_at(finished: Path) -> None:
    seen: list[int] = []
    report = verify(finished, progress=seen.append)
    assert (report.problems, report.not_checked, report.not_rendered) == ([], [], {})
    assert (report.images, report.rendered, sum(seen)) == (8, 8, 8)
    assert report.questions == len(rows_of(finished, "rft"))
    assert verify(finished, workers=3) == report


def test_a_copy_without_the_build_is_checked_as_far_as_it_goes(own_copy: Path) -> None:
    shutil.rmtree(own_copy / "_distortlab")
    report = verify(own_copy)
    assert not report.problems
    assert [reason.partition(":")[0] for reason in report.not_checked] == [
        "plan and receipts",
        "settings against the recipe",
    ]


def test_without_references_nothing_is_rendered_and_it_says_so(tmp_path: Path) -> None:
    generate(small_recipe(n=4, keep_references=False), Gallery(), tmp_path / "data", workers=1)
    report = verify(tmp_path / "data")
    assert not report.problems
    assert (report.rendered, report.not_rendered) == (0, {"no reference stored": 4})


def test_another_version_of_an_operator_is_not_rendered(own_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distortlab.verification import pixels

    monkeypatch.setattr(pixels, "find", lambda name: replace(pixels_find(name), version=9))
    report = verify(own_copy)
    assert report.rendered == 0
    assert sum(report.not_rendered.values()) == 8
    assert "is version 9 here, 1 there" in next(iter(report.not_rendered))


def pixels_find(name: str) -> Any:
    from distortlab.distortions.catalog import find

    return find(name)


@pytest.mark.parametrize(("sample", "opened"), [(1, 3), (0.3, 3), (100, 8), (0.999, 8)])
def test_a_sample_opens_whole_row_groups_always_the_same(finished: Path, sample: float, opened: int) -> None:
    report = verify(finished, sample=sample)
    assert not report.problems
    assert report.images == 8
    assert abs(report.rendered - opened) <= 1
    assert bool(report.not_checked) == (report.rendered < 8)
    assert verify(finished, sample=sample) == report


# --- damage ---------------------------------------------------------------------------------------------------------


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def found_in(folder: Path) -> list[str]:
    """The problems, or the sentence that refuses the folder."""
    try:
        return verify(folder, sample=1).problems
    except UserError as error:
        return [] if "\n" in str(error) else [str(error)]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_anywhere_is_found(finished: Path, data: st.DataObject) -> None:
    """In any file, also in the manifest, the card, the plan, the receipts and the quarantine."""
    path = data.draw(st.sampled_from(files_of(finished)), "file")
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1), "place")
    flipped = data.draw(st.integers(1, 255), "bits")
    try:
        path.write_bytes(before[:at] + bytes([before[at] ^ flipped]) + before[at + 1 :])
        assert found_in(finished)
    finally:
        path.write_bytes(before)


def test_every_file_is_covered(own_copy: Path) -> None:
    """Not only those that chance picks: one byte in the middle of each, and each of them missing."""
    for path in files_of(own_copy):
        before = path.read_bytes()
        middle = len(before) // 2
        flipped = before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :]
        # croissant.json follows from the others, and data sets of earlier versions have none.
        for after in (flipped,) if path.name == "croissant.json" else (flipped, None):
            path.unlink() if after is None else path.write_bytes(after)
            try:
                assert verify(own_copy, sample=1).problems, path
            except UserError:
                assert path.name == "MANIFEST.json"
            path.write_bytes(before)


@pytest.mark.parametrize("place", ["images/extra.parquet", "rft/train-00009-of-00009.parquet", "samples/deep/x.json"])
def test_a_file_too_many_is_found(own_copy: Path, place: str) -> None:
    (own_copy / place).parent.mkdir(exist_ok=True)
    (own_copy / place).write_bytes(b"x")
    assert said(verify(own_copy)) == f"{place}: the manifest does not name it"


def test_what_is_not_of_the_data_set_is_named_and_left_alone(own_copy: Path) -> None:
    (own_copy / "stats").mkdir()
    (own_copy / "view.html").write_text("hello")
    report = verify(own_copy)
    assert not report.problems
    assert report.not_checked == ["stats, view.html: not of the data set"]


# --- lies that fit every hash ---------------------------------------------------------------------------------------


def region(change: Callable[[dict[str, Any]], Any]) -> Callable[[Rows], Any]:
    return lambda rows: change(rows[0]["regions"][0])


def repaint(row: dict[str, Any], image: np.ndarray) -> None:
    row["image"]["bytes"] = encoded(image, "PNG")
    row["pixels_sha256"] = pixels_sha256(image)


def spill(rows: Rows) -> None:
    image = read_image(rows[0]["image"]["bytes"])
    x, y, _, _ = rows[0]["regions"][0]["bbox"]
    image[max(0, y - 2), max(0, x - 2)] ^= 1
    repaint(rows[0], image)


def weaken(rows: Rows) -> None:
    reference = read_image(rows[0]["reference"]["bytes"])
    image = read_image(rows[0]["image"]["bytes"])
    repaint(rows[0], cv2.addWeighted(image, 0.5, reference, 0.5, 0))


def undo(rows: Rows) -> None:
    repaint(rows[0], read_image(rows[0]["reference"]["bytes"]))


def other_seed(values: dict[str, Any]) -> None:
    params = json.loads(values["params"])
    params["address"][0] += 1
    values["params"] = json.dumps(params, sort_keys=True)


def off_the_dial(values: dict[str, Any]) -> None:
    values["params"] = json.dumps(json.loads(values["params"]) | {"amount": -1e9}, sort_keys=True)


def answer_of(task: str, solution: str) -> Callable[[Rows], Any]:
    def change(rows: Rows) -> None:
        next(row for row in rows if row["task"] == task)["solution"] = solution

    return change


def call(task: str) -> Callable[[Rows], Any]:
    return lambda rows: rows[0].update(task=task, sample_id=f"{rows[0]['image_id']}-{task}")


def reworded(task: str, change: Callable[[str], str]) -> Callable[[Rows], Any]:
    def changed(rows: Rows) -> None:
        prompt = next(row for row in rows if row["task"] == task)["prompt"][0]
        prompt["content"] = change(prompt["content"])

    return changed


def other_picture(rows: Rows) -> None:
    rows[0]["images"][-1]["bytes"] = encoded(np.zeros((20, 20, 3), np.uint8), "PNG")


def fall_short(version: int) -> Callable[[Rows], Any]:
    """Rows of a version of the measure in which no edit went the way that its family says."""

    def change(rows: Rows) -> None:
        for values in (values for row in rows for values in row["regions"]):
            values["visibility"].update(trend=-1.0)
            values["params"] = json.dumps(json.loads(values["params"]) | {"measure": version}, sort_keys=True)

    return change


LIES = {
    "a pixel outside": ("images", spill, "1 pixels outside its regions are not the reference's"),
    "half of the change": ("images", weaken, "its recipe does not give its pixels"),
    "no change": ("images", undo, "nothing is changed inside its region"),
    "another hash": ("images", lambda r: r[0].update(pixels_sha256="0" * 64), "pixels that were hashed"),
    "another size": ("images", lambda r: r[0].update(width=7), "its mask is for"),
    "another version": ("images", lambda r: r[0].update(generator_version="9"), "made by version 9"),
    "another seed": ("images", lambda r: r[0].update(seed=9), "its seed is 9"),
    "a wide box": ("images", region(lambda v: v["bbox"].__setitem__(2, v["bbox"][2] + 1)), "the smallest around"),
    "an area": ("images", region(lambda v: v.update(area=0.5)), "its area is 0.5000"),
    "a broken mask": ("images", region(lambda v: v["mask_rle"].update(counts="o" * 99)), "damaged run lengths"),
    "other noise": ("images", region(other_seed), "its randomness has the address"),
    "a wild setting": ("images", region(off_the_dial), "is off the dial"),
    "no such distortion": ("images", region(lambda v: v.update(variant="colour")), "no distortion called"),
    "severity 6": ("images", region(lambda v: v.update(severity=6)), "its severity is 6"),
    "barely visible": ("images", region(lambda v: v["visibility"].update(v=0.5)), "is not visible"),
    "the wrong way": ("images", fall_short(MEASURE_VERSION), "is wrong direction by what is stored with it"),
    "too visible": ("images", region(lambda v: v["visibility"].update(v=60.0)), "which stands for"),
    "parameters": ("images", region(lambda v: v.update(params="{")), "its recipe cannot be read"),
    "an image twice": ("images", lambda r: r.append(r[0]), "is there twice"),
    "an image missing": ("images", lambda r: r.pop(), "which is not in this shard"),
    "a question twice": ("rft", lambda r: r.append(r[0]), "is there twice"),
    "another task": ("rft", lambda r: r[0].update(task="colour"), "there is no task 'colour'"),
    "another name": ("rft", lambda r: r[0].update(sample_id="x"), "it is called 'x'"),
    "another box": ("rft", lambda r: r[0].update(bbox=[0, 0, 1, 1]), "its bbox is [0, 0, 1, 1]"),
    "boxes of a set": ("rft", lambda r: r[0].update(boxes=[[0, 0, 1, 1]]), "a question about one region has none"),
    "no family": ("rft", lambda r: r[0].update(distortion=None), "its distortion is None"),
    "a rated image": ("rft", call("quality"), "questions of quality are none that a data set asks"),
    "another severity": ("rft", lambda r: r[0].update(severity=r[0]["severity"] % 5 + 1), "its severity is"),
    "a wrong place": ("rft", answer_of("grounding", "[0, 0, 999, 999]"), "its solution is '[0, 0, 999, 999]'"),
    "a wrong object": ("rft", answer_of("object", "zebra"), "its solution is 'zebra'"),
    "a wrong type": ("rft", answer_of("recognition", "Haze, Severe"), "its solution is 'Haze, Severe'"),
    "a hint": ("rft", reworded("object", lambda text: "It is the dog. " + text), "none that this version would write"),
    "pixels": ("rft", reworded("grounding", lambda text: text.replace("1000", "999")), "none that this version"),
    "another picture": ("rft", other_picture, "its pictures are not those of its image"),
    "another role": ("rft", lambda r: r[0]["prompt"][0].update(role="system"), "not one message of a user"),
    "other samples": ("samples", lambda r: r[1].update(solution="zebra"), "are not the same there"),
    "fewer samples": ("samples", lambda r: r.pop(), "are not the same there"),
    "more samples": ("samples", lambda r: r.append(r[0]), "more rows than in rft"),
}


def test_older_data_is_not_held_against_the_directions_of_today(own_copy: Path) -> None:
    rewrite(own_copy, "images", fall_short(MEASURE_VERSION - 1))
    report = verify(own_copy)
    assert "wrong direction" not in said(report)
    assert any(f"V by version {MEASURE_VERSION - 1} of" in reason for reason in report.not_checked)


@pytest.mark.parametrize("name", LIES)
def test_a_lie_that_fits_every_hash_is_found(own_copy: Path, name: str) -> None:
    kind, change, expected = LIES[name]
    rewrite(own_copy, kind, change)
    assert expected in said(verify(own_copy))


def test_forging_alone_is_no_lie(own_copy: Path) -> None:
    """What the tests above find is the lie, not the forger's hand."""
    for kind in TABLES:
        rewrite(own_copy, kind, lambda rows: None)
    assert not verify(own_copy).problems


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m["totals"].update(images=9), "images"),
        (lambda m: m["totals"]["splits"].update(train=1), "totals.splits is {'train': 1, 'validation': 2}"),
        (lambda m: m["counts"]["tasks"].update(object=99), "counts.tasks is not what the tables hold"),
        (lambda m: m["failures"].update(opened=99), "99 opened, the receipts come to"),
        (lambda m: m.update(plan_sha256="0" * 64), "not the plan of the manifest"),
        (lambda m: m["files"].pop("images/train-00000-of-00002.parquet"), "but other shards count it"),
    ],
)
def test_a_manifest_that_says_something_else(own_copy: Path, change: Callable[[Any], Any], expected: str) -> None:
    manifest = json.loads((own_copy / "MANIFEST.json").read_text())
    change(manifest)
    seal(own_copy, manifest)
    assert expected in said(verify(own_copy))


def test_a_card_that_promises_other_rows(own_copy: Path) -> None:
    card = own_copy / "README.md"
    card.write_text(card.read_text().replace("num_examples: 6", "num_examples: 7"))
    forge(own_copy)
    assert "README.md: 7 rows in images, train; 6 in the manifest" in said(verify(own_copy))


def test_columns_that_are_not_ours(own_copy: Path) -> None:
    path = sorted((own_copy / "images").glob("*.parquet"))[0]
    pq.write_table(pa.table({"image_id": ["a"]}), path)
    forge(own_copy)
    report = verify(own_copy)
    assert "its columns are not those of images" in said(report)
    assert "rows: not all tables can be read" in report.not_checked


# --- the whole ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Twin:
    """A painting under another name."""

    number: int

    @property
    def id(self) -> str:
        return f"twin-{self.number:06d}"

    @property
    def name_count(self) -> int:
        return Painting(self.number % 2).name_count

    @property
    def region_count(self) -> int:
        return self.name_count

    def load(self, *rules: Any) -> Reference:
        return replace(Painting(self.number % 2).load(*rules), id=self.id)


class Twins(Gallery):
    def entries(self, count: int) -> Sequence[Entry]:
        return [Twin(number) for number in range(count)]


def test_the_same_photograph_in_two_splits_is_a_leak_whatever_it_is_called(tmp_path: Path) -> None:
    generate(small_recipe(n=8), Twins(), tmp_path / "data", workers=1)
    assert "have the same pixels" in said(verify(tmp_path / "data"))


def test_a_reference_in_two_splits_is_a_leak(own_copy: Path) -> None:
    name = rows_of(own_copy, "images")[0]["reference_id"]
    rewrite(own_copy, "images", lambda rows: rows[0].update(reference_id=name), split="validation")
    assert f"reference {name} is in train and in validation" in said(verify(own_copy))


def test_balance_is_judged_by_size_and_by_doubt() -> None:
    def places(*counts: int) -> dict[tuple[str, int, int], int]:
        return {("object", len(counts), place): count for place, count in enumerate(counts)}

    assert not list(check_balance(places(4, 1, 0, 0)))  # so few that it may be chance
    assert not list(check_balance(places(26_000, 24_500, 25_000, 24_500)))  # beyond doubt, and next to nothing
    (fault,) = check_balance(places(1_550, 1_150, 1_150, 1_150))
    assert fault == "object: the right answer stands in place 1 of 4 in 31 % of 5,000 questions; 25 % expected"


def test_a_severity_is_one_setting() -> None:
    settings = {("blur.gaussian", 1): Counter({0.7: 5, 0.9: 1}), ("blur.gaussian", 2): Counter({1.2: 5})}
    assert list(check_ladder(settings)) == ["blur.gaussian: severity 1 stands for several settings: 0.7 (5), 0.9 (1)"]


def test_a_damaged_entry_is_a_problem_of_its_own(own_copy: Path) -> None:
    edit_json(own_copy / "MANIFEST.json", lambda manifest: manifest["files"].update({"images/a-b.parquet": None}))
    assert "images/a-b.parquet: its entry in the manifest is damaged" in said(verify(own_copy))
