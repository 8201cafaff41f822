"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from distortlab.core.program import create_app, run_program
from refine_bench.cli.sensitivity import measure_sensitivity

__all__ = ["main"]

app = create_app(
    "refine-bench",
    "refine-bench",
    "Score image-quality models, so that the numbers can be believed and repeated.",
    "refine-bench run --model ssim --on local:data/   ·   refine-bench score runs/x   ·   "
    "refine-bench report runs/* -o report.html",
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
Data = Annotated[Path | None, typer.Option(help="Folder that holds the sets.", show_default=False)]


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    run_program(
        app,
        _fail,
        stopped="stopped; the same command goes on from here",
        optional=("scipy", "jinja2", "httpx", "openpyxl"),
        missing="this needs {}: pip install 'refine-iqa[bench]'",
    )


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(f"refine-bench: {sentence}", err=True)
    raise SystemExit(code)


@app.command("list", rich_help_panel="Ask")
def list_all(data: Data = None, as_json: Json = False) -> None:
    """Sets, protocols, models, and what is found on disk.

    refine-bench list --data ~/iqa
    """
    from refine_bench.cli.listing import collect_listing, print_listing
    from refine_bench.cli.printing import print_json

    found = collect_listing(data)
    print_json(found) if as_json else print_listing(found)


@app.command(rich_help_panel="Ask")
def fetch(
    sets: Annotated[
        list[str] | None,
        typer.Argument(help="Names, blanks between; none lists what there is.", show_default=False),
    ] = None,
    data: Data = None,
    accept_license: Annotated[
        bool, typer.Option("--accept-license", help="The licenses were read, and are accepted.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched, and how large it is.")] = False,
    origin: Annotated[
        str | None, typer.Option("--from", help="mirror | official: places of one kind only.", show_default=False)
    ] = None,
    archives: Annotated[
        Path | None, typer.Option(help="A folder with archives that are here already.", show_default=False)
    ] = None,
    keep: Annotated[bool, typer.Option("--keep-archives", help="Archives stay when they are unpacked.")] = False,
    any_labels: Annotated[
        bool, typer.Option("--any-labels", help="Take labels whose hash is not the known one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch rated sets: sizes and licenses first, then downloads that go on where they were, unpacked and checked.

    refine-bench fetch koniq spaq kadid --data ~/iqa
    refine-bench fetch kadid --data ~/iqa --dry-run
    refine-bench fetch koniq --data ~/iqa --archives ~/downloads --accept-license
    """
    from refine_bench.cli.fetching import print_sources, run_fetch

    if not sets:
        print_sources(as_json)
        return
    run_fetch(
        sets,
        data,
        accepted=accept_license,
        dry_run=dry_run,
        origin=origin,
        archives=archives,
        options={"keep": keep, "any_labels": any_labels, "quiet": as_json},
    )


@app.command(rich_help_panel="Ask")
def run(
    model: Annotated[
        str, typer.Option(help="ssim | constant | openai:URL#NAME | a Hugging Face name (refine-bench list).")
    ],
    on: Annotated[str, typer.Option(help="Sets with commas between: koniq,spaq:2224,qbench-a1,local:data/")],
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; runs/MODEL unless given.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the model is called in reports; may change later.", show_default=False)
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="How to ask; the set's usual one unless given.", show_default=False)
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Answers per question, averaged.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many items.", show_default=False)] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="k/N: every N-th item from the k-th; then refine-bench merge.", show_default=False),
    ] = None,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Ask multiple choice in every order of its options.")
    ] = False,
    reader: Annotated[
        str, typer.Option(help="auto | logits | text: from log-probabilities where the model gives them, or the text.")
    ] = "auto",
    concurrency: Annotated[int, typer.Option(min=1, help="Requests under way at an endpoint.")] = 32,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds before a request is tried again.")] = 300.0,
    batch: Annotated[int, typer.Option(min=1, help="Questions at once, on this machine.")] = 8,
    device: Annotated[str | None, typer.Option(help="cuda, cuda:1, cpu.", show_default=False)] = None,
    dtype: Annotated[str | None, typer.Option(help="bfloat16, float16, float32.", show_default=False)] = None,
    min_pixels: Annotated[
        int | None, typer.Option(help="Least pixels an image is shown with.", show_default=False)
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option(help="Most pixels an image is shown with.", show_default=False)
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads for measures.", show_default=False)] = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html beside the scores.")] = True,
    as_json: Json = False,
) -> None:
    """Answer, score and report. The same command goes on where it was.

    refine-bench run --model ssim --on local:data/
    refine-bench run --model Qwen/Qwen3-VL-4B-Instruct --on koniq,spaq,qbench-a1 --data ~/iqa
    refine-bench run --model openai:http://localhost:8000/v1#my-model --on local:data/
    """
    from refine_bench.cli.printing import print_json, print_run
    from refine_bench.cli.run_all import Options, run_all

    options = Options(
        protocol=protocol,
        samples=samples,
        limit=limit,
        shard=shard,
        shuffle=shuffle,
        reader=reader,
        name=name,
        report=report,
        quiet=as_json,
        model={
            "concurrency": concurrency,
            "timeout": timeout,
            "batch": batch,
            "device": device,
            "dtype": dtype,
            "min_pixels": min_pixels,
            "max_pixels": max_pixels,
            "workers": workers,
        },
    )
    scores = run_all(model, [word for word in on.split(",") if word], data, out, options)
    print_json(scores) if as_json else print_run(scores)


app.command("sensitivity", rich_help_panel="Ask")(measure_sensitivity)


@app.command(rich_help_panel="Ask")
def merge(
    runs: Annotated[list[Path], typer.Argument(help="Runs of one model.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder.")],
) -> None:
    """Put runs of one model together: parts of a set, or other sets.

    refine-bench merge runs/a runs/b -o runs/both
    """
    from refine_bench.runs.merge import merge_runs as put_together

    found = put_together(runs, out)
    typer.echo(f"{out}: {found:,} answers of {len(runs)} runs; refine-bench score {out}")


@app.command(rich_help_panel="Score")
def score(
    run: Annotated[Path | None, typer.Argument(help="A run folder.", show_default=False)] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Outputs made elsewhere: JSON, JSONL, CSV, lines of 'name score', Parquet.", show_default=False
        ),
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
    name: Annotated[str | None, typer.Option(help="What the model is called from now on.", show_default=False)] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Score a run again from its saved answers, or outputs made elsewhere.

    refine-bench score runs/x
    refine-bench score --predictions outputs.json --on koniq --protocol qbench-a3 --json
    """
    from distortlab.core.errors import UserError
    from refine_bench.cli.printing import print_json, print_run, print_scores
    from refine_bench.runs.store import Run
    from refine_bench.scoring.run import score_run
    from refine_bench.scoring.score_predictions import score_predictions

    if predictions is not None and on is not None and run is None:
        found = score_predictions(predictions, on, data, protocol, reader=reader, name=name)
        print_json(found) if as_json else print_scores(found)
        return
    if run is None or predictions is not None or on is not None:
        raise UserError("name a run folder, or --predictions with --on")
    if protocol is not None:
        raise UserError("a run was asked under its own protocol; --reader reads its answers otherwise")
    if name is not None:
        Run(run).rename(name)
    scores = score_run(run, reader=reader)
    print_json(scores) if as_json else print_run(scores)


@app.command(rich_help_panel="Score")
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two runs or more.")],
    as_json: Json = False,
) -> None:
    """Paired tests on the items that runs share: Williams, Meng, McNemar, jackknife by reference; Holm's correction.

    refine-bench compare runs/a runs/b
    """
    from refine_bench.cli.printing import print_comparison, print_json
    from refine_bench.scoring.compare import compare_runs

    found = compare_runs(runs)
    print_json(found) if as_json else print_comparison(found)


@app.command(rich_help_panel="Score")
def report(
    runs: Annotated[list[Path], typer.Argument(help="Runs.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A file: .html, .md, .csv or .tex; report.html, or a table on the console."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="html | markdown | csv | latex | model-index | eval-results (cards, YAML)."),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="RUN=NAME: what a model is called here; may be given again.")
    ] = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="95 % intervals in the table.")] = False,
    per_set: Annotated[
        bool, typer.Option("--per-set", help="A table of all numbers for each set, not one over all sets.")
    ] = False,
    people: Annotated[
        list[Path] | None,
        typer.Option(help="Scores of people by distortlab study --score -o FILE; a line beside the models."),
    ] = None,
    hub_set: Annotated[
        list[str] | None,
        typer.Option(
            help="SET=USER/NAME[#TASK]: the data set of the Hub that a set is, for cards; may be given again."
        ),
    ] = None,
) -> None:
    """A leaderboard over runs, with plots, failures and published numbers; as a page, or as a table for a paper.

    refine-bench report runs/* -o report.html
    refine-bench report runs/* --format latex --name runs/a=Ours
    refine-bench report runs/* --people people.json --per-set --format markdown
    refine-bench report runs/ours --format model-index
    """
    from distortlab.storage.atomic import write_text
    from refine_bench.report import find_format, format_report, name_runs
    from refine_bench.report.model_index import read_benchmarks

    chosen = find_format(kind, out)
    text = format_report(
        runs,
        chosen,
        names=name_runs(name or [], runs),
        per_set=per_set,
        intervals=intervals,
        people=people or [],
        benchmarks=read_benchmarks(hub_set or []),
    )
    if out is None and chosen != "html":
        typer.echo(text, nl=False)
        return
    write_text(out or Path("report.html"), text)
    typer.echo(f"wrote {out or 'report.html'}")
