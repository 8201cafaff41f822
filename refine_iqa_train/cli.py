"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from distortlab.core.program import create_app, run_program

__all__ = ["app", "main"]

app = create_app(
    "python -m refine_iqa_train",
    "refine_iqa_train",
    "Teach vision-language models to see image quality: a cold start, then two stages of GRPO.",
    "python -m refine_iqa_train stage1 --config recipes/stage1-qwen3-vl-4b.yaml   ·   "
    "accelerate launch --config_file recipes/accelerate/zero3.yaml -m refine_iqa_train stage2 --config my.yaml",
)

KEYS = {"allow_extra_args": True, "ignore_unknown_options": True}
ConfigFile = Annotated[
    str, typer.Option("--config", help="A YAML file, or the name of a configuration that comes with the package.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]


@app.command(context_settings=KEYS, rich_help_panel="Train")
def stage1(context: typer.Context, config: ConfigFile) -> None:
    """Perception: recognition, object and grounding, by GRPO.

    Any key of the configuration can be given as an option.

        python -m refine_iqa_train stage1 --config recipes/stage1-qwen3-vl-4b.yaml --data.perception data/
        python -m refine_iqa_train stage1 --config stage1-qwen3-vl-4b --trainer.max_steps 50 --lora.r 32
    """
    _train("stage1", config, context)


@app.command(context_settings=KEYS, rich_help_panel="Train")
def stage2(context: typer.Context, config: ConfigFile) -> None:
    """Scoring: rated images, by GRPO with the probability-difference reward.

    python -m refine_iqa_train stage2 --config recipes/stage2-qwen3-vl-4b.yaml --data.rated_root /data/koniq10k
    """
    _train("stage2", config, context)


@app.command(context_settings=KEYS, rich_help_panel="Train")
def sft(context: typer.Context, config: ConfigFile) -> None:
    """An optional cold start: supervised answers made from the labels.

    python -m refine_iqa_train sft --config recipes/smoke-sft.yaml
    """
    _train("sft", config, context)


@app.command(rich_help_panel="Prepare")
def tiny(
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    family: Annotated[str, typer.Option(help="llava | qwen2_5_vl | qwen3_vl: the architecture.")] = "qwen3_vl",
    seed: Annotated[int, typer.Option(help="Of the random weights.")] = 0,
    as_json: Json = False,
) -> None:
    """Make a model of about a million random weights, offline: for trials without a GPU.

    python -m refine_iqa_train tiny --out models/tiny --family qwen2_5_vl
    """
    from refine_iqa_train.monitoring.console import quiet_libraries
    from refine_iqa_train.training.tiny_model import save_tiny_model

    quiet_libraries()
    weights = save_tiny_model(out, family, seed)
    _say({"out": str(out), "family": family, "weights": weights}, f"{out}: {family}, {weights:,} weights", as_json)


@app.command("mock-ratings", rich_help_panel="Prepare")
def mock_ratings(
    data: Annotated[Path, typer.Option(help="A data set made by distortlab.")],
    out: Annotated[Path, typer.Option(help="A new folder for the images and their made-up scores.")],
    as_json: Json = False,
) -> None:
    """Make up ratings from the severity of distortions, to try stage 2 without a rated set.

    python -m refine_iqa_train mock-ratings --data data/ --out rated/
    """
    from refine_iqa_train.data.mock_ratings import mock_ratings as make

    counts = make(data, out)
    _say({"out": str(out), **counts}, f"{out}: " + ", ".join(f"{n:,} {split}" for split, n in counts.items()), as_json)


@app.command(context_settings=KEYS, rich_help_panel="Prepare")
def check(
    context: typer.Context,
    config: ConfigFile,
    stage: Annotated[
        str, typer.Option(help="sft | stage1 | stage2; from the name of the configuration if it tells.")
    ] = "",
    gpu_gib: Annotated[float | None, typer.Option(help="Memory of a GPU: says whether the run should fit.")] = None,
    as_json: Json = False,
) -> None:
    """A dry run: configuration, data, every image, one batch, rewards, token counts, an estimate of memory.

    python -m refine_iqa_train check --config recipes/stage1-qwen3-vl-4b.yaml --gpu-gib 80
    """
    from refine_iqa_train.config.loading import load_config
    from refine_iqa_train.config.overrides import parse_overrides
    from refine_iqa_train.training.dry_run import dry_run, format_findings, resolve_stage

    loaded = load_config(config, parse_overrides(context.args))
    found = dry_run(loaded, resolve_stage(stage, config, loaded), gpu_gib)
    _say(found, format_findings(found), as_json)


@app.command(rich_help_panel="Review")
def merge(
    run: Annotated[str, typer.Argument(help="A run with adapters (LoRA): its folder, or a name on the Hub.")],
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    as_json: Json = False,
) -> None:
    """Write the model with its adapters merged in, and its processor, as a model of its own.

    python -m refine_iqa_train merge runs/stage2-lora --out models/refined
    """
    from refine_iqa_train.monitoring.console import quiet_libraries
    from refine_iqa_train.training.weights import merge_run

    quiet_libraries()
    adapter = merge_run(run, out)
    _say(
        {"out": str(out), "base": adapter.base, "adapters": run}, f"{out}: {adapter.base} with {run} merged in", as_json
    )


@app.command(rich_help_panel="Review")
def scores(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    as_json: Json = False,
) -> None:
    """Held-out scores of runs, before training and after.

    python -m refine_iqa_train scores runs/stage1-qwen3-vl-4b runs/stage2-qwen3-vl-4b
    """
    from refine_iqa_train.monitoring.results import format_table, read_controls, read_scores

    found = {str(run): read_scores(run) for run in runs}
    controls = {str(run): names for run in runs if (names := read_controls(run))}
    marks = {run: {"controls": names} for run, names in controls.items()}
    values = {run: {**scores, **marks.get(run, {})} for run, scores in found.items()}
    _say(values, format_table(found, controls), as_json)


@app.command(rich_help_panel="Review")
def export(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs, finished or stopped.")],
    form: Annotated[str, typer.Option("--format", help="csv | wandb.")] = "csv",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The CSV file; the console unless given.", show_default=False)
    ] = None,
) -> None:
    """Export what runs logged: CSV, a line for each step, or a run at W&B (offline with WANDB_MODE=offline).

    python -m refine_iqa_train export runs/stage1 runs/stage2 -o curves.csv
    python -m refine_iqa_train export runs/stage1 --format wandb
    """
    from distortlab.core.errors import UserError, describe_unknown
    from distortlab.storage.atomic import write_text
    from refine_iqa_train.monitoring.history import FORMATS, export_to_wandb, format_history, read_history

    if form not in FORMATS:
        raise UserError(describe_unknown("format", form, FORMATS))
    if form == "wandb":
        if out is not None:
            raise UserError("--format wandb writes no file: leave --out out")
        for run in runs:
            typer.echo(f"{run}: {export_to_wandb(run)}")
        return
    text = format_history({str(run): read_history(run) for run in runs})
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    typer.echo(f"wrote {out}")


@app.command(rich_help_panel="Review")
def card(
    model: Annotated[Path, typer.Argument(help="The folder of a trained model.")],
    runs: Annotated[list[str], typer.Argument(help="Runs of refine-bench with this model.")],
    hub_set: Annotated[
        list[str] | None,
        typer.Option(help="SET=USER/NAME[#TASK]: a benchmark of the Hub, for .eval_results/; may be given again."),
    ] = None,
) -> None:
    """Put scores by refine-bench into the card of a trained model: a table, and model-index for the Hub.

    python -m refine_iqa_train card runs/stage2 bench/ours-koniq bench/ours-spaq
    """
    from refine_iqa_train.training.benchmark_card import add_benchmarks

    for path in add_benchmarks(model, runs, hub_set or []):
        typer.echo(f"wrote {path}")


def _train(stage: str, config: str, context: typer.Context) -> None:
    from refine_iqa_train.config.loading import load_config
    from refine_iqa_train.config.overrides import parse_overrides

    loaded = load_config(config, parse_overrides(context.args))
    from refine_iqa_train.training.train import (
        train,  # what is wrong with the configuration is said before this takes its time
    )

    train(loaded, stage)


def _say(values: Mapping[str, object], text: str, as_json: bool) -> None:
    import json

    typer.echo(json.dumps(values, indent=1) if as_json else text)


def fail(sentence: str, code: int) -> NoReturn:
    """End with a sentence and an exit code; of several processes only the first one speaks."""
    if os.environ.get("RANK", "0") == "0":
        typer.echo(f"refine_iqa_train: {sentence}", err=True)
    raise SystemExit(code)


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    run_program(
        app,
        fail,
        stopped="stopped; the same command goes on from the last checkpoint",
        optional=("torch", "transformers", "trl", "accelerate", "datasets", "peft", "yaml", "scipy"),
        missing="{} is not installed; pip install 'refine-iqa[train]'",
    )
