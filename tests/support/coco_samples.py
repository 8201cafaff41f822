"""What tests of COCO files share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import References
from distortlab.references.coco import Coco, CocoEntry, open_coco

Write = Callable[[Any], Path]
ALL = 10**9
REFERENCES, REGIONS = ReferenceRules(), RegionRules()


def open_document(document: Any, pictures: Path, written: Write, rules: RegionRules = REGIONS) -> Coco:
    """Write a document to a file, and open it."""
    return open_coco(written(document), pictures, rules)


def find_entry(coco: References, key: int) -> CocoEntry:
    """The entry of an image by its number."""
    found = [entry for entry in coco.entries(ALL) if entry.id == f"coco-{key:012d}"]
    assert isinstance(found[0], CocoEntry)
    return found[0]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["size", "counts"]), inner),
    max_leaves=12,
)
