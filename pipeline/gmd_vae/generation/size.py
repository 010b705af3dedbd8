"""The size of a request, counted before a model is loaded or a number is drawn."""

from __future__ import annotations

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.request import GROOVE, INTERPOLATE, RECONSTRUCT, SAMPLE, GenerationRequest

_MAX_WINDOWS = 200_000  # in memory at once: 400 MB of latent vectors with z_size 512


def check_size(request: GenerationRequest, inputs: GenerationInputs, window_bars: int) -> None:
    """Checks that the files of a request can be made at once, and that the only file to write is one of them.

    Args:
        request: Mode and counts.
        inputs: Inputs of the request.
        window_bars: Bars in a window.

    Raises:
        GmdVaeError: The request has too many windows. ``only`` makes no difference: all files have their place in
            memory, although only those to write are drawn.
        UsageError: No file has the number ``only``.
    """
    lengths = _file_lengths(request, inputs, window_bars)
    request.numbers(len(lengths))
    windows = sum(lengths)
    if windows > _MAX_WINDOWS:
        raise GmdVaeError(
            f"That is {windows:,} windows, and {_MAX_WINDOWS:,} can be made at once",
            "Make fewer files, or shorter ones.",
        )


def file_seconds(
    request: GenerationRequest, inputs: GenerationInputs, window_bars: int, bar_seconds: float
) -> list[float]:
    """Returns the length of each file in seconds, and that of the joined file; none where inputs give the lengths.

    Args:
        request: Mode and counts.
        inputs: Inputs of the request.
        window_bars: Bars in a window.
        bar_seconds: Length of a bar in seconds.
    """
    if request.mode in (RECONSTRUCT, GROOVE):
        return []
    seconds = [
        (request.bars or windows * window_bars) * bar_seconds for windows in _file_lengths(request, inputs, window_bars)
    ]
    if request.only is not None:
        return seconds[:1]
    return [*seconds, sum(seconds)] if request.join else seconds


def _file_lengths(request: GenerationRequest, inputs: GenerationInputs, window_bars: int) -> list[int]:
    """Returns the number of windows in each file."""
    for_chords = 1 if request.bars is not None else max(1, -(-len(request.chords) // window_bars))
    if request.mode in (RECONSTRUCT, GROOVE):
        lengths = [1] * len(inputs.windows) + [len(song.windows) for song in inputs.songs]
        return [for_chords * length for length in lengths]
    if request.mode == INTERPOLATE:
        ends = len(inputs.windows) + len(inputs.seeds) + (0 if inputs.vectors is None else len(inputs.vectors))
        files = (ends - 1) * (request.count - 1) + 1
    else:
        files = request.count if request.mode != SAMPLE or inputs.vectors is None else len(inputs.vectors)
    return [for_chords if request.bars is None else -(-request.bars // window_bars)] * files
