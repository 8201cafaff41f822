"""Run work in several processes, with results in order, and set each process up for it."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from distortlab.core.errors import BuildFailed
from distortlab.core.processes import WorkerLost, WorkerPool, note_stop

__all__ = [
    "choose_arrow_pool",
    "count_processors",
    "limit_threads",
    "map_ahead",
    "map_in_order",
    "open_pool",
    "tune_process",
]

T = TypeVar("T")
R = TypeVar("R")


def count_processors() -> int:
    """How many processors this process may use."""
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """Apply a function to every item in several processes.

    Parameters
    ----------
    work
        A function that can be pickled, as must its results.
    items
        Worked on in this order, at most a few ahead of the result that is due.
    workers
        How many processes; with 1 this process does the work itself.

    Yields
    ------
    R
        `work(item)`, in the order of `items`. Ctrl-C ends between two of them.

    Raises
    ------
    BuildFailed
        Where a process was ended from outside.
    """
    if workers <= 1 or len(items) <= 1:
        with limit_threads(), note_stop() as signals:
            for item in items:
                yield work(item)
                if signals:
                    return
        return
    yield from map_ahead(work, items, min(workers, len(items)))


def map_ahead(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Apply a function to every item in other processes, which work on while the caller does.

    Parameters
    ----------
    work
        A function that can be pickled, as must its results.
    items
        As many as one likes, worked on in this order, at most a few ahead of the result that is due.
    workers
        How many processes. Closing the iterator ends them.

    Yields
    ------
    R
        `work(item)`, in the order of `items`.

    Raises
    ------
    BuildFailed
        Where a process was ended from outside.
    """
    source, done, submitted, due = iter(items), dict[int, R](), 0, 0
    module = getattr(work, "func", work).__module__  # of a partial, that of its function
    with open_pool(workers, tune_process, (), ": try again with fewer", module) as pool:
        while True:
            while pool.has_room and submitted < due + 3 * workers and (taken := list(islice(source, 1))):
                pool.submit(submitted, work, taken[0])
                submitted += 1
            if due in done:
                yield done.pop(due)
                due += 1
            elif due < submitted:
                done.update(pool.collect())
            else:
                return


@contextlib.contextmanager
def open_pool(
    workers: int, start: Callable[..., None], shared: tuple[object, ...], remedy: str, preload: str
) -> Iterator[WorkerPool]:
    """Open a `WorkerPool` that raises `BuildFailed` where a process was ended from outside.

    Parameters
    ----------
    workers
        The most processes.
    start
        Called in each process first, as `start(*shared)`.
    shared
        What `start` is given.
    remedy
        What the sentence of the error advises; " --workers" is added to it.
    preload
        A module to import once for all workers.
    """
    try:
        with WorkerPool(workers, start, shared, preload) as pool:
            yield pool
    except WorkerLost as error:
        raise BuildFailed(
            f"a worker process was ended from outside (out of memory, perhaps){remedy} --workers"
        ) from error


def choose_arrow_pool() -> None:
    """Let Arrow take memory as all else in this process does, unless somebody chose otherwise. Before it is imported:
    what its Parquet writer uses cannot be changed later (`tune_process` sets what Python code asks it for).
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def tune_process() -> None:
    """Set this process up as a worker: one OpenCV thread, and an allocator that keeps image-sized blocks.

    Returning them to the system after every use costs about a tenth of the time (docs/performance.md). Only glibc's
    allocator can be set so.
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
def limit_threads() -> Iterator[None]:
    """Set this process up as a worker for the time of a `with` block; OpenCV has its threads back afterwards."""
    import cv2

    threads = cv2.getNumThreads()
    tune_process()
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
