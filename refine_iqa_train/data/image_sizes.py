"""How large an image is when the model sees it: one policy, applied here and saved with the processor.

Images are brought to their final size before they are handed on. Its sides are multiples of the model's factor (28 for
Qwen2.5-VL, 32 for Qwen3-VL) and its area is within the limits, so the processors of transformers and of vLLM find
nothing left to resize. A resized image shows other artefacts than the one that was judged: `align` pads instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from distortlab.tasks.grounding import Size
from refine_iqa_train.config.schema import ImageRules
from refine_iqa_train.models.processors import read_size_factor
from refine_iqa_train.models.protocols import Processor

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["ImagePolicy", "make_image_policy", "measure_resampling", "save_image_policy"]


@dataclass(frozen=True, slots=True)
class ImagePolicy:
    """How an image is brought to the size at which the model sees it.

    Parameters
    ----------
    factor
        Divides the sides; None where the processor brings all images to one size, and nothing is done here.
    min_pixels, max_pixels
        Limits of the area.
    align
        Pad the right and bottom edge to multiples of this; None: resize instead.
    fill
        Color of the padding, RGB 0 to 255: what the model takes for zero.
    """

    factor: int | None
    min_pixels: int = 0
    max_pixels: int = 0
    align: int | None = None
    fill: tuple[int, int, int] = (127, 127, 127)

    def padded_size(self, size: Size) -> Size:
        """The size, (width, height), after padding: the image's own where padding is off or would be too large."""
        if self.align is None or self.factor is None:
            return size
        width, height = (-(-side // self.align) * self.align for side in size)
        while width * height < self.min_pixels:
            width, height = (width + self.align, height) if width <= height else (width, height + self.align)
        return (width, height) if width * height <= self.max_pixels else size

    def frame_size(self, size: Size) -> Size:
        """The size, (width, height), at which the model sees an image of this size."""
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

        if self.factor is None:
            return size
        width, height = self.padded_size(size)
        try:
            rows, columns = smart_resize(height, width, self.factor, self.min_pixels, self.max_pixels)
        except ValueError as error:
            raise UserError(f"an image of {width} x {height} pixels cannot be shown to the model: {error}") from error
        return int(columns), int(rows)

    def fit(self, image: "PilImage") -> "PilImage":
        """The image (PIL, RGB) as the model sees it."""
        from PIL import Image

        if image.mode != "RGB":
            image = image.convert("RGB")
        padded, frame = self.padded_size(image.size), self.frame_size(image.size)
        if padded != image.size:
            canvas = Image.new("RGB", padded, self.fill)
            canvas.paste(image, (0, 0))
            image = canvas
        return image if frame == image.size else image.resize(frame, Image.Resampling.BICUBIC)


def make_image_policy(rules: ImageRules, processor: Processor) -> ImagePolicy:
    """Combine what the configuration says with the processor's own limits.

    Raises
    ------
    UserError
        Where they do not go together.
    """
    factor = read_size_factor(processor)
    limits = rules.min_pixels or rules.max_pixels or rules.align
    if factor is None:
        if limits:
            raise UserError(
                f"{type(processor).__name__} shows all images at one size; the keys below images are for models that "
                "see images at their own size (Qwen-VL): leave them empty"
            )
        return ImagePolicy(None)
    if rules.align is not None and rules.align % factor:
        fits = lcm(28, 32) if lcm(28, 32) % factor == 0 else 2 * factor
        raise UserError(
            f"images.align = {rules.align} is no multiple of {factor}, the model's factor; give e.g. {factor} or {fits}"
        )
    image_processor = processor.image_processor
    min_pixels = rules.min_pixels or int(image_processor.size["shortest_edge"])
    max_pixels = rules.max_pixels or int(image_processor.size["longest_edge"])
    if max_pixels < max(min_pixels, factor * factor):
        raise UserError(
            f"images.max_pixels = {max_pixels} is below the least that the model sees, {max(min_pixels, factor**2)}"
        )
    red, green, blue = (round(255 * mean) for mean in image_processor.image_mean)
    return ImagePolicy(factor, min_pixels, max_pixels, rules.align, (red, green, blue))


def save_image_policy(policy: ImagePolicy, processor: Processor) -> None:
    """Write the limits into the processor, so that whoever loads it sees images at the same size."""
    if policy.factor is not None:
        processor.image_processor.size = {"shortest_edge": policy.min_pixels, "longest_edge": policy.max_pixels}


def measure_resampling(policy: ImagePolicy, sizes: Iterable[Size]) -> tuple[float, float]:
    """Count how many images of these sizes, (width, height), are resampled under a policy.

    Returns
    -------
    tuple of float
        The share of the images, 0 to 1, and the largest change of a side as a factor, 1 or more.
    """
    changes = []
    for size in sizes:
        before, after = policy.padded_size(size), policy.frame_size(size)
        changes.append(max(max(a / b, b / a) for a, b in zip(before, after, strict=True)))
    resized = [change for change in changes if change > 1]
    return (len(resized) / len(changes), max(resized, default=1.0)) if changes else (0.0, 1.0)
