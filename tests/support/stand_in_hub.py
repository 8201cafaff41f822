"""A stand-in for the Hugging Face Hub, on the standard library: the real client speaks its real protocol to it.

    with StandInHub() as hub:     # hub.endpoint goes to HF_ENDPOINT, before the client is imported
        ...
    python tests/support/stand_in_hub.py [--xet] [--port N]      by hand, until Ctrl-C

Two ways to upload: LFS (the client needs HF_HUB_DISABLE_XET=1), and Xet, where the client is given a CAS in a local
folder, so that chunking and deduplication really run.
"""

import argparse
import json
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stand_in_routes
from stand_in_routes import Answer, Refused, Request, repo_of
from stand_in_store import Store


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nothing to report."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class StandInHub(Store):
    """The server; a context manager. See `Store` for what tests can do to it."""

    def __init__(self, xet: bool = False, port: int = 0) -> None:
        super().__init__(xet)
        self._server = _Server(("127.0.0.1", port), type("Bound", (_Handler,), {"hub": self}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StandInHub":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: else every answer waits for an acknowledgement
    disable_nagle_algorithm = True
    hub: StandInHub

    def log_message(self, *words: Any) -> None:
        """Quiet."""

    def _serve(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        self.hub.requests.append((self.command, self.path))
        fault = self._fault(url.path)
        if fault and fault.status == 0:
            self.rfile.read(min(1000, int(self.headers.get("Content-Length") or 0)))
            self.close_connection = True
            return
        body = self._body()
        try:
            if fault:
                raise Refused(fault.status, "Injected", **fault.headers)
            answer = self._routed(url.path, dict(urllib.parse.parse_qsl(url.query)), body)
        except Refused as refused:
            heads = {"X-Error-Code": refused.code, "X-Error-Message": refused.text, **refused.headers}
            answer = Answer({"error": refused.text}, refused.status, heads)
        if self.command == "PUT":
            time.sleep(self.hub.pause_s)
        self._send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _fault(self, path: str) -> Any:
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.times > 0 and fault.method == self.command and fault.pattern.search(path):
                    fault.times -= 1
                    return fault
        return None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def _routed(self, path: str, query: dict[str, str], body: bytes) -> Answer:
        role = self.hub.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        for method, pattern, writes, route in stand_in_routes.ROUTES:
            found = pattern.fullmatch(path) if method == self.command else None
            if not found:
                continue
            words = {key: urllib.parse.unquote(value) for key, value in found.groupdict().items() if value is not None}
            if writes and role is None:
                raise Refused(401, "Unauthorized", "Invalid username or password.")
            with self.hub.lock:
                repo = repo_of(self.hub, words, role, route)
                if writes and role != "write":
                    raise Refused(403, "Forbidden", "Forbidden: you must use a write token to upload to a repository.")
                return route(Request(self.hub, self, query, body, role, repo), **words)
        raise Refused(404, "EntryNotFound", f"no route {self.command} {path}")

    def _send(self, answer: Answer) -> None:
        plain = isinstance(answer.body, bytes)
        body = answer.body if plain else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/octet-stream" if plain else "application/json")
        self.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.hub.served += len(body)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xet", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with StandInHub(options.xet, options.port) as hub:
        print(f"export HF_ENDPOINT={hub.endpoint} HF_TOKEN=hf_writer", flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
