"""Servers that answer like OpenAI's chat completions: vLLM, SGLang, llama.cpp, OpenAI and others.

As many requests are under way as are allowed, from an event loop in a thread of its own. What may pass (429, 5xx, a
broken connection, half an answer, a timeout) is tried again with growing pauses; what cannot pass stops the run with
a sentence; the rest is the error of one answer. The key comes from OPENAI_API_KEY and is written nowhere.
"""

import asyncio
import base64
import io
import json
import os
import queue
import ssl
import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image as Pillow

from distortlab.core.errors import BadReference, UserError, describe_unknown
from distortlab.core.seeds import stream
from distortlab.imaging.decode import ORIENTATION, decode_image
from distortlab.imaging.encode import encode_png
from refine_bench.models.base import Request, Response
from refine_bench.models.limits import find_server_limits
from refine_bench.prompts.answers import Answer, Token

__all__ = ["Endpoint", "encode_url", "make_payload", "parse_reply"]

AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
NEVER = frozenset((401, 403, 404, 405))
TRIES = 6
PAUSE_S, LONGEST_S = 0.5, 30.0
PATIENCE = 8
"""Requests that may fail before any succeeds; then the server is taken for gone."""
_AS_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class _Stop(Exception):
    """The run cannot go on."""


class Endpoint:
    """A model behind a URL: `openai:http://localhost:8000/v1#name`."""

    processor = "server"

    def __init__(self, spec: str, concurrency: int = 32, timeout: float = 300.0) -> None:
        self.spec = spec
        url, _, self.name = spec.removeprefix("openai:").partition("#")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"{spec!r} is not openai:URL#MODEL, e.g. openai:http://localhost:8000/v1#my-model")
        self.url = url.rstrip("/")
        self.concurrency = concurrency
        self._timeout = httpx.Timeout(timeout, connect=min(timeout, 15.0))
        self._key = os.environ.get("OPENAI_API_KEY")
        self._not_before = 0.0
        self._succeeded = self._failed = self._silent = 0
        self.name, self.revision = self._find_model()

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run records."""
        return {"kind": "endpoint", "name": self.name, "url": self.url, "concurrency": self.concurrency, "sign": 1.0}

    def _headers(self) -> dict[str, str]:
        kind = {"Content-Type": "application/json"}
        return {**kind, "Authorization": f"Bearer {self._key}"} if self._key else kind

    def _find_model(self) -> tuple[str, str]:
        """(name, what the server says it is). A server without a list of models is taken at its word."""
        try:
            reply = httpx.get(f"{self.url}/models", headers=self._headers(), timeout=self._timeout)
        except httpx.HTTPError as error:
            raise UserError(f"no answer from {self.url}: {_describe_error(error)}; is the server running?") from None
        if reply.status_code in (401, 403):
            raise UserError(f"{self.url} refuses: HTTP {reply.status_code}; set OPENAI_API_KEY")
        models = _list_models(reply)
        if not self.name and len(models) == 1:
            return next(iter(models.items()))
        if not self.name:
            raise UserError(f"name the model: openai:{self.url}#NAME; there: {', '.join(models) or 'unknown'}")
        if models and self.name not in models:
            raise UserError(describe_unknown(f"model at {self.url}", self.name, models))
        return self.name, models.get(self.name, "unknown")

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        """What the server cannot do, asked of it with a few requests about a grey picture."""
        found = find_server_limits(self.url, self._ask_few, needed)
        self._succeeded = self._failed = self._silent = 0
        return found

    def _ask_few(self, requests: Sequence[Request]) -> list[Answer]:
        """Answers in the order of the requests."""
        keyed = [replace(request, key=f"{request.key} {place}") for place, request in enumerate(requests)]
        found = {response.request.key: response.answer for response in self.answer(keyed)}
        return [found[request.key] for request in keyed]

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        """As they come."""
        return _stream_responses(self, requests)

    async def drive(self, source: Iterator[Request], lock: threading.Lock, out: "queue.Queue[Any]") -> None:
        """Workers that take a request, ask, and hand on the response.

        Each has a client of its own: httpcore looks at every connection of a pool for every request.
        """
        trust = ssl.create_default_context()

        async def work() -> None:
            async with httpx.AsyncClient(headers=self._headers(), timeout=self._timeout, verify=trust) as client:
                while (request := await asyncio.to_thread(_take_next, source, lock)) is not None:
                    out.put(await self._answer_request(client, request))

        workers = [asyncio.create_task(work()) for _ in range(self.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _answer_request(self, client: httpx.AsyncClient, request: Request) -> Response:
        start = time.perf_counter()
        try:
            body = await asyncio.to_thread(_encode_body, request, self.name)
        except BadReference as error:
            return Response(request, Answer(error=str(error)))
        trouble = ""
        for turn in range(TRIES):
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
            pause = min(LONGEST_S, PAUSE_S * 2**turn)
            try:
                reply = await client.post(f"{self.url}/chat/completions", content=body)
                if reply.status_code == 200:
                    answer, usage = parse_reply(reply.json())
                    self._succeeded += 1
                    seen = tuple((_read_size(image), None) for image in request.images)
                    return Response(request, answer, time.perf_counter() - start, usage, seen)
                trouble = f"HTTP {reply.status_code}: {reply.text[:200]}"
                self._check_refusal(reply, trouble)
                if reply.status_code not in AGAIN:
                    break
                pause = self._extend_pause(reply, pause)
            except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                trouble = _describe_error(error)
                self._lose_patience(error)
            if turn + 1 < TRIES:
                await asyncio.sleep(pause * (0.5 + stream("back-off", request.key, turn).uniform()))
        self._failed += 1
        if not self._succeeded and self._failed >= PATIENCE:
            raise _Stop(f"the first {self._failed} requests to {self.url} failed, the last with: {trouble}")
        return Response(request, Answer(error=trouble[:500]), time.perf_counter() - start)

    def _lose_patience(self, error: Exception) -> None:
        """A server that has never answered is not waited for six times over."""
        self._silent += isinstance(error, httpx.TimeoutException)
        if not self._succeeded and self._silent >= max(4, min(PATIENCE, self.concurrency)):
            raise _Stop(
                f"{self.url} has not answered {self._silent} requests within {self._timeout.read:g} s; see --timeout"
            )

    def _check_refusal(self, reply: httpx.Response, trouble: str) -> None:
        if reply.status_code in NEVER:
            raise _Stop(f"{self.url} refuses: {trouble}")

    def _extend_pause(self, reply: httpx.Response, pause: float) -> float:
        """A server that is too busy quiets every worker, not only the one that was told."""
        try:
            pause = max(pause, min(LONGEST_S, float(reply.headers.get("retry-after", 0))))
        except ValueError:  # a date
            pause = max(pause, 5.0)
        if reply.status_code in (429, 503):
            self._not_before = max(self._not_before, time.monotonic() + pause)
        return pause

    def close(self) -> None:
        """Nothing is held between runs."""


def _take_next(source: Iterator[Request], lock: threading.Lock) -> Request | None:
    with lock:
        return next(source, None)


def _stream_responses(endpoint: Endpoint, requests: Iterable[Request]) -> Generator[Response, None, None]:
    """Responses from an event loop in another thread; closing the generator ends it."""
    out: queue.Queue[Any] = queue.Queue()
    loop = asyncio.new_event_loop()
    lock = threading.Lock()
    main = loop.create_task(endpoint.drive(iter(requests), lock, out))

    def run() -> None:
        try:
            loop.run_until_complete(main)
            out.put(None)
        except asyncio.CancelledError:
            out.put(None)
        except BaseException as error:  # handed to whoever waits for responses
            out.put(error)
        finally:  # in this thread: that of a notebook has a loop that runs already
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=run, name="endpoint", daemon=True)
    thread.start()
    try:
        while (found := out.get()) is not None:
            if isinstance(found, _Stop):
                raise UserError(str(found))
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        with suppress(RuntimeError):  # closed already
            loop.call_soon_threadsafe(main.cancel)
        thread.join()


def _describe_error(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _encode_body(request: Request, name: str) -> bytes:
    return json.dumps(make_payload(request, name)).encode()


def _list_models(reply: httpx.Response) -> dict[str, str]:
    """Name -> what is behind it."""
    try:
        entries = reply.json()["data"]
        return {str(entry["id"]): str(entry.get("root") or entry.get("created") or "unknown") for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def make_payload(request: Request, name: str) -> dict[str, Any]:
    """The body of a request. A prefix is the beginning of the answer, which the server is told to continue."""
    images = [{"type": "image_url", "image_url": {"url": encode_url(image)}} for image in request.images]
    messages: list[dict[str, Any]] = [{"role": "system", "content": request.system}] if request.system else []
    messages.append({"role": "user", "content": [*images, {"type": "text", "text": request.prompt}]})
    decoding = request.decoding
    body: dict[str, Any] = {
        "model": name,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "max_tokens": decoding.max_tokens,
        "seed": request.seed,
    }
    if decoding.top_k is not None:
        body["top_k"] = decoding.top_k
    if decoding.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": decoding.top_logprobs}
    if request.prefix:
        messages.append({"role": "assistant", "content": request.prefix})
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    return {**body, "messages": messages}


def encode_url(data: bytes) -> str:
    """A file as a data URL: as it is where any reader shows it upright, otherwise as a PNG of its upright pixels."""
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            kind = _AS_IS.get(str(picture.format))
            turned = picture.getexif().get(ORIENTATION, 1) != 1
    except (OSError, ValueError, SyntaxError):  # whatever is wrong with it, the strict reader says
        kind, turned = None, False
    if kind is None or turned:
        kind, data = "image/png", encode_png(decode_image(data).image)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _read_size(data: bytes) -> tuple[int, int]:
    with Pillow.open(io.BytesIO(data)) as picture:
        return picture.size


def parse_reply(reply: Mapping[str, Any]) -> tuple[Answer, dict[str, int]]:
    """(answer, tokens used). Reasoning that the server has set apart is put back where it was."""
    choice = reply["choices"][0]
    message = choice["message"]
    text = message.get("content") or ""
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    if reasoning:
        text = f"<think>{reasoning}</think>{text}"
    content = (choice.get("logprobs") or {}).get("content") or ()
    tokens = tuple(
        Token(str(t["token"]), tuple((str(o["token"]), float(o["logprob"])) for o in t.get("top_logprobs") or ()))
        for t in content
    )
    counted = reply.get("usage") or {}
    usage = {key: counted[key] for key in ("prompt_tokens", "completion_tokens") if isinstance(counted.get(key), int)}
    return Answer(text=str(text), finish=str(choice.get("finish_reason") or "stop"), tokens=tokens), usage
