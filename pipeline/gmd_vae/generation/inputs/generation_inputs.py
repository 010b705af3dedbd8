"""Everything that a request starts from: windows, songs, seeds and latent vectors, and the encoding of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common import files
from gmd_vae.generation.inputs.chords import chords_of_window
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.model import OpenedModel
from gmd_vae.midi.reader.account import Account
from gmd_vae.models.latent_density import LatentDensity, draw_latents

Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class GenerationInputs:
    """The inputs of a request. Their latent vectors have this order.

    Attributes:
        windows: Windows of MIDI files.
        songs: Whole MIDI files.
        seeds: Seeds, each for the first sample from the prior with that seed.
        vectors: Latent vectors, float32 ``[n, z_size]``: in mode ``sample`` decoded as they are, else inputs.
        accounts: Use of the events of each MIDI file.
    """

    windows: tuple[InputWindow, ...] = ()
    songs: tuple[InputSong, ...] = ()
    seeds: tuple[int, ...] = ()
    vectors: Floats | None = None
    accounts: Mapping[Path, Account] = dataclasses.field(default_factory=dict)

    @property
    def tempo(self) -> float | None:
        """Quarter notes per minute of the first file; ``None`` where it is unknown."""
        tempos: list[float | None] = [window.tempo for window in self.windows]
        return next(iter([*tempos, *(song.tempo for song in self.songs)]), None)

    @property
    def all_windows(self) -> list[InputWindow]:
        """The windows of files, then those of songs."""
        return [*self.windows, *(window for song in self.songs for window in song.windows)]

    @property
    def controls(self) -> list[npt.NDArray[Any]]:
        """The controls of all windows, each ``[steps, control_depth]``; empty for drum grids."""
        return [window.controls for window in self.all_windows if window.controls is not None]

    def encode(self, model: OpenedModel, density: LatentDensity | None = None) -> Floats:
        """Returns the posterior mean of each window, the vectors and the sample of each seed, ``[n, z_size]``.

        Args:
            model: The model.
            density: Density of z for the samples; ``None``: N(0, I).
        """
        windows = self.all_windows
        means = []
        if windows:
            inputs, lengths = [window.inputs for window in windows], [window.length for window in windows]
            means.append(model.encode(inputs, lengths, self.controls or None))
        if self.vectors is not None:
            means.append(self.vectors)
        samples = [draw_latents(density, 1, model.z_size, seed) for seed in self.seeds]
        return np.concatenate([*means, *samples, np.zeros((0, model.z_size), np.float32)])

    def describe(self, fidelity: Sequence[Mapping[str, Any]], chord_bars: Sequence[int] | None) -> list[dict[str, Any]]:
        """Returns the entries of the manifest.

        Args:
            fidelity: Fidelity figures of each file, windows first; empty for none.
            chord_bars: Bar of each step, where controls are chords; else ``None``.
        """
        entries: list[dict[str, Any]] = []
        for window in self.windows:
            entry = {**self._file(window.file), "window": window.number, "windows": window.count, "tempo": window.tempo}
            if window.file_bars is not None:
                entry["first_bar"], entry["last_bar"] = window.file_bars
            if window.loop_bars is not None:
                entry["repeated_bars"] = window.loop_bars
            if chord_bars is not None and window.controls is not None:
                entry["chords"] = chords_of_window(window.controls, chord_bars)
            entries.append(entry)
        for song in self.songs:
            entry = {**self._file(song.file), "bars": song.bars, "windows": len(song.windows), "tempo": song.tempo}
            if song.loop_bars is not None:
                entry["repeated_bars"] = song.loop_bars
            entries.append(entry)
        for entry, figures in zip(entries, fidelity, strict=False):
            entry.update(figures)
        return entries + [{"seed": seed} for seed in self.seeds]

    def _file(self, path: Path) -> dict[str, Any]:
        account = self.accounts.get(path)
        return {"name": path.name, "sha256": files.sha256(path), **(account.describe() if account else {})}
