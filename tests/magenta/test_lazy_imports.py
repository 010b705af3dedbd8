"""Magenta is imported without packages that nothing here uses; they can be imported afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

pytestmark = pytest.mark.tensorflow

# One process for all tests of an import after parts of note_seq, without the package's ``__init__``
AFTER_MIDI = """
    import gc, json, sys, weakref
    from gmd_vae.midi.midi_io import midi_to_note_sequence

    found = {"before": "note_seq" in sys.modules}
    from gmd_vae.magenta.api import tf
    from gmd_vae.magenta.lazy_imports import without_garbage_collection

    with tf.Session() as session:
        found["computed"] = int(session.run(tf.constant(3)))
    hidden = ("pandas", "sklearn", "bokeh", "IPython", "note_seq.notebook_utils", "tensorflow_datasets")
    found["hidden"] = [name for name in hidden if name in sys.modules]
    found["loaded"] = "note_seq" in sys.modules

    class Cycle:
        pass

    def cycle():
        one = Cycle()
        one.itself = one
        return weakref.ref(one)

    found["collects"] = gc.isenabled()
    found["frozen"] = gc.get_freeze_count()
    later = cycle()
    gc.collect()
    found["collected"] = later() is None
    gc.disable()
    with without_garbage_collection():
        found["within"] = gc.isenabled()
    found["after"] = gc.isenabled()

    from magenta.models.music_vae import data
    found["split"] = data.tfds.Split.TRAIN
    import io, note_seq, pandas, sklearn, tensorflow_datasets, tf_keras
    from PIL import Image
    from tf_keras.src.saving.legacy import hdf5_format
    picture = io.BytesIO()
    Image.new("RGB", (4, 3)).save(picture, "png")
    found["keras"] = [hdf5_format.h5py is not None, tf_keras.utils.load_img(picture).size]
    found["datasets"] = data.tfds.load is tensorflow_datasets.load
    found["name"] = note_seq.play_sequence.__name__
    import note_seq.notebook_utils
    found["real"] = note_seq.notebook_utils.play_sequence is not note_seq.play_sequence
    found["file"] = note_seq.notebook_utils.__file__
    note_seq.notebook_utils.plot_sequence = lambda notes: found.update(drawn=notes)
    note_seq.plot_sequence("notes")
    print(json.dumps(found))
    """


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def after_midi() -> subprocess.CompletedProcess[str]:
    return run(AFTER_MIDI)


@pytest.fixture
def found(after_midi: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(after_midi.stdout)
    return content


def test_the_import_is_silent(after_midi: subprocess.CompletedProcess[str], found: dict[str, Any]) -> None:
    assert after_midi.stderr == ""
    assert len(after_midi.stdout.splitlines()) == 1
    assert found["computed"] == 3


def test_hidden_packages_can_be_imported_afterwards(found: dict[str, Any]) -> None:
    """Also if ``gmd_vae.midi`` has imported parts of note_seq before, without the package's ``__init__``."""
    assert (found["before"], found["hidden"], found["loaded"]) == (False, [], True)
    assert (found["split"], found["datasets"]) == ("train", True)
    assert found["keras"] == [True, [4, 3]]  # its models and pictures, for other code in the process
    assert found["name"] == "play_sequence"
    assert found["real"]
    assert found["file"].endswith("notebook_utils.py")
    assert found["drawn"] == "notes"


def test_packages_imported_before_stay() -> None:
    done = run("""
        import sys, note_seq, pandas
        import gmd_vae.magenta.api
        print(note_seq.play_sequence.__module__, "pandas" in sys.modules)
        """)
    assert done.stdout.splitlines() == ["note_seq.notebook_utils True"]


def test_garbage_collection_resumes_and_the_imported_objects_are_frozen(found: dict[str, Any]) -> None:
    assert found["collects"]
    assert found["frozen"] > 100_000
    assert found["collected"]
    assert not found["within"]
    assert not found["after"]
