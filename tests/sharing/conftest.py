"""A stand-in hub, and data sets to publish on it."""

from dataset_fixtures import copy, data, smaller  # noqa: F401  (fixtures)
from hub_fixtures import client_environment, hub  # noqa: F401  (fixtures)
