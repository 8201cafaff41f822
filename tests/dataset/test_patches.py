"""Archives of patches: smaller, and turned back into exactly the data set that would have been made in full."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, edit_json, flip_byte, published, quarantined, rows_of, small_recipe, temporary
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import Pixels, photograph

from distortlab.core.errors import BadRecipe, UserError
from distortlab.core.image import pixels_sha256
from distortlab.core.region import Box, Region
from distortlab.dataset.archive import ArchiveShard
from distortlab.dataset.layout import ARCHIVE
from distortlab.dataset.patches import encode_patch, restore_image
from distortlab.dataset.reader import open_data
from distortlab.dataset.writer import make_table, open_writer
from distortlab.generation.generate import generate
from distortlab.imaging.decode import decode_image
from distortlab.references import open_references
from distortlab.sharing.materialize import materialize
from distortlab.storage.atomic import add_seal, hash_file, read_json, write_json
from distortlab.verification.verify import verify

GALLERY = Gallery(kinds=("good", "good", "alone", "broken", "good", "grey"))
SEVERAL = small_recipe(n=24, images_per_shard=8, max_failures=1, images_per_reference=3)


def everything(folder: Path) -> dict[str, bytes]:
    """Every file, receipts and plans too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("full") / "data"
    generate(SEVERAL, GALLERY, out, workers=1)
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("patch") / "archive"
    generate(SEVERAL, GALLERY, out, workers=1, store="patch")
    return out


@pytest.fixture
def archive(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage, without what is never sent."""
    copy = tmp_path / "archive"
    shutil.copytree(made, copy, ignore=shutil.ignore_patterns("_distortlab"))
    return copy


# --- there and back ----------------------------------------------------------------------------------------------


def test_materialized_is_what_would_have_been_made(archive: Path, full: Path, tmp_path: Path) -> None:
    """Byte for byte: tables, card, manifest, and also receipts, plan and the list of what could not be used."""
    assert quarantined(full), "the case with unusable references is meant"
    account = materialize(archive, tmp_path / "data", workers=1)
    assert account.finished
    assert everything(tmp_path / "data") == everything(full)


@pytest.mark.parametrize(
    "changes", [{"codec": "webp"}, {"references": {"max_side": 256, "min_side": 64}}, {"tasks": {"grounding": 1}}]
)
def test_whatever_the_recipe(changes: dict[str, Any], tmp_path: Path) -> None:
    if "tasks" in changes:
        changes = {**changes, "samples_per_image": 1}
    recipe = small_recipe(**changes)
    # Scenes of 640 x 480 are stored as JPEG, and composed smaller where the recipe says so.
    generate(recipe, "scenes", tmp_path / "full", workers=1)
    generate(recipe, "scenes", tmp_path / "archive", workers=1, store="patch")
    materialize(tmp_path / "archive", tmp_path / "data", workers=1)
    assert everything(tmp_path / "data") == everything(tmp_path / "full")


def test_shrunk_references_come_back(tmp_path: Path, write_pictures: Callable[[Path], str]) -> None:
    """A photograph that is shrunk is item as it was used, without loss, not as the file it came from."""
    spec = write_pictures(tmp_path / "coco")
    recipe = small_recipe(n=6, references={"max_side": 200, "min_side": 64}, regions={"min_side": 16})
    references = open_references(spec, 0, recipe.regions)
    generate(recipe, references, tmp_path / "full", workers=1)
    generate(recipe, references, tmp_path / "archive", workers=1, store="patch")
    shutil.rmtree(tmp_path / "coco")
    materialize(tmp_path / "archive", tmp_path / "data", workers=1)
    assert everything(tmp_path / "data") == everything(tmp_path / "full")
    assert {max(row["width"], row["height"]) for row in rows_of(tmp_path / "data", "images")} == {200}


@pytest.fixture
def write_pictures() -> Callable[[Path], str]:
    from dataset_samples import write_coco

    return lambda folder: write_coco(folder, 4)


def test_an_archive_is_small_and_complete(made: Path, full: Path) -> None:
    size = {folder: sum(map(len, everything(folder).values())) for folder in (made, full)}
    assert size[made] < 0.5 * size[full]
    references = rows_of(made, "references")
    assert len(references) == len({row["reference_id"] for row in references}), "once"
    assert {row["reference_id"] for row in references} == {row["reference_id"] for row in rows_of(full, "images")}
    strip = [{**row, "images": None} for row in rows_of(full, "rft")]
    assert [{**row, "images": None} for row in rows_of(made, "questions")] == strip


def test_verify_checks_an_archive(made: Path, archive: Path) -> None:
    report = verify(made)
    assert (report.images, report.rendered, report.problems) == (24, 24, [])
    assert report.files == len(read_json(made / "MANIFEST.json")["files"])
    patches = next((archive / "patches").iterdir())
    flip_byte(patches)
    report = verify(archive)
    assert report.not_checked, "what needs a data set in full is said"
    (problem,) = report.problems
    assert problem == f"patches/{patches.name}: its SHA-256 is not the one in the manifest"


def test_materialize_goes_on(archive: Path, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, seen = tmp_path / "data", list[int]()

    def stop(images: int) -> None:
        seen.append(images)
        if len(seen) == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        materialize(archive, out, workers=1, progress=stop)
    done = {path: path.stat().st_mtime_ns for path in (out / "images").iterdir()}
    assert done
    assert not temporary(out)
    assert not (out / "MANIFEST.json").exists()
    materialize(archive, out, workers=1)
    assert all(path.stat().st_mtime_ns == at for path, at in done.items())
    assert everything(out) == everything(full)


def test_generate_takes_a_materialized_set_for_its_own(archive: Path, tmp_path: Path) -> None:
    materialize(archive, tmp_path / "data", workers=1)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    assert generate(SEVERAL, GALLERY, tmp_path / "data", workers=1).finished
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == before


def test_an_archive_of_older_operators_still_opens(
    archive: Path, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operators are not asked: that is what the patches are for."""

    def gone(*words: object) -> None:
        raise AssertionError

    monkeypatch.setattr("distortlab.distortions.edit.render_edit", gone)
    monkeypatch.setattr("distortlab.distortions.catalog.CATALOG", ())
    materialize(archive, tmp_path / "data", workers=1)
    assert published(tmp_path / "data") == published(full)


# --- patches -----------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(data=st.data())
def test_a_patch_and_its_reference_are_the_image(data: st.DataObject) -> None:
    before = photograph()
    rows, columns = before.shape[:2]
    regions = []
    for _ in range(data.draw(st.integers(0, 3))):
        mask = np.zeros((rows, columns), np.uint8)
        y, x = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
        mask[y : y + data.draw(st.integers(1, 90)), x : x + data.draw(st.integers(1, 90))] = 1
        noise = np.random.default_rng(data.draw(st.integers(0, 99))).random(mask.shape)
        holed = mask * (noise < data.draw(st.sampled_from((1.0, 0.3))))
        regions.append(Region.from_mask(holed if holed.any() else mask))
    image = changed(before, regions, data.draw(st.integers(0, 99)))
    back, box = restore_image(before, encode_patch(image, regions), regions, pixels_sha256(image))
    assert np.array_equal(back, image)
    same = np.ones((rows, columns), bool)
    same[box.slices] = False
    assert np.array_equal(image[same], before[same])


def test_a_pristine_image_is_stored_as_one_pixel_and_a_whole_one_as_it_is(photograph: Pixels) -> None:
    frame = Region.from_box(Box(0, 0, photograph.shape[1], photograph.shape[0]), photograph.shape[:2])
    assert decode_image(encode_patch(photograph, [])).image.tolist() == [[[0, 0, 0]]]
    assert np.array_equal(decode_image(encode_patch(photograph, [frame])).image, photograph)
    clean = encode_patch(photograph, [])
    assert np.array_equal(restore_image(photograph, clean, [], pixels_sha256(photograph))[0], photograph)
    other = photograph ^ np.uint8(1)
    with pytest.raises(UserError, match="do not give the pixels that were hashed"):
        restore_image(other, clean, [], pixels_sha256(photograph))


def changed(before: Pixels, regions: list[Region], seed: int) -> Pixels:
    """Noise in the regions."""
    image = before.copy()
    noise = np.random.default_rng(seed).integers(0, 256, before.shape, np.uint8)
    for region in regions:
        inside = region.mask != 0
        image[region.bbox.slices][inside] = noise[region.bbox.slices][inside]
    return image


def test_what_lies_outside_the_mask_is_not_stored(photograph: Pixels, blob_mask: Pixels) -> None:
    region = Region.from_mask(blob_mask)
    piece = decode_image(encode_patch(photograph, [region])).image
    assert not piece[region.mask == 0].any()
    assert np.array_equal(piece[region.mask != 0], photograph[blob_mask != 0])


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_full_data_set_is_not_materialized(full: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a data set in full already"):
        materialize(full, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_no_archive_without_references(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="--no-references"):
        generate(small_recipe(keep_references=False), GALLERY, tmp_path / "d", store="patch")
    with pytest.raises(UserError, match="no way to store called 'patches'; did you mean 'patch'"):
        generate(small_recipe(), GALLERY, tmp_path / "d", store="patches")  # type: ignore[arg-type]


def test_a_data_set_is_asked_for_where_an_archive_lies(made: Path) -> None:
    with pytest.raises(UserError, match="is an archive; distortlab materialize"):
        open_data(made)


def test_row_groups_end_where_they_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bytes of the pictures in full, though the archive has other groups; references are found across them."""
    monkeypatch.setattr("distortlab.dataset.writer._GROUP_BYTES", 700_000)
    monkeypatch.setattr("distortlab.dataset.writer._GROUP_IMAGES", 5)
    recipe = small_recipe(n=24, images_per_shard=24, images_per_reference=6)
    generate(recipe, GALLERY, tmp_path / "full", workers=1)
    generate(recipe, GALLERY, tmp_path / "archive", workers=1, store="patch")
    materialize(tmp_path / "archive", tmp_path / "data", workers=1)
    assert everything(tmp_path / "data") == everything(tmp_path / "full")
    groups = {
        kind: pq.ParquetFile(tmp_path / place / kind / "train-00000-of-00001.parquet").num_row_groups
        for place, kind in (("full", "images"), ("archive", "patches"), ("archive", "references"))
    }
    assert groups["images"] > groups["patches"] > 2
    assert groups["references"] > 1


def test_full_and_patch_do_not_share_a_folder(made: Path, full: Path, archive: Path) -> None:
    with pytest.raises(BadRecipe, match="holds an archive of patches, and this would be a data set in full"):
        generate(SEVERAL, GALLERY, made)
    with pytest.raises(BadRecipe, match="holds a data set in full, and this would be an archive"):
        generate(SEVERAL, GALLERY, full, store="patch")
    with pytest.raises(UserError, match="in use"):
        materialize(archive, archive)


def _newer(archive: Path) -> None:
    edit_json(archive / "MANIFEST.json", lambda manifest: manifest.update(format=99))


def _missing(archive: Path) -> None:
    next((archive / "references").iterdir()).unlink()


def _damaged(archive: Path) -> None:
    flip_byte(next((archive / "patches").iterdir()))


def _other_plan(archive: Path) -> None:
    edit_json(archive / "MANIFEST.json", lambda manifest: manifest["plan"]["recipe"].update(seed=5))


def _no_plan(archive: Path) -> None:
    edit_json(archive / "MANIFEST.json", lambda manifest: manifest.pop("plan"))


def _leads_out(archive: Path) -> None:
    def change(manifest: Any) -> None:
        manifest["files"]["patches/../../x.parquet"] = {"bytes": 1, "rows": 1, "sha256": ""}

    edit_json(archive / "MANIFEST.json", change)


def _unlisted(archive: Path) -> None:
    def change(manifest: Any) -> None:
        manifest["files"].pop(next(path for path in manifest["files"] if path.startswith("questions/")))

    edit_json(archive / "MANIFEST.json", change)


def _no_manifest(archive: Path) -> None:
    (archive / "MANIFEST.json").unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_newer, "has format 99"),
        (_missing, r"is not whole: references/.*\.parquet is missing"),
        (_damaged, r"is damaged: the SHA-256 of patches/.*\.parquet is not the one"),
        (_other_plan, "the plan in its manifest is not the one it was made from"),
        (_no_plan, "the plan in its manifest"),
        (_leads_out, "is not the name of a shard"),
        (_unlisted, r"does not say what questions/.*\.parquet holds"),
        (_no_manifest, "no readable MANIFEST.json"),
    ],
)
def test_damage_is_named(archive: Path, tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
    damage(archive)
    with pytest.raises(UserError, match=words):
        materialize(archive, tmp_path / "data", workers=1)
    assert not (tmp_path / "data" / "MANIFEST.json").exists()
    assert not list((tmp_path / "data").rglob("*.parquet")) or damage in (_missing, _damaged)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference_row": 99}, "there is no reference number 99"),
        ({"reference_row": -1}, "there is no reference number -1"),
        ({"reference_id": "another"}, "is not another"),
        ({"pixels_sha256": "0" * 64}, "do not give the pixels that were hashed"),
        ({"patch": {"bytes": b"no picture", "path": "x.webp"}}, "patch cannot be read"),
        ({"patch": None}, "cannot be read as a part of an archive"),
        ({"regions": []}, "its patch is 110 x 110, its box 1 x 1"),
    ],
)
def test_rows_that_do_not_fit_are_named(archive: Path, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    """Written by somebody else, with hashes that are right."""
    path = sorted((archive / "patches").iterdir())[0]
    rows = pq.read_table(path).to_pylist()
    rows[1] = {**rows[1], **change}
    footer = pq.read_metadata(path).metadata[b"distortlab"]
    with path.open("wb") as file, open_writer(pa.PythonFile(file, mode="w"), ARCHIVE.tables["patches"]) as writer:
        writer.write_table(make_table(rows, ARCHIVE.tables["patches"]))
        writer.add_key_value_metadata({"distortlab": footer.decode()})
    manifest = read_json(archive / "MANIFEST.json")
    del manifest["seal"]
    manifest["files"][f"patches/{path.name}"].update(sha256=hash_file(path), bytes=path.stat().st_size)
    write_json(archive / "MANIFEST.json", add_seal(manifest))
    with pytest.raises(UserError, match=words):
        materialize(archive, tmp_path / "data", workers=1)
    problems = verify(archive).problems
    assert len(problems) == 1
    assert words.replace("\\", "") in problems[0]


def test_a_shard_gives_images_in_order_with_their_questions(made: Path, full: Path) -> None:
    asked = rows_of(full, "rft")
    for path in sorted((made / "patches").iterdir()):
        shard = ArchiveShard(path.name, *(made / kind / path.name for kind in ARCHIVE.tables))
        images = pq.read_table(full / "images" / path.name).to_pylist()
        for item, row in zip(shard, images, strict=True):
            assert item.row["image_id"] == row["image_id"]
            assert item.reference == row["reference"]
            mine = [question["sample_id"] for question in asked if question["image_id"] == row["image_id"]]
            assert [question["sample_id"] for question in item.questions] == mine
