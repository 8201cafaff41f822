"""Shards on a Ray cluster: each a task of Ray Core, which starts it again elsewhere where its node is lost.

Plain tasks, because a shard is a pure function that writes atomically and is skipped where it is done. Every node needs
the same version of this package, the references under the same path, and a place to write that all of them share.
"""

import contextlib
import logging
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distortlab import __version__
from distortlab.core.errors import BuildFailed, UserError
from distortlab.core.workers import tune_process
from distortlab.generation.shard import Receipt, Work
from distortlab.storage.base import Folder

__all__ = ["run_ray"]

MAX_RETRIES = 5
"""How often a shard is started again when its node or its process is lost. What a shard raises is not tried again."""

_log = logging.getLogger(__name__)
_POLL_S, _LOOK_S, _KNOCK_S = 0.5, 3.0, 10.0
_SEEN_WITHIN_S = 30.0


def run_ray(
    jobs: Sequence[Work],
    workers: int | None = None,
    address: str | None = None,
    progress: Callable[[int], None] = lambda images: None,
) -> Iterator[Receipt]:
    """Do the work on a cluster, yielding receipts as they come; `progress` is told when a shard is done.

    `address` of the cluster (`host:6379`, `ray://host:10001`, `auto`); else that of RAY_ADDRESS, of a cluster that runs
    on this machine, or a new one of this machine alone. At most `workers` shards at a time; one for every processor of
    the cluster unless given. Raises `UserError` where there is no Ray or no cluster, `BuildFailed` where shards are
    lost again and again.
    """
    ray, jobs = _imported(), [_everywhere(job) for job in jobs]
    with _connected(ray, address):
        yield from _run(ray, jobs, workers, progress)


def _imported() -> Any:
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # else words of its threads come out at the end, from ours
    try:
        import ray
    except ImportError as error:
        raise UserError("--engine ray needs Ray: pip install 'refine-iqa[ray]'") from error
    return ray


@contextlib.contextmanager
def _connected(ray: Any, address: str | None) -> Iterator[None]:
    """Connected for as long as this lasts; a connection that the caller made is used and left."""
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS")
    _knock(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", configure_logging=False)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError, OSError) as error:
        raise UserError(_refused(address, error)) from error
    with contextlib.redirect_stdout(_Quiet(sys.stdout)):
        try:
            yield
        finally:
            ray.shutdown()


def _knock(address: str | None) -> None:
    """Whether anybody answers at all: Ray itself would try for many minutes."""
    if address in (None, "", "auto", "local"):
        return
    host, _, port = str(address).removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"--address {address} is not host:port, ray://host:port or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise UserError(_refused(address, error)) from error


class _Quiet:
    """What Ray's own threads say of lost nodes (pages of it) does not belong on the standard output."""

    def __init__(self, out: Any) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """From all other threads."""
        if threading.current_thread().name.startswith("ray_"):
            return len(text)
        return int(self._out.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def _refused(address: str | None, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "ersion mismatch" in said:
        return f"the Ray cluster at {address} runs other versions: {said}"
    return f"no Ray cluster answers at {address or 'this machine'} (ray start --head begins one): {said[:300]}"


def _everywhere(job: Work) -> Work:
    """With a path that means the same whatever folder a worker stands in."""
    out = job.out
    if not out.shared:
        raise UserError(f"{out} is in the memory of one process; a cluster needs a place that all nodes share")
    return replace(job, out=Folder(out.path.absolute())) if isinstance(out, Folder) else job  # type: ignore[type-var]


def _run(ray: Any, jobs: Sequence[Work], workers: int | None, progress: Callable[[int], None]) -> Iterator[Receipt]:
    work = ray.remote(_work).options(num_cpus=1, max_retries=MAX_RETRIES, retry_exceptions=False)
    waiting, running, nodes = deque(jobs), dict[Any, Work](), _Nodes(ray)
    try:
        while waiting or running:
            nodes.look()
            while waiting and len(running) < (workers or nodes.room):
                job = waiting.popleft()
                running[work.remote(job, __version__, str(Path.cwd()))] = job
            for task in ray.wait(list(running), timeout=_POLL_S)[0]:
                job = running.pop(task)
                receipt = _result(ray, task)
                _check_seen(job, receipt)
                progress(job.images)
                yield receipt
    finally:
        _cancel(ray, list(running))


@dataclass(slots=True)
class _Nodes:
    """The machines of the cluster, which come and go. `room`: shards to have under way, a few more than processors."""

    ray: Any
    room: int = 1
    _known: set[str] = field(default_factory=set)
    _next: float = 0.0

    def look(self) -> None:
        """Every now and then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _LOOK_S
        alive = {node["NodeID"]: node["Resources"].get("CPU", 0) for node in self.ray.nodes() if node["Alive"]}
        lost = len(self._known - alive.keys())
        if lost:
            _log.warning("%d of %d nodes lost; their shards are made again elsewhere", lost, len(self._known))
        self._known = set(alive)
        self.room = int(1.5 * sum(alive.values())) + 1


def _cancel(ray: Any, tasks: list[Any]) -> None:
    """Let them leave their shards tidily."""
    with contextlib.suppress(Exception):
        for task in tasks:
            ray.cancel(task, recursive=False)
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=5)


def _result(ray: Any, task: Any) -> Receipt:
    try:
        receipt: Receipt = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from error
        raise BuildFailed(f"a shard failed on the cluster: {error.cause!r}") from error
    except ray.exceptions.RayError as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise BuildFailed(
            f"a shard was lost {MAX_RETRIES + 1} times, or the cluster with it; shards that are done stay done: "
            f"run the same command again ({said})"
        ) from error
    return receipt


def _check_seen(job: Work, receipt: Receipt) -> None:
    """A node that wrote to a disk of its own has made nothing. Network file systems may need a while to show a file."""
    end = time.monotonic() + _SEEN_WITHIN_S
    while Receipt.read(job.out, receipt.shard, receipt.plan_sha256) is None:
        if time.monotonic() > end:
            raise BuildFailed(
                f"a node says that shard {receipt.shard} is done, but {job.out} does not show it here: all nodes must "
                "see the same folder; use a shared file system, or an object store (s3://...)"
            )
        time.sleep(_POLL_S)


def _work(job: Work, version: str, folder: str) -> Receipt:
    """What a worker does."""
    if version != __version__:
        raise UserError(f"a node of the cluster has distortlab {__version__}, this machine {version}: install the same")
    with contextlib.suppress(OSError):
        os.chdir(folder)  # references may have relative paths
    tune_process()
    return job.run(lambda images: None)
