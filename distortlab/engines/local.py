"""Shards on this machine: in this process, or in a pool of others."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from distortlab.build import Receipt, Work
from distortlab.errors import BuildFailed

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
    with _one_thread(), _patient() as heard:

        def count(images: int) -> None:
            progress(images)
            if heard:
                raise KeyboardInterrupt

        for job in jobs:
            yield job.run(count)


def _run_pool(jobs: Sequence[Work], workers: int, progress: Callable[[int], None]) -> Iterator[Receipt]:
    context = _context()
    # Without locks: whoever is killed while holding one would stop everybody else for good.
    made, stop = context.RawArray("q", len(jobs)), context.RawValue("b", 0)
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(made, stop))
    try:
        with _hidden_main(), _deaf():
            waiting = {pool.submit(_work, index, job) for index, job in enumerate(jobs)}
        seen = 0
        while waiting:
            done, waiting = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            now = sum(made)
            progress(now - seen)
            seen = now
            yield from (future.result() for future in done)
    except BrokenProcessPool as error:
        raise BuildFailed(
            "a worker process was ended from outside (out of memory, perhaps); shards that are done stay done: run the "
            "same command again, with fewer --workers if memory is short"
        ) from error
    finally:
        stop.value = 1
        with _deaf():
            pool.shutdown(wait=True, cancel_futures=True)


def in_order(work: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[R]:
    """`work` on every item, in this process or in others, the results in order and no more than a few ahead.

    Ctrl-C ends between items. Raises `BuildFailed` where a process was ended from outside.
    """
    if workers <= 1 or len(items) <= 1:
        with _one_thread(), _patient() as heard:
            for item in items:
                yield work(item)
                if heard:
                    return
        return
    pool = ProcessPoolExecutor(min(workers, len(items)), _context(), initializer=_start_helper)
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            with _hidden_main(), _deaf():
                waiting.append(pool.submit(work, item))
            if len(waiting) >= 3 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise BuildFailed(
            "a worker process was ended from outside (out of memory, perhaps): try again with fewer --workers"
        ) from error
    finally:
        with _deaf():
            pool.shutdown(wait=True, cancel_futures=True)


def _start_helper() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_process()
    _end_with_parent()


def _context() -> Any:
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(["distortlab.build"])
    return context


@contextlib.contextmanager
def _hidden_main() -> Iterator[None]:
    """Workers import what they need. Left alone, `multiprocessing` would also run the caller's script again in
    each of them, where it has no `if __name__ == "__main__"`.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _patient() -> Iterator[list[int]]:
    """Ctrl-C is noted in the list that this yields, and raised at the end: nothing is cut in the middle."""
    heard: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, handler or signal.default_int_handler)
    if heard:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """As `_patient`, and processes started meanwhile never hear Ctrl-C: the parent says what to do."""
    with _patient():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class _Stopped(Exception):
    """The parent wants no more: leave the shard, its temporary files are removed on the way out."""


_shared: tuple[Any, Any] | None = None


def _start_worker(made: Any, stop: Any) -> None:
    global _shared
    _shared = (made, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_process()
    _end_with_parent()


def _work(index: int, job: Work) -> Receipt:
    assert _shared is not None
    made, stop = _shared

    def count(images: int) -> None:
        if stop.value:
            raise _Stopped
        made[index] += images

    return job.run(count)


def _end_with_parent() -> None:
    """A worker whose parent was killed stops at once, so that a second run does not work beside a forgotten first."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


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
