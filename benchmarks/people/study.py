"""Does V agree with people? KADID-10k's distortions made on photographs, against its human scores: docs/people.md.

    python benchmarks/people/study.py --refs coco:annotations/instances_val2017.json,val2017

`--refs` are photographs; those near 4:3 are taken, `--photographs` of them. `--measured FILE.npz` keeps what was
measured, or starts from it and measures V only. FLIP and cvvdp are measured on `--slow` photographs, where installed.
"""

import argparse
from pathlib import Path

from cells import MEASURED, Measured, load_measured, measure_cells, merge_measured, save_measured, write_means
from measures import NAMES
from page import describe_agreement, write_page
from photographs import load_photographs
from summary import compare_measures

ROOT = Path(__file__).parents[2]


def load_or_measure(arguments: argparse.Namespace) -> Measured:
    """Measure V, which changes, and what the file of measurements does not hold."""
    file: Path | None = arguments.measured
    kept = load_measured(file) if file and file.exists() else None
    names = [name for name in NAMES if kept is None or name not in kept.values or name == "V"]
    photographs = load_photographs(arguments.refs, arguments.photographs)
    if kept and list(kept.photographs) != list(photographs):
        raise SystemExit(f"{file} was measured on other photographs: remove it, or name the same --refs")
    measured = measure_cells(photographs, names, arguments.slow, arguments.workers)
    if kept:
        measured = merge_measured(kept, measured)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_measured(measured, file)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", action="append", required=True, help="as for distortlab generate; may be given again")
    parser.add_argument("--photographs", type=int, default=40)
    parser.add_argument("--slow", type=int, default=4, help="photographs for measures that take long")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--measured", type=Path, help="an .npz file of measurements to keep, or to start from")
    parser.add_argument("--note", default="", help="a sentence for the page: which photographs these were")
    parser.add_argument("--means", type=Path, default=MEASURED, help="where the mean V of every cell goes, as CSV")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where people.md and images/ go")
    arguments = parser.parse_args()
    measured = load_or_measure(arguments)
    write_means(measured, arguments.means)
    rows = compare_measures(measured)
    write_page(measured, rows, arguments.docs, arguments.note)
    print(describe_agreement(rows))
    print(f"\nwritten: {arguments.docs / 'people.md'}")


if __name__ == "__main__":
    main()
