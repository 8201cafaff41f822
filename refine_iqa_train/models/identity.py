"""What the name of a model or of a data set stands for: a folder or a name on the Hub, and whether two are the same."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["hash_folder_state", "identify_files", "identify_model", "is_on_hub"]

HASHED_BYTES = 1 << 20


def is_on_hub(name: str) -> bool:
    """Whether a name is one of the Hub, `somebody/something`, and no folder."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()


def identify_model(name: str, revision: str | None = None) -> str:
    """Say which weights a name stands for, so that two names can be compared.

    Returns
    -------
    str
        Of a folder, 16 digits of a hash of the names, sizes, beginnings and ends of its weights and configurations;
        of a model on the Hub `name@revision`.
    """
    folder = Path(name)
    if not folder.is_dir():
        return f"{name}@{revision or 'main'}"
    names = ("config.json", "adapter_config.json")
    return identify_files(
        path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin") or path.name in names
    )


def identify_files(paths: Iterable[Path]) -> str:
    """Hash the names, sizes, beginnings and ends of files; 16 digits."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.name} {path.stat().st_size} ".encode())
        with path.open("rb") as file:
            digest.update(file.read(HASHED_BYTES))
            file.seek(max(0, path.stat().st_size - HASHED_BYTES))
            digest.update(file.read())
    return digest.hexdigest()[:16]


def hash_folder_state(folder: Path) -> str:
    """Hash the names, sizes and times of all files of a folder; 16 digits."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        state = path.stat()
        digest.update(f"{path.relative_to(folder)} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
