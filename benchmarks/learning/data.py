"""Small pictures with one distortion of four families, and one short question: enough to learn from on a CPU."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab import default_recipe, generate
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.tasks.terms import LEVELS, PHRASES

FAMILIES = ("noise", "blur", "darken", "saturate_strengthen")
QUESTION = (
    f"Which distortion? {', '.join(PHRASES[family] for family in FAMILIES)}. "
    f"Which severity? {', '.join(LEVELS)}. Answer: Type, Severity."
)
"""Short: the questions of the generator have two hundred words, which a CPU would read most of the time."""


def make_data(out: Path, images: int) -> Path:
    """A data set of `images` pictures, 96 pixels wide; nine tenths of them for training."""
    recipe = default_recipe(
        name="learning",
        n=images,
        images_per_reference=4,
        images_per_shard=200,
        families=dict.fromkeys(FAMILIES, 1.0),
        severities={"3": 1.0, "4": 1.0, "5": 1.0},
        tasks={"recognition": 1.0},
        samples_per_image=1.0,
        splits={"train": 0.85, "validation": 0.15},
        references=ReferenceRules(max_side=96, min_side=48),
        regions=RegionRules(min_area=0.1, max_area=0.6, max_box=1.0, min_side=24),
    )
    generate(recipe, "scenes", out / "generated", workers=2)
    return _asked_briefly(out / "generated", out / "data")


def _asked_briefly(source: Path, out: Path) -> Path:
    """The same questions in other words."""
    out.mkdir(parents=True)
    prompt = [{"role": "user", "content": QUESTION}]
    for split in ("train", "validation"):
        parts = [pq.read_table(path) for path in sorted((source / "rft").glob(f"{split}-*.parquet"))]
        table = pa.concat_tables(parts)
        column = table.schema.get_field_index("prompt")
        asked = pa.array([prompt] * table.num_rows, table.schema.field(column).type)
        pq.write_table(table.set_column(column, table.schema.field(column), asked), out / f"{split}.parquet")
    return out
