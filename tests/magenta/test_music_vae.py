"""Runs the tests of MusicVAE from the installed Magenta against the patched modules."""

from __future__ import annotations

import importlib.util
import io
import re
import types
import unittest
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

# names and calls that NumPy 2 has changed
SPELLINGS = {
    r"\.tostring\(\)": ".tobytes()",
    r"\bnp\.int\b": "int",
    r"np\.stack\((.+ for s in np\.split\(.+\))\)": r"np.stack([\1])",
}


def load(name: str) -> types.ModuleType:
    """Loads a test module of the installed Magenta, adapted to NumPy 2."""
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
    """``test_session`` is no test, but a helper of TensorFlow's ``TestCase`` that skips itself."""
    module = load(name)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    printed = io.StringIO()
    result = unittest.TextTestRunner(printed, verbosity=0).run(suite)
    assert result.wasSuccessful(), printed.getvalue()
    assert {test.id().rpartition(".")[2] for test, _ in result.skipped} == {"test_session"}
    assert result.testsRun - len(result.skipped) >= least
