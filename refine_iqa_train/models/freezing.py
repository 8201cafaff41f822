"""Weights that are not trained, by patterns of their names."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from refine_iqa_train.models.families import ModelFamily

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["freeze", "is_frozen_by"]


def is_frozen_by(pattern: str, name: str) -> bool:
    """Whether a pattern fits a name of a weight, from its beginning or from after one of its dots to its end.

    Examples
    --------
    >>> from refine_iqa_train.models.freezing import is_frozen_by
    >>> is_frozen_by("visual.*", "model.visual.blocks.0.attn.qkv.weight")
    True
    >>> is_frozen_by("visual.*.bias", "model.visual.blocks.0.attn.qkv.weight")
    False
    """
    return any(fnmatchcase(part, pattern) for part in _list_endings(name))


def _list_endings(name: str) -> Iterator[str]:
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield name


def freeze(model: "Module", family: ModelFamily, patterns: Sequence[str], *, vision: bool = False) -> None:
    """Take weights out of training.

    Parameters
    ----------
    model
        With adapters or without; what is not trained already, e.g. below adapters, stays so.
    family
        Whose modules see.
    patterns
        Of names of weights (`is_frozen_by`).
    vision
        Also the modules that see.

    Raises
    ------
    UserError
        For a pattern that takes nothing out of training, and where nothing is left.
    """
    named = dict(model.named_parameters(remove_duplicate=False))  # lm_head and embed_tokens can be one weight
    trained = {name: weight for name, weight in named.items() if weight.requires_grad}
    frozen = [name for name in trained if vision and set(name.split(".")) & set(family.vision)]
    for pattern in patterns:
        names = [name for name in trained if is_frozen_by(pattern, name)]
        if not names:
            raise UserError(_describe_useless(pattern, list(named), list(trained)))
        frozen += names
    if trained and {id(trained[name]) for name in frozen} == {id(weight) for weight in trained.values()}:
        keys = [*(["frozen_vision"] if vision else []), *([f"frozen: {', '.join(patterns)}"] if patterns else [])]
        raise UserError(
            f"{' and '.join(keys)}: all of the {len(trained):,} weights that could be trained are frozen; freeze fewer"
        )
    for name in frozen:
        trained[name].requires_grad = False


def _describe_useless(pattern: str, names: Sequence[str], trained: Sequence[str]) -> str:
    examples = f"{trained[0]} and {trained[-1]}" if trained else "none"
    if any(is_frozen_by(pattern, name) for name in names):
        return (
            f"frozen: {pattern!r} freezes nothing, for what it names is not trained beside adapters (lora); leave it "
            f"out, or name weights that are trained, such as {examples}"
        )
    return f"frozen: {pattern!r} freezes nothing: no weight of the model is called so; there are, e.g., {examples}"
