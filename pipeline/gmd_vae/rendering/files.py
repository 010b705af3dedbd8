"""Renders MIDI files as sound files and pictures: first plans the output names, then writes the files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import UsageError
from gmd_vae.common.own_files import check_writable
from gmd_vae.common.printable import printable
from gmd_vae.datasets.midi_formats import midi_stem
from gmd_vae.datasets.safe_names import name_on_disk
from gmd_vae.midi.midi_io import read_midi
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.rendering.drum_part import DrumPart, drum_part, folder_error, read_drum_part


@dataclasses.dataclass(frozen=True)
class Job:
    """One MIDI file and its outputs.

    Attributes:
        midi: MIDI file to read.
        wav: Sound file to write, or ``None``.
        png: Picture to write, or ``None``.
    """

    midi: Path
    wav: Path | None
    png: Path | None

    @property
    def outputs(self) -> list[Path]:
        """Files to write."""
        return [path for path in (self.wav, self.png) if path is not None]


@dataclasses.dataclass(frozen=True)
class Rendered:
    """A finished job.

    Attributes:
        job: The job.
        part: Drum hits of the MIDI file.
        seconds: Length of the sound; 0 without sound.
        bars_drawn: Number of bars in the picture; 0 without a picture.
        bars: Number of bars in the music; 0 without a picture.
    """

    job: Job
    part: DrumPart
    seconds: float = 0.0
    bars_drawn: int = 0
    bars: int = 0

    def as_json(self) -> dict[str, Any]:
        """Returns the entry of ``gmd-vae render --json``."""
        return {
            "midi": printable(str(self.job.midi), limit=None),
            "hits": self.part.hits,
            "unknown_drums": {str(pitch): count for pitch, count in self.part.unknown.items()},
            "other_notes": self.part.others,
            **self.part.account.describe(),
            "wav": {"path": printable(str(self.job.wav), limit=None), "seconds": self.seconds}
            if self.job.wav
            else None,
            "png": {"path": printable(str(self.job.png), limit=None), "bars": self.bars, "bars_drawn": self.bars_drawn}
            if self.job.png
            else None,
        }


def plan(midi_files: Sequence[Path], output_dir: Path | None, *, wav: bool, png: bool) -> list[Job]:
    """Plans the names of all outputs. Writes nothing.

    Args:
        midi_files: MIDI files to render; a file that is named twice is rendered once.
        output_dir: Folder of the outputs; ``None``: beside each MIDI file.
        wav: Write sound files.
        png: Write pictures.

    Raises:
        UsageError: An output would replace an input, or two inputs have the same output, also on a disk that ignores
            case.
        GmdVaeError: An input is a folder, or in the place of an output is a folder or a file that gmd-vae did not
            write.
    """
    inputs = {_canonical(path): path for path in midi_files}
    identities = {(stat.st_dev, stat.st_ino) for path in midi_files if path.exists() for stat in [path.stat()]}
    jobs: list[Job] = []
    taken: dict[tuple[Path, str], Path] = {}
    for path in inputs.values():
        if path.is_dir():
            raise folder_error(path)
        folder, stem = output_dir or path.parent, midi_stem(path.name)
        job = Job(path, folder / f"{stem}.wav" if wav else None, folder / f"{stem}.png" if png else None)
        for output in job.outputs:
            shown = printable(str(output), limit=None)
            # by inode too: on some file systems beat.WAV and beat.wav are the same file
            stat = output.stat() if output.exists() else None
            if _canonical(output) in inputs or (stat is not None and (stat.st_dev, stat.st_ino) in identities):
                raise UsageError(f"'{shown}' is an input and would be replaced", "Choose another --output-dir.")
            check_writable(output, option="--output-dir")
            place = output.parent.resolve(), name_on_disk(output.name)
            if place in taken:
                pair = " and ".join(f"'{printable(str(one), limit=None)}'" for one in (taken[place], path))
                raise UsageError(f"{pair} would both become '{shown}'", _rename(taken[place].name, path.name))
            taken[place] = path
        jobs.append(job)
    return jobs


def render(jobs: Sequence[Job], reading: Reading = EVERY_HIT, *, tail: bool = False) -> Iterator[Rendered]:
    """Reads all MIDI files, then renders them one by one.

    Args:
        jobs: Jobs, as ``plan`` returns them.
        reading: Rules for reading the files.
        tail: Sounds ring on behind the last bar; else they loop.

    Yields:
        Each job when its files are written.

    Raises:
        GmdVaeError: A file cannot be rendered, and nothing was written; or an output may no longer be replaced.
    """
    from gmd_vae.rendering.grid_png import write_png
    from gmd_vae.rendering.sound import write_wav

    reading = reading.for_files([str(job.midi) for job in jobs])
    parts = [read_drum_part(job.midi, reading.for_file(str(job.midi))) for job in jobs]
    for job, part in zip(jobs, parts, strict=True):
        for output in job.outputs:
            check_writable(output, option="--output-dir")  # again: something may have appeared in its place
        seconds = write_wav(part, job.wav, tail=tail) if job.wav is not None else 0.0
        drawn, bars = write_png(part, job.png, printable(job.midi.name)) if job.png is not None else (0, 0)
        yield Rendered(job, part, seconds, drawn, bars)


def render_beside(
    data: bytes, midi: Path, labels: Mapping[int, str], *, wav: bool, png: bool, tail: bool
) -> list[Path]:
    """Renders MIDI bytes into files beside a MIDI file.

    Args:
        data: Bytes of the MIDI file.
        midi: Path of the MIDI file.
        labels: Labels in the picture, by the bar that they stand over, from 1.
        wav: Write a sound file.
        png: Write a picture.
        tail: The sound rings on behind the last bar; else it loops.

    Returns:
        Files written.

    Raises:
        GmdVaeError: The music is too long.
    """
    from gmd_vae.rendering.grid_png import write_png
    from gmd_vae.rendering.sound import write_wav

    part = drum_part(read_midi(data, "", midi.name), midi.name)
    written = []
    if wav:
        written.append(midi.with_suffix(".wav"))
        write_wav(part, written[-1], tail=tail)
    if png:
        written.append(midi.with_suffix(".png"))
        write_png(part, written[-1], midi.name, labels)
    return written


def _rename(one: str, other: str) -> str:
    """Returns the next action for two inputs with one output."""
    if midi_stem(one) == midi_stem(other):
        return "Rename one of them."
    return "Rename one of them: many disks do not distinguish names by case or by the form of accents."


def _canonical(path: Path) -> Path:
    """Returns the path with its folder resolved; a link itself is not, because writing would replace it."""
    return path.parent.resolve() / path.name
