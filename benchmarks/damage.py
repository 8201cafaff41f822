"""What noticing damage costs: python benchmarks/damage.py [IMAGES]. Medians of seven, taking turns."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.dataset.reader import open_data
from distortlab.dataset.tables import hash_footer
from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from distortlab.storage.atomic import hash_file


def main() -> None:
    """Make a data set of composed scenes, then write and read one of its files."""
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as place:
        generate(load_recipe("smoke", n=images, images_per_shard=images, splits={"train": 1.0}), "scenes", place)
        part = open_data(place).parts_of("rft")[0]
        file = Path(place) / part.path
        rows = pq.read_table(file)
        megabytes = file.stat().st_size / 1e6
        works: dict[str, Callable[[], object]] = {
            "read": lambda: pq.ParquetFile(file).read(),
            "read, page checksums": lambda: pq.ParquetFile(file, page_checksum_verification=True).read(),
            "write": lambda: _write(rows, False),
            "write, page checksums": lambda: _write(rows, True),
            "the footer's hash": lambda: _hash_footer(file),
            "SHA-256 of the whole file": lambda: hash_file(file),
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(7):
            for name, work in works.items():
                start = time.process_time()
                work()
                times[name].append(time.process_time() - start)
        print(f"{megabytes:.0f} MB")
        for name, taken in times.items():
            print(f"{name}: {statistics.median(taken) / megabytes * 1e6:.0f} ms of CPU per GB")


def _hash_footer(path: Path) -> str | None:
    with path.open("rb") as file:
        return hash_footer(file)


def _write(rows: pa.Table, checksums: bool) -> None:
    pq.write_table(
        rows, pa.BufferOutputStream(), compression="none", use_dictionary=False, write_page_checksum=checksums
    )


if __name__ == "__main__":
    main()
