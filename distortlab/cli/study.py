"""The command about people: study."""

from pathlib import Path
from typing import Annotated

import typer

from distortlab.cli.app import Check, Json, app, open_and_check, show_progress

__all__ = ["study"]


@app.command(rich_help_panel="Look and check")
def study(
    folder: Annotated[Path, typer.Argument(help="A data set.")],
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES", help="With --score: more answers.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="An HTML file; with --score, a JSON file.", show_default="study.html"),
    ] = None,
    score: Annotated[
        Path | None,
        typer.Option(help="Score answers that the page downloaded: files, or a folder of them.", show_default=False),
    ] = None,
    trials: Annotated[int, typer.Option(min=4, max=2000, help="Questions to one person, training not counted.")] = 100,
    tasks: Annotated[
        str | None,
        typer.Option(help="With commas: detection,recognition,comparison,grounding.", show_default="all it allows"),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, max=60, help="How long an image stays; 0: until answered.")] = 0,
    seed: Annotated[int, typer.Option(help="Which images, in which orders.")] = 0,
    images: Annotated[int, typer.Option(min=1, max=2000, help="Distorted images to draw from.")] = 160,
    people: Annotated[int, typer.Option(min=1, max=500, help="Orders to prepare, one for each person.")] = 48,
    split: Annotated[str | None, typer.Option(help="Only this split.", show_default="all")] = None,
    max_mb: Annotated[float, typer.Option(min=1, max=500, help="Room for pictures, in MB.")] = 32,
    max_false_alarms: Annotated[
        float, typer.Option(min=0, max=1, help="With --score: who sees more where nothing is does not count.")
    ] = 0.4,
    check: Check = True,
    as_json: Json = False,
) -> None:
    """A study with people: one static page that asks, offline, and sends nothing; then scores of what it downloads.

    distortlab study data/ -o study.html --trials 60 --tasks detection,comparison
    distortlab study data/ --score answers/*.json -o people.json
    """
    from dataclasses import asdict

    from distortlab.cli.printing import print_json, print_study_page
    from distortlab.core.errors import UserError

    if score is not None:
        _score(folder, [score, *(more or [])], out, max_false_alarms, as_json)
        return
    if more:
        raise UserError(f"{more[0]} is one argument too many; answers are named after --score")
    from distortlab.visualization.study import write_study

    stored = open_and_check(folder, check, quiet=as_json)
    with show_progress("images", min(images, stored.images), quiet=as_json, after="nothing was written") as advance:
        written = write_study(
            folder,
            out or Path("study.html"),
            trials=trials,
            tasks=None if tasks is None else [name.strip() for name in tasks.split(",") if name.strip()],
            seed=seed,
            seconds=seconds,
            images=images,
            orders=people,
            split=split,
            megabytes=max_mb,
            progress=advance,
        )
    if as_json:
        print_json(asdict(written))
    else:
        print_study_page(written)


def _score(folder: Path, places: list[Path], out: Path | None, most: float, as_json: bool) -> None:
    from distortlab.analysis.study.scores import score_study
    from distortlab.analysis.study.text import print_study
    from distortlab.cli.printing import print_json
    from distortlab.storage.atomic import write_json

    found = score_study(folder, places, most_false_alarms=most)
    if out is not None:
        write_json(out, found)
    if as_json:
        print_json(found)
        return
    print_study(found)
    if out is not None:
        typer.echo(f"wrote {out}; refine-bench report RUNS --people {out} shows it beside models")
