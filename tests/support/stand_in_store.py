"""What the stand-in for the Hugging Face Hub remembers: repositories, their commits, and the bytes."""

import hashlib
import os
import re
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

LFS_SUFFIXES = (".parquet", ".png", ".webp", ".jpg", ".tgz", ".tar", ".zip")


def git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A file of a commit. `sha256` for what lies in LFS, `xet` where the chunks are in a CAS."""

    oid: str
    size: int
    sha256: str | None = None
    xet: str | None = None

    def as_json(self, path: str) -> dict[str, Any]:
        out: dict[str, Any] = {"type": "file", "path": path, "oid": self.oid, "size": self.size}
        if self.sha256:
            out["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 132}
        return {**out, **({"xetHash": self.xet} if self.xet else {})}


Tree = dict[str, Entry]


@dataclass
class Repo:
    """A repository: its branches and tags, all trees by commit, and the history of `main` and the rest."""

    kind: str
    id: str
    private: bool = False
    gated: str | bool = False
    commits: dict[str, Tree] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    log: list[tuple[str, str, str]] = field(default_factory=list)

    def commit_of(self, revision: str) -> str:
        return self.branches.get(revision) or self.tags.get(revision) or revision

    def tree(self, revision: str = "main") -> Tree:
        return self.commits[self.commit_of(revision)]

    def add(self, branch: str, tree: Tree, title: str) -> str:
        held = sorted((path, entry.oid) for path, entry in tree.items())
        commit = hashlib.sha1(repr((self.kind, self.id, branch, len(self.log), title, held)).encode()).hexdigest()
        self.commits[commit] = tree
        self.branches[branch] = commit
        self.log.append((branch, commit, title))
        return commit


@dataclass
class Fault:
    """An answer that is given instead of the right one. Status 0: the connection is closed."""

    method: str
    pattern: re.Pattern[str]
    times: int
    status: int
    headers: Mapping[str, str]


class Store:
    """The state of a stand-in hub, and what tests do to it."""

    def __init__(self, xet: bool = False) -> None:
        self.xet = xet
        self.endpoint = ""
        self.tokens = {"hf_writer": "write", "hf_reader": "read"}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.lies: dict[str, str] = {}
        self.received = 0
        self.served = 0
        self.pause_s = 0.0
        self.lock = RLock()
        self.cas = Path(tempfile.mkdtemp(prefix="stand-in-cas-"))
        self._xet_of: dict[str, tuple[str, int]] = {}

    # --- for tests

    def fail(self, method: str, pattern: str, times: int = 1, status: int = 503, **headers: str) -> None:
        """The next `times` requests that match are answered with `status`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(method, re.compile(pattern), times, status, named))

    def create(self, repo: str, kind: str = "datasets", private: bool = False) -> Repo:
        made = self.repos[kind, repo] = Repo(kind, repo, private)
        made.add("main", {".gitattributes": self.small(b"*.parquet filter=lfs\n")}, "initial commit")
        return made

    def put(self, repo: str, files: Mapping[str, bytes], title: str = "by hand", branch: str = "main") -> str:
        """A commit on top of a branch, made by somebody else."""
        made = self.repos.get(("datasets", repo)) or self.create(repo)
        tree = dict(made.tree(branch) if branch in made.branches else {})
        for path, data in files.items():
            tree[path] = self.large(data) if path.endswith(LFS_SUFFIXES) else self.small(data)
        return made.add(branch, tree, title)

    def dataset(self, repo: str) -> Repo:
        return self.repos["datasets", repo]

    def asked(self, method: str, pattern: str) -> int:
        """How many requests matched."""
        return sum(1 for known, path in self.requests if known == method and re.search(pattern, path))

    @property
    def stored_bytes(self) -> int:
        """What lies in the CAS: the chunks that clients sent."""
        folder = self.cas / "xet" / "xorbs" / "xorbs"
        return sum(file.stat().st_size for file in folder.glob("*") if file.suffix != ".tagset")

    # --- bytes

    def small(self, data: bytes) -> Entry:
        name = git_name(data)
        self.blobs[name] = data
        return Entry(name, len(data))

    def large(self, data: bytes) -> Entry:
        sha256 = hashlib.sha256(data).hexdigest()
        self.blobs[sha256] = data
        entry = self.pointed(sha256)
        assert entry is not None
        return entry

    def pointed(self, sha256: str) -> Entry | None:
        """The entry of a blob that was uploaded, or None."""
        if sha256 not in self.blobs and sha256 not in self._xet_of:
            self._xet_of.update(_known_to_cas(self.cas))
        if sha256 in self.blobs:
            xet, size = None, len(self.blobs[sha256])
        elif sha256 in self._xet_of:
            xet, size = self._xet_of[sha256]
        else:
            return None
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
        return Entry(git_name(pointer), size, sha256, xet)

    def data(self, entry: Entry) -> bytes:
        """The bytes of a file. Xet files are put together when they are first read: a client locks the CAS."""
        key = entry.sha256 or entry.oid
        if key not in self.blobs:
            self.blobs[key] = _rebuilt(self.cas, *self._xet_of[key])
        return self.blobs[key]


def _known_to_cas(cas: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 -> (Xet hash, size), from the shards that the client wrote: uploads do not pass through the server."""
    found = {}
    for shard in (cas / "xet" / "xorbs" / "shards").glob("*.mdb"):
        for xet, sha256, size in _files_of_shard(shard.read_bytes()):
            found[sha256] = (xet, size)
    return found


def _files_of_shard(shard: bytes) -> Iterator[tuple[str, str, int]]:
    """The file section of a shard: 48-byte records, a header for each file, its segments, proofs, the SHA-256."""
    at = 48
    while at + 48 <= len(shard) and shard[at : at + 32] != b"\xff" * 32:
        xet = shard[at : at + 32]
        flags, segments = struct.unpack_from("<II", shard, at + 32)
        at += 48
        size = sum(struct.unpack_from("<I", shard, at + 48 * i + 36)[0] for i in range(segments))
        at += 48 * segments * (2 if flags & 0x80000000 else 1)
        if flags & 0x40000000:
            yield _words(xet), _words(shard[at : at + 32]), size
            at += 48


def _words(raw: bytes) -> str:
    """Four little-endian words, as Xet prints hashes."""
    return "".join(raw[i : i + 8][::-1].hex() for i in range(0, 32, 8))


def _rebuilt(cas: Path, xet: str, size: int) -> bytes:
    import hf_xet

    target = cas / f"rebuilt-{xet}"
    group = hf_xet.XetSession().new_file_download_group(endpoint=f"local://{cas}")
    group.start_download_file(hf_xet.XetFileInfo(xet, size), os.fspath(target))
    group.wait_to_finish()
    data = target.read_bytes()
    target.unlink()
    return data
