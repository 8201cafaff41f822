"""Commands that show: view, sheet, gallery."""

from pathlib import Path
from typing import Annotated

import typer

from distortlab.cli.app import Check, Json, Profile, app, open_and_check, read_box, show_progress

__all__ = ["gallery", "sheet", "view"]

Edits = Annotated[
    list[int] | None, typer.Option(help="Only images with so many distortions, 0 for pristine; may be given again.")
]


@app.command(rich_help_panel="Look and check")
def view(
    folder: Annotated[Path, typer.Argument(help="A data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="An HTML file.")] = Path("view.html"),
    sample: Annotated[int, typer.Option(min=1, max=1000, help="Images to show.")] = 60,
    seed: Annotated[int, typer.Option(help="Which images.")] = 0,
    family: Annotated[list[str] | None, typer.Option(help="Only this family; may be given again.")] = None,
    severity: Annotated[list[int] | None, typer.Option(help="Only this severity; may be given again.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only images asked about in this task.")] = None,
    edits: Edits = None,
    min_visibility: Annotated[float | None, typer.Option(help="Only regions with at least this V.")] = None,
    max_visibility: Annotated[float | None, typer.Option(help="Only regions with at most this V.")] = None,
    max_mb: Annotated[float, typer.Option(min=1, max=500, help="Room for pictures, in MB.")] = 32,
    check: Check = True,
    as_json: Json = False,
) -> None:
    """One static page over a sample of a data set: image and reference, regions, questions, recipes. Works offline.

    distortlab view data/ -o view.html
    distortlab view data/ -o faint.html --family blur --family noise --max-visibility 2
    """
    from dataclasses import asdict

    from distortlab.cli.printing import print_json, print_view
    from distortlab.dataset.selection import Filter
    from distortlab.visualization.viewer import write_page

    wanted = Filter(family or (), severity or (), task or (), min_visibility, max_visibility, edits or ())
    stored = open_and_check(folder, check, quiet=as_json)
    with show_progress("images", min(sample, stored.images), quiet=as_json, after="nothing was written") as advance:
        written = write_page(folder, out, sample=sample, seed=seed, wanted=wanted, megabytes=max_mb, progress=advance)
    if as_json:
        print_json(asdict(written))
    else:
        print_view(written)


@app.command(rich_help_panel="Look and check")
def sheet(
    folder: Annotated[Path, typer.Argument(help="A data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A PNG file.")] = Path("sheet.png"),
    count: Annotated[int, typer.Option(min=1, max=200, help="Images to show.")] = 20,
    seed: Annotated[int, typer.Option(help="Which images.")] = 0,
    edits: Edits = None,
    check: Check = True,
) -> None:
    """A contact sheet of a data set: a sample of its images, regions outlined. (The distortions: distortlab gallery.)

    distortlab sheet data/ -o sheet.png
    distortlab sheet data/ -o sets.png --edits 2 --edits 3
    """
    from distortlab.dataset.selection import Filter
    from distortlab.visualization.contact_sheet import draw_dataset_sheet
    from distortlab.visualization.tiles import write_sheet

    open_and_check(folder, check)
    picture = draw_dataset_sheet(folder, count, seed=seed, wanted=Filter(edits=edits or ()))
    write_sheet(out, picture)
    typer.echo(f"wrote {out}, {picture.shape[1]} x {picture.shape[0]}")


@app.command(rich_help_panel="Look and check")
def gallery(
    out: Annotated[Path, typer.Option("--out", "-o", help="A PNG file.")] = Path("gallery.png"),
    image: Annotated[Path | None, typer.Option(help="A picture; a portrait that comes along unless given.")] = None,
    box: Annotated[str | None, typer.Option(help="x1,y1,x2,y2 in pixels: what is distorted.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A picture of the same size; all but black is distorted.")] = None,
    family: Annotated[list[str] | None, typer.Option(help="Only this family; may be given again.")] = None,
    profile: Annotated[Profile, typer.Option(help="Which ladder: matched, or DepictQA's.")] = Profile.matched,
) -> None:
    """Every distortion at five severities on one photograph, with its settings and how visible it came out.

    distortlab gallery -o gallery.png
    distortlab gallery --image photo.jpg --box 40,60,300,280 --family blur --family noise -o gallery.png
    """
    from distortlab.visualization.gallery import draw_catalog_sheet, load_photograph, render_steps, select_rows
    from distortlab.visualization.tiles import write_sheet

    rows = select_rows(family or (), profile.value)
    shown = load_photograph(image, mask, read_box(box))
    picture = draw_catalog_sheet(*shown, list(render_steps(*shown, rows, profile.value)))
    write_sheet(out, picture)
    typer.echo(f"wrote {out}, {picture.shape[1]} x {picture.shape[0]}")
