"""NoteSequence without note-seq, and modules of note-seq without its slow imports.

The NoteSequence class comes from our copy of the schema (``note_sequence_schema.py``); note-seq is not needed for it.

``import note_seq`` also imports librosa, pandas, bokeh and IPython, which costs 4 CPU seconds and serves nothing
here. So this module puts the package, where it is installed, into ``sys.modules`` without running its ``__init__``;
its submodules then import fast. The first use of a name that only the ``__init__`` defines (Magenta uses
``note_seq.DrumTrack``) runs it, in the same module object: a process has one package and one NoteSequence class, in
any order of imports. A ``note_seq`` that was imported before this module is used as it is.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.internal import builder

from gmd_vae.common import extras
from gmd_vae.midi.note_sequence_schema import file_descriptor

_PACKAGE = "note_seq"
_lock = threading.RLock()
_running = False  # True while note_seq's __init__ runs; guarded by the lock


class _LazyPackage(ModuleType):
    """A package that imports its submodules on first use, and runs its ``__init__`` when a name needs it."""

    def __getattr__(self, name: str) -> Any:
        # Python and libraries probe modules for dunder names, which do not justify 4 seconds. `import *` reads
        # __all__ and needs everything.
        if name.startswith("__") and name != "__all__" and name != "__version__":
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        qualified = f"{self.__name__}.{name}"
        if qualified in sys.modules or importlib.util.find_spec(qualified) is not None:
            return importlib.import_module(qualified)
        _run_init(self)
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'") from None


def _run_init(package: _LazyPackage) -> None:
    """Runs the package's own ``__init__`` once. Other threads wait, as for an import."""
    global _running
    with _lock:
        if _running or type(package) is not _LazyPackage:
            return  # called from inside the __init__, or another thread was faster
        spec = package.__spec__
        assert spec is not None
        assert spec.loader is not None
        _running = True
        try:
            spec.loader.exec_module(package)
        finally:
            _running = False
        setattr(package, "__class__", ModuleType)  # noqa: B010  a plain package from here on


def _install() -> None:
    with _lock:
        if _PACKAGE in sys.modules:
            return
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None:
            return  # note-seq is not installed
        package = importlib.util.module_from_spec(spec)
        setattr(package, "__class__", _LazyPackage)  # noqa: B010  mypy has no assignable __class__
        sys.modules[_PACKAGE] = package


def note_seq_module(name: str) -> Any:
    """Imports a submodule of note-seq without the whole package.

    ``midi_io`` takes 0.3 s, because it imports pretty_midi and NumPy. It also sets pretty_midi's ``MAX_TICK`` to 1e10
    for the whole process.

    Args:
        name: Name of the submodule, for example ``midi_io`` or ``sequences_lib``.

    Raises:
        GmdVaeError: note-seq is not installed.
        ModuleNotFoundError: note-seq has no such submodule.
    """
    if _PACKAGE not in sys.modules:
        extras.require("This", (_PACKAGE,))
    return importlib.import_module(f"{_PACKAGE}.{name}")


def _note_sequence_class() -> Any:
    """Returns protobuf's class NoteSequence, made by the steps of every generated ``_pb2`` module."""
    names: dict[str, Any] = {}
    file = descriptor_pool.Default().AddSerializedFile(file_descriptor().SerializeToString())
    builder.BuildMessageAndEnumDescriptors(file, names)
    builder.BuildTopDescriptorsAndMessages(file, __name__, names)
    return names["NoteSequence"]


_install()
NoteSequence: Any = _note_sequence_class()

__all__ = ["NoteSequence", "note_seq_module"]
