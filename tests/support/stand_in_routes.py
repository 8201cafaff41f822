"""What the stand-in for the Hugging Face Hub answers, request by request."""

import base64
import json
import re
import time
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

import yaml
from stand_in_store import LFS_SUFFIXES, Entry, Repo, Store


class Refused(Exception):
    """An error as the Hub words it."""

    def __init__(self, status: int, code: str, text: str = "", **headers: str) -> None:
        self.status, self.code, self.text, self.headers = status, code, text or code, headers


class Answer(NamedTuple):
    """What goes back. `length` where the body is left out (HEAD)."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012
    length: int | None = None


class Request(NamedTuple):
    """A request, as the routes see it. `repo` is set where the path names one, `role` is that of the token."""

    hub: Store
    handler: BaseHTTPRequestHandler
    query: dict[str, str]
    body: bytes
    role: str | None
    repo: Repo

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def repo_of(hub: Store, words: dict[str, str], role: str | None, route: Any) -> Repo:
    """The repository that a path names, if this visitor may see it."""
    if "name" not in words:
        return Repo("", "")
    repo = hub.repos.get((words.pop("kind", "datasets"), words.pop("name")))
    if repo is None or (repo.private and role is None):
        raise Refused(404 if role else 401, "RepoNotFound", "Repository Not Found")
    if repo.gated and role is None and route is resolve:
        raise Refused(401, "GatedRepo", "Access to this data set is restricted")
    revision = words.get("revision")
    if revision is not None and repo.commit_of(revision) not in repo.commits:
        raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    return repo


CREATED = "2026-01-02T03:04:05.000Z"
"""The day on which every repository was made."""


# --- repositories ---------------------------------------------------------------------------------------------------


def whoami(r: Request) -> Answer:
    return Answer({"type": "user", "name": "user", "orgs": [], "auth": {"type": "access_token"}})


def create(r: Request) -> Answer:
    name = f"{r.json.get('organization') or 'user'}/{r.json['name']}"
    kind = f"{r.json.get('type') or 'model'}s"
    url = f"{r.hub.endpoint}/{'' if kind == 'models' else kind + '/'}{name}"
    if (kind, name) in r.hub.repos:
        return Answer({"error": "You already created this repo", "url": url}, 409)
    r.hub.create(name, kind, private=bool(r.json.get("private") or r.json.get("visibility") == "private"))
    return Answer({"url": url, "name": name, "id": "0"})


def settings(r: Request) -> Answer:
    r.repo.gated = r.json.get("gated", r.repo.gated)
    return Answer({})


def info(r: Request, revision: str = "main") -> Answer:
    tree = r.repo.tree(revision)
    readme = r.hub.data(tree["README.md"]).decode() if "README.md" in tree else ""
    matter = re.match(r"---\n(.*?)\n---", readme, re.DOTALL)
    about = {"id": r.repo.id, "sha": r.repo.commit_of(revision), "private": r.repo.private, "gated": r.repo.gated}
    siblings = [{"rfilename": path, "size": e.size, "blobId": e.oid} for path, e in sorted(tree.items())]
    return Answer(
        {
            "_id": "0",
            "tags": [],
            "createdAt": CREATED,
            **about,
            "cardData": yaml.safe_load(matter[1]) if matter else None,
            "siblings": siblings,
        }
    )


def refs(r: Request) -> Answer:
    def listed(kind: str, known: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": commit} for n, commit in known.items()]

    plain = {name: commit for name, commit in r.repo.branches.items() if not name.startswith("refs/")}
    made = [
        {"name": n, "ref": n, "targetCommit": c} for n, c in r.repo.branches.items() if n.startswith("refs/convert")
    ]
    return Answer({"branches": listed("heads", plain), "tags": listed("tags", r.repo.tags), "converts": made})


def branch(r: Request, branch: str) -> Answer:
    start = r.json.get("startingPoint", "main") if r.body else "main"
    r.repo.branches.setdefault(branch, r.repo.commit_of(start))
    return Answer({})


def tag(r: Request, revision: str) -> Answer:
    if r.json["tag"] in r.repo.tags:
        raise Refused(409, "Conflict", "Tag reference exists already")
    r.repo.tags[r.json["tag"]] = r.repo.commit_of(revision)
    return Answer({})


def validate(r: Request) -> Answer:
    return Answer({"errors": [], "warnings": []})


# --- uploading ------------------------------------------------------------------------------------------------------


def preupload(r: Request, revision: str) -> Answer:
    tree = r.repo.tree(revision)
    files = []
    for file in r.json["files"]:
        known = tree.get(file["path"])
        mode = "lfs" if file["path"].endswith(LFS_SUFFIXES) or file["size"] > 10_000_000 else "regular"
        oid = (known.sha256 or known.oid) if known else None
        files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return Answer({"files": files})


def batch(r: Request) -> Answer:
    objects = []
    for item in r.json["objects"]:
        actions = {
            "upload": {"href": f"{r.hub.endpoint}/_lfs/{item['oid']}"},
            "verify": {"href": f"{r.hub.endpoint}/_lfs/verify"},
        }
        objects.append({**item, **({} if item["oid"] in r.hub.blobs else {"actions": actions})})
    return Answer({"transfer": "basic", "objects": objects})


def lfs_put(r: Request, sha256: str) -> Answer:
    entry = r.hub.large(r.body)
    if entry.sha256 != sha256:
        raise Refused(400, "BadRequest", "the content does not have the hash that was announced")
    r.hub.received += len(r.body)
    return Answer()


def lfs_verify(r: Request) -> Answer:
    return Answer({}, 200 if r.json["oid"] in r.hub.blobs else 404)


def xet_token(r: Request, revision: str = "main") -> Answer:
    url, expires = f"local://{r.hub.cas}", int(time.time()) + 3600
    heads = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": "xet", "X-Xet-Token-Expiration": str(expires)}
    return Answer({"casUrl": url, "exp": expires, "accessToken": "xet"}, headers=heads)


def commit(r: Request, revision: str) -> Answer:
    if revision not in r.repo.branches:
        raise Refused(400, "BadRequest", "only branches can be committed to")
    tree, title = dict(r.repo.tree(revision)), ""
    for line in r.body.splitlines():
        kind, value = (json.loads(line)[key] for key in ("key", "value"))
        if kind == "header":
            title = value["summary"]
            if value.get("parentCommit") not in (None, r.repo.branches[revision]):
                raise Refused(412, "PreconditionFailed", "A commit has happened since. Please refresh and try again.")
        elif kind == "deletedFile":
            tree.pop(value["path"], None)
        else:
            tree[value["path"]] = _added(r.hub, kind, value)
    oid = r.repo.add(revision, tree, title)
    return Answer(
        {"success": True, "commitOid": oid, "commitUrl": f"{r.hub.endpoint}/datasets/{r.repo.id}/commit/{oid}"}
    )


def _added(hub: Store, kind: str, value: dict[str, str]) -> Entry:
    if kind == "file":
        return hub.small(base64.b64decode(value["content"]))
    entry = hub.pointed(value["oid"])
    if entry is None:
        raise Refused(400, "BadRequest", f"LFS pointer pointed to a file that does not exist: {value['path']}")
    return entry


# --- reading --------------------------------------------------------------------------------------------------------


def _listed(r: Request, path: str, entry: Entry) -> dict[str, Any]:
    out = entry.as_json(path)
    if path in r.hub.lies and "lfs" in out:
        out["lfs"]["oid"] = r.hub.lies[path]
    return out


def _folders(paths: Any) -> set[str]:
    return {"/".join(path.split("/")[:i]) for path in paths for i in range(1, path.count("/") + 1)}


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}


def tree(r: Request, revision: str, path: str = "") -> Answer:
    files = r.repo.tree(revision)
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    if prefix and not any(known.startswith(prefix) for known in files):
        raise Refused(404, "EntryNotFound", f"{path} does not exist on {revision}")
    deep = r.query.get("recursive", "").lower() == "true"

    def shown(known: str) -> bool:
        return known.startswith(prefix) and (deep or "/" not in known[len(prefix) :])

    folders = [_folder(known) for known in sorted(_folders(files)) if shown(known)]
    return Answer([*folders, *(_listed(r, known, files[known]) for known in sorted(files) if shown(known))])


def paths_info(r: Request, revision: str) -> Answer:
    body = r.body.decode()
    asked = json.loads(body)["paths"] if body.startswith("{") else urllib.parse.parse_qs(body).get("paths", [])
    files = r.repo.tree(revision)
    folders = _folders(files)
    paths = [path.strip("/") for path in asked]
    return Answer([_listed(r, p, files[p]) if p in files else _folder(p) for p in paths if p in files or p in folders])


def resolve(r: Request, revision: str, path: str) -> Answer:
    entry, oid = r.repo.tree(revision).get(path), r.repo.commit_of(revision)
    if entry is None:
        raise Refused(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": oid})
    etag = f'"{entry.sha256 or entry.oid}"'
    heads = {"X-Repo-Commit": oid, "ETag": etag, "Accept-Ranges": "bytes"}
    if entry.sha256:
        heads |= {"X-Linked-Etag": etag, "X-Linked-Size": str(entry.size)}
    if entry.xet:
        link = f"{r.hub.endpoint}/api/datasets/{r.repo.id}/xet-read-token/{oid}"
        heads |= {"X-Xet-Hash": entry.xet, "Link": f'<{link}>; rel="xet-auth"'}
    if r.handler.command == "HEAD":
        return Answer(b"", headers=heads, length=entry.size)
    wanted = re.match(r"bytes=(\d*)-(\d*)", r.handler.headers.get("Range", ""))
    if not wanted:
        return Answer(r.hub.data(entry), headers=heads)
    first, last = wanted[1], wanted[2]
    start = int(first) if first else entry.size - int(last)
    stop = min(int(last) + 1 if first and last else entry.size, entry.size)
    if start >= entry.size:
        raise Refused(416, "RangeNotSatisfiable", **{"Content-Range": f"bytes */{entry.size}"})
    heads["Content-Range"] = f"bytes {start}-{stop - 1}/{entry.size}"
    return Answer(r.hub.data(entry)[start:stop], 206, heads)


API = r"/api/(?P<kind>datasets|models|spaces)/(?P<name>[^/]+/[^/]+)"
PAGE = r"/datasets/(?P<name>[^/]+/[^/]+)"
REVISION = r"/(?P<revision>[^/]+)"
ROUTES: list[tuple[str, re.Pattern[str], bool, Callable[..., Answer]]] = [
    (method, re.compile(pattern), writes, route)
    for method, pattern, writes, route in (
        ("GET", "/api/whoami-v2", False, whoami),
        ("POST", "/api/repos/create", True, create),
        ("POST", "/api/validate-yaml", False, validate),
        ("GET", API, False, info),
        ("GET", API + "/revision" + REVISION, False, info),
        ("GET", API + "/refs", False, refs),
        ("GET", API + "/tree" + REVISION + "(?P<path>/.*)?", False, tree),
        ("POST", API + "/paths-info" + REVISION, False, paths_info),
        ("PUT", API + "/settings", True, settings),
        ("POST", API + "/branch/(?P<branch>[^/]+)", True, branch),
        ("POST", API + "/tag" + REVISION, True, tag),
        ("POST", API + "/preupload" + REVISION, True, preupload),
        ("POST", API + "/commit" + REVISION, True, commit),
        ("GET", API + "/xet-(?:read|write)-token(?:" + REVISION + ")?", False, xet_token),
        ("POST", PAGE + r"\.git/info/lfs/objects/batch", True, batch),
        ("PUT", "/_lfs/(?P<sha256>[0-9a-f]{64})", False, lfs_put),
        ("POST", "/_lfs/verify", False, lfs_verify),
        ("GET", PAGE + "/resolve" + REVISION + "/(?P<path>.+)", False, resolve),
        ("HEAD", PAGE + "/resolve" + REVISION + "/(?P<path>.+)", False, resolve),
    )
]
