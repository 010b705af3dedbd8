"""What generated beats start from: windows and songs of MIDI files, numbers of samples, latent vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.common import files, latent_points
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.output_spec import Output
from gmd_vae.generation.fidelity import Fidelity
from gmd_vae.generation.inputs.chords import chords_of
from gmd_vae.generation.inputs.groove import GrooveSong
from gmd_vae.generation.inputs.midi_file import InputWindow
from gmd_vae.generation.inputs.windows import Song, labels_to_inputs

Floats = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What is asked of a model here."""

    z_size: int

    def encode(
        self,
        inputs: Sequence[npt.NDArray[Any]],
        lengths: Sequence[Any],
        controls: Sequence[npt.NDArray[Any]] | None = None,
    ) -> Floats:
        """The mean of the posterior of each window."""
        ...


@dataclasses.dataclass(frozen=True)
class Originals:
    """What is started from; in this order, where several kinds are given.

    Attributes:
        windows: of MIDI files.
        songs: whole MIDI files, to reconstruct.
        seeds: each stands for the first sample with that seed.
        vectors: latent vectors to decode as they are, ``[n, z_size]``.
    """

    windows: tuple[InputWindow, ...] = ()
    songs: tuple[Song | GrooveSong, ...] = ()
    seeds: tuple[int, ...] = ()
    vectors: Floats | None = None

    @property
    def tempo(self) -> float | None:
        """Quarters a minute of the first file, if it is known."""
        tempos: list[float | None] = [window.tempo for window in self.windows]
        return next(iter([*tempos, *(song.tempo for song in self.songs)]), None)

    @property
    def pieces(self) -> list[InputWindow]:
        """The windows of all files, those of songs behind the others; of songs of labels there are none here."""
        return [*self.windows, *(piece for song in self.songs if isinstance(song, GrooveSong) for piece in song.pieces)]

    def encode(self, model: Encoder, spec: DrumWindows | None) -> Floats:
        """The latent vector of each window, of each piece of each song, and of each seed, ``[n, z_size]``."""
        inputs, lengths = [piece.inputs for piece in self.pieces], [piece.length for piece in self.pieces]
        controls = [piece.controls for piece in self.pieces if piece.controls is not None]
        if spec is not None:
            pieces = [piece for song in self.songs if isinstance(song, Song) for piece in song.pieces]
            inputs += [labels_to_inputs(piece.window, spec) for piece in pieces]
            lengths += [spec.steps] * len(pieces)
        means = [model.encode(inputs, lengths, controls or None)] if inputs else []
        drawn = [latent_points.prior(1, model.z_size, seed) for seed in self.seeds]
        return np.concatenate([*means, *drawn, np.zeros((0, model.z_size), np.float32)])

    def describe(self, fidelity: Sequence[Fidelity], output: Output) -> list[dict[str, Any]]:
        """For the manifest; ``fidelity`` of the files, or of none."""
        described: list[dict[str, Any]] = []
        for window in self.windows:
            facts = {**_file(window.file), "window": window.number, "windows": window.found, "tempo": window.tempo}
            if output.controls == "chords" and window.controls is not None:
                facts["chords"] = chords_of(window.controls, output)
            described.append(facts)
        described += [
            {**_file(song.file), "bars": song.bars, "windows": len(song.pieces), "tempo": song.tempo}
            for song in self.songs
        ]
        for facts, known in zip(described, fidelity, strict=False):
            facts.update(known.facts())
        return described + [{"seed": seed} for seed in self.seeds]


def _file(path: Path) -> dict[str, Any]:
    return {"name": path.name, "sha256": files.sha256(path)}
