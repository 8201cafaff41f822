"""What a model says to held-out questions, greedily and sampled: how often the form is right, the answer, the thinking,
and both say the same.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distortlab.tasks import Unread, format_score, recognition
from distortlab.tasks.answer import format_completion

MEASURES = ("form", "answer", "thinking", "agreement")


MANNERS = ("greedy", "sampled")


def generate_answers(model: Path, rows: Sequence[Mapping[str, Any]], tokens: int) -> dict[str, list[str]]:
    """Completions, the likeliest ones and, as in training, ones sampled at temperature 1."""
    import torch
    from transformers import AutoModelForImageTextToText

    from refine_iqa_train.models.processors import load_processor

    processor, _ = load_processor(str(model))
    loaded = AutoModelForImageTextToText.from_pretrained(model).eval()
    found: dict[str, list[str]] = {manner: [] for manner in MANNERS}
    torch.manual_seed(0)
    for start in range(0, len(rows), 64):
        batch = processor.apply_chat_template(
            [_chat(row) for row in rows[start : start + 64]],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        )
        for manner, texts in found.items():
            how = {"do_sample": False} if manner == "greedy" else {"do_sample": True, "temperature": 1.0, "top_k": 0}
            with torch.no_grad():
                out = loaded.generate(**batch, max_new_tokens=tokens, **how)
            texts += processor.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return found


def _chat(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    images = [{"type": "image", "image": image} for image in row["images"]]
    return [{"role": "user", "content": [*images, {"type": "text", "text": row["prompt"][0]["content"]}]}]


def mark_completion(completion: str, solution: str) -> dict[str, bool]:
    """What is right about a completion. The thinking is read with the task's own reader, as if it were the answer."""
    answer = recognition.read(completion)
    thought = _read_thinking(completion)
    right = recognition.read(format_completion(solution, "."))
    assert not isinstance(right, Unread)
    answered = None if isinstance(answer, Unread) else answer.family
    return {
        "form": format_score(completion) == 1.0,
        "answer": answered == right.family,
        "thinking": thought == right.family,
        "agreement": answered is not None and answered == thought,
    }


def _read_thinking(completion: str) -> str | None:
    """The family that the thinking names, of the form "Random grain or specks are added: noise, 4 of 5."."""
    thinking = completion.partition("</think>")[0].partition(": ")[2].partition(",")[0]
    read = (
        recognition.read(format_completion(f"{thinking}, Slight", "."))
        if thinking.strip() and "<" not in thinking
        else None
    )
    return None if read is None or isinstance(read, Unread) else read.family


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Wilson's, 95 %."""
    if not total:
        return 0.0, 1.0
    z, share = 1.96, right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5 / (1 + z * z / total)
    return middle - half, middle + half
