"""The eye: the vision part of a tiny model, trained to tell statistics of pixels. It is never told a label.

It sees windows with distortions of all twelve families, and is aimed at eighteen numbers that anybody could compute
from the pixels: tone, fine detail, color, how many levels there are, how flat it is. Afterwards it is frozen.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH, MERGE = 8, 2
BATCH = 128
PEAK_RATE = 1.5e-3
FITTED = 3000
"""Windows on which the tokens of the eye are spread."""
EVENNESS = 1.0
"""Variance that is added to that of each principal direction of the statistics before it is divided by its root."""
TOKEN_SPREAD = 0.3
"""Standard deviation of what the eye hands on: near that of the embeddings of words, which it stands between."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


# --- what it is aimed at --------------------------------------------------------------------------------------------


def compute_statistics(images: np.ndarray) -> np.ndarray:
    """Eighteen statistics of each window: (n, side, side, 3) uint8 to (n, 18) float."""
    return np.concatenate([_compute_statistics(images[start : start + 500]) for start in range(0, len(images), 500)])


def _compute_statistics(images: np.ndarray) -> np.ndarray:
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), 3, -1)
    levels = np.array([[np.count_nonzero(np.bincount(plane)) for plane in one] for one in planes])
    span = np.ptp(images.astype(np.int16), axis=(1, 2)) + 1
    x = images.astype(np.float32)
    luma = x @ _LUMA
    fine = x[:, 1:-1, 1:-1] * 4 - x[:, :-2, 1:-1] - x[:, 2:, 1:-1] - x[:, 1:-1, :-2] - x[:, 1:-1, 2:]
    detail, chroma = np.abs(fine), np.abs(x - luma[..., None])
    across, down = np.abs(np.diff(luma, axis=2)), np.abs(np.diff(luma, axis=1))
    grid = across[:, :, 7::8].mean((1, 2)) - across.mean((1, 2))
    plane, whole, log = (1, 2), (1, 2, 3), np.log1p
    columns = (
        luma.mean(plane),
        luma.std(plane),
        np.percentile(luma, 5, plane),
        np.percentile(luma, 95, plane),
        log(detail.mean(whole)),
        log(np.median(detail, whole)),
        log(np.abs(fine.mean(-1)).mean(plane)),
        log(np.percentile(detail, 99, whole)),
        log((across.mean(plane) + down.mean(plane)) / 2),
        log(chroma.mean(whole)),
        log(np.percentile(chroma, 95, whole)),
        np.sign(grid) * log(np.abs(grid)),
        log(levels.mean(1)),
        log(100 * levels.mean(1) / span.mean(1)),
        (np.diff(x, axis=2) == 0).mean(whole),
        (across < 0.5).mean(plane),
        (detail < 1).mean(whole),
        (detail == 0).mean(whole),
    )
    return np.stack(columns, 1)


STATISTICS = (
    "mean of luma",
    "deviation of luma",
    "5th percentile of luma",
    "95th percentile of luma",
    "mean detail (absolute Laplacian), log",
    "median detail, log",
    "detail of gray, log",
    "99th percentile of detail, log",
    "mean step between neighbors, log",
    "mean distance from gray, log",
    "95th percentile of that, log",
    "steps at every eighth column against all, signed log",
    "levels of a channel, log",
    "levels against the range they span, log",
    "share of equal neighbors",
    "share of flat luma",
    "share without detail, nearly",
    "share without detail, exactly",
)
"""The columns of `compute_statistics`, in words."""


# --- training -------------------------------------------------------------------------------------------------------


def cut_patches(images: np.ndarray) -> Tensor:
    """Windows as the processor of Qwen3-VL cuts them: (n, 64, 64, 3) uint8 to (n * 64, 384) in [-1, 1]."""
    count, side = len(images), images.shape[1] // (PATCH * MERGE)
    x = (torch.from_numpy(np.ascontiguousarray(images)).float() / 255 - 0.5) / 0.5
    x = x.permute(0, 3, 1, 2).reshape(count, 3, side, MERGE, PATCH, side, MERGE, PATCH)
    x = x.permute(0, 2, 5, 3, 6, 1, 4, 7).unsqueeze(6)  # n, row, column, row and column inside, color, time, y, x
    return x.expand(*x.shape[:6], 2, -1, -1).reshape(-1, 3 * 2 * PATCH * PATCH)


def list_grids(count: int, side: int = 64) -> Tensor:
    """`image_grid_thw` of so many windows."""
    return torch.tensor([[1, side // PATCH, side // PATCH]] * count)


def train_eye(eye: nn.Module, images: np.ndarray, steps: int, seed: int = 0) -> dict[str, float]:
    """Train a vision part until the mean of a window's tokens tells its statistics, in place; then let its tokens say
    them and nothing else. The shortcuts past it (DeepStack) are not trained, and silenced.

    Returns
    -------
    dict
        Seconds, and the share of the variance of the statistics that is told at the end ("explained").
    """
    began, rng = time.monotonic(), np.random.default_rng(seed)
    silence_shortcuts(eye)
    statistics = compute_statistics(images)
    targets = torch.tensor((statistics - statistics.mean(0)) / (statistics.std(0) + 1e-6)).float()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(eye.merger.linear_fc2.out_features, targets.shape[1])
    optimizer = torch.optim.AdamW([*eye.parameters(), *head.parameters()], weight_decay=0.01)
    errors = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * min(1.0, (step + 1) / 30) * (0.5 * (1 + np.cos(np.pi * step / steps)) + 0.01)
        places = rng.choice(len(images), BATCH, replace=False)
        tokens = see_windows(eye, images[places][:, :: rng.choice((-1, 1)), :: rng.choice((-1, 1))])
        told = head(tokens.mean(1))
        loss = functional.smooth_l1_loss(told, targets[places])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(eye.parameters(), 1.0)
        optimizer.step()
        errors.append(float((told.detach() - targets[places]).square().mean()))
    spread_statistics(eye, images[:FITTED], targets[:FITTED].numpy())
    return {"seconds": time.monotonic() - began, "explained": 1 - float(np.mean(errors[-50:]))}


def spread_statistics(eye: nn.Module, images: np.ndarray, statistics: np.ndarray, seed: int = 0) -> None:
    """Turn the last layer of the eye so that its tokens say the statistics, evenly: in place, by least squares.

    What most of the tokens' variance is about would be learnt first, and what little of it is about, late: that is how
    quantization was lost. Nothing is added; a linear reader finds what it found before.
    """
    with torch.no_grad():
        tokens = torch.cat([see_windows(eye, images[start : start + 256]) for start in range(0, len(images), 256)])
        center = tokens.mean((0, 1))
        means = tokens.mean(1) - center
        wanted = even_statistics(statistics, means.shape[1], seed)
        ridge = 1e-3 * means.square().mean() * torch.eye(means.shape[1])
        turn = torch.linalg.solve(means.T @ means / len(means) + ridge, means.T @ wanted / len(means))
        last = eye.merger.linear_fc2
        last.weight.copy_(turn.T @ last.weight)
        last.bias.copy_((last.bias - center) @ turn)


def even_statistics(statistics: np.ndarray, width: int, seed: int = 0) -> Tensor:
    """Standardized statistics, (n, k), as tokens, (n, width): common directions weighed down, turned at random."""
    spreads, directions = np.linalg.eigh(np.cov(statistics.T))
    values = statistics @ (directions / np.sqrt(spreads + EVENNESS))
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(width, values.shape[1])))[0]
    tokens = values @ turn.T
    return torch.tensor(TOKEN_SPREAD * tokens / tokens.std()).float()


def silence_shortcuts(eye: nn.Module) -> None:
    """Let nothing through past the eye."""
    with torch.no_grad():
        for shortcut in eye.deepstack_merger_list:
            for weight in shortcut.linear_fc2.parameters():
                weight.zero_()


def see_windows(eye: nn.Module, images: np.ndarray) -> Tensor:
    """What the eye hands on, (n, tokens, width)."""
    tokens = eye(cut_patches(images), grid_thw=list_grids(len(images))).pooler_output
    tokens = torch.cat(tokens) if isinstance(tokens, list | tuple) else tokens
    return tokens.view(len(images), -1, tokens.shape[-1])


# --- what a linear reader finds in it -------------------------------------------------------------------------------


class Probe(NamedTuple):
    """Counts of a linear classifier on what the eye hands on: `confusion[i][j]`, windows of class i called j."""

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def right(self) -> int:
        """Windows called what they are."""
        return sum(row[place] for place, row in enumerate(self.confusion))

    @property
    def total(self) -> int:
        """All windows."""
        return sum(map(sum, self.confusion))


def probe_eye(eye: nn.Module, train: tuple[np.ndarray, Sequence[str]], held: tuple[np.ndarray, Sequence[str]]) -> Probe:
    """Fit a linear classifier, with labels, on the mean token of windows; count what it says about held-out ones."""
    classes = tuple(sorted(set(train[1])))
    x, y = (see_means(eye, images) for images in (train[0], held[0]))
    truth = torch.tensor([classes.index(family) for family in train[1]])
    said = _fit_classifier((x - x.mean(0)) / x.std(0), truth, len(classes))((y - x.mean(0)) / x.std(0)).argmax(1)
    confusion = np.zeros((len(classes),) * 2, int)
    np.add.at(confusion, ([classes.index(family) for family in held[1]], said.numpy()), 1)
    return Probe(classes, tuple(tuple(map(int, row)) for row in confusion))


def see_means(eye: nn.Module, images: np.ndarray) -> Tensor:
    with torch.no_grad():
        return torch.cat(
            [see_windows(eye, images[start : start + 256]).mean(1) for start in range(0, len(images), 256)]
        )


def _fit_classifier(x: Tensor, y: Tensor, classes: int, decay: float = 1e-3) -> nn.Linear:
    layer = nn.Linear(x.shape[1], classes)
    nn.init.zeros_(layer.weight)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=200)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(layer(x), y) + decay * layer.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return layer


def load_weights(eye: nn.Module, file: Path) -> None:
    eye.load_state_dict(torch.load(file, weights_only=True))
