"""Loading Magenta without the packages that it would load for notebooks, or looks for and does without.

They take a third of the time in which ``gmd_vae.magenta.api`` starts: bokeh and IPython, which
``note_seq`` draws and plays with in a notebook; pandas, whose tables Keras would accept; scikit-learn,
which tf-slim asks for losses that nobody here uses. Garbage is not looked for while the rest loads.
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

_OPTIONAL = frozenset({"pandas", "sklearn"})  # each is imported in a ``try`` that goes on without it
_NOTEBOOK = "note_seq.notebook_utils"
_OF_NOTEBOOK = ("play_sequence", "plot_sequence")  # what the package ``note_seq`` takes from it


@contextlib.contextmanager
def without_needless_packages() -> Iterator[None]:
    """While the context lasts, those packages are not found; afterwards everything can be imported as ever."""
    finder, replaced = _NotFound(), _NOTEBOOK not in sys.modules
    sys.meta_path.insert(0, finder)
    if replaced:
        module = types.ModuleType(_NOTEBOOK)
        for name in _OF_NOTEBOOK:
            setattr(module, name, _when_called(name))
        sys.modules[_NOTEBOOK] = module
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if replaced:
            del sys.modules[_NOTEBOOK]
            if "note_seq" in sys.modules:  # ``import note_seq.notebook_utils`` is to find the real one
                vars(sys.modules["note_seq"]).pop("notebook_utils", None)


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """While the context lasts, Python does not look for garbage, and never again among what is there at its end.

    TensorFlow and Magenta are half a million objects that stay. To look at all of them each time their number
    has grown by a quarter takes a fifth of the time in which they load.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class _NotFound(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in _OPTIONAL:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def _when_called(name: str) -> Callable[..., Any]:
    """The function of that name in the real module, which is loaded when it is called."""

    def function(*arguments: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(_NOTEBOOK), name)(*arguments, **named)

    function.__name__ = name
    return function
