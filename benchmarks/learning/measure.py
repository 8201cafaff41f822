"""What a model says to held-out windows, greedily and sampled: form, answer, thinking, whether both say the same, and
which family is called what.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from windows import QUESTION, Windows

from distortlab.analysis.study.resampling import estimate_wilson_interval
from distortlab.tasks import Unread, format_score, recognition
from distortlab.tasks.answer import format_completion

MEASURES = ("form", "answer", "thinking", "agreement", "severity")
"""Right form; right type in the answer; right type in the thinking; both name the same type; right severity."""
MANNERS = ("sampled", "greedy")
UNREAD = "unread"
"""Called so where an answer names none of the families that are asked about."""
_BATCH = 128


def generate_answers(model: Path, images: np.ndarray, tokens: int, question: str = QUESTION) -> dict[str, list[str]]:
    """Completions: ones sampled at temperature 1, as in training, and the likeliest ones."""
    import torch
    from transformers import AutoModelForImageTextToText

    from refine_iqa_train.models.processors import load_processor

    processor, _ = load_processor(str(model))
    loaded = AutoModelForImageTextToText.from_pretrained(model).eval()
    found: dict[str, list[str]] = {manner: [] for manner in MANNERS}
    torch.manual_seed(0)
    for start in range(0, len(images), _BATCH):
        batch = _encode(processor, images[start : start + _BATCH], question)
        for manner, texts in found.items():
            how = {"do_sample": False} if manner == "greedy" else {"do_sample": True, "temperature": 1.0, "top_k": 0}
            with torch.no_grad():
                out = loaded.generate(**batch, max_new_tokens=tokens, **how)
            texts += processor.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return found


def _encode(processor: Any, images: np.ndarray, question: str) -> Any:
    from PIL import Image

    content = [[{"type": "image", "image": Image.fromarray(one)}, {"type": "text", "text": question}] for one in images]
    return processor.apply_chat_template(
        [[{"role": "user", "content": parts}] for parts in content],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs={"padding": True},
    )


def measure_model(model: Path, windows: Windows, tokens: int) -> dict[str, Any]:
    """Counts of what a model answers to windows, by manner."""
    answers = generate_answers(model, windows.images, tokens)
    return {manner: count_answers(texts, windows) for manner, texts in answers.items()}


def count_answers(texts: Sequence[str], windows: Windows) -> dict[str, Any]:
    """How many answers there are (`n`), how many are right by measure, and which family is called what
    (`confusion[truth][said]`).
    """
    solutions = map(recognition.truth, windows.families, windows.severities)
    marks = [mark_completion(text, solution) for text, solution in zip(texts, solutions, strict=True)]
    classes = sorted(set(windows.families))
    said = [family if family in classes else UNREAD for family in map(_read_family, texts)]
    pairs = Counter(zip(windows.families, said, strict=True))
    return {
        "n": len(texts),
        **{name: sum(mark[name] for mark in marks) for name in MEASURES},
        "confusion": {truth: {name: pairs[truth, name] for name in (*classes, UNREAD)} for truth in classes},
    }


def list_recalls(confusion: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """The share of the windows of each family that are called so."""
    return {truth: said[truth] / max(1, sum(said.values())) for truth, said in confusion.items()}


def mark_completion(completion: str, solution: str) -> dict[str, bool]:
    """What is right about a completion. The thinking is read with the task's own reader, as if it were the answer."""
    given, right = recognition.read(completion), recognition.read(format_completion(solution, "."))
    assert not isinstance(right, Unread)
    answered, thought = _read_family(completion), _read_thinking(completion)
    return {
        "form": format_score(completion) == 1.0,
        "answer": answered == right.family,
        "thinking": thought == right.family,
        "agreement": answered is not None and answered == thought,
        "severity": not isinstance(given, Unread) and given.severity == right.severity,
    }


def _read_family(completion: str) -> str | None:
    answer = recognition.read(completion)
    return None if isinstance(answer, Unread) else answer.family


def _read_thinking(completion: str) -> str | None:
    """The family that the thinking names, of the form "Random grain or specks are added: noise, 4 of 5."."""
    thinking = completion.partition("</think>")[0].partition(": ")[2].partition(",")[0]
    if not thinking.strip() or "<" in thinking:
        return None
    return _read_family(format_completion(f"{thinking}, Slight", "."))


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Wilson's, 95 %; the whole scale where there is no answer."""
    if not total:
        return 0.0, 1.0
    low, high = estimate_wilson_interval(right, total)
    return low, high
