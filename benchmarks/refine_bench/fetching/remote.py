"""Files elsewhere: what they are now, and bringing them here so that a broken download goes on where it was."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from distortlab.core.errors import BuildFailed, UserError
from distortlab.storage.atomic import hash_file, is_disk_full
from distortlab.storage.hub_client import Patience, connect
from refine_bench.fetching import web
from refine_bench.fetching.sources import HubFile, RemoteFile, WebFile

__all__ = ["FoundFile", "Listing", "download", "look_up"]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file elsewhere as it is now. `size` in bytes, `sha256`, `revision`: None or empty where nobody says."""

    file: RemoteFile
    size: int | None = None
    sha256: str | None = None
    revision: str = ""


class Listing(NamedTuple):
    """Files of one place, and the license that their repository states; empty where there is none."""

    files: tuple[FoundFile, ...]
    license: str


def look_up(files: Sequence[RemoteFile], patience: Patience) -> Listing:
    """Look up files, without fetching them.

    Raises
    ------
    UserError
        Where one is not there; `BuildFailed` where its place does not answer.
    """
    repos = {file.repo for file in files if isinstance(file, HubFile)}
    found: dict[RemoteFile, FoundFile] = {}
    licenses = []
    for repo in sorted(repos):
        paths = [file.path for file in files if isinstance(file, HubFile) and file.repo == repo]
        listed, license = _look_up_hub(repo, paths, patience)
        found |= {each.file: each for each in listed}
        licenses.append(license)
    for file in files:
        if isinstance(file, WebFile):
            found[file] = FoundFile(file, web.find_size(file.url, patience))
    return Listing(tuple(found[file] for file in files), ", ".join(name for name in licenses if name))


def _look_up_hub(repo: str, paths: Sequence[str], patience: Patience) -> tuple[list[FoundFile], str]:
    hub = connect(repo, patience=patience)
    info = hub.ask(hub.api.dataset_info, repo)
    revision = str(info.sha)
    entries = hub.ask(hub.api.get_paths_info, repo, list(paths), revision=revision, repo_type="dataset")
    sizes = {entry.path: entry for entry in entries if hasattr(entry, "blob_id")}
    found = []
    for path in paths:
        entry: Any = sizes.get(path)
        if entry is None:
            raise UserError(f"{repo} on the Hub has no file {path}")
        found.append(FoundFile(HubFile(repo, path), entry.size, entry.lfs.sha256 if entry.lfs else None, revision))
    card: dict[str, Any] = info.card_data.to_dict() if info.card_data else {}  # type: ignore[no-untyped-call]
    stated = card.get("license") or ""
    return found, ", ".join(map(str, stated)) if isinstance(stated, list) else str(stated)


def download(found: FoundFile, folder: Path, patience: Patience, progress: Callable[[int], None]) -> Path:
    """Bring a file into a folder; what is there of it already is not fetched again.

    Parameters
    ----------
    found
        The file.
    folder
        Where it goes, and where what came of a broken download lies.
    patience
        How often a request is made again.
    progress
        Called with the bytes that came since the last call, those that were there counted at the start.

    Returns
    -------
    Path
        Whole, with the hash that was announced where one was.

    Raises
    ------
    UserError
        Where it may not be had, or is not what was announced; `BuildFailed` where the place does not answer, or the
        disk is full: the same call goes on.
    """
    path = folder / found.file.name
    if path.is_file() and found.sha256:  # of an earlier run
        if not _is_other(found, path):
            progress(path.stat().st_size)
            return path
        path.unlink()  # what is announced has changed since
    with _explain_full_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(found.file, WebFile):
            web.download(found.file.url, path, patience, progress)
        else:
            _download_from_hub(found, found.file, path, patience, progress)
    if _is_other(found, path):
        path.unlink()
        raise UserError(
            f"{found.file} is not what was announced: its sha256 is not {str(found.sha256)[:12]}...; it was thrown "
            "away, run the same command again"
        )
    return path


def _is_other(found: FoundFile, path: Path) -> bool:
    return found.sha256 is not None and hash_file(path) != found.sha256


def _download_from_hub(
    found: FoundFile, file: HubFile, path: Path, patience: Patience, progress: Callable[[int], None]
) -> None:
    """Over plain requests: the client of the Hub throws away what a broken download brought."""
    from huggingface_hub import hf_hub_url

    hub = connect(file.repo, patience=patience)
    revision = found.revision or None
    url = hf_hub_url(file.repo, file.path, repo_type="dataset", revision=revision, endpoint=hub.api.endpoint)

    def explain(url: str, error: httpx.HTTPError) -> UserError:
        response = getattr(error, "response", None)
        if response is not None and response.headers.get("X-Error-Code") == "GatedRepo":
            return UserError(f"{file.repo} is gated: ask for access at {hub.url}, then try again")
        return hub.explain(error, "read")

    headers = {"Authorization": f"Bearer {hub.api.token}"} if isinstance(hub.api.token, str) else {}
    terms = web.Terms(headers, found.sha256 or "", explain)
    web.download(url, path, patience, progress, terms)


@contextmanager
def _explain_full_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # clients wrap what the system says
        link: BaseException | None = error
        while link is not None:
            if (isinstance(link, OSError) and is_disk_full(link)) or os.strerror(28) in str(link):
                raise BuildFailed(
                    f"the disk of {folder} is full; make room and run the same command again, it goes on from here"
                ) from error
            link = link.__cause__ or link.__context__
        raise
