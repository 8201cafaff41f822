"""A server of files with ranges, and with the faults that servers have."""

import contextlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FileServer"]


class FileServer:
    """A context manager; `url` is where it is.

    `moved`: addresses that paths lead to; `tokens`: what authorized each request.
    `files`: bytes by path. `marks`: their ETags; a file without one has none. `cuts`: how many bytes the next answers
    are cut after; `statuses`: what is answered first instead. `ranges`: whether ranges are served. `asked`: (path,
    range).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.marks: dict[str, str] = {}
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.ranges = True
        self.moved: dict[str, str] = {}
        self.tokens: list[str | None] = []
        self.asked: list[tuple[str, str | None]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FileServer":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: FileServer

    def log_message(self, *words: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """A file, or a part of it."""
        owner, asked = self.owner, self.headers.get("Range")
        owner.asked.append((self.path, asked))
        owner.tokens.append(self.headers.get("Authorization"))
        if self.path in owner.moved:
            self.send_response(302)
            self.send_header("Location", owner.moved[self.path])
            self.end_headers()
            return
        data = owner.files.get(self.path)
        status = owner.statuses.pop(0) if owner.statuses else 200 if data is not None else 404
        if status != 200 or data is None:
            self.send_error(status)
            return
        mark = owner.marks.get(self.path, "")
        found = re.match(r"bytes=(\d+)-", asked or "")
        start = int(found[1]) if found and owner.ranges and self.headers.get("If-Range") == mark else 0
        if start >= len(data) > 0:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if mark:
            self.send_header("ETag", mark)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if owner.cuts:
            body = body[: owner.cuts.pop(0)]
        with contextlib.suppress(ConnectionError):  # whoever only looks hangs up
            self.wfile.write(body)
