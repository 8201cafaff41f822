"""Models by name: a measure of quality, a floor, an endpoint, a Hugging Face model."""

from typing import Any

from distortlab.core.errors import UserError
from refine_bench.models.base import LOGITS, PREFIX, TOP_K, Model, Request, Response

__all__ = ["KINDS", "LOGITS", "PREFIX", "TOP_K", "Model", "Request", "Response", "open_model"]

KINDS = (
    ("psnr, ssim, ms-ssim, gmsd, vif", "measures that need the reference"),
    ("niqe, brisque", "measures without one, where their parameters are installed"),
    ("sharpness, noise, blockiness, colourfulness, bits", "cheap numbers: what a model must beat"),
    ("constant, random", "floors: one answer for all, answers by lot"),
    ("prompt-only:MODEL", "the model with grey in place of every image: what it knows from the prompt"),
    ("openai:URL#NAME", "any server that answers like OpenAI's chat completions, e.g. vLLM"),
    ("NAME or FOLDER", "a Hugging Face vision-language model"),
)


def open_model(spec: str, **options: Any) -> Model:
    """Open a model by name.

    Parameters
    ----------
    spec
        One of `KINDS`.
    **options
        Those of all kinds of models; what does not concern this one is ignored.

    Raises
    ------
    UserError
        Where there is no such model, or it cannot be loaded.
    """
    from refine_bench.models import baselines, floors

    if spec in baselines.MEASURES:
        return baselines.Measure(spec, workers=options.get("workers"))
    if spec in floors.FLOORS:
        return floors.Floor(spec)
    head, _, rest = spec.partition(":")
    if head == "prompt-only":
        return floors.PromptOnly(open_model(rest, **options))
    if head == "openai":
        from refine_bench.models.endpoint import Endpoint

        return Endpoint(spec, concurrency=options.get("concurrency") or 32, timeout=options.get("timeout") or 300.0)
    if not spec:
        raise UserError("name a model: refine-bench list")
    from refine_bench.models.huggingface import HuggingFace

    return HuggingFace(spec, **{k: options.get(k) for k in ("batch", "device", "dtype", "min_pixels", "max_pixels")})
