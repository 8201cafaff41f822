"""What scores a model gives to rated windows, at once and after thinking, and how arms compare.

At once: the expectation over the first digit, as the paper scores an image. After thinking: the mean of sampled
answers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rated_windows import RatedWindows

from distortlab.tasks import Unread, quality

MANNERS = ("thinking", "direct")
MANNER_TITLES = {"direct": "at once", "thinking": "after thinking"}
SAMPLES, TOKENS, _BATCH = 4, 32, 64
DRAWS = 2000
"""Of the bootstrap."""
Scores = Mapping[str, Mapping[str, Sequence[float | None]]]
"""By arm and seed: the score of every window; None where nothing could be read."""


# --- asking ---------------------------------------------------------------------------------------------------------


def score_windows(model: Path, rated: RatedWindows) -> dict[str, list[float | None]]:
    """Score every window in both manners."""
    import torch
    from transformers import AutoModelForImageTextToText

    from refine_iqa_train.models.processors import load_processor

    torch.set_num_threads(1)
    torch.manual_seed(0)
    processor, _ = load_processor(str(model))
    loaded = AutoModelForImageTextToText.from_pretrained(model).eval()
    found: dict[str, list[float | None]] = {manner: [] for manner in MANNERS}
    images = rated.windows.images
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        with torch.no_grad():
            found["direct"] += _score_directly(loaded, processor, batch)
            found["thinking"] += _score_thinking(loaded, processor, batch)
    return found


def _encode(processor: Any, images: np.ndarray, question: str, stem: str = "") -> Any:
    from PIL import Image

    content = [{"type": "image"}, {"type": "text", "text": question}]
    chat = [{"role": "user", "content": content}]
    text = processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) + stem
    pictures = [[Image.fromarray(one)] for one in images]
    return processor(text=[text] * len(images), images=pictures, padding=True, return_tensors="pt")


def _score_directly(model: Any, processor: Any, images: np.ndarray) -> list[float | None]:
    batch = _encode(processor, images, quality.question(think=False), quality.STEM)
    odds = model(**batch, logits_to_keep=1).logits[:, -1].float().softmax(-1)
    digits = [processor.tokenizer.convert_tokens_to_ids(str(level)) for level in quality.LEVELS]
    return [_expect_score(row) for row in odds[:, digits].tolist()]


def _expect_score(odds: Sequence[float]) -> float | None:
    found = quality.compute_expected_digit(dict(zip(quality.LEVELS, odds, strict=True)))
    return None if found is None else found[0]


def _score_thinking(model: Any, processor: Any, images: np.ndarray) -> list[float | None]:
    batch = _encode(processor, images, quality.question())
    how = {"do_sample": True, "temperature": 1.0, "top_k": 0, "num_return_sequences": SAMPLES}
    out = model.generate(**batch, max_new_tokens=TOKENS, **how)
    texts = processor.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return [average_answers(texts[place : place + SAMPLES]) for place in range(0, len(texts), SAMPLES)]


def average_answers(texts: Sequence[str]) -> float | None:
    """The mean score of those answers that can be read."""
    read = [score for score in map(quality.read, texts) if not isinstance(score, Unread)]
    return sum(read) / len(read) if read else None


# --- what can be seen ------------------------------------------------------------------------------------------------


def probe_scores(eye: Any, train: RatedWindows, held: RatedWindows, penalty: float = 30.0) -> float:
    """Spearman's correlation of a linear reader: ridge regression on the mean token of the eye, with the scores."""
    from eye import see_means

    x, y = (see_means(eye, rated.windows.images).double().numpy() for rated in (train, held))
    middle, spread = x.mean(0), x.std(0)
    x, y = (x - middle) / spread, (y - middle) / spread
    target = np.asarray(train.scores)
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (target - target.mean()))
    return correlate((y @ weights).tolist(), held.scores)


# --- comparing ------------------------------------------------------------------------------------------------------


def fill_unread(scores: Sequence[float | None]) -> np.ndarray:
    """Scores as numbers; where none was read, the middle of the others (3 without any)."""
    read = [score for score in scores if score is not None]
    middle = float(np.median(read)) if read else 3.0
    return np.array([middle if score is None else score for score in scores])


def correlate(scores: Sequence[float | None], truth: Sequence[float]) -> float:
    """Spearman's correlation; 0 where all scores are equal."""
    return float(_correlate_ranks(fill_unread(scores)[None], np.asarray(truth))[0])


def _correlate_ranks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman's correlation of every row of `x`, (n, windows), with `y`, (windows,)."""
    from scipy.stats import rankdata

    ranks = rankdata(np.vstack([x, y]), axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    norms = np.sqrt((ranks * ranks).sum(1))
    products, norm = ranks[:-1] @ ranks[-1], norms[:-1] * norms[-1]
    return np.divide(products, norm, out=np.zeros(len(x)), where=norm > 0)


def compare_arms(
    scores: Scores, truth: Sequence[float], pairs: Sequence[tuple[str, str]], draws: int = DRAWS, seed: int = 0
) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Differences of Spearman's correlation between arms, and their 95 % intervals.

    A paired bootstrap: seeds and windows are drawn with replacement, the same for both arms of a pair.

    Returns
    -------
    dict
        By pair: the difference of the means over seeds, and the bounds of its interval.
    """
    rng, y, names = np.random.default_rng(seed), np.asarray(truth), list(scores)
    filled = np.stack([[fill_unread(one) for one in of.values()] for of in scores.values()])
    arms, count, size = filled.shape

    def average(seeds: np.ndarray, places: np.ndarray) -> np.ndarray:
        drawn = filled[:, seeds][:, :, places].reshape(-1, size)
        return _correlate_ranks(drawn, y[places]).reshape(arms, count).mean(1)

    means = np.stack([average(rng.integers(count, size=count), rng.integers(size, size=size)) for _ in range(draws)])
    whole = average(np.arange(count), np.arange(size))
    found = {}
    for pair in pairs:
        one, other = map(names.index, pair)
        low, high = np.percentile(means[:, one] - means[:, other], (2.5, 97.5))
        found[pair] = (float(whole[one] - whole[other]), float(low), float(high))
    return found
