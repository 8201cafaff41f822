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
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO

from distortlab import __version__
from distortlab.core.errors import BuildFailed, UserError
from distortlab.core.workers import tune_process
from distortlab.generation.job import Job
from distortlab.generation.receipt import Receipt
from distortlab.storage.base import Folder

if TYPE_CHECKING:
    from ray import ObjectRef

__all__ = ["run_ray"]

MAX_RETRIES = 5
"""How often a shard is started again when its node or its process is lost. What a shard raises is not tried again."""

_log = logging.getLogger(__name__)
_POLL_S, _UPDATE_S, _CONNECT_S = 0.5, 3.0, 10.0
_VISIBLE_WITHIN_S = 30.0


def run_ray(
    jobs: Sequence[Job],
    workers: int | None = None,
    address: str | None = None,
    progress: Callable[[int], None] = lambda images: None,
) -> Iterator[Receipt]:
    """Run the jobs on a cluster and yield their receipts as they come.

    Parameters
    ----------
    jobs
        What to run; each is a task of Ray.
    workers
        The most shards at a time; unless given, one for every processor of the cluster.
    address
        Of the cluster (`host:6379`, `ray://host:10001`, `auto`); else that of RAY_ADDRESS, of a cluster that runs
        on this machine, or a new one of this machine alone.
    progress
        Called with the number of images of a shard when it is done.

    Raises
    ------
    UserError
        There is no Ray, or no cluster.
    BuildFailed
        Shards are lost again and again.
    """
    ray, jobs = _import_ray(), [_make_path_absolute(job) for job in jobs]
    with _connect(ray, address):
        yield from _run_tasks(ray, jobs, workers, progress)


def _import_ray() -> ModuleType:
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # else words of its threads come out at the end, from ours
    try:
        import ray
    except ImportError as error:
        raise UserError("--engine ray needs Ray: pip install 'refine-iqa[ray]'") from error
    return ray


@contextlib.contextmanager
def _connect(ray: ModuleType, address: str | None) -> Iterator[None]:
    """A context that is connected to the cluster. A connection that the caller made is used, and left open."""
    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS")
    _check_reachable(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", configure_logging=False)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError, OSError) as error:
        raise UserError(_describe_refusal(address, error)) from error
    with contextlib.redirect_stdout(_Quiet(sys.stdout)):
        try:
            yield
        finally:
            ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """Raise `UserError` where nobody answers at the address: Ray itself would try for many minutes."""
    if address in (None, "", "auto", "local"):
        return
    host, _, port = str(address).removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"--address {address} is not host:port, ray://host:port or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise UserError(_describe_refusal(address, error)) from error


class _Quiet:
    """Standard output without what Ray's own threads write of lost nodes, which is pages."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write what comes from any other thread."""
        if threading.current_thread().name.startswith("ray_"):
            return len(text)
        return int(self._out.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def _describe_refusal(address: str | None, error: Exception) -> str:
    message = " ".join(str(error).split())
    if "ersion mismatch" in message:
        return f"the Ray cluster at {address} runs other versions: {message}"
    return f"no Ray cluster answers at {address or 'this machine'} (ray start --head begins one): {message[:300]}"


def _make_path_absolute(job: Job) -> Job:
    """The job with a path that means the same whatever folder a worker runs in."""
    out = job.out
    if not out.shared:
        raise UserError(f"{out} is in the memory of one process; a cluster needs a place that all nodes share")
    return replace(job, out=Folder(out.path.absolute())) if isinstance(out, Folder) else job  # type: ignore[type-var]


def _run_tasks(
    ray: ModuleType, jobs: Sequence[Job], workers: int | None, progress: Callable[[int], None]
) -> Iterator[Receipt]:
    remote = ray.remote(_run_job).options(num_cpus=1, max_retries=MAX_RETRIES, retry_exceptions=False)
    waiting, running, nodes = deque(jobs), dict["ObjectRef[Receipt]", Job](), _Nodes(ray)
    try:
        while waiting or running:
            nodes.update()
            while waiting and len(running) < (workers or nodes.room):
                job = waiting.popleft()
                running[remote.remote(job, __version__, str(Path.cwd()))] = job
            for task in ray.wait(list(running), timeout=_POLL_S)[0]:
                job = running.pop(task)
                receipt = _get_receipt(ray, task)
                _check_visible(job, receipt)
                progress(job.images)
                yield receipt
    finally:
        _cancel_tasks(ray, list(running))


@dataclass(slots=True)
class _Nodes:
    """The machines of the cluster, which come and go. `room`: shards to have under way, a few more than processors."""

    ray: ModuleType
    room: int = 1
    _known: set[str] = field(default_factory=set)
    _next: float = 0.0

    def update(self) -> None:
        """Ask the cluster for its machines, every few seconds at most."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _UPDATE_S
        alive = {node["NodeID"]: node["Resources"].get("CPU", 0) for node in self.ray.nodes() if node["Alive"]}
        lost = len(self._known - alive.keys())
        if lost:
            _log.warning("%d of %d nodes lost; their shards are made again elsewhere", lost, len(self._known))
        self._known = set(alive)
        self.room = int(1.5 * sum(alive.values())) + 1


def _cancel_tasks(ray: ModuleType, tasks: list["ObjectRef[Receipt]"]) -> None:
    """Stop the tasks; each removes its temporary files first."""
    with contextlib.suppress(Exception):
        for task in tasks:
            ray.cancel(task, recursive=False)
        if tasks:
            ray.wait(tasks, num_returns=len(tasks), timeout=5)


def _get_receipt(ray: ModuleType, task: "ObjectRef[Receipt]") -> Receipt:
    try:
        receipt: Receipt = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from error
        raise BuildFailed(f"a shard failed on the cluster: {error.cause!r}") from error
    except ray.exceptions.RayError as error:
        message = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise BuildFailed(
            f"a shard was lost {MAX_RETRIES + 1} times, or the cluster with it; shards that are done stay done: "
            f"run the same command again ({message})"
        ) from error
    return receipt


def _check_visible(job: Job, receipt: Receipt) -> None:
    """A node that wrote to a disk of its own has made nothing. Network file systems may need a while to show a file."""
    end = time.monotonic() + _VISIBLE_WITHIN_S
    while Receipt.read(job.out, receipt.shard, receipt.plan_sha256) is None:
        if time.monotonic() > end:
            raise BuildFailed(
                f"a node says that shard {receipt.shard} is done, but {job.out} does not show it here: all nodes must "
                "see the same folder; use a shared file system, or an object store (s3://...)"
            )
        time.sleep(_POLL_S)


def _run_job(job: Job, version: str, folder: str) -> Receipt:
    """Run a job in a worker."""
    if version != __version__:
        raise UserError(f"a node of the cluster has distortlab {__version__}, this machine {version}: install the same")
    with contextlib.suppress(OSError):
        os.chdir(folder)  # references may have relative paths
    tune_process()
    return job.run(lambda images: None)
