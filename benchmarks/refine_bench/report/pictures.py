"""Thumbnails for the page: of the images with failures, and of the largest misses."""

import base64
from collections.abc import Collection, Mapping
from pathlib import Path

import cv2

from distortlab.core.errors import UserError
from distortlab.core.image import Image
from distortlab.imaging.decode import read_image, shrink
from refine_bench.scoring.scores import Score

__all__ = ["make_thumbnails"]

SIDE = 220


def make_thumbnails(score: Score, truths: Mapping[str, Mapping[str, object]], names: Collection[str]) -> dict[str, str]:
    """Make thumbnails of items, as data URLs by item; what is not there any more is left out."""
    folder = score["facts"].get("folder")
    if folder is not None:
        return _load_local(Path(str(folder)), str(score["facts"]["split"]), score["kind"], names)
    found = {}
    for name in names:
        path = truths[name].get("image")
        if isinstance(path, str):
            try:
                found[name] = _encode_url(read_image(path))
            except UserError:
                continue
    return found


def _load_local(folder: Path, split: str, kind: str, names: Collection[str]) -> dict[str, str]:
    from refine_bench.datasets import local

    wanted, found = set(names), {}
    view = "tasks" if kind == "local" else kind
    try:
        for name, images, _ in local.load_images(folder, split, view):
            if name in wanted:
                found[name] = _encode_url(read_image(images[-1]))
                if len(found) == len(wanted):
                    break
    except UserError:
        return found
    return found


def _encode_url(image: Image) -> str:
    data = cv2.imencode(".jpg", shrink(image, SIDE)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
