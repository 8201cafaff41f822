"""Publishing a data set on the Hugging Face Hub.

The folder is checked against its manifest; what the Hub does not have yet is uploaded, which nobody sees; then one
commit makes everything visible at once, or nothing. Killed anywhere before the commit, the next run goes on: a blob
that arrived is not sent again. Files that are no part of a data set of ours are never touched.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from distortlab import __version__
from distortlab.analysis.sharing_rights import check_shareable
from distortlab.core.errors import BuildFailed, UserError
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.sharing.remote_diff import (
    OURS,
    Head,
    Item,
    Stage,
    check_tag,
    check_target,
    diff_files,
    find_repository,
    list_items,
    read_head,
    silent_stage,
)
from distortlab.storage.hub_client import BranchMoved, Hub, Patience, connect, quiet_client

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

__all__ = ["PushResult", "push"]

_COMMITS = 3


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push came to. `commit` is the one that holds the data set now; `changed`: it was made by this push.

    `sent` and `removed` are paths; `sent_bytes` is the size of what the commit brought, which is more than was
    transferred where the Hub knew parts of it.
    """

    repo: str
    url: str
    revision: str
    commit: str | None
    changed: bool
    sent: tuple[str, ...] = ()
    sent_bytes: int = 0
    removed: tuple[str, ...] = ()
    kept: int = 0
    tag: str | None = None
    dry_run: bool = False


def push(
    folder: str | Path,
    repo: str,
    *,
    revision: str = "main",
    private: bool = False,
    gated: Literal["auto", "manual"] | None = None,
    tag: str | None = None,
    message: str | None = None,
    dry_run: bool = False,
    allow_no_derivatives: bool = False,
    stage: Stage = silent_stage,
    patience: Patience | None = None,
) -> PushResult:
    """Publish a finished data set on the Hugging Face Hub, whole or not at all.

    Every file is compared with its hash first. What the Hub has already is not sent; files of an older version that
    this one does not have are removed, in the same commit. Where the Hub holds the same files, no commit is made.

    Parameters
    ----------
    folder
        The data set.
    repo
        `user/name`; it is made where it does not exist.
    revision
        The branch.
    private
        Whether a new repository can only be seen by its owners.
    gated
        Whether people must ask for access, and who grants it; as it is unless given.
    tag
        A name for the commit.
    message
        Of the commit.
    dry_run
        Change nothing, and say what would be sent.
    allow_no_derivatives
        Publish even images from references whose license allows no changed copies.
    stage
        Called at the start of a long piece of work with its name and its bytes; gives what takes the progress.
    patience
        How often and how long the Hub is asked again.

    Returns
    -------
    PushResult
        The commit, and what was sent.

    Raises
    ------
    UserError
        For what cannot be published, or not by this token. Nothing is half-published, here or below.
    BuildFailed
        For a Hub that does not answer, or that holds other bytes than were sent.
    """
    data = open_data(folder)
    if not allow_no_derivatives:
        check_shareable(data)
    hub = connect(repo, patience=patience)
    if not hub.api.token and not dry_run:
        raise UserError("no token: run `hf auth login`, or set HF_TOKEN")
    items = list_items(data, stage)  # all that can be known here, before anybody is asked
    with quiet_client():
        known = find_repository(hub, private)
        head = read_head(hub, revision) if known else Head(None, {})
        check_target(hub, head)
        check_tag(hub, head, tag, changed=any(diff_files(items, head)))
        if dry_run:
            return _report(hub, revision, head.commit, items, head, tag, dry_run=True)
        _prepare(hub, known, head, revision, private, gated)
        before = head if head.commit else read_head(hub, revision)
        commit = _publish(hub, revision, items, before, message or _message(data), stage)
        _check_remote(hub, commit, items)
        if tag:
            hub.ask(
                hub.api.create_tag, repo, tag=tag, revision=commit, repo_type="dataset", exist_ok=True, doing="write"
            )
    return _report(hub, revision, commit, items, before, tag)


def _message(data: StoredDataset) -> str:
    totals = data.manifest["totals"]
    return f"{totals['images']:,} images, {totals['samples']:,} questions (distortlab {__version__})"


def _report(
    hub: Hub,
    revision: str,
    commit: str | None,
    items: Sequence[Item],
    before: Head,
    tag: str | None,
    dry_run: bool = False,
) -> PushResult:
    new, old = diff_files(items, before)
    return PushResult(
        repo=hub.repo,
        url=hub.url,
        revision=revision,
        commit=commit,
        changed=commit != before.commit,
        sent=tuple(item.path for item in new),
        sent_bytes=sum(item.size for item in new),
        removed=tuple(old),
        kept=len(items) - len(new),
        tag=tag,
        dry_run=dry_run,
    )


# --- sending --------------------------------------------------------------------------------------------------------


def _prepare(hub: Hub, known: bool, head: Head, revision: str, private: bool, gated: str | None) -> None:
    """The repository, its gate (before anything can be seen), the branch."""
    api, repo = hub.api, hub.repo
    if not known:
        hub.ask(api.create_repo, repo, repo_type="dataset", private=private, exist_ok=True, doing="write")
    if gated:
        hub.ask(api.update_repo_settings, repo, gated=gated, repo_type="dataset", doing="write")
    if head.commit is None and revision != "main":
        hub.ask(api.create_branch, repo, branch=revision, repo_type="dataset", exist_ok=True, doing="write")


def _publish(hub: Hub, revision: str, items: Sequence[Item], head: Head, message: str, stage: Stage) -> str:
    """Upload and commit; returns the commit that holds the data set.

    Where the branch has moved meanwhile, the commit is made again on top, if what moved is not ours: a commit of ours
    that went through although the answer was lost, or somebody's notes beside the data.
    """
    from huggingface_hub import CommitOperationDelete

    uploaded: dict[str, CommitOperationAdd] = {}
    for _ in range(_COMMITS):
        new, stale = diff_files(items, head)
        if head.commit and not new and not stale:
            return head.commit
        _upload(hub, revision, [item for item in new if item.path not in uploaded], uploaded, stage)
        operations = [*(uploaded[item.path] for item in new), *(CommitOperationDelete(path) for path in stale)]
        try:
            made = hub.ask(
                hub.api.create_commit,
                hub.repo,
                operations,
                commit_message=message,
                repo_type="dataset",
                revision=revision,
                parent_commit=head.commit,
                doing="write",
            )
            return str(made.oid)
        except BranchMoved:
            head = _check_unchanged(hub, revision, items, head)
    raise BuildFailed(f"{hub.repo} is changed by others all the time; run the same command again later")


def _check_unchanged(hub: Hub, revision: str, items: Sequence[Item], before: Head) -> Head:
    """Where the branch is now, if no file of ours was changed by somebody else."""
    now = read_head(hub, revision)
    wanted = {item.path: item for item in items}
    for path in sorted({path for path in (*before.files, *now.files) if OURS.fullmatch(path)}):
        old, new = before.files.get(path), now.files.get(path)
        if (old and old.blob_id) != (new and new.blob_id) and not _as_wanted(wanted.get(path), new):
            raise UserError(
                f"somebody else pushed to {hub.repo} in the meantime (commit {str(now.commit)[:8]} changed {path}); "
                "nothing of yours was published: look at it, then run the same command again to replace it"
            )
    return now


def _as_wanted(item: Item | None, remote: Any) -> bool:
    return remote is None if item is None else item.matches(remote)


def _upload(
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
        def as_file(self, with_tqdm: bool = False) -> Iterator[Any]:
            with _CountedFile(item.file, steps) as file:
                yield file

    operation = Counted(path_in_repo=item.path, path_or_fileobj=str(item.file))
    operation.upload_info.sha256 = bytes.fromhex(item.sha256)
    return operation, steps


def _check_remote(hub: Hub, commit: str, items: Sequence[Item]) -> None:
    """What the Hub says it holds is what is here."""
    for start in range(0, len(items), 100):
        part = items[start : start + 100]
        found = hub.ask(
            hub.api.get_paths_info, hub.repo, [item.path for item in part], revision=commit, repo_type="dataset"
        )
        remote = {entry.path: entry for entry in found}
        wrong = [item.path for item in part if not item.matches(remote.get(item.path))]
        if wrong:
            raise BuildFailed(
                f"the Hub holds something else than was sent for {', '.join(wrong[:3])} in commit {commit[:8]} of "
                f"{hub.repo}: do not use it, and push again"
            )
