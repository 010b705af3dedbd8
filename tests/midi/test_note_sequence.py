"""The light note_seq package lives in sys.modules, so each test has an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def python(code: str, **environment: str) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_note_seqs_class_after_ours_is_ours(implementation: str) -> None:
    python(
        """
import pickle
from gmd_vae.midi.note_sequence import NoteSequence
from note_seq.protobuf import music_pb2
assert music_pb2.NoteSequence is NoteSequence
assert isinstance(NoteSequence.Note(), music_pb2.NoteSequence.Note)
assert NoteSequence.TextAnnotation.CHORD_SYMBOL == 1
sequence = NoteSequence(id="x", notes=[NoteSequence.Note(pitch=36)])
assert pickle.loads(pickle.dumps(sequence)) == sequence
""",
        PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=implementation,
    )


def test_it_needs_no_note_seq() -> None:
    python(
        """
import sys
sys.modules["note_seq"] = None               # imports of it fail
from gmd_vae.midi.note_sequence import NoteSequence
assert NoteSequence.FromString(NoteSequence(id="x").SerializeToString()).id == "x"
"""
    )


def test_note_sequence_and_midi_io_import_without_the_rest() -> None:
    python(
        """
import sys
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
assert NoteSequence(id="x").id == "x"
midi_io = note_seq_module("midi_io")
import pretty_midi
assert pretty_midi.pretty_midi.MAX_TICK == 1e10
for name in ("librosa", "pandas", "bokeh", "IPython", "tensorflow"):
    assert name not in sys.modules, name
"""
    )


def test_a_full_import_later_works_and_shares_everything() -> None:
    python(
        """
import sys
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
midi_io = note_seq_module("midi_io")
import note_seq
import note_seq.sequences_lib
from note_seq import constants, drums_lib
assert "librosa" not in sys.modules          # submodules alone stay cheap
assert note_seq.midi_io is midi_io and note_seq.constants is constants
from note_seq import DrumTrack               # this needs the real __init__
assert "librosa" in sys.modules
assert DrumTrack is drums_lib.DrumTrack is note_seq.DrumTrack
assert note_seq.NoteSequence is NoteSequence is note_seq.protobuf.music_pb2.NoteSequence
assert note_seq.midi_io is midi_io
assert note_seq.__version__ == note_seq.version.__version__
assert type(note_seq) is type(sys)           # a plain module again
assert note_seq is sys.modules["note_seq"]
sequence = note_seq.NoteSequence()
sequence.notes.add(pitch=36, start_time=0.0, end_time=0.1, velocity=100, is_drum=True)
sequence.tempos.add(qpm=120)
assert note_seq.quantize_note_sequence(sequence, 4).notes[0].quantized_start_step == 0
"""
    )


def test_ours_after_a_full_import_uses_it() -> None:
    python(
        """
import sys
import note_seq
from gmd_vae.midi.note_sequence_schema import file_descriptor
assert file_descriptor().SerializeToString() == note_seq.protobuf.music_pb2.DESCRIPTOR.serialized_pb
before = sys.modules["note_seq"]
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
assert sys.modules["note_seq"] is before
assert NoteSequence is note_seq.NoteSequence
assert note_seq_module("midi_io") is note_seq.midi_io
"""
    )


FIRST_USES = {
    "a submodule's name": "note_seq.__version__",
    "a class": "note_seq.DrumTrack",
    "all names": "exec('from note_seq import *')",
    "threads load the package once": """
found = []
threads = [threading.Thread(target=lambda: found.append(note_seq.DrumTrack)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 8 and len(set(found)) == 1, found
""",
}


def test_any_name_of_the_package_loads_it() -> None:
    """Each first use has a child process of its own; what the package imports, which takes seconds, is there before."""
    python(f"""
import os, threading
import bokeh.plotting, IPython, librosa, pandas, scipy.signal
import gmd_vae.midi.note_sequence, note_seq
for name, first_use in {FIRST_USES!r}.items():
    child = os.fork()
    if child == 0:
        try:
            exec(first_use)
            note_seq.Melody
            os._exit(0)
        except BaseException as error:
            print(repr(error), flush=True)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, name
""")


def test_missing_names_stay_missing() -> None:
    python(
        """
import sys
import gmd_vae.midi.note_sequence, note_seq
assert not hasattr(note_seq, "__wrapped__")
assert "librosa" not in sys.modules          # probing for dunder names costs nothing
assert not hasattr(note_seq, "no_such_name") # before the real __init__ has run
assert not hasattr(note_seq, "no_such_name") # and after
try:
    from note_seq import no_such_name
except ImportError:
    pass
else:
    raise AssertionError
"""
    )
