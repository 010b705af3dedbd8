"""Settings of every test. The fixtures lie in ``fixtures/``, by subject."""

from __future__ import annotations

import signal

import hypothesis
import pytest
from gmd_vae.training.threads import share_processors

pytest_plugins = [
    *("fixtures.browser", "fixtures.datasets", "fixtures.http", "fixtures.magenta", "fixtures.magentajs"),
    *("fixtures.midi", "fixtures.runs"),
]

# a busy machine is no failure
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")

# A shell that starts the tests in the background makes them, and all they start, deaf to Ctrl-C; some
# tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# TensorFlow starts once for all tests of a process, with the threads that it has in a process of its own that trains:
# a run must be able to begin in the one and end in the other, bit for bit.
share_processors()


# What takes longest, longest first: with these at the start, the processes that share the tests come to their end
# together. The other files follow as pytest has found them.
LONG = (
    "test_whole_path.py",
    "test_equals_magenta.py",
    "test_cluster_run.py",
    "test_kill.py",
    "test_notebook.py",
    "test_stock_scripts.py",
    "test_randomness_of_models.py",
    "test_loop.py",
    "test_api.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests of the files in ``LONG`` first."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))
