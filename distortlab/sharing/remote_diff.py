"""A data set here and on the Hub: the files of both, and how they differ."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from distortlab.core.errors import UserError
from distortlab.dataset.manifest import FileEntry
from distortlab.dataset.reader import StoredDataset
from distortlab.dataset.schema import ALL_TABLES
from distortlab.storage.atomic import hash_file
from distortlab.storage.hub_client import Hub

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoFile

__all__ = [
    "OURS",
    "Head",
    "Item",
    "Stage",
    "check_tag",
    "check_target",
    "diff_files",
    "find_repository",
    "list_items",
    "read_head",
    "silent_stage",
]

Stage = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Begins a stage of long work: what is counted, and how many bytes there are. Yields what takes the steps."""

OURS = re.compile(rf"(?:{'|'.join(ALL_TABLES)})/\w[\w.]*-\d+-of-\d+\.parquet|README\.md|MANIFEST\.json|croissant\.json")
_ANYONES = re.compile(r"\.git\w+|README(\.md)?|LICEN[CS]E(\.\w+)?", re.IGNORECASE)


@contextmanager
def silent_stage(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Begin a stage that nobody watches."""
    yield lambda step: None


@dataclass(frozen=True)
class Item:
    """A file to be published."""

    path: str
    file: Path
    size: int
    sha256: str

    @cached_property
    def blob_id(self) -> str:
        """The name that git gives to the content."""
        data = self.file.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def matches(self, remote: "RepoFile | None") -> bool:
        """Whether a file of the Hub is this one."""
        if remote is None or remote.size != self.size:
            return False
        return remote.lfs.sha256 == self.sha256 if remote.lfs else remote.blob_id == self.blob_id


@dataclass(frozen=True, slots=True)
class Head:
    """A branch: its commit, and its files by path."""

    commit: str | None
    files: Mapping[str, "RepoFile"]


# --- here ---------------------------------------------------------------------------------------------------


def list_items(data: StoredDataset, stage: Stage) -> list[Item]:
    """Return the files of the data set, each compared with its hash. Images first: questions repeat them."""
    files = data.manifest["files"]
    manifest = data.folder / "MANIFEST.json"
    strange = next(
        (path for path in files if path.startswith((".", "_")) or not path.endswith((".parquet", ".md"))), None
    )
    if strange:
        raise UserError(
            f"{data.folder}: the manifest names {strange}, which is no file of a data set; nothing was sent"
        )
    with stage("bytes checked", sum(entry["bytes"] for entry in files.values())) as advance:
        items = [
            _check_item(data.folder / path, path, entry, advance) for path, entry in sorted(files.items(), key=_order)
        ]
    return [*items, Item(manifest.name, manifest, manifest.stat().st_size, hash_file(manifest))]


def _order(file: tuple[str, object]) -> tuple[bool, str]:
    return not file[0].startswith("images/"), file[0]


def _check_item(file: Path, path: str, entry: FileEntry, advance: Callable[[int], None]) -> Item:
    if hash_file(file) != entry.get("sha256"):
        raise UserError(
            f"{path} is not the file that was generated: its SHA-256 is not the one in the manifest; nothing was sent "
            "(distortlab verify says more; remove the folder and generate again)"
        )
    advance(entry["bytes"])
    return Item(path, file, entry["bytes"], entry["sha256"])


# --- there --------------------------------------------------------------------------------------------------


def find_repository(hub: Hub, private: bool) -> bool:
    """Return whether the data set exists. Raises `UserError` for a name that stands for something else."""
    api, repo = hub.api, hub.repo
    if hub.ask(api.repo_exists, repo, repo_type="dataset"):
        if private and not hub.ask(api.dataset_info, repo).private:
            raise UserError(f"{repo} exists and is public; make it private in its settings first ({hub.url}/settings)")
        return True
    for kind in ("model", "space"):
        if hub.ask(api.repo_exists, repo, repo_type=kind):
            raise UserError(f"{repo} is a {kind}; choose another name for the data set")
    return False


def read_head(hub: Hub, revision: str) -> Head:
    """Return the branch; where there is none of that name yet, no commit and no files."""
    refs = hub.ask(hub.api.list_repo_refs, hub.repo, repo_type="dataset")
    branches = {branch.name: branch.target_commit for branch in refs.branches}
    if revision not in branches:
        if any(revision == tag.name for tag in refs.tags):
            raise UserError(f"{revision} is a tag of {hub.repo}, and only branches can be pushed to")
        return Head(None, {})
    commit = branches[revision]

    def read_tree() -> "dict[str, RepoFile]":
        tree = hub.api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type="dataset")
        return {entry.path: cast("RepoFile", entry) for entry in tree if hasattr(entry, "blob_id")}

    return Head(commit, hub.ask(read_tree))


def check_target(hub: Hub, head: Head) -> None:
    """Refuse a branch that holds something else than a data set of ours."""
    foreign = sorted(path for path in head.files if not (OURS.fullmatch(path) or _ANYONES.fullmatch(path)))
    if foreign and "MANIFEST.json" not in head.files:
        raise UserError(
            f"{hub.repo} holds something else ({', '.join(foreign[:3])}{', ...' if foreign[3:] else ''}), whose "
            "README.md would be replaced; choose another name, or another --revision"
        )


def check_tag(hub: Hub, head: Head, tag: str | None, changed: bool) -> None:
    """Refuse a tag that would have to be moved."""
    if tag is None or head.commit is None:
        return
    refs = hub.ask(hub.api.list_repo_refs, hub.repo, repo_type="dataset")
    if any(known.name == tag and (changed or known.target_commit != head.commit) for known in refs.tags):
        raise UserError(f"{hub.repo} has a tag {tag} already, on an older commit; choose another name for the tag")


def diff_files(items: Iterable[Item], head: Head) -> tuple[list[Item], list[str]]:
    """Return what is to be sent, and which of our files are to be removed."""
    items = list(items)
    stale = {path for path in head.files if OURS.fullmatch(path)} - {item.path for item in items}
    return [item for item in items if not item.matches(head.files.get(item.path))], sorted(stale)
