"""Vision-language models of Hugging Face, on this machine: batches, halved when memory runs out.

A batch that fails is tried again one by one, so that one picture does not cost the others their answers.
"""

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from distortlab.core.errors import BadReference, UserError
from distortlab.imaging.decode import decode_image
from refine_bench.models.adapters import LoraAdapter, attach_adapter, find_adapter
from refine_bench.models.base import Request, Response
from refine_bench.models.processors import load_processor, set_pixels
from refine_bench.prompts.answers import Answer, Token

__all__ = ["HuggingFace"]

BATCH = 8


class HuggingFace:
    """A model by name or folder."""

    def __init__(
        self,
        spec: str,
        batch: int | None = None,
        device: str | None = None,
        dtype: str | None = None,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
    ) -> None:
        self.spec = spec
        self._torch, self._processor, self._model, self._adapter = _load_model(spec, device, dtype)
        self._batch = batch or BATCH
        set_pixels(self._processor, min_pixels, max_pixels)
        self._tokenizer = self._processor.tokenizer
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self.revision = f"{_find_revision(spec, self._model.config, self._adapter)} {self._model.dtype}"
        self.processor = _describe_processor(self._processor)

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run records."""
        return {
            "kind": "huggingface",
            "name": self.spec,
            **({"adapters_for": self._adapter.base} if self._adapter else {}),
            "device": str(self._model.device),
            "dtype": str(self._model.dtype),
            "parameters": sum(p.numel() for p in self._model.parameters()),
            "image_processor": json.loads(self._processor.image_processor.to_json_string()),
            "sign": 1.0,
        }

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        """None."""
        return {}

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        """In batches of neighbours in size: padding costs least that way."""
        source = iter(requests)
        while window := list(islice(source, 4 * self._batch)):
            window.sort(key=lambda request: (len(request.images), len(request.prompt), _count_bytes(request)))
            start = 0
            while start < len(window):
                size = min(self._batch, len(window) - start)
                yield from self._answer_batch(window[start : start + size])
                start += size

    def _answer_batch(self, requests: Sequence[Request]) -> list[Response]:
        try:
            return self._generate_batch(requests)
        except self._torch.OutOfMemoryError as error:
            trouble: Exception = error
            self._torch.cuda.empty_cache()
            self._batch = max(1, len(requests) // 2)
        except (RuntimeError, ValueError, IndexError, BadReference) as error:
            trouble = error
        if len(requests) == 1:
            return [Response(requests[0], Answer(error=f"{type(trouble).__name__}: {str(trouble)[:300]}"))]
        half = len(requests) // 2
        return [*self._answer_batch(requests[:half]), *self._answer_batch(requests[half:])]

    def _generate_batch(self, requests: Sequence[Request]) -> list[Response]:
        start = time.perf_counter()
        torch = self._torch
        images = [[_read_picture(data) for data in request.images] for request in requests]
        inputs = self._processor(
            text=[self._format_prompt(request) for request in requests],
            images=images,
            padding=True,
            return_tensors="pt",
        ).to(self._model.device)
        decoding = requests[0].decoding
        recorder = Recorder(torch, decoding.top_logprobs, self._find_word_tokens(requests[0]))
        torch.manual_seed(requests[0].seed)
        sampled = decoding.temperature > 0
        options: dict[str, Any] = {"temperature": decoding.temperature, "top_p": decoding.top_p} if sampled else {}
        if sampled and decoding.top_k:
            options["top_k"] = decoding.top_k
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                max_new_tokens=decoding.max_tokens,
                do_sample=sampled,
                logits_processor=[recorder],
                pad_token_id=self._tokenizer.pad_token_id,
                **options,
            )
        new = output[:, inputs["input_ids"].shape[1] :].tolist()
        each = (time.perf_counter() - start) / len(requests)
        seen = _list_sizes(inputs, images, self._processor)
        return [
            Response(
                request,
                self._decode_answer(ids, row, recorder, request),
                each,
                self._count_tokens(inputs, row, ids),
                seen[row],
            )
            for row, (request, ids) in enumerate(zip(requests, new, strict=True))
        ]

    def _format_prompt(self, request: Request) -> str:
        content = [*({"type": "image"} for _ in request.images), {"type": "text", "text": request.prompt}]
        system = [{"role": "system", "content": [{"type": "text", "text": request.system}]}] if request.system else []
        messages = [*system, {"role": "user", "content": content}]
        text = self._processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return str(text) + request.prefix

    def _find_word_tokens(self, request: Request) -> dict[str, int]:
        """The first token of every level word, as it would follow the prefix."""
        space = " " if request.prefix else ""
        return {
            word: self._tokenizer(f"{space}{word}", add_special_tokens=False)["input_ids"][0] for word in request.words
        }

    def _decode_answer(self, ids: Sequence[int], row: int, recorder: "Recorder", request: Request) -> Answer:
        ends = _list_ends(self._model.generation_config.eos_token_id)
        stop = next((place for place, token in enumerate(ids) if token in ends), None)
        kept = list(ids if stop is None else ids[:stop])
        tokens = tuple(
            Token(
                self._tokenizer.decode([token], skip_special_tokens=True),
                tuple((self._tokenizer.decode([other]), p) for other, p in recorder.top(place, row)),
            )
            for place, token in enumerate(kept)
        )
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        finish = "length" if stop is None else "stop"
        return Answer(text=text, finish=finish, tokens=tokens, logits=recorder.logits(row) if request.words else {})

    def _count_tokens(self, inputs: Any, row: int, ids: Sequence[int]) -> dict[str, int]:
        return {"prompt_tokens": int(inputs["attention_mask"][row].sum()), "completion_tokens": len(ids)}

    def close(self) -> None:
        """Give the memory back."""
        self._model = None


class Recorder:
    """A logits processor that changes nothing: it notes the most probable tokens of every step, and words at the
    first.
    """

    def __init__(self, torch: Any, top: int, words: Mapping[str, int]) -> None:
        self._torch, self._top, self._words = torch, top, words
        self._steps: list[tuple[list[list[int]], list[list[float]]]] = []
        self._first: list[dict[str, float]] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        if self._words and not self._first:
            self._first = [{word: float(row[token]) for word, token in self._words.items()} for row in scores.float()]
        if self._top:
            odds = self._torch.log_softmax(scores.float(), dim=-1).topk(min(self._top, scores.shape[-1]), dim=-1)
            self._steps.append((odds.indices.tolist(), odds.values.tolist()))
        return scores

    def top(self, place: int, row: int) -> list[tuple[int, float]]:
        """(token, log probability) at a step."""
        if place >= len(self._steps):
            return []
        tokens, values = self._steps[place]
        return [(t, v) for t, v in zip(tokens[row], values[row], strict=True) if v > -50.0]

    def logits(self, row: int) -> dict[str, float]:
        """Of the words, at the first step."""
        return self._first[row] if self._first else {}


def _load_model(spec: str, device: str | None, dtype: str | None) -> tuple[Any, Any, Any, LoraAdapter | None]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UserError(f"{spec!r} is a Hugging Face model: pip install torch transformers ({error})") from None
    if dtype is not None and not hasattr(torch, dtype):
        raise UserError(f"no dtype called {dtype!r}; e.g. bfloat16, float16, float32")
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kind = getattr(torch, dtype) if dtype else (torch.bfloat16 if place.startswith("cuda") else torch.float32)
    try:
        adapter = find_adapter(spec)
        processor = load_processor(transformers, spec)
        source, version = (adapter.base, adapter.base_revision) if adapter else (spec, None)
        model = transformers.AutoModelForImageTextToText.from_pretrained(source, revision=version, dtype=kind)
        model = attach_adapter(model, adapter) if adapter else model
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise UserError(f"{spec!r} cannot be loaded: {' '.join(str(error).split())[:300]}") from None
    if getattr(processor, "image_processor", None) is None or getattr(processor, "tokenizer", None) is None:
        raise UserError(f"{spec!r} is no vision-language model: it has no image processor")
    return torch, processor, model.to(place).eval(), adapter


def _find_revision(spec: str, config: Any, adapter: LoraAdapter | None = None) -> str:
    """The commit on the Hub; of a folder, a hash of its weights' sizes and ends and of its configuration. Of adapters
    their own, then that of their model.
    """
    if adapter is not None:
        own = adapter.commit or _find_revision(spec, None)
        return f"{own} on {_find_revision(adapter.base, config)}"
    commit = getattr(config, "_commit_hash", None)
    folder = Path(spec)
    if commit or not folder.is_dir():
        return str(commit or "unknown")
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".bin", ".json"):
            digest.update(f"{path.name} {path.stat().st_size} ".encode())
            with path.open("rb") as file:
                digest.update(file.read(1 << 20))
                file.seek(max(0, path.stat().st_size - (1 << 20)))
                digest.update(file.read())
    return f"folder {digest.hexdigest()[:16]}"


def _describe_processor(processor: Any) -> str:
    """The image processor with all its settings, as a hash."""
    text = processor.image_processor.to_json_string()
    return f"{type(processor.image_processor).__name__} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _read_picture(data: bytes) -> Pillow.Image:
    return Pillow.fromarray(decode_image(data).image)


def _count_bytes(request: Request) -> int:
    return sum(len(data) for data in request.images)


def _list_ends(token: Any) -> set[int]:
    return set(token) if isinstance(token, list) else {token}


def _list_sizes(inputs: Any, images: Sequence[Sequence[Pillow.Image]], processor: Any) -> list[tuple[Any, ...]]:
    """For every request, (size of the file, size that the model was shown) of each image."""
    grid = inputs.get("image_grid_thw")
    shown: list[tuple[int, int] | None]
    count = sum(map(len, images))
    if grid is not None:
        patch = processor.image_processor.patch_size
        shown = [(int(w) * patch, int(h) * patch) for _, h, w in grid.tolist()]
    elif "pixel_values" in inputs and inputs["pixel_values"].ndim == 4 and len(inputs["pixel_values"]) == count:
        rows, columns = inputs["pixel_values"].shape[-2:]
        shown = [(int(columns), int(rows))] * count
    else:
        shown = [None] * count
    left = iter(shown)
    return [tuple((picture.size, next(left)) for picture in pictures) for pictures in images]
