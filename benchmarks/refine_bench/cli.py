"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

__all__ = ["main"]

app = typer.Typer(
    name="refine-bench",
    help="Score image-quality models, so that the numbers can be believed and repeated.",
    epilog="Examples: refine-bench run --model ssim --on local:data/   ·   refine-bench score runs/x   ·   "
    "refine-bench report runs/* -o report.html",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
Data = Annotated[Path | None, typer.Option(help="Folder that holds the sets.", show_default=False)]


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    from distortlab.errors import UserError

    try:
        app()
    except UserError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped; the same command goes on from here", 130)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(f"refine-bench: {sentence}", err=True)
    raise SystemExit(code)


@app.command(rich_help_panel="Score")
def score(
    run: Annotated[Path | None, typer.Argument(help="A run folder.", show_default=False)] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Outputs made elsewhere: JSON, JSONL, CSV or Parquet.", show_default=False)
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="The set of the predictions, e.g. koniq:all.", show_default=False)
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="How the predictions were asked for (refine-bench list).", show_default=False)
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(help="Read answers otherwise: text | digits | digits-tenths | levels.", show_default=False),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Score a run again from its saved answers, or outputs made elsewhere.

    refine-bench score runs/x
    refine-bench score --predictions outputs.json --on koniq --protocol qbench-a3 --json
    """
    from distortlab.errors import UserError
    from refine_bench.printing import print_json, print_scores
    from refine_bench.scoring import score_predictions

    if predictions is not None and on is not None and run is None:
        found = score_predictions(predictions, on, data, protocol, reader=reader)
        print_json(found) if as_json else print_scores(found)
        return
    raise UserError("name a run folder, or --predictions with --on")
