"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

__all__ = ["main"]

app = typer.Typer(
    name="distortlab",
    help="Local distortions of images, and data sets of them.",
    epilog="Examples: distortlab generate --n 200 --out data/   ·   distortlab list   ·   "
    "distortlab distort photo.jpg --as blur.gaussian --severity 4 --box 40,60,300,280 -o out.png",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Profile(StrEnum):
    matched = "matched"
    dq = "dq"


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; all processors unless given.", show_default=False)]


@app.command()
def generate(
    n: Annotated[int | None, typer.Option("--n", help="Images to make; as in the recipe unless given.")] = None,
    refs: Annotated[
        str, typer.Option(help="scenes (built in) | coco:FILE.json,FOLDER | folder:FOLDER: the clean images.")
    ] = "scenes",
    out: Annotated[Path, typer.Option(help="Folder of the data set.")] = Path("data"),
    recipe: Annotated[
        str, typer.Option(help="A TOML file, or the name of a recipe that comes with the package.")
    ] = "refine-perception-20k",
    seed: Annotated[int | None, typer.Option(help="Another seed gives another data set.")] = None,
    workers: Workers = None,
    shard: Annotated[
        str | None, typer.Option(help="k/N: make only the k-th of N parts; run without it to finish.")
    ] = None,
    references: Annotated[bool, typer.Option("--references/--no-references", help="Store the clean images.")] = True,
    max_failures: Annotated[
        float | None, typer.Option(help="Share of unusable references above which the exit code is 3.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Start again where another data set is.")] = False,
    as_json: Json = False,
) -> None:
    """Make a data set of locally distorted images and questions about them, or go on with one.

    Run the same command again after any interruption: what is done stays done.

        distortlab generate --n 20907 --refs coco:annotations/instances_train2017.json,train2017 --out data/
        distortlab generate --n 200 --recipe smoke --out demo/
    """
    from dataclasses import asdict

    from distortlab.dataset import generate as run
    from distortlab.printing import print_account, print_json
    from distortlab.recipe import load_recipe

    given = {"n": n, "seed": seed, "max_failures": max_failures, "keep_references": references and None}
    changes = {key: value for key, value in given.items() if value is not None}
    plan = load_recipe(recipe, **changes)
    if sys.stderr.isatty() and not as_json:
        typer.echo(f"references: {refs}", err=True)  # a large annotation file takes half a minute
    with _bar("images", plan.n, quiet=as_json) as advance:
        account = run(plan, refs, out, workers=workers, shard=_shard(shard), overwrite=overwrite, progress=advance)
    if as_json:
        print_json({**asdict(account), "trouble": account.trouble})
    else:
        print_account(account)
    if account.finished and account.trouble:
        _fail(account.trouble, 3)


@app.command("list")
def list_distortions(
    profile: Annotated[_Profile, typer.Option(help="Which ladder: matched, or DepictQA's.")] = _Profile.matched,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    as_json: Json = False,
) -> None:
    """Families and variants with their ladders, units and sources.

    distortlab list --family blur --profile dq
    """
    from distortlab.catalog import CATALOG, FAMILIES
    from distortlab.errors import UserError, unknown
    from distortlab.printing import print_json, print_ladders, row_values

    if family is not None and family not in FAMILIES:
        raise UserError(unknown("family", family, FAMILIES))
    rows = [row for row in CATALOG if family in (None, row.family)]
    if as_json:
        print_json([row_values(row) for row in rows])
    else:
        print_ladders(rows, profile.value)


@app.command()
def distort(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    name: Annotated[str, typer.Option("--as", help="A distortion, e.g. blur.gaussian (distortlab list).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write: .png or .webp, both lossless.")],
    severity: Annotated[int, typer.Option(help="1 (slight) to 5 (extreme).")] = 3,
    box: Annotated[str | None, typer.Option(help="x1,y1,x2,y2 in pixels; the whole image unless given.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A picture of the same size; all but black is distorted.")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    profile: Annotated[_Profile, typer.Option(help="Which ladder: matched, or DepictQA's.")] = _Profile.matched,
    amount: Annotated[float | None, typer.Option(help="The dial itself, in its unit, instead of a severity.")] = None,
    as_json: Json = False,
) -> None:
    """Distort a picture, or a part of it.

    distortlab distort photo.jpg --as blur.gaussian --severity 4 --box 40,60,300,280 -o out.png
    """
    import numpy as np

    from distortlab.codecs import CODECS
    from distortlab.edit import distort as run
    from distortlab.errors import UserError, unknown
    from distortlab.files import new_file
    from distortlab.printing import print_edit
    from distortlab.reading import read_image

    codec = out.suffix.lower().lstrip(".")
    if codec not in CODECS:
        raise UserError(unknown("lossless format", codec, CODECS, f"the ending of {out}"))
    area = None if mask is None else np.asarray(read_image(mask).any(axis=2))
    result = run(
        read_image(image),
        name,
        severity,
        mask=area,
        box=_box(box),
        seed=seed,
        profile=profile.value,
        amount=amount,
    )
    with new_file(out) as file:
        file.write(CODECS[codec](result.image))
    print_edit(out, result.edit, as_json)


@app.command()
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
    from distortlab.verify import manifest_of
    from distortlab.verify import verify as run

    total = manifest_of(folder)["totals"]["images"]
    with _bar("images", total, quiet=as_json) as advance:
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


@app.command()
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


# --- reading options ------------------------------------------------------------------------------------------------


def _shard(text: str | None) -> tuple[int, int] | None:
    return None if text is None else _numbers("--shard", text, "/", "k/N, e.g. 1/3", 2)  # type: ignore[return-value]


def _box(text: str | None) -> tuple[int, int, int, int] | None:
    return None if text is None else _numbers("--box", text, ",", "x1,y1,x2,y2, e.g. 40,60,300,280", 4)  # type: ignore[return-value]


def _numbers(option: str, text: str, by: str, form: str, count: int) -> tuple[int, ...]:
    from distortlab.errors import UserError

    parts = text.split(by)
    if len(parts) != count or not all(part.strip().lstrip("-").isascii() and _whole(part) for part in parts):
        raise UserError(f"{option} {text!r} is not {form}")
    return tuple(int(part) for part in parts)


def _whole(part: str) -> bool:
    digits = part.strip().removeprefix("-")
    return digits.isdecimal() and len(digits) < 10


# --- running --------------------------------------------------------------------------------------------------------


@contextmanager
def _bar(what: str, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Progress of long work, which Ctrl-C ends with a sentence (typer would say nothing)."""
    from distortlab.errors import Interrupted
    from distortlab.progress import bar

    try:
        with bar(what, total, quiet) as advance:
            yield advance
    except KeyboardInterrupt:
        raise Interrupted("stopped; the same command goes on from here") from None


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(f"distortlab: {sentence}", err=True)
    raise SystemExit(code)


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    from distortlab.errors import UserError

    try:
        app()
    except UserError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped", 130)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None


if __name__ == "__main__":
    main()
