"""Data sets made by `distortlab` as sets of the harness."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import flip_byte
from in_process import Cli

from distortlab.core.errors import UserError
from refine_bench.datasets import local


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "ssim", "--on", "local:nowhere"), ("no", "folder", "nowhere")),
        (("--model", "ssim", "--on", "local:"), ("local needs a folder",)),
        (("--model", "ssim", "--on", "local:{made}+tset"), ("no split", "validation")),
        (("--model", "constant", "--on", "local:{made}", "--protocol", "q-align"), ("q-align is for rated",)),
        (("--model", "constant", "--on", "local:{made}", "--shard", "3/2"), ("k/N",)),
        (("--model", "constant", "--on", "local:{made}", "--protocol", "diagnosys"), ("did you mean 'diagnosis'",)),
    ],
)
def test_a_wrong_word_is_one_sentence(
    words: tuple[str, ...], said: tuple[str, ...], made: Path, tmp_path: Path, cli: Cli
) -> None:
    filled = [word.replace("{made}", str(made)) for word in words]
    done = cli("run", *filled, "--out", tmp_path / "run")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert all(text in done.err for text in said), done.err
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"MANIFEST\.json"):
        local.list_splits(tmp_path)


def test_pixels_come_with_their_items(made: Path) -> None:
    for view in local.VIEWS:
        names = {item.id for item in local.list_items(made, "validation", view)}
        assert {name for name, _, _ in local.load_images(made, "validation", view)} == names
    assert np.isfinite([len(r or b"") for _, _, r in local.load_images(made, "validation", "severity")]).all()


def test_a_damaged_table_is_named(made: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "damaged"))
    table = next((copy / "rft").glob("*.parquet"))
    flip_byte(table)
    with pytest.raises(UserError, match=f"{table.name} is damaged"):
        list(local.load_images(copy, "all", "tasks"))
