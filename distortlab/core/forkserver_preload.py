"""Imported first by the server from which workers are forked: it ends when the process that started it ends, and its
workers with it, even in the middle of an import. What has to be chosen before Arrow is imported is chosen here.
"""

from distortlab.core.processes import kill_with_parent
from distortlab.core.workers import choose_arrow_pool

kill_with_parent()
choose_arrow_pool()
