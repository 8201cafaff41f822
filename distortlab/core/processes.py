"""A pool of worker processes that communicate over pipes and end when the process that started them ends.

There are no locks between them: a worker that is killed while it holds one would stop all others, and Python's resource
tracker complains on stderr about semaphores whose owner was killed.
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterator
from multiprocessing import connection, resource_tracker, util
from typing import Any, TypeVar

__all__ = ["WorkerLost", "WorkerPool", "end_with_parent", "get_worker_context", "hold_back_stop", "note_stop"]

T = TypeVar("T")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class WorkerLost(Exception):
    """A process ended in the middle of its work."""


def get_worker_context(preload: str = "") -> Any:
    """The multiprocessing context: "forkserver", or "spawn" on Windows.

    Parameters
    ----------
    preload
        A module that the server imports once for all workers. Only the first call of a process has an effect.
    """
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if context.get_start_method() == "forkserver":
        # Linux kills the server when the thread that started it ends: only the main one lasts as long as the process.
        tied = threading.current_thread() is threading.main_thread()
        first = ["distortlab.core.forkserver_preload"] if tied else []
        context.set_forkserver_preload([*first, preload] if preload else first)
    return context


class WorkerPool:
    """Worker processes, started as they are needed. A context manager: its end waits for work under way, and drops it.

    Parameters
    ----------
    limit
        The most processes.
    start
        Called in each process before its first work, as `start(*shared)`.
    shared
        What `start` is given.
    preload
        A module to import once for all workers: see `get_worker_context`.
    """

    def __init__(
        self, limit: int, start: Callable[..., None], shared: tuple[object, ...] = (), preload: str = ""
    ) -> None:
        self._limit, self._start, self._shared = limit, start, shared
        self._context = get_worker_context(preload)
        self._processes: list[multiprocessing.Process] = []
        self._pipes: list[connection.Connection] = []
        self._idle: list[connection.Connection] = []
        self._busy: set[connection.Connection] = set()

    def __enter__(self) -> "WorkerPool":
        if sys.platform != "win32":
            with note_stop():  # its start would unblock the signals that `hold_back_stop` has blocked
                resource_tracker.ensure_running()
        self._closing = util.Finalize(self, _close_all, (self._pipes,), exitpriority=10)
        return self

    def __exit__(self, *error: object) -> None:
        with hold_back_stop():
            self._closing()
            for process in self._processes:
                process.join()
                process.close()

    @property
    def has_room(self) -> bool:
        """Whether a process is free, or can be started."""
        return bool(self._idle) or len(self._processes) < self._limit

    @property
    def is_busy(self) -> bool:
        """Whether there are results to come."""
        return bool(self._busy)

    def submit(self, number: int, work: Callable[[T], object], item: T) -> None:
        """Have a free process do `work(item)`; `number` comes back with the result. Raises `WorkerLost`."""
        with hold_back_stop():
            try:
                pipe = self._idle.pop() if self._idle else self._begin()
                self._busy.add(pipe)
                pipe.send((number, work, item))
            except (EOFError, OSError) as error:
                raise WorkerLost from error

    def collect(self, timeout_s: float | None = None) -> Iterator[tuple[int, Any]]:
        """Wait for results.

        Yields
        ------
        tuple
            (number, result) of finished work, at least one unless `timeout_s` seconds pass first.

        Raises
        ------
        WorkerLost
            Where a process ended in the middle of its work. What the work itself raised is raised as well.
        """
        ready: list[Any] = connection.wait(list(self._busy), timeout_s)
        for pipe in ready:
            self._busy.remove(pipe)
            try:
                number, failed, result = pipe.recv()
            except (EOFError, OSError) as error:
                raise WorkerLost from error
            self._idle.append(pipe)
            if failed:
                raise result
            yield number, result

    def _begin(self) -> connection.Connection:
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._start, self._shared))
        with _hide_main(), theirs:
            process.start()
        self._processes.append(process)
        self._pipes.append(mine)
        return mine


def _close_all(pipes: list[connection.Connection]) -> None:
    """Close the pipes: a worker whose pipe is closed ends after its current work."""
    for pipe in pipes:
        pipe.close()


def _serve(pipe: connection.Connection, start: Callable[..., None], shared: tuple[object, ...]) -> None:
    """What a worker process runs: receive work and send results until its pipe is closed."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # sent to the whole process group: only the parent acts on them
    end_with_parent()
    start(*shared)
    with contextlib.suppress(EOFError, OSError):
        while True:
            number, work, item = pipe.recv()
            _send(pipe, number, *_outcome(work, item))


def _send(pipe: connection.Connection, number: int, failed: bool, result: object) -> None:
    try:
        pipe.send((number, failed, result))
    except (EOFError, OSError):
        raise
    except Exception as error:  # what cannot be sent is not known beforehand
        pipe.send((number, True, RuntimeError(f"{result!r} cannot be sent to another process: {error}")))


def _outcome(work: Callable[[T], object], item: T) -> tuple[bool, object]:
    """(whether it failed, result or exception)."""
    try:
        return False, work(item)
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        return True, error


@contextlib.contextmanager
def _hide_main() -> Iterator[None]:
    """Workers import what they need. Left alone, `multiprocessing` would also run the caller's script again in
    each of them, where it has no `if __name__ == "__main__"`.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


# --- ending ---------------------------------------------------------------------------------------------------------


def end_with_parent() -> None:
    """End this process as soon as its parent has ended, so that no worker of an earlier run goes on beside a new one.

    On Linux the kernel kills it, whatever it is doing. Elsewhere a thread does, which must wait for code that does not
    release the interpreter lock.
    """
    kill_with_parent()
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def kill_with_parent() -> None:
    """Ask Linux to kill this process when the thread that started it has ended."""
    if sys.platform == "linux":
        death_signal = 1  # PR_SET_PDEATHSIG
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)


# --- being stopped --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def note_stop() -> Iterator[list[int]]:
    """Defer Ctrl-C: it is appended to the list that this yields, and raised at the end."""
    signals: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    handler = signal.signal(signal.SIGINT, lambda number, frame: signals.append(number))
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, handler or signal.default_int_handler)
    if signals:
        raise KeyboardInterrupt


@contextlib.contextmanager
def hold_back_stop() -> Iterator[None]:
    """Defer Ctrl-C as `note_stop` does, and start processes that receive neither Ctrl-C nor SIGTERM."""
    with note_stop():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
