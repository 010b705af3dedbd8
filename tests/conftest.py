"""Settings of every test. The fixtures lie in ``fixtures/``, by subject."""

from __future__ import annotations

import copy
import functools
import gc
import signal
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from gmd_vae.training.threads import share_processors

pytest_plugins = [
    *(
        "fixtures.browser",
        "fixtures.datasets",
        "fixtures.firefox",
        "fixtures.http",
        "fixtures.magenta",
        "fixtures.magentajs",
    ),
    *("fixtures.midi", "fixtures.node", "fixtures.runs"),
]

# a busy machine is no failure
# the default, 100 examples, takes twice as long
hypothesis.settings.register_profile("project", deadline=None, max_examples=50)
hypothesis.settings.load_profile("project")

# A shell that starts the tests in the background makes them, and all they start, deaf to Ctrl-C; some
# tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# TensorFlow starts once for all tests of a process, with the threads that it has in a process of its own that trains:
# a run must be able to begin in the one and end in the other, bit for bit.
share_processors()


@functools.cache
def turn_off_graph_optimiser() -> None:
    """Turns off TensorFlow's graph optimiser in the sessions of this process, where TensorFlow is imported.

    It takes longer than the few steps of a test, most of all in graphs with loops. A session whose options set
    ``min_graph_nodes`` keeps it.
    """
    from tensorflow.python.client.session import BaseSession
    from tensorflow.python.eager import context

    create = BaseSession.__init__

    def create_without(self: Any, target: str = "", graph: Any = None, config: Any = None) -> None:
        options = copy.deepcopy(context.context().config if config is None else config)
        rewriting = options.graph_options.rewrite_options
        rewriting.disable_meta_optimizer |= not rewriting.min_graph_nodes
        create(self, target, graph, options)

    BaseSession.__init__ = create_without


@pytest.fixture(autouse=True)
def _quick_graphs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collects garbage after a test with TensorFlow, not during it: a graph is one net of cycles in use.

    The collector takes a fifth of the time in which a graph is built. TensorFlow's graph optimiser is off.
    """
    if request.node.get_closest_marker("tensorflow") is None:
        was_imported = "tensorflow" in sys.modules
        yield
        if not was_imported and "tensorflow" in sys.modules:
            warnings.warn(f"{request.node.nodeid} imports TensorFlow: it lacks the marker", stacklevel=1)
        return
    if "gmd_vae.magenta.api" in sys.modules:
        turn_off_graph_optimiser()
    gc.disable()
    yield
    gc.enable()


# Files whose TensorFlow runs in processes of their own: they come before the first test that imports it.
IN_PROCESSES = ("test_attacks.py", "test_notebook.py", "test_doctor.py")

# What takes longest of the files that import TensorFlow, longest first: with these ahead of the others, the processes
# that share the tests come to their end together. The other files follow as pytest has found them.
LONG = (
    "test_pages_run.py",
    "test_systems.py",
    "test_whole_path.py",
    "test_equals_magenta.py",
    "test_evaluate.py",
    "test_tensorflow_paths.py",
    "test_cluster_run.py",
    "test_other_metres.py",
    "test_stock_scripts.py",
    "test_fine_tuning.py",
    "test_validation.py",
    "test_one_song.py",
    "test_train_seeds.py",
    "test_levers.py",
    "test_stock_configs.py",
    "test_kill.py",
    "test_loop.py",
    "test_slurm_seeds.py",
    "test_api.py",
    "test_tensor_scorer.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files without TensorFlow first, then those in ``LONG``.

    A child process of one that holds TensorFlow takes 0.3 s to fork, and some tests start hundreds.
    """
    if "tensorflow" in sys.modules:
        raise pytest.UsageError("A test module imports TensorFlow; import it in the tests themselves.")
    trained = {"tiny_run", "short_run"}  # fixtures that train where no other process has
    importing = {
        item.path
        for item in items
        if item.get_closest_marker("tensorflow") or trained.intersection(getattr(item, "fixturenames", ()))
    }

    def place(item: pytest.Item) -> tuple[bool, int]:
        name = item.path.name
        if item.path not in importing or name in IN_PROCESSES:
            return False, IN_PROCESSES.index(name) if name in IN_PROCESSES else len(IN_PROCESSES)
        return True, LONG.index(name) if name in LONG else len(LONG)

    items.sort(key=place)
