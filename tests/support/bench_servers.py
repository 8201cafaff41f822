"""A real HTTP server that speaks OpenAI's chat completions, with faults on order."""

import base64
import io
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image as Pillow

__all__ = ["Server", "brightness", "say_score", "serving"]

Say = Callable[[dict[str, Any]], str]


def brightness(body: dict[str, Any]) -> float:
    """Mean of the last picture that was sent, 0 to 1."""
    urls = [part["image_url"]["url"] for part in body["messages"][-1]["content"] if part["type"] == "image_url"]
    data = base64.b64decode(urls[-1].partition(",")[2])
    return float(np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")).mean() / 255)


def say_score(body: dict[str, Any]) -> str:
    """The answer of a model for which bright is good."""
    return f"<answer>Score:{1 + 4 * brightness(body):.2f}</answer>"


class Server:
    """What it was asked, how many at once, and what it is to do wrong.

    `faults` are taken one for each request, then all is well: a status code, "half" of an answer, "hang", "drop".
    `refused`: the status for a request that has a field. `gives_logprobs`: whether an answer has those asked for.
    """

    def __init__(self, say: Say, delay: float = 0.0) -> None:
        self.say, self.delay = say, delay
        self.faults: list[Any] = []
        self.refused: dict[str, int] = {}
        self.gives_logprobs = True
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.top: Callable[[str], list[tuple[str, float]]] = lambda token: []
        self.url = ""
        self.stop = threading.Event()

    @property
    def asked(self) -> Counter[str]:
        """How often each picture was asked about."""
        return Counter(
            json.dumps([p for m in body["messages"] for p in m["content"] if isinstance(p, dict)])[:4000]
            for body in self.bodies
        )

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        text = self.say(body)
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }
        if body.get("logprobs") and self.gives_logprobs:
            tokens = [text[k : k + 1] for k in range(len(text))] if len(text) > 12 else [text]
            choice["logprobs"] = {
                "content": [
                    {
                        "token": token,
                        "logprob": 0.0,
                        "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in self.top(token)],
                    }
                    for token in tokens
                ]
            }
        return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": len(text)}}


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: Any) -> None:
            pass

        def _send(self, status: int, value: Any, cut: int | None = None) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(data[:cut])
            if cut is not None:
                self.close_connection = True

        def do_GET(self) -> None:
            self._send(200, {"data": [{"id": "my-model", "root": "weights/7"}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                server.bodies.append(body)
                server.times.append(time.monotonic())
                fault = server.faults.pop(0) if server.faults else None
                server.now += 1
                server.most = max(server.most, server.now)
            try:
                self._reply(body, fault)
            finally:
                with server.lock:
                    server.now -= 1

        def _reply(self, body: dict[str, Any], fault: Any) -> None:
            time.sleep(server.delay)
            fault = next((status for name, status in server.refused.items() if name in body), fault)
            if isinstance(fault, int):
                self._send(fault, {"error": {"message": f"fault {fault}"}})
            elif fault == "hang":
                server.stop.wait(20)
                self.close_connection = True
            elif fault == "drop":
                self.close_connection = True
            elif fault == "nonsense":
                self._send(200, {"choices": []})
            else:
                self._send(200, server.answer(body), 40 if fault == "half" else None)

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no fault of ours."""


@contextmanager
def serving(say: Say, delay: float = 0.0) -> Iterator[Server]:
    """A server on a free port."""
    server = Server(say, delay)
    http = _Quiet(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        http.shutdown()
        http.server_close()
        thread.join()
