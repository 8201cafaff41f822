"""The photographs under the built-in scenes: files of scikit-image's wheel, known by their content.

The terms are those that scikit-image states in the docstrings of `skimage.data`. Left out because none are
stated there: the Middlebury motorcycle, the faces of LFW, `moon`, `page` and the colour wheel.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import simplejpeg

from distortlab.core.errors import UserError
from distortlab.core.image import Image

__all__ = ["PHOTOGRAPHS", "Photograph", "load_photograph"]


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file of scikit-image's `data` folder, by content, with its terms as scikit-image states them."""

    file: str
    sha256: str
    terms: str


PHOTOGRAPHS = {
    "astronaut": Photograph(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "NASA, public domain",
    ),
    "chelsea": Photograph(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Stefan van der Walt, CC0",
    ),
    "coffee": Photograph(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "Rachel Michetti, CC0",
    ),
    "rocket": Photograph(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "SpaceX, public domain",
    ),
    "hubble": Photograph(
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "NASA, public domain",
    ),
    "ihc": Photograph(
        "ihc.png",
        "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        "Center for Microscopy and Molecular Imaging, no known copyright restrictions",
    ),
    "brick": Photograph(
        "brick.png", "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf", "CC0Textures, CC0"
    ),
    "grass": Photograph(
        "grass.png", "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89", "linolafett, CC0"
    ),
    "gravel": Photograph(
        "gravel.png", "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12", "CC0Textures, CC0"
    ),
}


def _file(photo: Photograph) -> bytes:
    """The bytes of a photograph, found without importing scikit-image: that is slow."""
    package = find_spec("skimage")
    folder = Path(package.origin).parent / "data" if package and package.origin else Path("skimage/data")
    try:
        data = (folder / photo.file).read_bytes()
    except OSError as error:
        raise UserError(f"{folder / photo.file} cannot be read; scenes need scikit-image's own photographs") from error
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise UserError(f"{folder / photo.file} is not the photograph scenes are made of; reinstall scikit-image")
    return data


@cache
def load_photograph(name: str) -> Image:
    """A photograph, RGB (grey ones three times the same); not to be written to."""
    data = _file(PHOTOGRAPHS[name])
    if data[:2] == b"\xff\xd8":
        image = simplejpeg.decode_jpeg(data, "RGB")
    else:
        image = np.array(PIL.Image.open(BytesIO(data)).convert("RGB"))
    image.flags.writeable = False
    return np.asarray(image, dtype=np.uint8)
