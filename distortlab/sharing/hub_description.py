"""croissant.json as it stands on the Hub: with the page, the owner and the date, and files in a repository."""

import datetime
from pathlib import Path
from urllib.parse import quote

from distortlab.dataset.croissant.distribution import PATH
from distortlab.dataset.croissant.document import Publication, render_croissant
from distortlab.dataset.reader import StoredDataset
from distortlab.sharing.remote_diff import Item
from distortlab.storage.atomic import hash_file
from distortlab.storage.hub_client import Hub

__all__ = ["describe_for_hub"]


def describe_for_hub(data: StoredDataset, hub: Hub, revision: str, exists: bool, folder: Path) -> Item:
    """Write croissant.json for a branch of the Hub, and return it as a file to be published.

    The date is the day on which the repository was made, so that the same data set is described in the same words at
    every push.

    Parameters
    ----------
    data
        The data set.
    hub, revision
        Where it goes.
    exists
        Whether the repository is there already.
    folder
        Where to write the file; it must stay until the file was sent.
    """
    created = hub.ask(hub.api.dataset_info, hub.repo).created_at if exists else None
    owner, _, name = hub.repo.rpartition("/")
    branch = "" if revision == "main" else f"/tree/refs%2Fheads%2F{quote(revision, safe='')}"
    publication = Publication(
        url=hub.url,
        name=name,
        creator=owner or name,
        date=(created or datetime.datetime.now(datetime.UTC)).date().isoformat(),
        repository=hub.url + branch,
    )
    file = folder / PATH
    file.write_text(render_croissant(data, publication), encoding="utf-8", newline="\n")
    return Item(PATH, file, file.stat().st_size, hash_file(file))
