"""What the columns of the tables mean, in a sentence each: for the card, for Croissant, for docs/datasets.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from distortlab.dataset.schema import Features

__all__ = ["COLUMNS", "ROWS", "describe_column", "format_markdown_table", "walk_features"]

ROWS: Mapping[str, str] = {
    "images": "An image with its reference, and the regions in which it is distorted.",
    "labels": "An image without its pictures, and the regions in which it is distorted; the pictures are in `rft`.",
    "rft": "A question about an image, with the images that are shown and the right answer.",
    "samples": "A question about an image, without the images.",
}
"""What a row is, by table."""

_IMAGES: Mapping[str, str] = {
    "image_id": "Name of the image: its split and its number.",
    "image": "The distorted image, a lossless file (PNG or WebP).",
    "width": "Width of the image, in pixels.",
    "height": "Height of the image, in pixels.",
    "pixels_sha256": "SHA-256 of the RGB bytes of the image, row by row.",
    "reference_id": "Name of the reference, the clean image that was distorted; no two splits share one.",
    "reference": "The clean image that was distorted; null where references were not stored.",
    "reference_source": "Where the reference is from.",
    "reference_license": "License of the reference, which is that of the distorted image as well.",
    "regions": "The distorted regions; none in a pristine image.",
    "regions.bbox": "Box of the region: [x1, y1, x2, y2] in pixels, x2 and y2 exclusive.",
    "regions.mask_rle.size": "Rows and columns of the mask of the region.",
    "regions.mask_rle.counts": "The mask of the region, as compressed run lengths of COCO.",
    "regions.area": "Area of the region as a share of the image, 0 to 1.",
    "regions.object": "Name of the object that the region shows; null where it has none.",
    "regions.distortion": "Family of the distortion.",
    "regions.variant": "Variant of the distortion within its family.",
    "regions.severity": "Severity of the distortion, 1 (slight) to 5 (extreme).",
    "regions.difficulty": "How hard the family is to tell for a person: easy, medium or hard; null where not known.",
    "regions.params": "Everything that renders the distortion again from the reference, as JSON.",
    "regions.visibility.v": "V, how visible the change is by a model of visibility; severities are values of it.",
    "regions.visibility.structure": "How far structure changed: the deviation of gradient similarity, 0 to 0.5.",
    "regions.visibility.colour": "How far colors changed: the mean CIEDE2000 (2:1:1).",
    "regions.visibility.trend": "How far it went the way its family says, in the unit of that; 0 without a direction.",
    "seed": "Seed of the data set.",
    "generator_version": "Version of distortlab that made the image.",
    "control.kind": "What a pristine image is a control of: seam, bokeh, low_light or motion; null where it is none.",
    "control.operation": "What was done to the region of a seam, so little that nobody sees it: recode or level.",
    "control.bbox": "Box of the region of a seam: [x1, y1, x2, y2] in pixels, x2 and y2 exclusive.",
    "control.mask_rle.size": "Rows and columns of the mask of a seam.",
    "control.mask_rle.counts": "The mask of a seam, as compressed run lengths of COCO.",
    "control.params": "Everything that renders a seam again from the reference, as JSON.",
    "control.v": "V of a seam, below 1.",
}
_QUESTIONS: Mapping[str, str] = {
    "sample_id": "Name of the question.",
    "image_id": "The image that the question is about; of two, the second one.",
    "prompt": "The question as messages.",
    "prompt.role": "Who speaks: user.",
    "prompt.content": "The text of the message.",
    "images": "The images that are shown with the question, in order.",
    "solution": "The right answer, in the form that the question asks for.",
    "task": "The task that the question belongs to.",
    "bbox": "Box that the question is about: [x1, y1, x2, y2] in pixels; the frame of the image where it is about all.",
    "distortion": "Family of the distortion that is asked about; null where it is not about one region.",
    "severity": "Severity of the distortion that is asked about, 1 to 5; null where it is not about one region.",
    "difficulty": "How hard the family is to tell for a person: easy, medium or hard; null where not known.",
    "boxes": "Boxes of the regions, of a question about several; null where it is about one region.",
    "other_image_id": "Of a question about two images, the one that is shown first; else null.",
}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "images": _IMAGES,
    "labels": _IMAGES,
    "rft": _QUESTIONS,
    "samples": _QUESTIONS,
}
"""Table -> column, with dots between it and the fields in it -> a sentence."""


def describe_column(table: str, path: str) -> str:
    """Return the sentence about a column or a field in it. Raises `KeyError` for one that there is not."""
    return COLUMNS[table][path]


def walk_features(features: Features, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (path, feature) of every column; of lists of structs and of structs the fields as well, without lists.

    A struct is only its fields, a list of structs comes before them.
    """
    for name, feature in features.items():
        path, kind = f"{prefix}{name}", feature.get("_type")
        inner = feature["feature"] if kind == "List" else feature
        is_struct = "_type" not in inner
        if kind == "List" or not is_struct:
            yield path, feature
        if is_struct:
            yield from walk_features(inner, f"{path}.")


def format_markdown_table(table: str, features: Features) -> str:
    """Format the columns of a table with their sentences, for docs/datasets.md."""
    rows = [f"| `{path}` | {describe_column(table, path)} |" for path, _ in walk_features(features)]
    return "\n".join(["| column | what it is |", "|---|---|", *rows])
