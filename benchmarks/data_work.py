"""The parts of the data benchmark that need a program: stock Magenta's conversion, and ours alone.

``python -m benchmarks.data_work WORK NOTES CONFIG STARTED``. The last line says how long each stage took, and
what came out: the number of windows, and a digest that is the same for the same windows in any order.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from gmd_vae.datasets.catalogue import SPLITS

from benchmarks.clock import Clock, cpu_seconds


def main() -> None:
    """Does the work that the command line names."""
    work, notes, config, started = sys.argv[1:]
    does = {"stock": _stock, "stock-script": _stock_script, "ours": _ours}[work]
    does(Path(notes), config, Clock(float(started)))


def digest(parts: Iterable[bytes]) -> str:
    """The same for the same parts in any order."""
    whole = hashlib.sha256()
    for part in sorted(hashlib.sha256(part).digest() for part in parts):
        whole.update(part)
    return whole.hexdigest()


def _files(notes: Path) -> list[Path]:
    return [notes / f"{split}.tfrecord" for split in SPLITS]


def _stock(notes: Path, config: str, clock: Clock) -> None:
    """Magenta's own converter with its cap lifted, over records read as its scripts read them."""
    from gmd_vae.magenta.api import configs, tf

    # isort: split
    from note_seq import NoteSequence

    converter = configs.CONFIG_MAP[config].data_converter
    converter.max_tensors_per_notesequence = None
    if not type(converter).__module__.startswith("magenta."):
        raise RuntimeError(f"{type(converter)} is not of stock Magenta")
    clock.stage("import")
    sequences = [NoteSequence.FromString(record) for path in _files(notes) for record in _tf_records(tf, path)]
    clock.stage("read")
    labels: list[bytes] = []
    wall = cpu = 0.0
    for sequence in sequences:
        wall, cpu = wall - time.monotonic(), cpu - cpu_seconds()
        outputs = converter.to_tensors(sequence).outputs
        wall, cpu = wall + time.monotonic(), cpu + cpu_seconds()
        labels += [window.argmax(axis=-1).astype(np.int64).tobytes() for window in outputs]
    clock.stages["windows"] = {"wall": wall, "cpu": cpu}  # without what we do with them
    clock.report(windows=len(labels), digest=digest(labels))


def _stock_script(notes: Path, config: str, clock: Clock) -> None:
    """``preprocess_tfrecord`` with its defaults, step by step as its pipeline has them: without Apache Beam."""
    from gmd_vae.magenta.api import configs, tf

    # isort: split
    from note_seq import NoteSequence

    sys.modules.update(_beam())
    from magenta.models.music_vae import preprocess_tfrecord as script

    if config not in configs.CONFIG_MAP:
        raise RuntimeError(f"Magenta knows no '{config}'")
    names = ("max_total_time", "max_num_notes", "min_velocities", "min_metric_positions", "is_drum", "drums_only")
    filters = {name: script.FLAGS[name].default for name in names}
    clock.stage("import")
    written: list[bytes] = []
    for path in _files(notes):
        # as a run of the script does, which knows one file
        extract = script.ExtractExamplesDoFn(config, filters)
        groups: dict[bytes, list[str]] = {}
        for record in _tf_records(tf, path):
            for example, source in extract.process(NoteSequence.FromString(record)):
                groups.setdefault(example.SerializeToString(deterministic=True), []).append(source)
        for data, ids in groups.items():
            example = script.combine_matching_seqs((NoteSequence.FromString(data), ids))
            written.append(example.SerializeToString(deterministic=True))
    clock.stage("records")
    clock.report(records=len(written), digest=digest(written))


def _beam() -> dict[str, ModuleType]:
    """What the script needs of Apache Beam to be imported, and to count."""
    beam, typehints, metrics = (ModuleType(f"apache_beam{name}") for name in ("", ".typehints", ".metrics"))

    class DoFn:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

    def as_it_is(*_: Any) -> Any:
        return lambda decorated: decorated

    counter = SimpleNamespace(inc=lambda *_: None)
    vars(beam).update(DoFn=DoFn, typehints=typehints, metrics=metrics)
    vars(typehints).update(with_input_types=as_it_is, with_output_types=as_it_is)
    vars(metrics).update(Metrics=SimpleNamespace(counter=lambda *_: counter))
    return {module.__name__: module for module in (beam, typehints, metrics)}


def _tf_records(tf: Any, path: Path) -> Iterator[bytes]:
    records: Iterator[bytes] = tf.compat.v1.io.tf_record_iterator(str(path))
    return records


def _ours(notes: Path, config: str, clock: Clock) -> None:
    """Our extractor alone."""
    from gmd_vae.configuration.registry import get_config
    from gmd_vae.midi.tfrecord import read_records
    from gmd_vae.windows.cutting.drum_windows import DrumExtractor

    extractor = DrumExtractor(get_config(config).drum_windows)
    clock.stage("import")
    records = [record for path in _files(notes) for record in read_records(path)]
    clock.stage("read")
    found = [extractor(record).windows for record in records]
    clock.stage("windows")
    labels = [np.asarray(window, np.int64).tobytes() for windows in found for window in windows]
    clock.report(windows=len(labels), digest=digest(labels))


if __name__ == "__main__":
    main()
