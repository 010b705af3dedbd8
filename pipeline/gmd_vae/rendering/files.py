"""MIDI files in, sound files and pictures out: which file becomes which, and the work itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.datasets.safe_names import printable
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.rendering.drum_part import DrumPart, drum_part, read_drum_part


@dataclasses.dataclass(frozen=True)
class Job:
    """What becomes of one MIDI file; ``None`` is not wanted."""

    midi: Path
    wav: Path | None
    png: Path | None

    @property
    def outputs(self) -> list[Path]:
        """The files to write."""
        return [path for path in (self.wav, self.png) if path is not None]


@dataclasses.dataclass(frozen=True)
class Rendered:
    """A job that is done.

    Attributes:
        job: which.
        part: what the MIDI file holds.
        seconds: length of the sound, or 0 without one.
        bars_drawn: bars in the picture, or 0 without one.
        bars: bars of the music, or 0 without a picture.
    """

    job: Job
    part: DrumPart
    seconds: float = 0.0
    bars_drawn: int = 0
    bars: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "midi": printable(str(self.job.midi), limit=None),
            "hits": self.part.hits,
            "unknown_drums": {str(pitch): count for pitch, count in self.part.unknown.items()},
            "other_notes": self.part.others,
            "wav": {"path": printable(str(self.job.wav), limit=None), "seconds": self.seconds}
            if self.job.wav
            else None,
            "png": {"path": printable(str(self.job.png), limit=None), "bars": self.bars, "bars_drawn": self.bars_drawn}
            if self.job.png
            else None,
        }


def plan(midi_files: Sequence[Path], output_dir: Path | None, *, wav: bool, png: bool) -> list[Job]:
    """Decides the names of all outputs, without reading or writing anything.

    Args:
        midi_files: what to render; one that is named twice is rendered once.
        output_dir: where to write; ``None``: beside each MIDI file.
        wav: whether sound is wanted.
        png: whether pictures are wanted.

    Raises:
        UsageError: an output would replace an input, or two files would become one.
        GmdVaeError: there is a folder where a file is to be written.
    """
    inputs = {_place(path): path for path in midi_files}
    identities = {(stat.st_dev, stat.st_ino) for path in midi_files if path.exists() for stat in [path.stat()]}
    jobs: list[Job] = []
    taken: dict[Path, Path] = {}
    for path in inputs.values():
        base = path if output_dir is None else output_dir / path.name
        job = Job(path, base.with_suffix(".wav") if wav else None, base.with_suffix(".png") if png else None)
        for output in job.outputs:
            shown = printable(str(output), limit=None)
            # by identity too: some file systems take beat.WAV and beat.wav for one
            stat = output.stat() if output.exists() else None
            if _place(output) in inputs or (stat is not None and (stat.st_dev, stat.st_ino) in identities):
                raise UsageError(f"'{shown}' is an input and would be replaced", "Choose another --output-dir.")
            if output.is_dir():
                raise GmdVaeError(f"'{shown}' is a folder, and a file is to be written there", "Move it away.")
            if _place(output) in taken:
                pair = " and ".join(f"'{printable(str(one), limit=None)}'" for one in (taken[_place(output)], path))
                raise UsageError(f"{pair} would both become '{shown}'", "Rename one of them.")
            taken[_place(output)] = path
        jobs.append(job)
    return jobs


def render(jobs: Sequence[Job]) -> Iterator[Rendered]:
    """Reads every MIDI file, then renders them one after the other and yields each when it is done.

    Raises:
        GmdVaeError: a file cannot be rendered; then nothing was written.
    """
    from gmd_vae.rendering.grid import write_png
    from gmd_vae.rendering.sound import write_wav

    parts = [read_drum_part(job.midi) for job in jobs]
    for job, part in zip(jobs, parts, strict=True):
        seconds = write_wav(part, job.wav) if job.wav is not None else 0.0
        drawn, bars = write_png(part, job.png, printable(job.midi.name)) if job.png is not None else (0, 0)
        yield Rendered(job, part, seconds, drawn, bars)


def render_beside(data: bytes, midi: Path, *, wav: bool, png: bool) -> list[Path]:
    """Renders a MIDI file that was just made.

    Args:
        data: its bytes.
        midi: its path; what is made of it lies beside it.
        wav: whether sound is wanted.
        png: whether a picture is wanted.

    Returns:
        The files written.

    Raises:
        GmdVaeError: it is too long.
    """
    from gmd_vae.rendering.grid import write_png
    from gmd_vae.rendering.sound import write_wav

    part = drum_part(midi_to_note_sequence(data, "", midi.name), midi.name)
    written = []
    if wav:
        written.append(midi.with_suffix(".wav"))
        write_wav(part, written[-1])
    if png:
        written.append(midi.with_suffix(".png"))
        write_png(part, written[-1], midi.name)
    return written


def _place(path: Path) -> Path:
    """Where a file lies, whatever way it was named; a link is not followed, for a link would be replaced."""
    return path.parent.resolve() / path.name
