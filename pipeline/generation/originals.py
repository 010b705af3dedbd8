"""What generated beats start from: windows and songs of MIDI files, numbers of samples, latent vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline import files
from pipeline.examples.extraction import Labels
from pipeline.examples.spec import DrumWindows
from pipeline.generation.inputs import InputWindow, Song, labels_to_inputs
from pipeline.models import latents

Floats = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What is asked of a model here."""

    z_size: int

    def encode(self, inputs: list[npt.NDArray[Any]], lengths: list[Any]) -> Floats:
        """The mean of the posterior of each window."""
        ...


@dataclasses.dataclass(frozen=True)
class Fidelity:
    """How much of a beat or a song the model's own version of it has right.

    Attributes:
        file: the input.
        steps: how many there are.
        right: those with just the drums of the input.
        hits: drum hits of the input.
        played: of the model.
        common: that both have.
    """

    file: Path
    steps: int
    right: int
    hits: int
    played: int
    common: int

    @property
    def f1(self) -> float:
        """2 × common / (hits of the one + hits of the other); 1 where both are silent."""
        return 2 * self.common / (self.hits + self.played) if self.hits + self.played else 1.0

    def __str__(self) -> str:
        share = f"{self.right:,} of {self.steps:,} steps ({self.right / self.steps:.0%})"
        return f"the model's own version has {share} and {self.common:,} of {self.hits:,} drum hits right"


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
    songs: tuple[Song, ...] = ()
    seeds: tuple[int, ...] = ()
    vectors: Floats | None = None

    @property
    def tempo(self) -> float | None:
        """Quarters a minute of the first file, if it is known."""
        tempos: list[float | None] = [window.tempo for window in self.windows]
        return next(iter([*tempos, *(song.tempo for song in self.songs)]), None)

    def encode(self, model: Encoder, spec: DrumWindows | None) -> Floats:
        """The latent vector of each window, of each piece of each song, and of each seed, ``[n, z_size]``."""
        inputs, lengths = [window.inputs for window in self.windows], [window.length for window in self.windows]
        if spec is not None:
            pieces = [piece for song in self.songs for piece in song.pieces]
            inputs += [labels_to_inputs(piece.window, spec) for piece in pieces]
            lengths += [spec.steps] * len(pieces)
        means = [model.encode(inputs, lengths)] if inputs else []
        drawn = [latents.prior(1, model.z_size, seed) for seed in self.seeds]
        return np.concatenate([*means, *drawn, np.zeros((0, model.z_size), np.float32)])

    def describe(self, fidelity: Sequence[Fidelity]) -> list[dict[str, Any]]:
        """For the manifest."""
        described: list[dict[str, Any]] = [
            {**_file(window.file), "window": window.number, "windows": window.found, "tempo": window.tempo}
            for window in self.windows
        ]
        described += [
            {**_file(song.file), "bars": song.bars, "windows": len(song.pieces), "tempo": song.tempo}
            for song in self.songs
        ]
        for facts, known in zip(described, fidelity, strict=False):
            facts.update(steps=known.steps, steps_right=known.right, hits_f1=round(known.f1, 4))
        return described + [{"seed": seed} for seed in self.seeds]


def song_fidelity(song: Song, decoded: Sequence[Labels], spec: DrumWindows) -> Fidelity:
    """Of a song: over the bars that each piece gives.

    Args:
        song: the input.
        decoded: the window of each of its pieces, ``[steps]``.
        spec: the config's windows.
    """
    shares = [slice(piece.skip * spec.steps_per_bar, None) for piece in song.pieces]
    true = np.concatenate([piece.window[share] for piece, share in zip(song.pieces, shares, strict=True)])
    made = np.concatenate([window[share] for window, share in zip(decoded, shares, strict=True)])
    return fidelity(song.file, true, made)


def fidelity(file: Path, true: Labels, made: npt.NDArray[np.integer[Any]]) -> Fidelity:
    """Of labels ``[steps]`` of the input, and of the model."""
    made = made.astype(np.int64)
    counts = (sum(int(label).bit_count() for label in labels) for labels in (true, made, true & made))
    return Fidelity(file, len(true), int((true == made).sum()), *counts)


def _file(path: Path) -> dict[str, Any]:
    return {"name": path.name, "sha256": files.sha256(path)}
