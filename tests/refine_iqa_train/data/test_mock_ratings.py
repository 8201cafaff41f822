"""Made-up ratings follow from severities."""

import json
from pathlib import Path

from dataset_samples import Gallery, rows_of
from set_samples import SETS

from distortlab import generate
from refine_iqa_train.data.mock_ratings import mock_ratings


def test_the_worst_region_counts_and_pristine_images_are_best(tmp_path: Path) -> None:
    generate(SETS, Gallery(), tmp_path / "data", workers=1)
    assert mock_ratings(tmp_path / "data", tmp_path / "rated") == {"train": 16}
    scores = {
        Path(item["image"]).stem: item["gt_score_norm"]
        for item in json.loads((tmp_path / "rated" / "train.json").read_text())
    }
    for row in rows_of(tmp_path / "data", "images"):
        severities = {region["severity"] for region in row["regions"]}
        assert scores[row["image_id"]] == (1.0 if 5 in severities else 4.84 if severities else 5.0)
