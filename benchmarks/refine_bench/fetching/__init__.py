"""Rated sets from mirrors and official addresses: looked up, downloaded, unpacked, checked.

`plan_fetch(["koniq"], data)` says what would be fetched; `fetch_sets(plans)` does it.
"""

from refine_bench.fetching.fetch import FetchedSet, FetchOptions, describe_plan, fetch_sets
from refine_bench.fetching.plan import SetPlan, find_missing_room, plan_fetch
from refine_bench.fetching.sources import NOT_FETCHED, SOURCES

__all__ = [
    "NOT_FETCHED",
    "SOURCES",
    "FetchOptions",
    "FetchedSet",
    "SetPlan",
    "describe_plan",
    "fetch_sets",
    "find_missing_room",
    "plan_fetch",
]
