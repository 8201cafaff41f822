"""For every set and every variant: a perfect predictor scores SRCC 1 over all rows, however it names the images."""

import json
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path, PurePosixPath

import pytest
from bench_samples import WRITERS, write_clive, write_koniq, write_live, write_meta, write_spaq

from distortlab.core.errors import UserError
from refine_bench.datasets import SETS, load
from refine_bench.datasets.image_names import NameIndex
from refine_bench.scoring.score_predictions import score_predictions

RATED = {name: module.FACTS for name, module in SETS.items() if module.FACTS.kind == "rated"}
VARIANTS = [
    (name, "+".join(options))
    for name, facts in RATED.items()
    for options in product(*(axis.options for axis in facts.axes))
]
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "below a folder": lambda name: f"/home/me/data/{name}",
    "relative": lambda name: f"./{name}",
    "on Windows": lambda name: "D:\\data\\" + name.replace("/", "\\"),
    "as a URL": lambda name: f"https://host/data/{name}?download=true",
    "in capitals": str.upper,
    "without ending": lambda name: str(PurePosixPath(name).with_suffix("")),
    "converted": lambda name: str(PurePosixPath(name).with_suffix(".webp")),
}


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All rated sets in small, with three rows or more in every split."""
    root = tmp_path_factory.mktemp("sets")
    larger = {
        "koniq": partial(write_koniq, n=18),
        "spaq": partial(write_spaq, n=9),
        "clive": partial(write_clive, n=11),
    }
    for name, write in {**WRITERS, **larger}.items():
        if name in RATED:
            write(root / name)
    test = [{"image": f"spaq/{k:05d}.jpg", "gt_score": 1} for k in range(4)]
    (root / "spaq" / "test_spaq.json").write_text(json.dumps(test))
    (root / "meta").mkdir()
    write_meta(root / "meta")
    return root


def _spec(name: str, options: str, sets: Path) -> str:
    file = f"{sets / 'meta' / 'live.json'}+" if name == "meta" else ""
    return f"{name}:{file}{options}"


@pytest.mark.parametrize(("name", "options"), VARIANTS)
@pytest.mark.parametrize("naming", ["paths", "shortest"])
def test_a_perfect_predictor_scores_one_on_every_row(
    name: str, options: str, naming: str, sets: Path, tmp_path: Path
) -> None:
    root, spec = sets / name, _spec(name, options, sets)
    truth = load(spec, root, images=False)
    index = NameIndex(truth.names)
    items = [
        {"image": str(row.image) if naming == "paths" else index.shorten(row.name), "score": truth.five(row.mos)}
        for row in truth.rows
    ]
    (tmp_path / "p.json").write_text(json.dumps(items))
    found = score_predictions(tmp_path / "p.json", spec, root)
    assert found["srcc"] == pytest.approx(1.0)
    assert found["n"] == found["n_read"] == found["coverage"]["rows"] == len(truth.rows) >= 3
    assert not found["problems"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RATED)
def test_every_row_is_found_however_its_name_is_written(name: str, way: str, sets: Path) -> None:
    names = load(_spec(name, "", sets).rstrip(":+"), sets / name, images=False).names
    index = NameIndex(names)
    assert [index.find(WAYS[way](name)) for name in names] == list(names)


def test_an_image_of_another_split_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    """LIVE's pristine rows have names that differ from rated ones in the folder alone."""
    root = write_live(tmp_path / "live")
    whole, rated = (load(f"live:{split}", root, images=False) for split in ("982", "779"))
    items = [{"image": row.name, "score": 0} for row in whole.rows if row.name not in {r.name for r in rated.rows}]
    (tmp_path / "p.json").write_text(json.dumps(items))
    with pytest.raises(UserError, match=r"no prediction is of an image of live:779.*another variant of LIVE"):
        score_predictions(tmp_path / "p.json", "live:779", root)
    items += [{"image": row.name, "score": rated.five(row.mos)} for row in rated.rows]
    (tmp_path / "p.json").write_text(json.dumps(items))
    found = score_predictions(tmp_path / "p.json", "live:779", root)
    assert found["srcc"] == pytest.approx(1.0)
    assert found["coverage"]["rows"] == len(rated.rows)
    (problem,) = found["problems"]
    assert (
        f"{len(whole.rows) - len(rated.rows)} rows are of images of LIVE (release 2) that are not in live:779"
        in problem
    )


def test_names_that_fit_several_images_are_refused_with_both(tmp_path: Path) -> None:
    root = write_live(tmp_path / "live")
    rows = load("live", root, images=False).rows
    items = [{"image": Path(row.name).name, "score": k} for k, row in enumerate(rows)]
    (tmp_path / "p.json").write_text(json.dumps(items))
    with pytest.raises(UserError, match=r"row 1: 'img2\.bmp' may be 'jp2k/img2\.bmp' or 'jpeg/img2\.bmp' or 3 more"):
        score_predictions(tmp_path / "p.json", "live", root)
