"""Work that a process does when its parent is killed, and a program with such workers.

    python stuck_work.py hog|stopped FILE

Writes the ids of its workers to the file when they are at it, and waits to be killed.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path


def nothing() -> None:
    """No preparation."""


def stuck(words: tuple[str, str]) -> None:
    """Keep the interpreter for a minute, as compiled code may; or stand still."""
    kind, file = words
    with Path(file).open("a") as told:
        told.write(f"{os.getpid()}\n")
    if kind == "hog":
        ctypes.PyDLL(None).sleep(60)  # unlike CDLL, it does not let go of the interpreter
    else:
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(60)


if __name__ == "__main__":
    from distortlab.core.processes import WorkerPool

    sys.path.insert(0, str(Path(__file__).parent))
    import stuck_work

    with WorkerPool(2, stuck_work.nothing) as pool:
        for number in range(2):
            pool.submit(number, stuck_work.stuck, (sys.argv[1], sys.argv[2]))
        list(pool.collect())
