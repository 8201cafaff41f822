"""Adapters (LoRA) of a Hugging Face model: a folder or a repository with `adapter_config.json` is taken as a model."""

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from distortlab.core.errors import UserError

__all__ = ["LoraAdapter", "attach_adapter", "find_adapter"]


class LoraAdapter(NamedTuple):
    """Adapters of a model. `base`: the model; `commit`: of the adapters on the Hub, None for a folder."""

    spec: str
    base: str
    base_revision: str | None
    commit: str | None


def find_adapter(spec: str) -> LoraAdapter | None:
    """Find the adapters of a folder or of a repository; None where it has none.

    Raises
    ------
    UserError
        Where the model that they are for is not there.
    """
    from transformers.utils.hub import extract_commit_hash
    from transformers.utils.peft_utils import find_adapter_config_file

    try:
        found = find_adapter_config_file(spec)
        values = None if found is None else json.loads(Path(found).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no such model: whoever opens it says so
        return None
    if not isinstance(values, dict):
        return None
    base, beside = str(values.get("base_model_name_or_path") or ""), Path(spec) / "base"
    if not Path(base).is_dir() and beside.is_dir():  # a run of refine_iqa_train that was moved
        base = str(beside)
    if not base or (not Path(base).is_dir() and (base.count("/") != 1 or base.startswith((".", "/", "~")))):
        raise UserError(
            f"{spec!r} holds adapters for the model {base or '(not named)'}, which is not there: put it there, or its "
            "path into base_model_name_or_path of adapter_config.json"
        )
    commit = None if Path(spec).is_dir() else extract_commit_hash(found, None)
    return LoraAdapter(spec, base, values.get("revision"), commit)


def attach_adapter(model: Any, adapter: LoraAdapter) -> Any:
    """Return the model with the adapters on it, not merged: what was trained, exactly."""
    try:
        from peft import PeftModel
    except ImportError as error:
        raise UserError(f"{adapter.spec!r} holds adapters: pip install peft ({error})") from None
    try:
        with warnings.catch_warnings():  # the first is peft's own affair; the second would answer with drawn weights
            warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing`", category=FutureWarning)
            warnings.filterwarnings("error", message="Found missing adapter keys")
            return PeftModel.from_pretrained(model, adapter.spec, revision=adapter.commit)
    except UserWarning as error:
        raise ValueError(f"the adapters do not fit {adapter.base}: {error}") from error
