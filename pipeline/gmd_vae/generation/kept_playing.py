"""The hits of the inputs, file by file, whose velocities and timing versions of them keep."""

from __future__ import annotations

from collections.abc import Iterable

from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.performance.kept_hits import blended
from gmd_vae.generation.request import ATTRIBUTE, INTERPOLATE, RECONSTRUCT, VARY, GenerationRequest
from gmd_vae.windows.cutting.played_hits import PlayedHits

FileHits = list[PlayedHits | None]
"""Hits of each window of a file; ``None`` where the window has no input, or its playing is not known."""


def hits_of_files(request: GenerationRequest, inputs: GenerationInputs, numbers: Iterable[int]) -> list[FileHits]:
    """Returns the played hits of the inputs at the windows of each file; [] in modes that keep nothing.

    Of an interpolation, a hit of both inputs is in between, as the file is.

    Args:
        request: Mode and counts.
        inputs: Inputs of the request.
        numbers: Numbers of the files.
    """
    windows: FileHits = [window.played for window in inputs.windows]
    if request.mode == RECONSTRUCT:
        files = [[hits] for hits in windows] + [[window.played for window in song.windows] for song in inputs.songs]
        return [files[number] for number in numbers]
    if not any(hits is not None for hits in windows):
        return []
    if request.mode in (VARY, ATTRIBUTE):
        return [[windows[0]] for _ in numbers]
    if request.mode == INTERPOLATE:
        steps = max(request.count - 1, 1)  # from one input to the next
        ends = windows + [None] * (1 + len(inputs.seeds))  # of a seed nothing is played
        places = [divmod(number, steps) for number in numbers]
        return [[blended(ends[leg], ends[leg + 1], step / steps)] for leg, step in places]
    return []


def has_hits(files: Iterable[FileHits]) -> bool:
    """Returns True if some file has an input whose playing is known."""
    return any(hits is not None for file in files for hits in file)
