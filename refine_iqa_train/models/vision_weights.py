"""The part of a model that sees, from elsewhere: its weights read from a file or a folder, compared, put in.

Only safetensors, and files of PyTorch that `torch.load(weights_only=True)` reads, are opened.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distortlab.core.errors import UserError
from refine_iqa_train.models.families import ModelFamily

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

__all__ = ["check_vision_weights", "find_weight_files", "replace_vision_weights"]

WHOLE = ("model.safetensors", "pytorch_model.bin")
"""Weights in one file, the first that is there. In several: the same with ".index.json"."""


def check_vision_weights(path: str, model: "Module", family: ModelFamily, name: str) -> None:
    """Check that weights are those of the part of a model that sees.

    Parameters
    ----------
    path
        A file, or a folder with a model or with that part alone.
    model
        The model; its weights need not be there (device "meta").
    family, name
        Of the model.

    Raises
    ------
    UserError
        Where there is nothing, it cannot be read, or it is of another size or architecture.
    """
    _match_weights(path, _list_vision_weights(model, family), family, name)


def replace_vision_weights(path: str, model: "Module", family: ModelFamily, name: str) -> None:
    """Put weights in place of those of the part of a model that sees, in the dtype of the model. Raises `UserError`."""
    import torch

    own = _list_vision_weights(model, family)
    found = _match_weights(path, own, family, name)
    with torch.no_grad():
        for key, weight in own.items():
            if not torch.isfinite(found[key]).all():
                raise UserError(f"vision: {path} has values in {key} that are no numbers; train it again")
            weight.copy_(found[key])


def _match_weights(path: str, own: "Mapping[str, Tensor]", family: ModelFamily, name: str) -> "dict[str, Tensor]":
    """The weights of the part that sees, under names that begin with its module."""
    tower = next(key.partition(".")[0] for key in own)
    found = dict(_read_vision_weights(path, tower, family))
    missing, unknown = [key for key in own if key not in found], [key for key in found if key not in own]
    if missing or unknown:
        differences = [
            f"{what} {keys[0]}" + (f" and {len(keys) - 1:,} more" if len(keys) > 1 else "")
            for what, keys in (("lacks", missing), ("has", unknown))
            if keys
        ]
        raise UserError(
            f"vision: what sees in {path} is of another architecture or depth than in {name}: it "
            f"{' and '.join(differences)}; give weights of the same part"
        )
    for key, weight in own.items():
        if found[key].shape != weight.shape:
            raise UserError(
                f"vision: what sees in {path} is of another size than in {name}: {key} is "
                f"{_format_shape(found[key])} and not {_format_shape(weight)}; give weights of the same part"
            )
    return found


def _format_shape(weight: "Tensor") -> str:
    return " x ".join(map(str, weight.shape)) or "one number"


# --- names ----------------------------------------------------------------------------------------------------------


def _list_vision_weights(model: "Module", family: ModelFamily) -> "dict[str, Tensor]":
    named = ((_find_vision_name(name, family), weight) for name, weight in model.state_dict().items())
    return {name: weight for name, weight in named if name is not None}


def _find_vision_name(name: str, family: ModelFamily, tower: str = "") -> str | None:
    """The name from the module that sees on, without what stands before it in one file or another; else None.

    A tower of CLIP is `vision_tower.vision_model` in files and `vision_tower` in models.
    """
    parts = name.split(".")
    place = next((place for place, part in enumerate(parts) if part in family.vision), None)
    if place is None:
        return None
    parts = parts[place:]
    if parts[0] == "vision_model" and tower:
        parts[0] = tower
    if parts[1:2] == ["vision_model"]:
        del parts[1]
    return ".".join(parts)


# --- files ----------------------------------------------------------------------------------------------------------


def find_weight_files(path: str) -> list[Path]:
    """Find the files of weights that a path stands for. Raises `UserError` where there are none."""
    place = Path(path)
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise UserError(f"vision: there is no {path}; give a file of weights, or the folder of a model")
    for name in WHOLE:
        if (place / name).is_file():
            return [place / name]
        if (place / f"{name}.index.json").is_file():
            return _list_parts(place / f"{name}.index.json")
    if (place / "adapter_config.json").is_file():
        raise UserError(
            f"vision: {path} holds adapters alone; merge them (python -m refine_iqa_train merge {path} --out MODEL) "
            "and give that model"
        )
    raise UserError(f"vision: {path} holds no weights ({' or '.join(WHOLE)}); give a file, or the folder of a model")


def _list_parts(index: Path) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"vision: {index} cannot be read ({type(error).__name__}: {error})") from error
    parts = [index.parent / name for name in names if isinstance(name, str) and Path(name).name == name]
    if len(parts) < len(names) or not all(part.is_file() for part in parts):
        raise UserError(f"vision: {index} names files that are not beside it; copy the whole folder again")
    return parts


def _read_vision_weights(path: str, tower: str, family: ModelFamily) -> "Iterator[tuple[str, Tensor]]":
    """Weights under names from the module that sees on; where no name has such a module, all are of the tower."""
    files = find_weight_files(path)
    readers = [_read_safetensors if file.suffix == ".safetensors" else _read_torch for file in files]
    weights = {file: read(file) for file, read in zip(files, readers, strict=True)}
    names = [name for stored in weights.values() for name in stored]
    alone = not any(_find_vision_name(name, family) for name in names)
    for stored in weights.values():
        for name in stored:
            key = f"{tower}.{name}" if alone else _find_vision_name(name, family, tower)
            if key is not None:
                yield key, stored[name]()


def _read_torch(file: Path) -> "dict[str, Callable[[], Tensor]]":
    import torch

    try:
        stored = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what a file can raise that was made to do harm is not known
        reason = " ".join(str(error).split())[:160]
        raise UserError(
            f"vision: {file} is not opened, for it is no file of weights alone ({type(error).__name__}: {reason}); "
            "save a state dict as safetensors, or with torch.save"
        ) from error
    if not isinstance(stored, dict) or not stored or not _is_state_dict(stored.items()):
        raise UserError(f"vision: {file} holds no state dict, which has weights by name; save one with torch.save")
    return {name: partial(stored.__getitem__, name) for name in stored}


def _is_state_dict(items: Iterable[tuple[object, object]]) -> bool:
    import torch

    return all(isinstance(name, str) and isinstance(weight, torch.Tensor) for name, weight in items)


def _read_safetensors(file: Path) -> "dict[str, Callable[[], Tensor]]":
    """A whole model is large, and only a part of it is needed: a weight is read when it is asked for."""
    from safetensors import SafetensorError, safe_open

    try:
        stored: Any = safe_open(file, framework="pt")
        return {name: partial(stored.get_tensor, name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"vision: {file} is no file of safetensors that can be read ({' '.join(str(error).split())[:160]}); copy "
            "or save it again"
        ) from error
