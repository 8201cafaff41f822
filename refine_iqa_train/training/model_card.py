"""The card of a trained model: what it was trained on, how, and what it scored on held-out questions."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import yaml

from distortlab import __version__
from distortlab.storage.atomic import write_text
from refine_iqa_train.config.controls import format_marks, list_controls
from refine_iqa_train.config.schema import ValidationRules
from refine_iqa_train.models.identity import is_on_hub
from refine_iqa_train.monitoring.held_out import Measure, list_measures
from refine_iqa_train.monitoring.results import read_controls
from refine_iqa_train.training.prepare import PreparedRun

__all__ = ["render_card", "write_card"]

LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets")
TITLES = {"sft": "cold start", "stage1": "stage 1: perception", "stage2": "stage 2: scoring"}


def write_card(run: PreparedRun, scores: Mapping[str, float], steps: int) -> None:
    """Write README.md in the folder of the model."""
    write_text(Path(run.config.out) / "README.md", render_card(run, scores, steps))


def render_card(run: PreparedRun, scores: Mapping[str, float], steps: int) -> str:
    """Render the card: YAML that the Hub reads, then data, scores, configuration and images.

    Parameters
    ----------
    run
        The run.
    scores
        The last metrics, with "eval_".
    steps
        How many were trained.
    """
    config = run.config
    values = yaml.safe_dump(config.as_dict(), sort_keys=False, allow_unicode=True)
    return f"""---
{_render_front_matter(run)}---

# {Path(config.out).name}
{_render_controls(run)}
`{config.model}` trained for {steps:,} steps ({TITLES[run.stage]}) with `python -m refine_iqa_train`, after Refine-IQA
([arXiv 2508.03763](https://arxiv.org/abs/2508.03763)).

## Data

{_render_data(run)}

## Scores

{_render_scores(scores, config.validation)}

## Recipe

`python -m refine_iqa_train {run.stage} --config config.yaml`, with

```yaml
{values}```

## Images

{_render_images(run)}

## Versions

refine-iqa {__version__}, {", ".join(f"{name} {version(name)}" for name in LIBRARIES)}.
"""


def _render_controls(run: PreparedRun) -> str:
    """What makes the run a control, or the run that its model came from; "" where nothing does."""
    marks = format_marks(list_controls(run.config))
    if controls := read_controls(run.config.model):
        marks += f"\n> The model that training began with came out of a control: {' and '.join(controls)}.\n"
    return marks


def _render_front_matter(run: PreparedRun) -> str:
    front: dict[str, object] = {
        **({"base_model": run.base_model} if is_on_hub(run.base_model) else {}),
        "library_name": "peft" if run.config.lora else "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": [
            *("image-quality-assessment", "trl", "sft" if run.stage == "sft" else "grpo"),
            *(["control"] if list_controls(run.config) else []),
            "refine-iqa",
        ],
    }
    if hub := [name for name in run.data.names if is_on_hub(name)]:
        front["datasets"] = hub
    return yaml.safe_dump(front, sort_keys=False)


def _render_data(run: PreparedRun) -> str:
    sources = "\n".join(f"- `{name}`" for name in run.data.names)
    if not run.data.counts:
        return f"{sources}\n\nRead as a stream; the questions were not counted."
    counts = "\n".join(f"| {task} | {count:,} |" for task, count in sorted(run.data.counts.items()))
    return f"{sources}\n\n| task | questions |\n|---|---|\n{counts}"


def _render_scores(scores: Mapping[str, float], rules: ValidationRules) -> str:
    measures = list_measures({name.removeprefix("eval_"): scores[name] for name in scores if name.startswith("eval_")})
    if not measures:
        return "No held-out questions were asked during training."
    rows = "\n".join(map(_render_measure, measures))
    return f"On held-out questions, {_describe_answering(rules)}.\n\n| measure | value | n |\n|---|---|---|\n{rows}"


def _render_measure(measure: Measure) -> str:
    value = f"{measure.value:.4g}" if measure.value is not None else f"- ({measure.reason})"
    return f"| {measure.task}/{measure.name} | {value} | {'' if measure.n is None else f'{measure.n:,}'} |"


def _describe_answering(rules: ValidationRules) -> str:
    if not rules.temperature:
        return "answered greedily"
    each = f", {rules.generations} to each question" if rules.generations > 1 else ""
    return f"answers sampled at temperature {rules.temperature:g}{each} (greedy answers: `refine-bench`)"


def _render_images(run: PreparedRun) -> str:
    policy = run.policy
    if policy.factor is None:
        return "All images are shown at the one size of the model's processor."
    padding = f", padded to multiples of {policy.align}" if policy.align else ""
    return (
        f"Sides are multiples of {policy.factor}, areas {policy.min_pixels:,} to {policy.max_pixels:,} pixels{padding}"
        "; the limits are in the processor of this folder."
    )
