"""Shards on this machine: in this process, or in a pool of others."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from ctypes import Array, c_byte, c_longlong

from distortlab.core.processes import get_worker_context, note_stop
from distortlab.core.workers import limit_threads, open_pool, tune_process
from distortlab.generation.job import Job
from distortlab.generation.receipt import Receipt

__all__ = ["run_local"]

_POLL_S = 0.2


def run_local(
    jobs: Sequence[Job], workers: int, progress: Callable[[int], None] = lambda images: None
) -> Iterator[Receipt]:
    """Run the jobs and yield their receipts as they come.

    Parameters
    ----------
    jobs
        What to run.
    workers
        Processes; with 1, or a single job, the work is done in this one.
    progress
        Called with the number of images that were made since the last call.
    """
    if workers <= 1 or len(jobs) <= 1:
        yield from _run_here(jobs, progress)
    else:
        yield from _run_pool(jobs, min(workers, len(jobs)), progress)


def _run_here(jobs: Sequence[Job], progress: Callable[[int], None]) -> Iterator[Receipt]:
    with limit_threads(), note_stop() as stops:

        def count(images: int) -> None:
            progress(images)
            if stops:
                raise KeyboardInterrupt

        for job in jobs:
            yield job.run(count)


def _run_pool(jobs: Sequence[Job], workers: int, progress: Callable[[int], None]) -> Iterator[Receipt]:
    context = get_worker_context(__name__)
    # Without locks: whoever is killed while holding one would stop everybody else for good.
    made, stop = context.RawArray("q", len(jobs)), context.RawValue("b", 0)
    waiting, reported = deque(enumerate(jobs)), 0
    remedy = "; shards that are done stay done: run the same command again, with fewer"
    with open_pool(workers, _start_worker, (made, stop), remedy, __name__) as pool:
        try:
            while waiting or pool.is_busy:
                while waiting and pool.has_room:
                    pool.submit(waiting[0][0], _run_job, waiting.popleft())
                done = [receipt for _, receipt in pool.collect(_POLL_S)]
                now = sum(made)
                progress(now - reported)
                reported = now
                yield from done
        finally:
            stop.value = 1


class _Stopped(Exception):
    """The parent stops the run: leave the shard, whose temporary files are removed on the way out."""


_shared: tuple["Array[c_longlong]", c_byte] | None = None


def _start_worker(made: "Array[c_longlong]", stop: c_byte) -> None:
    global _shared
    _shared = (made, stop)
    tune_process()


def _run_job(numbered: tuple[int, Job]) -> Receipt:
    assert _shared is not None
    (made, stop), (index, job) = _shared, numbered

    def count(images: int) -> None:
        if stop.value:
            raise _Stopped
        made[index] += images

    return job.run(count)
