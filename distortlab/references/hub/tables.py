"""Tables of a data set on the Hub: which Parquet files a split has, and rows out of them without fetching whole files.

The commit is pinned once, so that every process and every run sees the same bytes. A row is read by streaming through
its row group; the last few places are kept open, so that rows asked for in order cost each byte once.
"""

import fnmatch
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.core.errors import UserError
from distortlab.storage.hub_client import Hub, Patience, connect

__all__ = ["RowGroup", "SplitFiles", "find_files", "list_row_groups", "read_column", "read_footer", "read_row"]

_KNOWN_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval"),
}
_SPLITS = {word: split for split, words in _KNOWN_SPLITS.items() for word in words}
_CONVERTED = "refs/convert/parquet"
_BATCH = 16
_BUFFER = 4 << 20
_OPEN = 4
"""Places kept open by a process; each holds one batch of rows and one buffer."""


@dataclass(frozen=True, slots=True)
class SplitFiles:
    """The Parquet files of one split at one commit. Small and picklable."""

    repo: str
    commit: str
    config: str
    split: str
    paths: tuple[str, ...]
    endpoint: str
    patience: Patience = field(default_factory=Patience)


class RowGroup(NamedTuple):
    """A row group: its file, its number, the rows before it in the file, and its own rows."""

    path: str
    group: int
    first: int
    rows: int


# --- finding --------------------------------------------------------------------------------------------------------


def find_files(
    hub: Hub, revision: str | None, config: str | None, split: str | None
) -> tuple[SplitFiles, Mapping[str, Any]]:
    """Find the files of a split.

    Parameters
    ----------
    hub
        The repository.
    revision
        Branch, tag or commit; None for the main branch.
    config, split
        None where there is only one, or an obvious one.

    Returns
    -------
    tuple
        The files, at the commit of now, and the metadata of the card.

    Raises
    ------
    UserError
        For names that do not exist, with those that do; and where there are no Parquet files.
    """
    info = hub.ask(hub.api.dataset_info, hub.repo, revision=revision)
    card: dict[str, Any] = info.card_data.to_dict() if info.card_data else {}  # type: ignore[no-untyped-call]
    commit, tables = str(info.sha), _group_files(_list_parquet(hub, str(info.sha)), card)
    if not tables and revision is None:
        commit, tables = _find_converted(hub)
    if not tables:
        raise UserError(f"{hub.repo} has no Parquet files at {revision or 'main'}, and images are read from those")
    chosen = _choose(hub.repo, "config", config, list(tables), _default_config(card, tables))
    splits = tables[chosen]
    part = _choose(hub.repo, "split", split, list(splits), "train" if "train" in splits else None)
    files = SplitFiles(hub.repo, commit, chosen, part, tuple(splits[part]), hub.api.endpoint, hub.patience)
    return files, card


def _list_parquet(hub: Hub, commit: str) -> list[str]:
    def list_paths() -> list[str]:
        tree = hub.api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type="dataset")
        return sorted(entry.path for entry in tree if entry.path.endswith(".parquet") and hasattr(entry, "blob_id"))

    return hub.ask(list_paths)


def _find_converted(hub: Hub) -> tuple[str, dict[str, dict[str, list[str]]]]:
    """The Parquet form that the Hub makes of data sets in other formats, where it has."""
    refs = hub.ask(hub.api.list_repo_refs, hub.repo, repo_type="dataset")
    commit = next((ref.target_commit for ref in refs.converts if ref.ref == _CONVERTED), None)
    return (commit, _group_by_name(_list_parquet(hub, commit))) if commit else ("", {})


def _group_files(paths: Sequence[str], card: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Config -> split -> files: as the card declares them, else by their names."""
    declared: dict[str, dict[str, list[str]]] = {}
    for config in card.get("configs") or ():
        for split, pattern in _patterns(config.get("data_files") if isinstance(config, dict) else None):
            found = [path for path in paths if fnmatch.fnmatchcase(path, pattern)]
            if found:
                declared.setdefault(str(config.get("config_name", "default")), {}).setdefault(split, []).extend(found)
    return declared or _group_by_name(paths)


def _patterns(files: Any) -> Iterator[tuple[str, str]]:
    if isinstance(files, str):
        yield "train", files
    for item in files if isinstance(files, list) else ():
        split, paths = (item.get("split", "train"), item.get("path")) if isinstance(item, dict) else ("train", item)
        for path in paths if isinstance(paths, list) else [paths]:
            if isinstance(path, str):
                yield str(split), path


def _group_by_name(paths: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """`data/train-00000-of-00003-0a1b.parquet`, `train.parquet`, `config/train/0000.parquet`, ..."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in paths:
        *folders, name = path.split("/")
        stem = re.split(r"[-_.]", name)[0].lower()
        parents = [folder.removeprefix("partial-") for folder in folders if folder != "data"]
        split = _SPLITS.get(stem) or next((_SPLITS[f.lower()] for f in parents if f.lower() in _SPLITS), None)
        config = "/".join(f for f in parents if f.lower() not in _SPLITS) or "default"
        plain = stem if re.search(r"-\d+-of-\d+", name) and stem.isidentifier() else "train"
        found.setdefault(config, {}).setdefault(split or plain, []).append(path)
    return found


def _default_config(card: Mapping[str, Any], tables: Mapping[str, Any]) -> str | None:
    marked = [c.get("config_name") for c in card.get("configs") or () if isinstance(c, dict) and c.get("default")]
    return next((str(name) for name in (*marked, "default") if name in tables), None)


def _choose(repo: str, kind: str, asked: str | None, known: Sequence[str], usual: str | None) -> str:
    if asked is None and (usual is not None or len(known) == 1):
        return usual or known[0]
    if asked in known and asked is not None:
        return asked
    there = ", ".join(sorted(known))
    if asked is None:
        form = "split" if kind == "split" else "config/split"
        raise UserError(f"{repo} has several {kind}s ({there}): name one, as in hf:{repo}:{form}")
    raise UserError(f"{repo} has no {kind} {asked!r}; it has {there}")


# --- reading --------------------------------------------------------------------------------------------------------

_metadata: OrderedDict[tuple[str, ...], Any] = OrderedDict()
_cursors: "OrderedDict[tuple[Any, ...], _Cursor]" = OrderedDict()


def _connect(files: SplitFiles) -> Hub:
    return connect(files.repo, patience=files.patience, endpoint=files.endpoint)


def _open_parquet(files: SplitFiles, path: str, metadata: Any = None) -> pq.ParquetFile:
    from huggingface_hub import HfFileSystem

    system = HfFileSystem(endpoint=files.endpoint, token=_connect(files).api.token)
    # No cache below Arrow: it knows the ranges that it needs, and reads ahead by its own buffer.
    source = system.open(f"datasets/{files.repo}@{files.commit}/{path}", "rb", cache_type="none")
    return pq.ParquetFile(source, metadata=metadata, pre_buffer=False, buffer_size=_BUFFER)


def read_footer(files: SplitFiles, path: str) -> Any:
    """The footer of a file; the last few hundred are remembered."""
    key = (files.endpoint, files.repo, files.commit, path)
    if key not in _metadata:
        _metadata[key] = _connect(files).ask(lambda: _open_parquet(files, path).metadata)
        while len(_metadata) > 512:
            _metadata.popitem(last=False)
    return _metadata[key]


def list_row_groups(files: SplitFiles) -> list[RowGroup]:
    """The row groups of all files, in order. Fetches footers only."""
    with ThreadPoolExecutor(8) as pool:
        footers = list(pool.map(lambda path: read_footer(files, path), files.paths))
    groups = []
    for path, footer in zip(files.paths, footers, strict=True):
        first = 0
        for group in range(footer.num_row_groups):
            rows = footer.row_group(group).num_rows
            groups.append(RowGroup(path, group, first, rows))
            first += rows
    return groups


def read_column(files: SplitFiles, path: str, column: str, inner: str) -> list[pa.ChunkedArray]:
    """The part `inner` of a nested column of a file, as one array for each row group; nothing beside it is fetched."""
    schema = read_footer(files, path).schema
    paths = [schema.column(i).path for i in range(len(schema))]
    wanted = [path for path in paths if path.split(".")[0] == column and inner in path.split(".")]

    def read() -> list[pa.ChunkedArray]:
        with _open_parquet(files, path, read_footer(files, path)) as file:
            return [file.read_row_group(group, wanted).column(0) for group in range(file.num_row_groups)]

    return _connect(files).ask(read)


class _Cursor:
    """A place in a row group, going forward batch by batch."""

    def __init__(self, files: SplitFiles, row_group: RowGroup, columns: Sequence[str]) -> None:
        self._file = _open_parquet(files, row_group.path, read_footer(files, row_group.path))
        self._batches = self._file.iter_batches(_BATCH, [row_group.group], list(columns), use_threads=False)
        self._batch: Any = None
        self.start = self._stop = 0

    def row(self, index: int) -> dict[str, Any]:
        while index >= self._stop:
            self._batch = next(self._batches)
            self.start, self._stop = self._stop, self._stop + self._batch.num_rows
        return dict(self._batch.slice(index - self.start, 1).to_pylist()[0])

    def close(self) -> None:
        self._file.close(force=True)


def read_row(files: SplitFiles, row_group: RowGroup, row: int, columns: Sequence[str]) -> dict[str, Any]:
    """Fetch a row. Rows asked for in order cost each byte once.

    Parameters
    ----------
    files
        Of the split.
    row_group
        The row group.
    row
        Counted within the row group.
    columns
        Names of the columns to fetch.

    Raises
    ------
    UserError
        Where the Hub does not give it.
    """
    key = (files.endpoint, files.repo, files.commit, row_group.path, row_group.group, tuple(columns))

    def read() -> dict[str, Any]:
        cursor = _cursors.pop(key, None)
        if cursor is None or row < cursor.start:
            if cursor:
                cursor.close()
            cursor = _Cursor(files, row_group, columns)
        found = cursor.row(row)
        _cursors[key] = cursor
        while len(_cursors) > _OPEN:
            _cursors.popitem(last=False)[1].close()
        return found

    return _connect(files).ask(read)
