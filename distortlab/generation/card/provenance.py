"""How a data set was made, for its card: the command, the versions, the recipe."""

import json
import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from distortlab.generation.plan import Plan

__all__ = ["describe_provenance"]

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "simplejpeg", "scikit-image", "pycocotools", "pyarrow")
_REFERENCE_OPTIONS = {"coco": "coco:FILE.json,FOLDER", "folder": "folder:FOLDER"}


def describe_provenance(plan: Plan) -> dict[str, str]:
    """Return the values of the template that say how the data set was made."""
    return {
        "reference_option": _REFERENCE_OPTIONS.get(plan.source, plan.source),
        "seed": str(plan.recipe.seed),
        "plan": plan.sha256[:16],
        "source": plan.source,
        "fingerprint": plan.fingerprint[:16],
        "python": platform.python_version(),
        "libraries": ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
        "recipe": _to_toml(plan.recipe.as_dict()),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(another build)"


def _to_toml(values: Mapping[str, object]) -> str:
    """Plain values and one level of tables, as TOML. A JSON string, number or truth value is one of TOML too, and what
    is None has no place in it: the key is left out.
    """
    set_values = {key: value for key, value in values.items() if value is not None}
    plain = [f"{_key(key)} = {json.dumps(value)}" for key, value in set_values.items() if not isinstance(value, dict)]
    for name, table in set_values.items():
        if isinstance(table, dict):
            lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]
            plain += ["", f"[{name}]", *lines]
    return "\n".join(plain)


def _value(value: object) -> str:
    """A value; a table within a table is written in its line."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{" + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items() if inner is not None) + "}"


def _key(name: object) -> str:
    return str(name) if re.fullmatch(r"[A-Za-z0-9_-]+", str(name)) else json.dumps(str(name))
