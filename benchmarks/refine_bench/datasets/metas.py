"""Label lists in JSON: DeQA-Score's metas, Q-Align's test and training files, Q-Bench A3's lists.

An item names its image under `image` or `img_path`, its score under `gt_score` (a number, or text that spells one;
Q-Align's KADID file has it only in `id`, "I66_01_01.png->4.63"). DeQA's also have `gt_score_norm` (mapped to 1-5 by
the range found in the whole set) and `std`, `std_norm`. The files do not declare a range.

A name is the whole path of the file: in Q-Align's `live.json` 982 images share 233 names without it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from refine_bench.datasets.base import Axis, Facts, LabelRow, Scale
from refine_bench.datasets.image_names import list_suffixes, normalize_name
from refine_bench.datasets.tables import ImageFinder, read_json

__all__ = ["FACTS", "rows"]

FACTS = Facts(
    name="meta",
    title="JSON meta (DeQA-Score, Q-Align, Q-Bench A3)",
    kind="rated",
    labels=(),
    folders=(),
    counts={},
    scales={
        "score": Scale(0, 100, firm=False),
        "norm": Scale(1, 5),
    },
    axes=(Axis("label", ("score", "norm")), Axis("direction", ("up", "down"))),
    citation="You et al., DeQA-Score, CVPR 2025; Wu et al., Q-Align, ICML 2024; Wu et al., Q-Bench, ICLR 2024",
    url="https://huggingface.co/datasets/zhiyuanyou/Data-DeQA-Score",
    notes=("norm reads gt_score_norm; an image is where the longest suffix of its path leads below --data",),
)


def rows(root: Path, choice: Mapping[str, str]) -> Iterator[LabelRow]:
    """The items of the file `choice["file"]`; images below `root`."""
    file = Path(choice["file"])
    norm = choice["label"] == "norm"
    images = ImageFinder(root, file.parent)
    found: dict[Path, str] = {}
    for number, item in read_json(file):
        path = item.get("image") or item.get("img_path")
        if not isinstance(path, str):
            raise UserError(f"{file}, item {number} has no image (keys image or img_path): {str(dict(item))[:120]}")
        name = normalize_name(path)
        image = _find_image(images, name)
        if image.is_file() and found.setdefault(image, name) != name:
            raise UserError(
                f"{file}: {found[image]!r} and {name!r} both lead to {image}; --data must hold their folders"
            )
        yield LabelRow(
            file=file,
            line=number,
            name=name,
            mos=_find_score(item, norm),
            image=image,
            sd=item.get("std_norm" if norm else "std"),
            reference_id=None,
        )


def _find_score(item: Mapping[str, Any], norm: bool) -> object:
    key = "gt_score_norm" if norm else "gt_score"
    if key in item:
        return item[key]
    _, arrow, tail = str(item.get("id", "")).rpartition("->")
    return tail if arrow and not norm else f"missing: no {key}"


def _find_image(images: ImageFinder, name: str) -> Path:
    """Where the longest suffix of a name that is there leads; where none is, where the name itself would be."""
    places = (images.find(suffix) for suffix in list_suffixes(name))
    return next((place for place in places if place.is_file()), images.find(name))
