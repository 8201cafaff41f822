"""Publishing a data set on the Hugging Face Hub.

The folder is checked against its manifest; what the Hub does not have yet is uploaded, which nobody sees; then one
commit makes everything visible at once, or nothing. Killed anywhere before the commit, the next run goes on: a blob
that arrived is not sent again. Files that are no part of a data set of ours are never touched.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from distortlab import __version__
from distortlab.analysis.sharing_rights import check_shareable
from distortlab.core.errors import BuildFailed, UserError
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.sharing.hub_description import describe_for_hub
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
from distortlab.sharing.upload import check_uploaded, upload_items
from distortlab.storage.hub_client import BranchMoved, Hub, Patience, connect, quiet_client

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.hf_api import RepoFile

__all__ = ["PushResult", "push"]

_COMMITS = 3


@dataclass(frozen=True, slots=True)
class PushResult:
    """The state of the repository after a push, and what the push changed.

    Attributes
    ----------
    repo, url, revision
        Where the data set is: its name, its page, the branch.
    commit
        The one that holds the data set now.
    changed
        Whether this push made it.
    sent, removed
        Paths of files.
    sent_bytes
        Size of the files sent, which is more than was transferred where the Hub knew parts of them.
    kept
        How many files were there already.
    tag
        The name of the commit, if it got one.
    dry_run
        Whether nothing was done.
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
    croissant.json is written for the Hub: with its page, and the files in its repository.

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
    found = list_items(data, stage)  # all that can be known here, before anybody is asked
    with quiet_client(), tempfile.TemporaryDirectory(prefix="distortlab-push-") as spare:
        known = find_repository(hub, private)
        items = [*found, describe_for_hub(data, hub, revision, known, Path(spare))]
        head = read_head(hub, revision) if known else Head(None, {})
        check_target(hub, head)
        check_tag(hub, head, tag, changed=any(diff_files(items, head)))
        if dry_run:
            return _report(hub, revision, head.commit, items, head, tag, dry_run=True)
        _prepare(hub, known, head, revision, private, gated)
        if not known:
            items = [*found, describe_for_hub(data, hub, revision, True, Path(spare))]
        before = head if head.commit else read_head(hub, revision)
        commit = _publish(hub, revision, items, before, message or _message(data), stage)
        check_uploaded(hub, commit, items)
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
        upload_items(hub, revision, [item for item in new if item.path not in uploaded], uploaded, stage)
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


def _as_wanted(item: Item | None, remote: "RepoFile | None") -> bool:
    return remote is None if item is None else item.matches(remote)
