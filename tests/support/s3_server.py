"""An S3 server of this machine: moto, over real HTTP, with a log of requests and faults on demand."""

import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import s3fs
from werkzeug.serving import make_server

from distortlab.storage import object_store

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries that moto imports
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Fault:
    """What to answer to the next `times` requests of a kind, instead of doing them."""

    method: str
    part: str
    status: int
    code: str
    times: int


@dataclass
class Server:
    """The server as a test sees it. `log` has (method, path) of every request that was done."""

    url: str
    log: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    application: Any = None

    def fail(self, method: str, part: str, status: int = 503, code: str = "ServiceUnavailable", times: int = 1) -> None:
        """Fail requests whose path holds `part`."""
        self.faults.append(Fault(method, part, status, code, times))

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and fault.part in path:
                fault.times -= 1
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start(f"{fault.status} {fault.code}", [("Content-Type", "application/xml")])
                return [f"<Error><Code>{fault.code}</Code><Message>{fault.code}</Message></Error>".encode()]
        self.log.append((method, path))
        return self.application(environ, start)


def forget_clients() -> None:
    """A client keeps the settings that it was made with: the next one reads the environment again."""
    s3fs.S3FileSystem.clear_instance_cache()
    object_store._file_system.cache_clear()


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs in a thread of this process."""
    seen = Server("", application=DomainDispatcherApplication(create_backend_app))
    real = make_server("127.0.0.1", 0, seen, threaded=True)
    seen.url = f"http://127.0.0.1:{real.server_port}"
    thread = threading.Thread(target=real.serve_forever)
    thread.start()
    try:
        yield seen
    finally:
        real.shutdown()
        thread.join()
        real.server_close()
