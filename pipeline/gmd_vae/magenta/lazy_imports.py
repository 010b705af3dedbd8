"""Speeds up the import of Magenta: no packages that nothing here uses, no garbage collection.

Magenta would import packages that this project never uses: bokeh and IPython, with which ``note_seq`` draws and plays
in notebooks; pandas, whose tables Keras accepts; scikit-learn, from which tf-slim takes losses; TensorFlow Datasets,
with which Magenta's script downloads GMD. They make up a third of the start of ``gmd_vae.magenta.api``.

h5py and Pillow are not among them: Keras would keep that they are missing, and other code in the same process could
neither write its models nor read pictures.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

_OPTIONAL = frozenset({"pandas", "sklearn"})  # each is imported in a ``try`` that continues without it
_DATASETS = "tensorflow_datasets"  # Magenta reads its attributes only when it loads a dataset
_NOTEBOOK_MODULE = "note_seq.notebook_utils"
_NOTEBOOK_FUNCTIONS = ("play_sequence", "plot_sequence")  # those that the package ``note_seq`` imports from it


@contextlib.contextmanager
def without_unused_packages() -> Iterator[None]:
    """Hides these packages from imports inside the context. Afterwards everything can be imported as usual."""
    finder = _OptionalPackagesHidden()
    sys.meta_path.insert(0, finder)
    notebooks = types.ModuleType(_NOTEBOOK_MODULE)
    for name in _NOTEBOOK_FUNCTIONS:
        setattr(notebooks, name, _imported_when_called(name))
    replaced = {
        module.__name__: module
        for module in (notebooks, _ImportedWhenUsed(_DATASETS))
        if module.__name__ not in sys.modules
    }
    sys.modules.update(replaced)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in replaced:
            del sys.modules[name]
        if _NOTEBOOK_MODULE in replaced and "note_seq" in sys.modules:
            # so that ``import note_seq.notebook_utils`` finds the real module
            vars(sys.modules["note_seq"]).pop("notebook_utils", None)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Disables garbage collection inside the context, then calls ``gc.freeze()``.

    TensorFlow and Magenta create half a million objects that live as long as the process. To scan them each time
    their number has grown by a quarter takes a fifth of the import.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class _OptionalPackagesHidden(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in _OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


class _ImportedWhenUsed(types.ModuleType):
    """A stand-in for a module, which is imported when an attribute is read."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


def _imported_when_called(name: str) -> Callable[..., Any]:
    """Returns a function that imports the notebook module when it is called and calls its function ``name``."""

    def function(*arguments: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(_NOTEBOOK_MODULE), name)(*arguments, **named)

    function.__name__ = name
    return function
