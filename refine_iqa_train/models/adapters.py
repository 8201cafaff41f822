"""Adapters (LoRA) in a folder or on the Hub: the model they belong to, loaded to be trained on, merged into weights."""

import json
import shutil
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from refine_iqa_train.models.identity import is_on_hub

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

__all__ = ["BASE", "Adapter", "attach_adapter", "find_adapter", "load_merged", "load_whole_model", "new_folder"]

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
BASE = "base"
"""The folder beside adapters that holds the model they belong to, where adapters were merged before training."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """LoRA adapters and the model that they belong to.

    Parameters
    ----------
    name, revision
        Of the adapters: a folder, or a name on the Hub and its revision.
    base, base_revision
        The same of the model that they belong to.
    r, alpha, dropout
        Rank, scale and dropout.
    """

    name: str
    revision: str | None
    base: str
    base_revision: str | None
    r: int
    alpha: int
    dropout: float

    def weight_names(self) -> list[str]:
        """Names of the adapters' weights; none where they are not stored as safetensors."""
        from safetensors import safe_open
        from transformers.utils import cached_file

        file = cached_file(self.name, WEIGHTS, revision=self.revision, _raise_exceptions_for_missing_entries=False)
        if file is None:
            return []
        with safe_open(file, framework="numpy") as stored:
            return list(stored.keys())


def find_adapter(name: str, revision: str | None = None) -> Adapter | None:
    """Read the adapters of a folder or of a repository on the Hub; None where it holds none, or nothing can be found.

    Raises
    ------
    UserError
        For adapters of another kind than LoRA, and where the model that they belong to is not named or is not there.
    """
    from transformers.utils.peft_utils import find_adapter_config_file

    try:
        config_file = find_adapter_config_file(name, revision=revision)
    except (OSError, ValueError):  # no such model: whoever opens it says so
        return None
    if config_file is None:
        return None
    try:
        values = json.loads(Path(config_file).read_text(encoding="utf-8"))
        kind, r, alpha = str(values["peft_type"]), int(values.get("r", 0)), int(values.get("lora_alpha", 0))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{name}: {CONFIG} cannot be read ({type(error).__name__}: {error})") from error
    if kind != "LORA":
        raise UserError(f"the adapters in {name} are of the kind {kind}; those that are known here are LORA")
    base = _find_base(name, values.get("base_model_name_or_path"))
    return Adapter(name, revision, base, values.get("revision"), r, alpha, float(values.get("lora_dropout") or 0.0))


def _find_base(name: str, name_or_path: object) -> str:
    if not name_or_path or not isinstance(name_or_path, str):
        raise UserError(f"the adapters in {name} do not say which model they belong to (base_model_name_or_path)")
    beside = Path(name) / BASE
    if Path(name_or_path).is_dir():
        base = name_or_path
    elif beside.is_dir():  # the run was moved
        base = str(beside)
    elif is_on_hub(name_or_path):
        base = name_or_path  # a name on the Hub; or a folder that is gone: whoever opens it says so
    else:
        raise UserError(
            f"the adapters in {name} belong to the model {name_or_path}, which is not there; put it there, or its path "
            f"into base_model_name_or_path of {Path(name) / CONFIG}"
        )
    if (Path(base) / CONFIG).exists():
        raise UserError(
            f"the adapters in {name} belong to {base}, which holds adapters itself: "
            f"python -m refine_iqa_train merge {base} --out MODEL, and name that model in {Path(name) / CONFIG}"
        )
    return base


# --- weights --------------------------------------------------------------------------------------------------------


def attach_adapter(
    model: "PreTrainedModel", adapter: Adapter, *, is_trainable: bool = False, same_dtype: bool = False
) -> "PeftModel":
    """Put adapters on a model.

    Parameters
    ----------
    model
        The one that they belong to, loaded.
    adapter
        Their folder or name.
    is_trainable
        Whether they are trained further.
    same_dtype
        Keep those of a bfloat16 model in bfloat16; else they are float32.

    Raises
    ------
    UserError
        Where they do not fit the model, or some of their weights are missing.
    """
    from peft import PeftModel

    options = {"is_trainable": is_trainable, "revision": adapter.revision, "autocast_adapter_dtype": not same_dtype}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing`", category=FutureWarning)
            warnings.filterwarnings("error", message="Found missing adapter keys")  # they would stay as they were drawn
            return PeftModel.from_pretrained(model, adapter.name, **options)
    except (OSError, ValueError, RuntimeError, KeyError, UserWarning) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"the adapters in {adapter.name} do not fit {adapter.base}: {reason}") from error


def load_merged(adapter: Adapter) -> "PreTrainedModel":
    """Load a model with its adapters added to its weights, in its own dtype, on the CPU. Raises `UserError`."""
    model = load_whole_model(adapter.base, adapter.base_revision, f" of the adapters in {adapter.name}")
    return attach_adapter(model, adapter).merge_and_unload()


def load_whole_model(name: str, revision: str | None, whose: str = "") -> "PreTrainedModel":
    """Load a model in its own dtype, on the CPU.

    Parameters
    ----------
    name, revision
        A folder, or a name on the Hub and its revision.
    whose
        Added to its name in the sentence of an error.

    Raises
    ------
    UserError
        Where it cannot be opened.
    """
    import transformers
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(name, revision=revision)
        kind = getattr(transformers, (config.architectures or ["?"])[0], transformers.AutoModelForImageTextToText)
        return kind.from_pretrained(name, dtype="auto", revision=revision)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"the model {name}{whose} cannot be opened: {reason}") from error


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Make a folder that appears under its name whole or not at all. Raises `UserError` where the name is in use."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is in use; choose another --out")
    hidden = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        hidden.mkdir(parents=True)
        yield hidden
        hidden.replace(out)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
