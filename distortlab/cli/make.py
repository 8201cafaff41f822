"""Commands that make: generate, list, distort."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from distortlab.cli.app import Json, Profile, Workers, app, fail, read_box, read_shard, show_progress

__all__ = ["distort", "generate", "list_distortions"]


class Store(StrEnum):
    """How images lie in a data set."""

    full = "full"
    patch = "patch"


class Engine(StrEnum):
    """Who works."""

    local = "local"
    ray = "ray"


@app.command(rich_help_panel="Make")
def generate(
    n: Annotated[int | None, typer.Option("--n", help="Images to make; as in the recipe unless given.")] = None,
    refs: Annotated[
        str,
        typer.Option(
            help="scenes (built in) | coco:FILE.json,FOLDER | folder:FOLDER | hf:USER/DATASET[:SPLIT]: clean images."
        ),
    ] = "scenes",
    out: Annotated[str, typer.Option(help="Folder of the data set, or s3://bucket/prefix (any fsspec URL).")] = "data",
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
        float | None,
        typer.Option(help="Share of images not made, or references unusable, above which the code is 3."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Start again where another data set is.")] = False,
    store: Annotated[Store, typer.Option(help="full, or patch: an archive, a tenth of the size.")] = Store.full,
    engine: Annotated[Engine, typer.Option(help="Who works: processes of this machine, or a Ray cluster.")] = (
        Engine.local
    ),
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster; the one of this machine unless given.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a data set of locally distorted images and questions about them, or go on with one.

    Run the same command again after any interruption: what is done stays done.

        distortlab generate --n 20907 --refs coco:annotations/instances_train2017.json,train2017 --out data/
        distortlab generate --n 200 --recipe smoke --out demo/
        distortlab generate --shard 3/16 --out s3://bucket/data
    """
    from distortlab.cli.printing import print_account
    from distortlab.generation.generate import generate as run
    from distortlab.recipe import load_recipe

    options = {"n": n, "seed": seed, "max_failures": max_failures, "keep_references": references and None}
    changes = {key: value for key, value in options.items() if value is not None}
    plan = load_recipe(recipe, **changes)
    if sys.stderr.isatty() and not as_json:
        typer.echo(f"references: {refs}", err=True)  # a large annotation file takes half a minute
    with show_progress("images", plan.n, quiet=as_json) as advance:
        account = run(
            plan,
            refs,
            out,
            workers=workers,
            shard=read_shard(shard),
            overwrite=overwrite,
            store=store.value,
            engine=engine.value,
            address=address,
            progress=advance,
        )
    print_account(account, as_json)
    if account.finished and account.trouble:
        fail(account.trouble, 3)


@app.command("list", rich_help_panel="Make")
def list_distortions(
    profile: Annotated[Profile, typer.Option(help="Which ladder: matched, or DepictQA's.")] = Profile.matched,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    as_json: Json = False,
) -> None:
    """Families and variants with their ladders, units and sources.

    distortlab list --family blur --profile dq
    """
    from distortlab.cli.printing import describe_row, print_json, print_ladders
    from distortlab.core.errors import UserError, describe_unknown
    from distortlab.distortions.catalog import CATALOG, FAMILIES

    if family is not None and family not in FAMILIES:
        raise UserError(describe_unknown("family", family, FAMILIES))
    rows = [row for row in CATALOG if family in (None, row.family)]
    if as_json:
        print_json([describe_row(row) for row in rows])
    else:
        print_ladders(rows, profile.value)


@app.command(rich_help_panel="Make")
def distort(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    name: Annotated[str, typer.Option("--as", help="A distortion, e.g. blur.gaussian (distortlab list).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write: .png or .webp, both lossless.")],
    severity: Annotated[int, typer.Option(help="1 (slight) to 5 (extreme).")] = 3,
    box: Annotated[str | None, typer.Option(help="x1,y1,x2,y2 in pixels; the whole image unless given.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A picture of the same size; all but black is distorted.")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    profile: Annotated[Profile, typer.Option(help="Which ladder: matched, or DepictQA's.")] = Profile.matched,
    amount: Annotated[float | None, typer.Option(help="The dial itself, in its unit, instead of a severity.")] = None,
    as_json: Json = False,
) -> None:
    """Distort a picture, or a part of it.

    distortlab distort photo.jpg --as blur.gaussian --severity 4 --box 40,60,300,280 -o out.png
    """
    import numpy as np

    from distortlab.api import distort as run
    from distortlab.cli.printing import print_edit
    from distortlab.core.errors import UserError, describe_unknown
    from distortlab.imaging.decode import read_image
    from distortlab.imaging.encode import CODECS
    from distortlab.storage.atomic import new_file

    codec = out.suffix.lower().lstrip(".")
    if codec not in CODECS:
        raise UserError(describe_unknown("lossless format", codec, CODECS, f"the ending of {out}"))
    area = None if mask is None else np.asarray(read_image(mask).any(axis=2))
    result = run(
        read_image(image),
        name,
        severity,
        mask=area,
        box=read_box(box),
        seed=seed,
        profile=profile.value,
        amount=amount,
    )
    with new_file(out) as file:
        file.write(CODECS[codec](result.image))
    print_edit(out, result.edit, as_json)
