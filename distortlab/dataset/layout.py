"""The layout of a data set on disk: its format, and where things lie in it."""

__all__ = ["FORMAT", "PLAN_PATH"]

FORMAT = 1
"""The layout of a data set on disk. Readers refuse a newer one."""
PLAN_PATH = "_distortlab/plan.json"
"""Where a data set says what it was made from."""
