"""Record what every distortion makes of the photograph, over a grid of 6 x 6 blocks.

    python tests/goldens/record_goldens.py              # rows with another version or other ladders, and new ones
    python tests/goldens/record_goldens.py --check      # nothing is written; says what would be

A row whose pixels changed while its version did not is refused: raise `version` in its table first. Names and versions
are what a data set carries, so a change of behaviour under the same version would go unseen. A ladder may change under
the same version, because data carry the settings: what is checked then is that the old ones still give the old pixels.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from samples import PROFILES, blob, edit_of, photograph

from distortlab.distortions.base import Distortion, Profile
from distortlab.distortions.catalog import CATALOG
from distortlab.distortions.edit import render_edit

FILE = Path(__file__).parent / "block_means.json"
GRID = 6
# Levels. Codecs and median cut belong to libraries, whose next version may round or decide otherwise.
TOLERANCE = 0.5
TOLERANCES = {
    "compression.jpeg2000": 2.0,
    "compression.webp": 2.0,
    "compression.jpeg": 1.0,
    "quantization.palette": 1.0,
}

Record = dict[str, Any]


def block_means(row: Distortion, profile: Profile, amount: float) -> NDArray[np.float64]:
    """(6, 6, 4): the means of R, G and B, and of how far a value moved, which tells one blur from another.

    Of the photograph with its blob distorted, at scale 1 with feather 2.
    """
    image = photograph()
    edit = edit_of(row, 1, blob(image.shape[:2]), feather=2, profile=profile)
    out = image.copy()
    out[edit.bbox.slices] = render_edit(image, dataclasses.replace(edit, amount=amount))
    moved = cv2.absdiff(out, image).mean(axis=2, dtype=np.float32)
    planes = cv2.merge([*cv2.split(out.astype(np.float32)), moved])
    return cv2.resize(planes, (GRID, GRID), interpolation=cv2.INTER_AREA)


def ladders(row: Distortion) -> dict[str, list[float]]:
    """The settings of each profile that a row has."""
    return {profile: list(ladder.values) for profile in PROFILES if (ladder := row.get_ladder(profile))}


def record(row: Distortion, amounts: dict[str, list[float]] | None = None) -> Record:
    """All settings of both profiles, in whole tenths of a level."""
    amounts = amounts or ladders(row)
    out: Record = {"version": row.version, "amounts": amounts}
    for profile, values in amounts.items():
        means = np.stack([block_means(row, profile, amount) for amount in values])
        out[profile] = np.rint(means.reshape(len(values), -1) * 10).astype(int).tolist()
    return out


def load() -> dict[str, Record]:
    """What is on file: {name: {version, amounts, matched, dq}}."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def complaint(row: Distortion, known: dict[str, Record]) -> str | None:
    """What is wrong between a row and its record, or None."""
    again = "python tests/goldens/record_goldens.py"
    if row.name not in known:
        return f"{row.name} has no goldens: {again}"
    old = known[row.name]
    if old["version"] != row.version:
        return (
            f"{row.name} is version {row.version}, its goldens are of version {old['version']}: record again, {again}"
        )
    new = record(row, old["amounts"])
    off = max(np.abs(np.subtract(new[p], old[p])).max() / 10 for p in old["amounts"])
    if off > TOLERANCES.get(row.name, TOLERANCE):
        return (
            f"{row.name} differs from its goldens by {off:.1f} levels: undo the change, or raise `version` and {again}"
        )
    if ladders(row) != old["amounts"]:
        return f"{row.name} has another ladder than its goldens: record again, {again}"
    return None


def main(check: bool) -> int:
    known, rows = load(), {row.name: row for row in CATALOG}
    texts = {row.name: complaint(row, known) for row in CATALOG}
    wrong = [text for text in texts.values() if text and "undo the change" in text]
    fresh = [row for row in CATALOG if (text := texts[row.name]) and text not in wrong]
    gone = sorted(known.keys() - rows.keys())
    for line in [*wrong, *(f"to record: {row.name}" for row in fresh), *(f"to drop: {name}" for name in gone)]:
        print(line)  # noqa: T201
    if wrong or check:
        return int(bool(wrong or fresh or gone))
    made = {row.name: record(row) if row in fresh else known[row.name] for row in CATALOG}
    FILE.parent.mkdir(exist_ok=True)
    lines = [f" {json.dumps(name)}: {json.dumps(made[name], separators=(',', ':'))}" for name in made]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
