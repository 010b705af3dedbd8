"""Magenta's own tests of MusicVAE, from the installed package, against the Magenta that we train with: repaired."""

from __future__ import annotations

import importlib.util
import io
import re
import types
import unittest
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

# what NumPy 2 calls otherwise, or no longer takes: a generator to stack
SPELLINGS = {
    r"\.tostring\(\)": ".tobytes()",
    r"\bnp\.int\b": "int",
    r"np\.stack\((.+ for s in np\.split\(.+\))\)": r"np.stack([\1])",
}


def load(name: str) -> types.ModuleType:
    """A test module of the installed Magenta, in today's NumPy."""
    from gmd_vae.magenta import api

    assert api.data.__file__
    path = Path(api.data.__file__).parent / f"{name}.py"
    source = path.read_text()
    for old, new in SPELLINGS.items():
        source = re.sub(old, new, source)
    spec = importlib.util.spec_from_loader(f"magentas_own.{name}", None)
    assert spec
    module = importlib.util.module_from_spec(spec)
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


@pytest.mark.parametrize(("name", "least"), [("data_test", 67), ("data_hierarchical_test", 4), ("lstm_utils_test", 3)])
def test_magentas_own_tests_pass(name: str, least: int) -> None:
    """All of them. ``test_session`` is no test, but a helper of TensorFlow's ``TestCase`` that skips itself."""
    module = load(name)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    printed = io.StringIO()
    result = unittest.TextTestRunner(printed, verbosity=0).run(suite)
    assert result.wasSuccessful(), printed.getvalue()
    assert {test.id().rpartition(".")[2] for test, _ in result.skipped} == {"test_session"}
    assert result.testsRun - len(result.skipped) >= least
