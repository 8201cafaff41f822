"""Work given to processes beside this one: how many, in which order results come, and how each is set up."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from distortlab.core.errors import BuildFailed
from distortlab.core.processes import WorkerLost, WorkerPool, note_stop

__all__ = ["count_processors", "limit_threads", "map_in_order", "open_pool", "tune_process"]

T = TypeVar("T")
R = TypeVar("R")


def count_processors() -> int:
    """The processors that this process may use."""
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_in_order(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """`work` on every item, in this process or in others, the results in order and no more than a few ahead.

    Ctrl-C ends between items. Raises `BuildFailed` where a process was ended from outside.
    """
    if workers <= 1 or len(items) <= 1:
        with limit_threads(), note_stop() as heard:
            for item in items:
                yield work(item)
                if heard:
                    return
        return
    done, given = dict[int, R](), 0
    module = getattr(work, "func", work).__module__  # of a partial, that of its function
    with open_pool(min(workers, len(items)), tune_process, (), ": try again with fewer", module) as pool:
        for due in range(len(items)):
            while due not in done:
                while pool.has_room and given < min(len(items), due + 3 * workers):
                    pool.submit(given, work, items[given])
                    given += 1
                done.update(pool.collect())
            yield done.pop(due)


@contextlib.contextmanager
def open_pool(
    workers: int, start: Callable[..., None], shared: tuple[Any, ...], remedy: str, preload: str
) -> Iterator[WorkerPool]:
    """A `WorkerPool`. Raises `BuildFailed` where a process was ended from outside; `remedy` is what helps, in front of
    `--workers`.
    """
    try:
        with WorkerPool(workers, start, shared, preload) as pool:
            yield pool
    except WorkerLost as error:
        raise BuildFailed(
            f"a worker process was ended from outside (out of memory, perhaps){remedy} --workers"
        ) from error


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
def limit_threads() -> Iterator[None]:
    """As in a worker, for as long as this lasts: the caller's OpenCV keeps its threads."""
    import cv2

    threads = cv2.getNumThreads()
    tune_process()
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
