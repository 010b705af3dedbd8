"""NoteSequence, and the parts of note-seq we use, without the parts we do not.

``import note_seq`` also imports librosa, pandas, bokeh and IPython: 4 CPU seconds, for nothing that
we call. So this module puts the package into ``sys.modules`` without running its ``__init__``; the
submodules then import in a moment. The first use of a name that only the ``__init__`` defines
(``note_seq.DrumTrack``, in Magenta) runs it, in the same module object: there is one package and
one NoteSequence class in a process, whoever came first. If ``note_seq`` was imported before this
module, it is used as it is.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any

_PACKAGE = "note_seq"
_lock = threading.RLock()
_running = False  # note_seq's __init__ is running; only read and set with the lock held


class _LazyPackage(ModuleType):
    """A package whose submodules import on use, and whose ``__init__`` runs when it is needed."""

    def __getattr__(self, name: str) -> Any:
        # Python and libraries probe modules for dunder names; none is worth 4 seconds. `import *`
        # asks for __all__ and means everything.
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
    """Runs the package's own ``__init__``, once; other threads wait, as they would for an import."""
    global _running
    with _lock:
        if _running or type(package) is not _LazyPackage:
            return  # asked again from inside the __init__, or done meanwhile by another thread
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
            raise ModuleNotFoundError(f"No module named '{_PACKAGE}'", name=_PACKAGE)
        package = importlib.util.module_from_spec(spec)
        setattr(package, "__class__", _LazyPackage)  # noqa: B010  mypy knows no assignable __class__
        sys.modules[_PACKAGE] = package


def note_seq_module(name: str) -> Any:
    """A submodule of note-seq, such as ``midi_io`` or ``sequences_lib``, without the whole package.

    ``midi_io`` takes 0.3 s (it imports pretty_midi and numpy); it also sets pretty_midi's
    ``MAX_TICK`` to 1e10 for the whole process.

    Raises:
        ModuleNotFoundError: note-seq has no such submodule.
    """
    return importlib.import_module(f"{_PACKAGE}.{name}")


_install()

from note_seq.protobuf.music_pb2 import NoteSequence  # noqa: E402  (only now is it cheap)

__all__ = ["NoteSequence", "note_seq_module"]
