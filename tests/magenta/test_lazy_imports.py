"""Magenta is imported without notebook packages; they can be imported afterwards."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.tensorflow


def run(code: str) -> str:
    """Runs code in a new process and returns its output."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hidden_packages_can_be_imported_afterwards() -> None:
    """Also if ``gmd_vae.midi`` has imported parts of note_seq before, without the package's ``__init__``."""
    found = run("""
        import sys
        from gmd_vae.midi.midi_io import midi_to_note_sequence
        print("note_seq" in sys.modules)
        import gmd_vae.magenta.api
        hidden = ("pandas", "sklearn", "bokeh", "IPython", "note_seq.notebook_utils")
        print([name for name in hidden if name in sys.modules], "note_seq" in sys.modules)
        import note_seq, pandas, sklearn, tf_keras
        print(note_seq.play_sequence.__name__)
        import note_seq.notebook_utils
        print(note_seq.notebook_utils.play_sequence is not note_seq.play_sequence, note_seq.notebook_utils.__file__)
        note_seq.notebook_utils.plot_sequence = lambda notes: print("drawn:", notes)
        note_seq.plot_sequence("notes")
        """)
    before, loaded, name, real, drawn = found.splitlines()
    assert (before, loaded) == ("False", "[] True")
    assert name == "play_sequence"
    assert real.startswith("True ")
    assert real.endswith("notebook_utils.py")
    assert drawn == "drawn: notes"


def test_packages_imported_before_stay() -> None:
    found = run("""
        import sys, note_seq, pandas
        import gmd_vae.magenta.api
        print(note_seq.play_sequence.__module__, "pandas" in sys.modules)
        """)
    assert found.splitlines() == ["note_seq.notebook_utils True"]


def test_garbage_collection_resumes_and_the_imported_objects_are_frozen() -> None:
    found = run("""
        import gc, weakref
        import gmd_vae.magenta.api
        from gmd_vae.magenta.lazy_imports import without_garbage_collection
        class Cycle:
            pass
        def cycle():
            one = Cycle()
            one.itself = one
            return weakref.ref(one)
        print(gc.isenabled(), gc.get_freeze_count() > 100_000)
        later = cycle()
        gc.collect()
        print(later() is None)
        gc.disable()
        with without_garbage_collection():
            print(gc.isenabled())
        print(gc.isenabled())
        """)
    assert found.splitlines() == ["True True", "True", "False", "False"]
