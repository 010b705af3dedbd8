"""What a decoded window plays, whatever the model writes: a number for each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.families.groove_columns import VELOCITIES
from gmd_vae.families.output_spec import Output

Window = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]


def plays_labels(output: Output) -> bool:
    """Whether what a model plays is drum labels: hits of drum classes at each step."""
    return output.kind != "streams"


def labels_of(window: Window, output: Output) -> Steps:
    """The drum labels of a window, ``[steps]``: bit ``k`` says that a drum of class ``k`` begins there.

    Args:
        window: labels, a drum roll ``[steps, drums]``, or hits, velocities and offsets ``[steps, 3 * drums]``.
        output: what the model writes.
    """
    if output.kind == "labels":
        return window.astype(np.int64)
    hits = window[:, :VELOCITIES] if output.kind == "groove" else window
    return np.asarray((hits > 0.5).astype(np.int64) @ (1 << np.arange(hits.shape[1], dtype=np.int64)))


def classes_of(window: Window, output: Output) -> list[Steps]:
    """The class that each stream of a window plays at each step, ``[steps]`` for each stream.

    Where steps are events of tracks, all of a track behind its end has the class of the end.
    """
    found = [np.argmax(window[:, stream.start : stream.stop], axis=1) for stream in output.streams]
    if output.is_events:
        (events,) = found
        tracks = events.reshape(output.tracks, -1)
        end = output.streams[0].classes - 1
        tracks[np.logical_or.accumulate(tracks == end, axis=1)] = end
    return [np.asarray(classes, np.int64) for classes in found]


def steps_of(window: Window, output: Output) -> Steps:
    """One number for all that is played at each step, ``[steps]``: equal numbers are equal music."""
    if plays_labels(output):
        return labels_of(window, output)
    steps: Steps = np.zeros(len(window), np.int64)
    for stream, classes in zip(output.streams, classes_of(window, output), strict=True):
        steps = steps * stream.classes + classes
    return steps


class Model(Protocol):
    """What is asked of a model here."""

    z_size: int

    def decode(
        self,
        z: Floats,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[Window] | None = None,
        hits: Sequence[Window] | None = None,
    ) -> list[Window]:
        """One window for each latent vector."""
        ...


class Heard:
    """A model of which only the steps are listened to, all under the same controls: a ``modes.Decoder``."""

    def __init__(self, model: Model, output: Output, controls: Window | None) -> None:
        self._model, self._output, self._controls = model, output, controls
        self.z_size = model.z_size

    def decode(self, z: Floats, temperature: float) -> list[Steps]:
        """The steps of one window for each latent vector, ``[steps]``."""
        controls = None if self._controls is None else [self._controls] * len(z)
        return [steps_of(window, self._output) for window in self._model.decode(z, temperature, controls=controls)]
