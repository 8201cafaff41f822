"""croissant.json: valid by mlcroissant, read through it, and the same as the tables."""

import io
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest
from absl import logging as absl_logging
from dataset_samples import Gallery, rows_of, small_recipe
from in_process import Cli
from PIL import Image as pillow

from distortlab import generate, open_dataset
from distortlab.core.errors import UserError
from distortlab.core.image import pixels_sha256
from distortlab.dataset.columns import COLUMNS, walk_features
from distortlab.dataset.croissant.document import Publication, render_croissant, write_croissant
from distortlab.dataset.schema import ALL_TABLES, LATER_COLUMNS, list_possible_columns
from distortlab.storage.atomic import add_seal, format_json, write_json
from distortlab.verification.verify import verify

# Those of mlcroissant 1.1 about pandas 3 and rdflib 7.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

TABLES = ("images", "rft", "samples")
PAGE = "https://huggingface.co/datasets/user/name"
HUB = Publication(url=PAGE, name="name", creator="user", date="2026-01-02", repository=PAGE)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What mlcroissant has to say: warnings are in its log."""
    absl_logging.get_absl_logger().addHandler(caplog.handler)
    absl_logging.get_absl_logger().propagate = False
    caplog.set_level(logging.WARNING)
    return caplog


def open_form(form: str, folder: Path, tmp_path: Path) -> mlcroissant.Dataset:
    """A data set as mlcroissant reads it: as it lies here, or as it stands on the Hub, with the clone given."""
    if form == "here":
        return mlcroissant.Dataset(folder / "croissant.json")
    file = tmp_path / "hub.json"
    file.write_text(render_croissant(open_dataset(folder), HUB))
    return mlcroissant.Dataset(file, mapping={"repo": folder})


def plain(value: Any) -> Any:
    """A record in the form of a row: text for bytes, lists for arrays, formats and sizes for pictures."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(inner) for name, inner in value.items()}
    if isinstance(value, pillow.Image):
        return (value.format, value.size)
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value


def flatten(value: Any) -> Any:
    """A row in the form of a record: structs within a region are fields of the region."""
    if isinstance(value, dict) and set(value) == {"bytes", "path"}:
        picture = pillow.open(io.BytesIO(value["bytes"]))
        return (picture.format, picture.size)
    if isinstance(value, dict):
        flat: dict[str, Any] = {}
        for name, inner in value.items():
            nested = isinstance(inner, dict) and set(inner) != {"bytes", "path"}
            flat.update(flatten(inner) if nested else {name: flatten(inner)})
        return flat
    return [flatten(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("form", ["here", "on the Hub"])
def test_records_are_the_rows(form: str, data: Path, tmp_path: Path, heard: pytest.LogCaptureFixture) -> None:
    dataset = open_form(form, data, tmp_path)
    for table in TABLES:
        found, rows = list(dataset.records(table)), rows_of(data, table)
        if table == "images":
            pixels = np.asarray(found[0]["images/image"].convert("RGB"))
            assert pixels_sha256(pixels) == rows[0]["pixels_sha256"]
        records = [plain(record) for record in found]
        assert [record.pop("split") for record in records] == [row["image_id"].partition("-")[0] for row in rows]
        assert records == [flatten(row) for row in rows]
    assert {plain(record)["name"] for record in dataset.records("splits")} == {"train", "validation"}
    warnings = [line for line in heard.text.splitlines() if "datePublished" not in line]
    assert [line for line in warnings if "  -  " in line or "Could not" in line] == []
    assert ("datePublished" in heard.text) == (form == "here")


def test_every_column_has_a_field_with_its_sentence(data: Path) -> None:
    document = json.loads((data / "croissant.json").read_text())
    for table in TABLES:
        (found,) = (each for each in document["recordSet"] if each["@id"] == table)
        fields = [inner for field in found["field"] for inner in (field, *field.get("subField", []))]
        described = {field["@id"].partition("/")[2]: field["description"] for field in fields}
        described.pop("split")
        paths = [path for path, _ in walk_features(ALL_TABLES[table])]
        assert described == {path.replace(".", "/"): COLUMNS[table][path] for path in paths}


@pytest.mark.parametrize("table", ALL_TABLES)
def test_every_column_is_described_and_nothing_else(table: str) -> None:
    paths = {path for path, _ in walk_features(list_possible_columns(table))}
    assert paths <= set(COLUMNS[table])
    tables = map(list_possible_columns, ALL_TABLES)
    assert {path for features in tables for path, _ in walk_features(features)} >= set(COLUMNS[table])


def test_every_file_has_its_hash(data: Path) -> None:
    document = json.loads((data / "croissant.json").read_text())
    manifest = json.loads((data / "MANIFEST.json").read_text())
    files = {item["@id"]: item for item in document["distribution"] if item["@type"] == "cr:FileObject"}
    assert {name: item["sha256"] for name, item in files.items()} == {
        name: entry["sha256"] for name, entry in manifest["files"].items()
    }
    assert {item["contentUrl"] for item in files.values()} == set(files)


def test_responsible_use_is_answered(data: Path) -> None:
    metadata = mlcroissant.Dataset(data / "croissant.json").metadata
    answers = (
        *(metadata.data_collection, metadata.data_collection_type, metadata.data_collection_raw_data),
        *(metadata.data_annotation_protocol, metadata.data_biases, metadata.data_limitations, metadata.data_use_cases),
        *(metadata.data_social_impact, metadata.personal_sensitive_information, metadata.annotations_per_item),
        *(metadata.machine_annotation_tools, metadata.data_release_maintenance_plan, metadata.license),
    )
    assert all(answers)
    counts = json.loads((data / "MANIFEST.json").read_text())["counts"]
    assert f"{sum(counts['rejected'].values()):,} draws were rejected" in metadata.data_annotation_protocol[0]
    assert metadata.name == small_recipe().name


@pytest.mark.slow
def test_tables_that_a_recipe_leaves_out(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    generate(small_recipe(n=4, images_per_shard=4, tables=("rft",)), Gallery(), folder, workers=1)
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    assert len(list(dataset.records("labels"))) == 4
    assert {record_set.uuid for record_set in dataset.metadata.record_sets} == {"splits", "labels", "rft", "samples"}


def test_an_earlier_version_lacks_columns_and_fields(copy: Callable[[], Path]) -> None:
    folder = copy()
    stored = open_dataset(folder)
    for part in stored.parts_of("samples"):
        path = folder / part.path
        pq.write_table(
            pq.read_table(path).drop_columns([name for name in LATER_COLUMNS if name in ALL_TABLES["samples"]]), path
        )
    stored = type(stored)(
        stored.folder, stored.manifest, tuple(part._replace(footer_sha256=None, sha256=None) for part in stored.parts)
    )
    document = json.loads(render_croissant(stored))
    (found,) = (each for each in document["recordSet"] if each["@id"] == "samples")
    assert {field["name"] for field in found["field"]} == {"split", *ALL_TABLES["samples"]} - set(LATER_COLUMNS)


# --- the command, and what verify says ------------------------------------------------------------------------------


def test_the_command_writes_what_generate_wrote(copy: Callable[[], Path], cli: Cli) -> None:
    folder = copy()
    before = (folder / "croissant.json").read_bytes()
    (folder / "croissant.json").unlink()
    assert verify(folder, sample=1).problems == []
    done = cli("croissant", folder)
    assert (done.code, done.out) == (0, f"wrote {folder / 'croissant.json'}\n")
    assert (folder / "croissant.json").read_bytes() == before


def test_a_data_set_that_is_published_elsewhere(copy: Callable[[], Path], heard: pytest.LogCaptureFixture) -> None:
    folder = copy()
    path = write_croissant(folder, url="https://zenodo.org/records/1", creator='"A" <b>', date="2026-11-29")
    metadata = mlcroissant.Dataset(path).metadata
    assert (metadata.url, metadata.creators[0].name) == ("https://zenodo.org/records/1", '"A" <b>')
    assert str(metadata.date_published).startswith("2026-11-29")
    assert heard.text == ""
    assert verify(folder, sample=1).problems == []


@pytest.mark.parametrize(
    ("given", "says"),
    [({"url": "zenodo"}, "begins with https://"), ({"date": "20261129"}, "give one as"), ({"date": "today"}, "no day")],
)
def test_what_is_no_page_and_no_day(data: Path, given: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        write_croissant(data, **given)


def test_what_is_no_data_set(tmp_path: Path, cli: Cli) -> None:
    done = cli("croissant", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "is no data set: it has no MANIFEST.json" in done.err
    assert not list(tmp_path.iterdir())


def test_the_form_of_the_hub_passes_as_well(copy: Callable[[], Path]) -> None:
    folder = copy()
    (folder / "croissant.json").write_text(render_croissant(open_dataset(folder), HUB))
    report = verify(folder, sample=1)
    assert (report.problems, [left for left in report.not_checked if "croissant" in left]) == ([], [])


def other_hash(document: dict[str, Any]) -> None:
    document["distribution"][1]["sha256"] = "0" * 64


def one_file_less(document: dict[str, Any]) -> None:
    del document["distribution"][0]


def write_sealed(path: Path, document: dict[str, Any]) -> None:
    write_json(path, add_seal({name: value for name, value in document.items() if name != "seal"}))


@pytest.mark.parametrize("change", [other_hash, one_file_less])
def test_a_description_of_other_files_is_found(copy: Callable[[], Path], change: Callable[[Any], None]) -> None:
    folder = copy()
    path = folder / "croissant.json"
    document = json.loads(path.read_text())
    change(document)
    write_sealed(path, document)
    (problem,) = verify(folder, sample=1).problems
    assert "does not describe these files" in problem
    assert "distortlab croissant writes it again" in problem


@pytest.mark.parametrize(
    ("text", "says"), [("", "cannot be read"), ("[]", "cannot be read"), ('{"distribution": 3}\n', "not by distortlab")]
)
def test_a_description_that_is_none_is_found(copy: Callable[[], Path], text: str, says: str) -> None:
    folder = copy()
    (folder / "croissant.json").write_text(format_json(json.loads(text)) if "{" in text else text)
    (problem,) = verify(folder, sample=1).problems
    assert says in problem


def test_the_bytes_do_not_depend_on_where_it_lies(data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "elsewhere"))
    assert render_croissant(open_dataset(folder)).encode() == (data / "croissant.json").read_bytes()
