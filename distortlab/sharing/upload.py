"""Sending the files of a data set to the Hub, and comparing what the Hub says it holds."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from distortlab.core.errors import BuildFailed
from distortlab.sharing.remote_diff import Item, Stage
from distortlab.storage.hub_client import Hub

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.hf_api import RepoFile

__all__ = ["check_uploaded", "upload_items"]


def upload_items(
    hub: Hub, revision: str, items: Sequence[Item], uploaded: "dict[str, CommitOperationAdd]", stage: Stage
) -> None:
    """Send the blobs one by one (the client uploads the parts of one side by side). Small files go with the commit."""
    with stage("bytes sent", sum(item.size for item in items)) as advance:
        for item in items:
            operation, steps = _operation(item, advance)
            hub.ask(
                hub.api.preupload_lfs_files,
                hub.repo,
                [operation],
                repo_type="dataset",
                revision=revision,
                doing="write",
            )
            uploaded[item.path] = operation
            steps.to(item.size)


class _ByteCounter:
    """Counts the bytes read from a file, from the start again where an upload begins again."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self.advance, self.total = advance, 0

    def to(self, position: int) -> None:
        if position > self.total:
            self.advance(position - self.total)
            self.total = position


class _CountedFile(io.BufferedReader):
    """A file that tells how far it was read."""

    def __init__(self, path: Path, steps: _ByteCounter) -> None:
        super().__init__(io.FileIO(path))
        self._steps = steps

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._steps.to(self.tell())
        return data


def _operation(item: Item, advance: Callable[[int], None]) -> "tuple[CommitOperationAdd, _ByteCounter]":
    """The client's form of a file, with the hash that is known already, and the bytes of it that were read."""
    from huggingface_hub import CommitOperationAdd

    steps = _ByteCounter(advance)

    class Counted(CommitOperationAdd):
        @contextmanager
        def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
            with _CountedFile(item.file, steps) as file:
                yield file

    operation = Counted(path_in_repo=item.path, path_or_fileobj=str(item.file))
    operation.upload_info.sha256 = bytes.fromhex(item.sha256)
    return operation, steps


def check_uploaded(hub: Hub, commit: str, items: Sequence[Item]) -> None:
    """What the Hub says it holds is what is here."""
    for start in range(0, len(items), 100):
        part = items[start : start + 100]
        found = hub.ask(
            hub.api.get_paths_info, hub.repo, [item.path for item in part], revision=commit, repo_type="dataset"
        )
        remote = {entry.path: cast("RepoFile", entry) for entry in found}
        wrong = [item.path for item in part if not item.matches(remote.get(item.path))]
        if wrong:
            raise BuildFailed(
                f"the Hub holds something else than was sent for {', '.join(wrong[:3])} in commit {commit[:8]} of "
                f"{hub.repo}: do not use it, and push again"
            )
