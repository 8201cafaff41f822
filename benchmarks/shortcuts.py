"""What a model wins without looking, on a fresh build: `make shortcuts`."""

import argparse
import sys
import tempfile
from pathlib import Path

from distortlab import generate
from distortlab.analysis.shortcuts import measure_shortcuts
from distortlab.dataset.reader import open_data
from distortlab.recipe import default_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refs", default="scenes")
    parser.add_argument("--n", type=int, default=5_000)
    parser.add_argument("--max-side", type=int, default=384, help="of the images, px: small ones are quicker")
    parser.add_argument("--most", type=int, default=24, help="images of one reference, where there are few")
    parser.add_argument("--workers", type=int, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "data"
        recipe = default_recipe(n=given.n, max_images_per_reference=given.most, references={"max_side": given.max_side})
        account = generate(recipe, given.refs, out, workers=given.workers)
        if account.trouble:
            screened = ", ".join(f"{count:,} {reason}" for reason, count in account.counts["screened"].items())
            said = f"{account.trouble} (references screened out: {screened or 'none'}; --max-side {given.max_side})"
            print(said, file=sys.stderr) if account.images else sys.exit(said)
        found = measure_shortcuts(open_data(out))
    print(f"{found.images:,} images from {given.refs}")
    for row in found.rows:
        chance = f"chance {row.chance:.3f} ± {row.margin:.3f}{'   above' if row.leak else ''}"
        print(f"{row.task:22} {row.sees:60} {row.questions:6,} {row.score:.3f}   {chance}")
    if found.leaks:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
