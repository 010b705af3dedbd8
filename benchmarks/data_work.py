"""Measured processes of the data benchmark that are no commands: stock Magenta's converter, its script, our extractor.

``python -m benchmarks.data_work WORK NOTES CONFIG STARTED``. The last line of stdout is a JSON object with the time of
each stage, the number of windows, and a digest of the windows that does not depend on their order.
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
    """Runs the work that the command line names."""
    work, notes, config, started = sys.argv[1:]
    run = {"stock": _stock, "stock-script": _stock_script, "ours": _ours}[work]
    run(Path(notes), config, Clock(float(started)))


def digest(items: Iterable[bytes]) -> str:
    """Returns a digest of the items that does not depend on their order."""
    whole = hashlib.sha256()
    for item_digest in sorted(hashlib.sha256(item).digest() for item in items):
        whole.update(item_digest)
    return whole.hexdigest()


def _files(notes: Path) -> list[Path]:
    return [notes / f"{split}.tfrecord" for split in SPLITS]


def _stock(notes: Path, config: str, clock: Clock) -> None:
    """Measures Magenta's converter without its maximum of windows; records are read as in Magenta's scripts."""
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
    clock.stages["windows"] = {"wall": wall, "cpu": cpu}  # without the digest
    clock.report(windows=len(labels), digest=digest(labels))


def _stock_script(notes: Path, config: str, clock: Clock) -> None:
    """Measures the steps of ``preprocess_tfrecord`` at its defaults, without Apache Beam."""
    from gmd_vae.magenta.api import configs, tf

    # isort: split
    from note_seq import NoteSequence

    sys.modules.update(_beam())
    from magenta.models.music_vae import preprocess_tfrecord as script

    if config not in configs.CONFIG_MAP:
        raise RuntimeError(f"Magenta has no config '{config}'")
    names = ("max_total_time", "max_num_notes", "min_velocities", "min_metric_positions", "is_drum", "drums_only")
    filters = {name: script.FLAGS[name].default for name in names}
    clock.stage("import")
    written: list[bytes] = []
    for path in _files(notes):
        # a run of the script reads one file
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
    """Returns modules that stand in for Apache Beam, so that the script can be imported and can count."""
    beam, typehints, metrics = (ModuleType(f"apache_beam{name}") for name in ("", ".typehints", ".metrics"))

    class DoFn:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

    def unchanged(*_: Any) -> Any:
        return lambda decorated: decorated

    counter = SimpleNamespace(inc=lambda *_: None)
    vars(beam).update(DoFn=DoFn, typehints=typehints, metrics=metrics)
    vars(typehints).update(with_input_types=unchanged, with_output_types=unchanged)
    vars(metrics).update(Metrics=SimpleNamespace(counter=lambda *_: counter))
    return {module.__name__: module for module in (beam, typehints, metrics)}


def _tf_records(tf: Any, path: Path) -> Iterator[bytes]:
    records: Iterator[bytes] = tf.compat.v1.io.tf_record_iterator(str(path))
    return records


def _ours(notes: Path, config: str, clock: Clock) -> None:
    """Measures our extractor alone."""
    from gmd_vae.configuration.registry import get_config
    from gmd_vae.midi.tfrecord import read_records
    from gmd_vae.windows.cutting.drum_windows import DrumExtractor

    extractor = DrumExtractor(get_config(config).drum_windows)
    clock.stage("import")
    records = [record for path in _files(notes) for record in read_records(path)]
    clock.stage("read")
    extracted = [extractor(record).windows for record in records]
    clock.stage("windows")
    labels = [np.asarray(window, np.int64).tobytes() for windows in extracted for window in windows]
    clock.report(windows=len(labels), digest=digest(labels))


if __name__ == "__main__":
    main()
