"""The rows of the tables as they are read: one TypedDict for each, with the columns of `schema` in their order."""

from typing import NotRequired, TypedDict

__all__ = [
    "ControlRow",
    "ImageRow",
    "MaskRow",
    "MessageRow",
    "PictureRow",
    "QuestionRow",
    "RegionRow",
    "SampleRow",
    "VisibilityRow",
]


class PictureRow(TypedDict):
    """An image file: its bytes, and its name."""

    bytes: bytes
    path: str


class MaskRow(TypedDict):
    """COCO's compressed run lengths: [rows, columns], and the text of the counts."""

    size: list[int]
    counts: str


class VisibilityRow(TypedDict):
    """The fields of `Visibility`."""

    v: float
    structure: float
    colour: float
    trend: float


class RegionRow(TypedDict):
    """A region of an image and what was done to it.

    `bbox` is [x1, y1, x2, y2] in pixels, `area` a share of the image, `params` an `EditParams` as JSON. `difficulty` is
    missing in data sets of earlier versions.
    """

    bbox: list[int]
    mask_rle: MaskRow
    area: float
    object: str | None
    distortion: str
    variant: str
    severity: int
    difficulty: NotRequired[str | None]
    params: str
    visibility: VisibilityRow


class ControlRow(TypedDict):
    """What makes a pristine image a control: a `Control` as it is stored. Of a natural one all but `kind` is None."""

    kind: str
    operation: str | None
    bbox: list[int] | None
    mask_rle: MaskRow | None
    params: str | None
    v: float | None


class ImageRow(TypedDict):
    """A row of `images`. `control` is missing where the recipe asks for none."""

    image_id: str
    image: PictureRow
    width: int
    height: int
    pixels_sha256: str
    reference_id: str
    reference: PictureRow | None
    reference_source: str
    reference_license: str
    regions: list[RegionRow]
    seed: int
    generator_version: str
    control: NotRequired[ControlRow | None]


class MessageRow(TypedDict):
    """A message of a prompt."""

    role: str
    content: str


class QuestionRow(TypedDict):
    """A row of `rft`. It is a `SampleRow` as well.

    A question that is not about one region has no `distortion`, `severity` and `difficulty`; its `bbox` is the frame of
    the image. A question about two images belongs to the second one, and `other_image_id` is the first. `difficulty`,
    `boxes` and `other_image_id` are missing in data sets of earlier versions.
    """

    sample_id: str
    image_id: str
    prompt: list[MessageRow]
    images: list[PictureRow]
    solution: str
    task: str
    bbox: list[int]
    distortion: str | None
    severity: int | None
    difficulty: NotRequired[str | None]
    boxes: NotRequired[list[list[int]] | None]
    other_image_id: NotRequired[str | None]


class SampleRow(TypedDict):
    """A row of `samples`."""

    sample_id: str
    image_id: str
    prompt: list[MessageRow]
    solution: str
    task: str
    bbox: list[int]
    distortion: str | None
    severity: int | None
    difficulty: NotRequired[str | None]
    boxes: NotRequired[list[list[int]] | None]
    other_image_id: NotRequired[str | None]
