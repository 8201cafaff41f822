"""Imported first by the server from which workers are forked: it ends when the process that started it ends, and its
workers with it, even in the middle of an import.
"""

from distortlab.core.processes import kill_with_parent

kill_with_parent()
