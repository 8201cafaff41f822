"""Made-up ratings for trials: the severity of a distortion as a score. No person has seen these images.

The files are JSON metas as DeQA-Score has them, which `refine_bench.datasets` reads as any other rated set.
"""

import json
from pathlib import Path

import pyarrow.parquet as pq

from distortlab.errors import UserError
from distortlab.files import new_file, write_text

__all__ = ["mock_ratings"]


def mock_ratings(data: str | Path, out: str | Path) -> dict[str, int]:
    """Write the images of a data set by distortlab and `SPLIT.json` for each split; returns the images by split.

    An image of severity s gets the score 5.8 - 0.96 s: 4.84 for slight, 1.00 for extreme.
    """
    source, out = Path(data), Path(out)
    files = sorted((source / "images").glob("*.parquet"))
    if not files:
        raise UserError(f"{source} is no data set by distortlab: it has no images/*.parquet")
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is in use; choose another --out")
    items: dict[str, list[dict[str, object]]] = {}
    for file in files:
        split = file.name.split("-")[0]
        for row in pq.read_table(file, columns=["image_id", "image", "regions"]).to_pylist():
            name = f"images/{row['image']['path']}"
            with new_file(out / name) as picture:
                picture.write(row["image"]["bytes"])
            worst = max(region["severity"] for region in row["regions"])
            items.setdefault(split, []).append({"image": name, "gt_score_norm": round(5.8 - 0.96 * worst, 2)})
    for split, listed in items.items():
        write_text(out / f"{split}.json", json.dumps(listed, indent=1) + "\n")
    return {split: len(listed) for split, listed in items.items()}
