"""Items of a stream drawn ahead by other processes, window by window, in the order of a part of the stream."""

from collections.abc import Callable, Generator, Iterator

from distortlab.core.workers import map_ahead
from distortlab.generation.stream_failures import ItemFailure
from distortlab.generation.stream_items import Drawn, StreamSample
from distortlab.generation.stream_plan import WINDOW, StreamPlan, Window

__all__ = ["align_index", "draw_ahead", "list_windows"]


def draw_ahead(
    work: Callable[[tuple[Window, int]], Drawn], windows: Iterator[tuple[Window, int]], workers: int
) -> Generator[StreamSample | ItemFailure]:
    """The items of windows, drawn by other processes. It knows no stream: one that is dropped ends its workers."""
    for drawn, error in map_ahead(work, windows, workers):
        for item in drawn:
            if isinstance(item, StreamSample):
                item.reference.setflags(write=False)
            yield item
        if error is not None:
            raise error


def list_windows(plan: StreamPlan, part: tuple[int, int], first: int) -> Iterator[tuple[Window, int]]:
    """The windows of a part from an index on, each with the first index that is drawn of it."""
    while True:
        yield plan.make_window(first // WINDOW), first
        first = align_index((first // WINDOW + 1) * WINDOW, part)


def align_index(index: int, part: tuple[int, int]) -> int:
    """The first index of a part (number, of) that is not below `index`."""
    window = index // WINDOW
    behind = (part[0] - window) % part[1]
    return (window + behind) * WINDOW if behind else index
