"""Photographs under dense ladders: every variant at many settings of its dial, made when they are asked for.

Beside the ladders of a photograph stand its unharmed copies: the photograph itself, mirrored, one level lighter, under
a grain of one level, and as a JPEG file of quality 95. Nobody tells them apart, so how far a score moves among them is
the noise that a change must rise above.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from distortlab.core.errors import BadReference, UserError, describe_unknown
from distortlab.core.image import Image, get_shape, pixels_sha256
from distortlab.core.region import Box, Region
from distortlab.core.seeds import stream
from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import CATALOG, FAMILIES, find
from distortlab.distortions.edit import MEASURE_VERSION, Edit, compute_spatial_scale, render
from distortlab.imaging.decode import decode_image
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import open_references
from distortlab.references.base import Reference
from distortlab.references.screening import screen
from distortlab.severity.predictor import predict_curve
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility

__all__ = ["COPIES", "LadderItem", "Photograph", "identify_ladders", "list_ladder", "load_photographs", "select_rows"]

_FEATHER = 2
_DIAL_SHARE = 1 / 3
"""How much of the way along a ladder is way along the dial; the rest is way along log V, as it is predicted."""
_V_RANGE = (0.4, 12.0)
_MORE = 8
"""References that are opened for each photograph that is wanted, at most."""


class Rendered(NamedTuple):
    """A distorted photograph. `reference`: what it is compared with; `v`: how visible the change is."""

    image: Image
    reference: Image
    v: float


@dataclass(frozen=True)
class Photograph:
    """A clean photograph and the region of it that is distorted: the whole frame, or its largest region."""

    id: str
    image: Image
    region: Region

    @cached_property
    def scene(self) -> Scene:
        """The measurements of the region."""
        return Scene.of_region(self.image, self.region)


@dataclass(frozen=True, slots=True)
class LadderItem:
    """One image. `variant` at `amount`, the `step`-th of its ladder from 0; or an unharmed `copy`, one of `COPIES`."""

    photograph: Photograph
    copy: str | None = None
    variant: str | None = None
    step: int = 0
    amount: float | None = None

    @property
    def id(self) -> str:
        """Unique among the items of a set, and the same on every machine."""
        return f"{self.photograph.id}/{self.copy or f'{self.variant}/{self.step:03d}'}"

    def render(self) -> Rendered:
        """Make the image, and measure it."""
        if self.copy is not None:
            return _render_copy(self.photograph, self.copy)
        assert self.variant is not None
        assert self.amount is not None
        image, region = self.photograph.image, self.photograph.region
        row, scale = find(self.variant), compute_spatial_scale(region.size)
        address = ("ladder", self.photograph.id, row.name)
        after = render(image, [Edit(region, row.name, 3, self.amount, scale, _FEATHER, address, row.version)])
        inside = np.ascontiguousarray(after[region.bbox.slices])
        return Rendered(after, image, measure_visibility(self.photograph.scene, inside, row.name).v)


# --- unharmed copies ------------------------------------------------------------------------------------------------


def _mirror(image: Image, photograph: Photograph) -> Image:
    return np.ascontiguousarray(image[:, ::-1])


def _lighten(image: Image, photograph: Photograph) -> Image:
    return np.asarray(cv2.add(image, (1, 1, 1, 0)), np.uint8)


def _add_grain(image: Image, photograph: Photograph) -> Image:
    words = stream("ladder", photograph.id, "grain").uint16(image.shape)
    return np.clip(image.astype(np.int16) + (words % 3).astype(np.int16) - 1, 0, 255).astype(np.uint8)


def _recode(image: Image, photograph: Photograph) -> Image:
    options = [cv2.IMWRITE_JPEG_QUALITY, 95]
    data = cv2.imencode(".jpg", image[..., ::-1], options)[1]
    return decode_image(data.tobytes()).image


COPIES: Mapping[str, Callable[[Image, Photograph], Image]] = {
    "reference": lambda image, photograph: image,
    "mirrored": _mirror,
    "lighter": _lighten,
    "grain": _add_grain,
    "jpeg95": _recode,
}
"""What is done to a photograph that nobody sees. A mirrored one is compared with the mirrored reference."""


def _render_copy(photograph: Photograph, name: str) -> Rendered:
    reference = _mirror(photograph.image, photograph) if name == "mirrored" else photograph.image
    image = reference if name == "mirrored" else COPIES[name](photograph.image, photograph)
    whole = Scene(reference, np.ones(get_shape(reference), np.uint8))
    return Rendered(image, reference, measure_visibility(whole, image, "compression.jpeg").v)


# --- what is asked --------------------------------------------------------------------------------------------------


def select_rows(words: Sequence[str]) -> tuple[Distortion, ...]:
    """The variants that some names of variants and families stand for, in the order of the catalogue; of none, all.

    Raises `UserError` for a name that is neither.
    """
    for word in words:
        if word not in FAMILIES and word not in {row.name for row in CATALOG}:
            known = [*FAMILIES, *(row.name for row in CATALOG)]
            raise UserError(describe_unknown("variant or family", word, known, "distortlab list"))
    return tuple(row for row in CATALOG if not words or row.name in words or row.family in words)


def load_photographs(spec: str, count: int, max_side: int, is_region: bool) -> list[Photograph]:
    """Load the first clean photographs of a source.

    Parameters
    ----------
    spec
        A source of references as for `distortlab generate`, e.g. "scenes" or "folder:FOLDER".
    count
        How many.
    max_side
        The longest side that they keep, px.
    is_region
        Distort the largest region that the rules of a recipe allow, not the whole frame.

    Raises
    ------
    UserError
        Where the source cannot be opened, or has too few that pass the screening of a recipe.
    """
    rules = ReferenceRules(max_side=max_side, min_side=min(256, max_side // 4))
    references = open_references(spec)
    wanted = count * _MORE if references.count is None else min(count * _MORE, references.count)
    found: list[Photograph] = []
    for entry in references.entries(wanted):
        with contextlib.suppress(BadReference):
            reference = entry.load(rules, RegionRules())
            if screen(reference.image, rules) is None and (reference.regions or not is_region):
                found.append(_make_photograph(reference, is_region))
        if len(found) == count:
            return found
    raise UserError(
        f"{spec} has {len(found)} photographs that can be used, of {wanted} that were opened; {count} are wanted: "
        "name others with --refs, or ask for fewer with --photographs"
    )


def _make_photograph(reference: Reference, is_region: bool) -> Photograph:
    rows, columns = get_shape(reference.image)
    region = Region.from_box(Box(0, 0, columns, rows), (rows, columns))
    if is_region:
        region = max((place.region for place in reference.regions), key=lambda region: region.area)
    return Photograph(reference.id, reference.image, region)


def list_ladder(photographs: Sequence[Photograph], rows: Sequence[Distortion], settings: int) -> Iterator[LadderItem]:
    """The items of some photographs: the copies of each, then every variant from the weakest setting on.

    Parameters
    ----------
    photographs
        The clean images.
    rows
        Variants.
    settings
        How many of each variant, at least 2; a dial of whole numbers may have fewer.
    """
    for photograph in photographs:
        yield from (LadderItem(photograph, copy=name) for name in COPIES)
        for row in rows:
            amounts = _space_amounts(photograph, row, settings)
            yield from (LadderItem(photograph, None, row.name, step, amount) for step, amount in enumerate(amounts))


def _space_amounts(photograph: Photograph, row: Distortion, settings: int) -> list[float]:
    """Settings from the weakest to the strongest, closer where V is predicted to grow faster."""
    curve = predict_curve(row, photograph.scene, compute_spatial_scale(photograph.region.size))
    places = np.linspace(0, 1, 4097)
    low, high = map(math.log, _V_RANGE)
    seen = np.clip(np.interp(places, curve.places, curve.log_v), low, high)
    span = seen[-1] - seen[0]
    share = (seen - seen[0]) / span if span > 0 else places
    way = _DIAL_SHARE * places + (1 - _DIAL_SHARE) * share
    amounts: list[float] = []
    for finer in (1, 2, 4, 8, 16):  # of a dial of whole numbers several places are one setting
        chosen = np.interp(np.linspace(0, 1, finer * settings), way, places)
        # Rounded, as a prediction is the same on every machine but for its last digits.
        amounts = list(dict.fromkeys(row.dial.interpolate(round(float(place) * 16384) / 16384) for place in chosen))
        if len(amounts) >= settings:
            break
    kept = np.linspace(0, len(amounts) - 1, min(settings, len(amounts)))
    return [amounts[round(float(place))] for place in kept]


def identify_ladders(items: Sequence[LadderItem]) -> str:
    """The text that says which pixels items have: of photographs, regions, settings and versions."""
    photographs = {item.photograph.id: item.photograph for item in items}
    lines = [f"measure {MEASURE_VERSION}, feather {_FEATHER}"]
    lines += [f"{key} {pixels_sha256(each.image)} {each.region.counts!r}" for key, each in photographs.items()]
    lines += [f"{item.id} {item.amount!r} {find(item.variant).version if item.variant else ''}" for item in items]
    return "\n".join(lines)
