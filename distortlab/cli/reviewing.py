"""Commands that look at a data set and check it: verify, sheet."""

from pathlib import Path
from typing import Annotated

import typer

from distortlab.cli.app import Json, Workers, app, bar

__all__ = ["sheet", "verify"]


@app.command(rich_help_panel="Look and check")
def verify(
    folder: Annotated[Path, typer.Argument(help="A data set.")],
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Check a data set: every file hash, every pixel hash, every recipe rendered again. Exit code 1 if any is off.

    distortlab verify data/ --workers 4
    """
    from dataclasses import asdict

    from distortlab.engines.local import default_workers
    from distortlab.printing import print_json
    from distortlab.stored import open_data
    from distortlab.verify import verify as run

    with bar("images", open_data(folder, whole=False).images, quiet=as_json) as advance:
        report = run(folder, workers=workers or default_workers(), progress=advance)
    if as_json:
        print_json(asdict(report))
    else:
        for problem in report.problems[:20]:
            typer.echo(f"wrong: {problem}")
        if len(report.problems) > 20:
            typer.echo(f"... and {len(report.problems) - 20} more")
        left = "".join(f"; not rendered: {count:,} ({why})" for why, count in report.not_rendered.items())
        typer.echo(
            f"{report.files} files, {report.images:,} images, {report.rendered:,} recipes rendered again{left}: "
            + (f"{len(report.problems)} problems" if report.problems else "all as it should be")
        )
    raise typer.Exit(1 if report.problems else 0)


@app.command(rich_help_panel="Look and check")
def sheet(
    source: Annotated[
        Path | None, typer.Argument(help="A data set; the catalogue on a photograph unless given.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="A PNG file.")] = Path("sheet.png"),
    count: Annotated[int, typer.Option(min=1, max=200, help="Images of the data set to show.")] = 20,
    seed: Annotated[int, typer.Option(help="Which images.")] = 0,
) -> None:
    """A contact sheet: a sample of a data set, or every distortion at five severities.

    distortlab sheet data/ -o sheet.png
    """
    from distortlab import gallery
    from distortlab.codecs import encode_png
    from distortlab.files import new_file

    if source:
        picture = gallery.dataset_sheet(source, count, seed=seed)
    else:
        tiles = gallery.catalogue_tiles(*gallery.sample_photograph())
        picture = gallery.sheet(tiles, columns=5, width=224, height=280)
    with new_file(out) as file:
        file.write(encode_png(picture))
    typer.echo(f"wrote {out}, {picture.shape[1]} x {picture.shape[0]}")
