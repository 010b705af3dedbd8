"""The starter set: the built-in grooves as MIDI files, laid out like the Groove MIDI Dataset."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import importlib.resources
from collections import Counter
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.datasets.fetched import STAGE
from gmd_vae.datasets.starter.notation import BARS, Groove, parse
from gmd_vae.datasets.starter.player import REPEATS, duration, perform, to_midi

DATASET = "starter"
LICENCE = "Apache-2.0"  # that of gmd-vae: see grooves.txt
CITATION = "The starter set, drum grooves written for gmd-vae"
INFO_COLUMNS = (  # as in info.csv of the Groove MIDI Dataset
    "drummer",
    "session",
    "id",
    "style",
    "bpm",
    "beat_type",
    "time_signature",
    "midi_filename",
    "audio_filename",
    "duration",
    "split",
)


@dataclasses.dataclass(frozen=True)
class StarterSummary:
    """The result of ``write_starter``.

    Attributes:
        output_dir: Folder with ``info.csv``, ``manifest.json`` and the MIDI files.
        midi_files: Number of MIDI files, one per groove.
        bars: Number of bars in all files.
        seconds: Seconds of music in all files.
        styles: Number of files by primary style.
        splits: Number of files by split.
    """

    output_dir: Path
    midi_files: int
    bars: int
    seconds: float
    styles: dict[str, int]
    splits: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Returns the answer of ``gmd-vae fetch starter --json``."""
        return {
            "dataset": DATASET,
            "output_dir": str(self.output_dir),
            "midi_files": self.midi_files,
            "bars": self.bars,
            "seconds": round(self.seconds, 3),
            "styles": self.styles,
            "splits": self.splits,
        }


def load_grooves() -> list[Groove]:
    """Returns the built-in grooves, in the order of ``grooves.txt``."""
    return parse(importlib.resources.files(__package__).joinpath("grooves.txt").read_text(encoding="utf-8"))


def write_starter(output_dir: Path, seed: int = 0) -> StarterSummary:
    """Writes the starter set as MIDI files with an ``info.csv`` like that of the Groove MIDI Dataset.

    The folder appears complete or not at all, and replaces an earlier starter set. Equal seeds give
    equal bytes.

    Args:
        output_dir: The folder to make.
        seed: Seed of velocities, timing and the changes in later passes. The first passes on the grid
            and the splits do not depend on it.

    Raises:
        GmdVaeError: ``output_dir`` holds anything but an earlier, unchanged starter set.
    """
    grooves = load_grooves()
    rows = []
    content_hash = hashlib.sha256()
    with (
        open_output(output_dir, STAGE, dataset=DATASET) as replaceable,
        whole_folder(output_dir, replaceable) as folder,
    ):
        session = folder / "drummer1" / "session1"
        session.mkdir(parents=True)
        for number, groove in enumerate(grooves, start=1):
            name = f"{number}_{groove.style.replace('/', '-')}_{groove.bpm}_{groove.beat_type}_4-4.mid"
            midi = to_midi(groove, perform(groove, seed))
            midi.save(session / name)
            content_hash.update((session / name).read_bytes())
            rows.append(_info_row(number, name, groove))
        info = folder / "info.csv"
        with info.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, INFO_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        summary = StarterSummary(
            output_dir=output_dir,
            midi_files=len(grooves),
            bars=len(grooves) * BARS * REPEATS,
            seconds=sum(duration(groove) for groove in grooves),
            styles=dict(sorted(Counter(groove.style.split("/")[0] for groove in grooves).items())),
            splits=dict(Counter(groove.split for groove in grooves)),
        )
        content = {
            "dataset": DATASET,
            "seed": seed,
            "versions": manifest.versions("mido"),
            "midi_files": summary.midi_files,
            "bars": summary.bars,
            "seconds": round(summary.seconds, 6),
            "styles": summary.styles,
            "splits": summary.splits,
            "info": manifest.describe_file(info, rows=len(rows)),
            "midi_sha256": content_hash.hexdigest(),  # of all MIDI files, concatenated in the order of info.csv
            "licence": LICENCE,
            "citation": CITATION,
        }
        manifest.write(folder, STAGE, content)
    return summary


def _info_row(number: int, name: str, groove: Groove) -> dict[str, str]:
    """Returns the row of ``info.csv`` of one file."""
    values = (
        "drummer1",
        "drummer1/session1",
        f"drummer1/session1/{number}",
        groove.style,
        str(groove.bpm),
        groove.beat_type,
        "4-4",
        f"drummer1/session1/{name}",
        "",  # no audio
        f"{duration(groove):.6f}",
        groove.split,
    )
    return dict(zip(INFO_COLUMNS, values, strict=True))
