"""Shards on this machine: in this process, or in a pool of others."""

import contextlib
import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from distortlab.core.errors import BuildFailed
from distortlab.core.processes import WorkerLost, WorkerPool, note_stop, worker_context
from distortlab.generation.shard import Receipt, Work

__all__ = ["default_workers", "in_order", "run_local", "tune_process"]

_POLL_S = 0.2
T = TypeVar("T")
R = TypeVar("R")


def default_workers() -> int:
    """The processors that this process may use."""
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_local(
    jobs: Sequence[Work], workers: int, progress: Callable[[int], None] = lambda images: None
) -> Iterator[Receipt]:
    """Do the work, shard by shard, yielding receipts as they come. `progress` is told how many more images are made."""
    if workers <= 1 or len(jobs) <= 1:
        yield from _run_here(jobs, progress)
    else:
        yield from _run_pool(jobs, min(workers, len(jobs)), progress)


def _run_here(jobs: Sequence[Work], progress: Callable[[int], None]) -> Iterator[Receipt]:
    with _one_thread(), note_stop() as heard:

        def count(images: int) -> None:
            progress(images)
            if heard:
                raise KeyboardInterrupt

        for job in jobs:
            yield job.run(count)


def _run_pool(jobs: Sequence[Work], workers: int, progress: Callable[[int], None]) -> Iterator[Receipt]:
    context = worker_context()
    # Without locks: whoever is killed while holding one would stop everybody else for good.
    made, stop = context.RawArray("q", len(jobs)), context.RawValue("b", 0)
    waiting, seen = deque(enumerate(jobs)), 0
    with _pool(workers, _start_worker, (made, stop), f"{_KEPT}: run the same command again, with fewer") as pool:
        try:
            while waiting or pool.is_busy:
                while waiting and pool.has_room:
                    pool.submit(waiting[0][0], _work, waiting.popleft())
                done = [receipt for _, receipt in pool.collect(_POLL_S)]
                now = sum(made)
                progress(now - seen)
                seen = now
                yield from done
        finally:
            stop.value = 1


_KEPT = "; shards that are done stay done"


def in_order(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """`work` on every item, in this process or in others, the results in order and no more than a few ahead.

    Ctrl-C ends between items. Raises `BuildFailed` where a process was ended from outside.
    """
    if workers <= 1 or len(items) <= 1:
        with _one_thread(), note_stop() as heard:
            for item in items:
                yield work(item)
                if heard:
                    return
        return
    done, given = dict[int, R](), 0
    with _pool(min(workers, len(items)), tune_process, (), ": try again with fewer") as pool:
        for due in range(len(items)):
            while due not in done:
                while pool.has_room and given < min(len(items), due + 3 * workers):
                    pool.submit(given, work, items[given])
                    given += 1
                done.update(pool.collect())
            yield done.pop(due)


@contextlib.contextmanager
def _pool(workers: int, start: Callable[..., None], shared: tuple[Any, ...], remedy: str) -> Iterator[WorkerPool]:
    try:
        with WorkerPool(workers, start, shared) as pool:
            yield pool
    except WorkerLost as error:
        raise BuildFailed(
            f"a worker process was ended from outside (out of memory, perhaps){remedy} --workers"
        ) from error


class _Stopped(Exception):
    """The parent wants no more: leave the shard, its temporary files are removed on the way out."""


_shared: tuple[Any, Any] | None = None


def _start_worker(made: Any, stop: Any) -> None:
    global _shared
    _shared = (made, stop)
    tune_process()


def _work(numbered: tuple[int, Work]) -> Receipt:
    assert _shared is not None
    (made, stop), (index, job) = _shared, numbered

    def count(images: int) -> None:
        if stop.value:
            raise _Stopped
        made[index] += images

    return job.run(count)


def tune_process() -> None:
    """One OpenCV thread per process, and an allocator that keeps image-sized blocks instead of returning them to the
    system after every use: about a tenth of the time (docs/performance.md). Only glibc has the second knob.
    """
    import cv2
    import pyarrow as pa

    cv2.setNumThreads(1)
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 1 << 30)
        pa.set_memory_pool(pa.system_memory_pool())


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """As in a worker, for as long as this lasts: the caller's OpenCV keeps its threads."""
    import cv2

    threads = cv2.getNumThreads()
    tune_process()
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
