"""The photographs that KADID's distortions are made on: those of a source whose shape is near 4:3, as KADID's are."""

from collections.abc import Sequence

import cv2
import numpy as np

from distortlab.core.errors import BadReference
from distortlab.core.image import Image
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import open_references
from distortlab.references.base import Entry

WIDTH, HEIGHT = 512, 384
_LEAST_WIDTH, _SHAPES = 600, (0.85 * 0.75, 1.02 * 0.75)
_MOST_ENTRIES, _FEWEST = 2000, 2


def load_photographs(specs: Sequence[str], count: int) -> dict[str, np.ndarray]:
    """Load the first `count` photographs near 4:3 of the sources, taken in turn.

    Returns
    -------
    dict
        By id: float32 RGB, (384, 512, 3), stretched so that the smallest value is 0 and the largest 1, as KADID does
        before it distorts.

    Raises
    ------
    SystemExit
        With a sentence, where there are fewer than two.
    """
    sources = [_list_entries(spec) for spec in specs]
    found: dict[str, np.ndarray] = {}
    for place in range(max(len(entries) for entries in sources)):
        for entries in sources:
            if place < len(entries) and len(found) < count:
                image = _load(entries[place])
                if image is not None:
                    found[entries[place].id] = shrink_photograph(image)
    if len(found) < _FEWEST:
        raise SystemExit(
            f"{' and '.join(specs)}: {len(found)} photographs near 4:3 and at least {_LEAST_WIDTH} pixels wide; "
            f"at least {_FEWEST} are needed"
        )
    return found


def _list_entries(spec: str) -> Sequence[Entry]:
    references = open_references(spec)
    return references.entries(min(references.count or _MOST_ENTRIES, _MOST_ENTRIES))


def _load(entry: Entry) -> Image | None:
    try:
        image = entry.load(ReferenceRules(), RegionRules()).image
    except BadReference:
        return None
    rows, columns = image.shape[:2]
    if image.min() == image.max():
        return None
    return image if columns >= _LEAST_WIDTH and _SHAPES[0] <= rows / columns <= _SHAPES[1] else None


def shrink_photograph(image: Image) -> np.ndarray:
    """512 x 384 pixels, stretched to 0..1."""
    small = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return (small - small.min()) / (small.max() - small.min())
