"""Small copies of the archives of mirrors, as those lay them out, and a hub and a server that have them."""

import csv
import io
import random
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import bench_samples
import pytest
from file_server import FileServer
from stand_in_hub import StandInHub

from refine_bench.fetching import plan
from refine_bench.fetching.sources import MIRROR, MIRROR_LABELS, RemoteFile, WebFile

__all__ = ["CARD", "LAYOUTS", "fill_hub", "pack_folder", "point_sources_at", "write_layout"]

CARD = b"---\nlicense: cc-by-sa-4.0\n---\n# IQA\n"
NOISE = 40_000
"""Bytes in each archive that do not shrink, so that a download can be stopped half-way."""
LAYOUTS: Mapping[str, tuple[str, str]] = {
    "koniq": ("koniq10k.tgz", "koniq10k"),
    "spaq": ("spaq.tgz", "SPAQ"),
    "kadid": ("kadid10k.tgz", "kadid10k"),
    "clive": ("live_challenge.tgz", "LIVEC"),
    "csiq": ("csiq.tgz", "CSIQ"),
    "tid2013": ("tid2013.tgz", "tid2013"),
    "live": ("live.tgz", "LIVEIQA_release2"),
    "agiqa": ("AGIQA-3K.zip", "AGIQA-3K"),
    "flive": ("flive.tgz", "FLIVE_Database"),
    "pipal": ("pipal.tar", "PIPAL"),
    "bid": ("BID.zip", "BID"),
}
"""Archive and folder in it, by the set."""


def write_layout(name: str, root: Path) -> dict[str, bytes]:
    """A set as its mirror has it; returns label files that are elsewhere, by their names."""
    bench_samples.WRITERS[name](root)
    if name == "csiq":  # one folder for all distortions, and labels in pyiqa's list
        for path in list((root / "dst_imgs").rglob("*.png")):
            path.rename(root / "dst_imgs" / path.name)
        (root / "csiq.DMOS.xlsx").unlink()
        rows = [[f"{path.name.split('.')[0]}.png", path.name, 0.5] for path in (root / "dst_imgs").glob("*.png")]
        return {"meta_info_CSIQDataset.csv": _format_csv(("ref_name", "dist_name", "dmos"), rows)}
    if name == "live":
        (root / "dmos_realigned.mat").unlink()
    elif name == "agiqa":
        return {"data.csv": _take(root / "data.csv")}
    elif name == "flive":
        for path in root.glob("*.csv"):
            path.rename(root / "database" / path.name)
    elif name == "pipal":
        (root / "Dist_Imgs").mkdir()
        for path in list(root.glob("Distortion_*/*")):
            path.rename(root / "Dist_Imgs" / path.name)
    elif name == "koniq":
        return {"koniq10k_distributions_sets.csv": _take(root / "koniq10k_distributions_sets.csv")}
    return {}


def _take(path: Path) -> bytes:
    data = path.read_bytes()
    path.unlink()
    return data


def _format_csv(header: tuple[str, ...], rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def pack_folder(folder: Path, name: str) -> bytes:
    """A folder with its own name in front, or a file, as an archive of the kind that a name says."""
    data = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(data, "w") as archive:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
                archive.write(path, path.relative_to(folder.parent))
    else:
        with tarfile.open(fileobj=data, mode="w:gz" if name.endswith("gz") else "w:") as packed:
            packed.add(folder, folder.name)
    return data.getvalue()


def fill_hub(hub: StandInHub, server: FileServer, tmp_path: Path, names: tuple[str, ...] = tuple(LAYOUTS)) -> None:
    """The mirror and its lists of labels on the hub, the label files of others on the server."""
    hub.put(MIRROR, {"README.md": CARD})
    lists = {}
    for name in names:
        archive, folder = LAYOUTS[name]
        root = tmp_path / "mirror" / folder
        elsewhere = write_layout(name, root)
        (root / "noise.bin").write_bytes(random.Random(0).randbytes(NOISE))
        hub.put(MIRROR, {archive: pack_folder(root, archive)})
        shutil.rmtree(root)
        lists |= {file: data for file, data in elsewhere.items() if file.startswith("meta_info")}
        for source in plan.SOURCES[name]:
            for extra in source.extras:
                if isinstance(extra.file, WebFile) and extra.file.name in elsewhere:
                    server.files[urlsplit(extra.file.url).path] = elsewhere[extra.file.name]
    hub.put(MIRROR_LABELS, {"README.md": CARD, **lists})


def point_sources_at(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses lead to the server, whatever their host."""

    def move(file: RemoteFile) -> RemoteFile:
        if not isinstance(file, WebFile):
            return file
        path = file.url.removeprefix(server.url) if file.url.startswith(server.url) else urlsplit(file.url).path
        return WebFile(server.url + path)

    moved = {
        name: tuple(
            replace(
                source,
                archives=tuple(map(move, source.archives)),
                extras=tuple(replace(extra, file=move(extra.file)) for extra in source.extras),
            )
            for source in sources
        )
        for name, sources in plan.SOURCES.items()
    }
    monkeypatch.setattr(plan, "SOURCES", moved)
