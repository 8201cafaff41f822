"""The card of a model that adapters were merged into."""

from collections.abc import Sequence

import yaml

from distortlab import __version__
from refine_iqa_train.config.controls import format_marks
from refine_iqa_train.models.adapters import Adapter
from refine_iqa_train.models.identity import is_on_hub

__all__ = ["render_merged_card"]


def render_merged_card(adapter: Adapter, controls: Sequence[str]) -> str:
    """Return the text of README.md.

    Parameters
    ----------
    adapter
        What was merged.
    controls
        What makes the run of the adapters a control, one sentence each.
    """
    front = {
        **({"base_model": adapter.base} if is_on_hub(adapter.base) else {}),
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["image-quality-assessment", "trl", *(["control"] if controls else []), "refine-iqa"],
    }
    return f"""---
{yaml.safe_dump(front, sort_keys=False)}---

# {adapter.base.rstrip("/").rsplit("/")[-1]} with adapters merged in
{format_marks(controls)}
The weights of `{adapter.base}` with the adapters of `{adapter.name}` (rank {adapter.r}) added to them, by
`python -m refine_iqa_train merge`, refine-iqa {__version__}. The card of the adapters says what they were trained on
and how they scored.
"""
