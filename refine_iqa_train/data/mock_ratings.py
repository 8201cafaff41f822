"""Made-up ratings for trials: the severity of a distortion as a score. No person has seen these images.

The files are JSON metas as DeQA-Score has them, which `refine_bench.datasets` reads as any other rated set.
"""

import json
from pathlib import Path

from distortlab.core.errors import UserError
from distortlab.dataset.reader import open_data
from distortlab.storage.atomic import new_file, write_text

__all__ = ["mock_ratings"]


def mock_ratings(data: str | Path, out: str | Path) -> dict[str, int]:
    """Write the images of a data set by distortlab with made-up scores, and `SPLIT.json` for each split.

    An image of severity s gets the score 5.8 - 0.96 s: 4.84 for slight, 1.00 for extreme; of several severities the
    largest counts. A pristine image gets 5.00.

    Parameters
    ----------
    data
        A data set by distortlab.
    out
        A folder that is new or empty.

    Returns
    -------
    dict
        The number of images by split.

    Raises
    ------
    UserError
        Where `out` is in use.
    """
    stored, out = open_data(data), Path(out)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is in use; choose another --out")
    items: dict[str, list[dict[str, object]]] = {}
    for split in stored.splits:
        for row in stored.rows("images", ["image", "regions"], split):
            name = f"images/{row['image']['path']}"
            with new_file(out / name) as file:
                file.write(row["image"]["bytes"])
            worst = max((region["severity"] for region in row["regions"]), default=0)
            score = min(5.0, round(5.8 - 0.96 * worst, 2))
            items.setdefault(split, []).append({"image": name, "gt_score_norm": score})
    for split, listed in items.items():
        write_text(out / f"{split}.json", json.dumps(listed, indent=1) + "\n")
    return {split: len(listed) for split, listed in items.items()}
