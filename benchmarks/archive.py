"""How large an archive of patches is, next to the data set in full: python benchmarks/archive.py [REFS] [IMAGES]

REFS as for distortlab generate (scenes unless given). Prints a table in Markdown; sizes are exact and repeatable.
"""

import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from distortlab.core.image import Image
from distortlab.dataset.archive import ArchiveShard
from distortlab.dataset.layout import ARCHIVE
from distortlab.dataset.patches import decode_regions, encode_patch
from distortlab.generation.generate import generate
from distortlab.imaging.encode import encode_png, encode_webp
from distortlab.recipe import default_recipe

PATCHES = ("box, PNG", "box, WebP", "box, WebP, black outside the region (what is stored)", "box, WebP with alpha")


def main(refs: str = "scenes", images: str = "160") -> None:
    """Make both, and look into the archive."""
    recipe = default_recipe(n=int(images))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        generate(recipe, refs, root / "full", workers=1)
        generate(recipe, refs, root / "patch", workers=1, store="patch")
        rows = [
            ("full: `images` and `rft`, as generated", _size(root / "full")),
            ("full: `images` alone (what differs, for a store that shares equal parts)", _size(root / "full/images")),
            ("archive", _size(root / "patch")),
            ("archive: references", _size(root / "patch/references")),
            *_measure_variants(root / "patch"),
        ]
    print(f"| {recipe.n} images from {refs.partition(':')[0]} | KiB/image | full / this |\n|---|---|---|")
    for what, size in rows:
        print(f"| {what} | {size / 1024 / recipe.n:.1f} | {rows[0][1] / size:.1f} |")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if "_distortlab" not in path.parts and path.is_file())


def _measure_variants(archive: Path) -> list[tuple[str, int]]:
    """The bytes of all patches, stored in one way or another."""
    sizes = np.zeros(len(PATCHES), np.int64)
    for path in sorted((archive / "patches").iterdir()):
        shard = ArchiveShard(path.name, *(archive / kind / path.name for kind in ARCHIVE.tables))
        for item in shard:
            image, box = shard.image(item)
            piece, regions = np.ascontiguousarray(image[box.slices]), decode_regions(item.row)
            stored = encode_patch(image, regions)
            alpha = _encode_with_alpha(piece, np.asarray(Pillow.open(io.BytesIO(stored))))
            sizes += [len(encode_png(piece)), len(encode_webp(piece)), len(stored), len(alpha)]
    return [(f"patches alone: {name}", int(size)) for name, size in zip(PATCHES, sizes, strict=True)]


def _encode_with_alpha(piece: Image, stored: Image) -> bytes:
    """Outside the region transparent black: the mask in the file itself."""
    inside = (stored == piece).all(axis=2)
    out = io.BytesIO()
    rgba = np.dstack([stored, np.where(inside, 255, 0).astype(np.uint8)])
    Pillow.fromarray(rgba, "RGBA").save(out, "WEBP", lossless=True, method=0, quality=0, exact=True)
    return out.getvalue()


if __name__ == "__main__":
    main(*sys.argv[1:])
