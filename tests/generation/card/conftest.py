"""Data sets with cards."""

from dataset_fixtures import copy, data, smaller  # noqa: F401  (fixtures)
