"""Commands that look at a data set and check it: verify, stats."""

from pathlib import Path
from typing import Annotated

import typer

from distortlab.cli.app import Check, Json, Workers, app, open_and_check, read_share, show_progress

__all__ = ["stats", "verify"]


@app.command(rich_help_panel="Look and check")
def verify(
    folder: Annotated[str, typer.Argument(help="A data set or an archive: a folder, or a URL (s3://bucket/prefix).")],
    sample: Annotated[
        str | None,
        typer.Option(help="Open only so many pictures: a number, or a share such as 0.1 or 10%.", show_default="all"),
    ] = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Check a data set: files, rows, every recipe rendered again, splits, balance. Exit code 1 if anything is off.

    distortlab verify data/ --workers 4
    distortlab verify data/ --sample 5%
    """
    from dataclasses import asdict

    from distortlab.cli.printing import print_json, print_report
    from distortlab.core.workers import count_processors
    from distortlab.verification.verify import count_images
    from distortlab.verification.verify import verify as run

    share = read_share(sample)
    total = count_images(folder)
    with show_progress("images", total, quiet=as_json, after="nothing was found out") as advance:
        report = run(folder, workers=workers or count_processors(), sample=share, progress=advance)
    if as_json:
        print_json(asdict(report))
    else:
        print_report(report)
    raise typer.Exit(1 if report.problems else 0)


@app.command(rich_help_panel="Look and check")
def stats(
    folder: Annotated[Path, typer.Argument(help="A data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")] = Path("stats"),
    split: Annotated[str | None, typer.Option(help="Only this split.", show_default="all")] = None,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Write pictures.")] = True,
    check: Check = True,
    as_json: Json = False,
) -> None:
    """What a data set holds, and what is out of balance: tables here, pictures in a folder.

    distortlab stats data/ -o stats/
    distortlab stats data/ --split validation --no-plots
    """
    from distortlab.analysis import findings, tables
    from distortlab.analysis.plots.style import import_matplotlib
    from distortlab.analysis.plots.write import write_plots
    from distortlab.analysis.statistics import collect_statistics
    from distortlab.cli.printing import print_json

    stored = open_and_check(folder, check, quiet=as_json)
    if plots:
        import_matplotlib()
    with show_progress("images", stored.count("images", split), quiet=as_json, after="nothing was written") as advance:
        found = collect_statistics(stored, split, advance)
    checks = findings.check_balance(found)
    sentences = findings.list_findings(found, checks)
    written = write_plots(found, out) if plots else []
    if as_json:
        print_json({**tables.statistics_to_dict(found, checks, sentences), "pictures": [str(path) for path in written]})
        return
    tables.print_statistics(found, checks, sentences)
    if written:
        typer.echo(f"wrote {len(written)} pictures into {out}")
