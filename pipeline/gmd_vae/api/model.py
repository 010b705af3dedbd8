"""``load`` and ``Model``: a trained model that encodes, decodes and samples.

>>> import gmd_vae
>>> model = gmd_vae.load()
>>> beats = model.sample(4, seed=7)
>>> beats[0].grid.shape
(64, 9)
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.api.arguments import MAX_COUNT, MAX_SEED, MAX_TEMPERATURE, path_text, real, shown, whole
from gmd_vae.api.beat import Beat
from gmd_vae.api.errors import in_python
from gmd_vae.api.music import input_windows, is_latent, one_window
from gmd_vae.api.reading import Reading, reading_rules
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.priors import PRIORS
from gmd_vae.configuration.layers import ACCELERATED
from gmd_vae.families import family_of
from gmd_vae.generation.compose import compose
from gmd_vae.generation.find_model import NoConfigError, find_model
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.latent.attribute_vectors import attributes_of_run, vectors_of
from gmd_vae.generation.model import ModelSource, OpenedModel, choose_prior
from gmd_vae.generation.performance.humanizer import Humanizer
from gmd_vae.generation.performance.playing import TEMPO_RANGE, Playing
from gmd_vae.generation.request import (
    ATTRIBUTE,
    DISTANCE,
    INTERPOLATE,
    LIKELIEST,
    MAX_BARS,
    RECONSTRUCT,
    SAMPLE,
    VARY,
    GenerationRequest,
    default_temperature,
)
from gmd_vae.midi import reading as midi_reading
from gmd_vae.models.forward.numpy_model import NumpyModel
from gmd_vae.training.run.folder import Run

Floats = npt.NDArray[np.float32]
_CONTROLS = {
    "hits": "Give music to model.reconstruct, or let the model play a beat: beat.save(path, humanize=model).",
    "chords": "Give music with chords to model.reconstruct or model.vary, or chords alone to 'gmd-vae generate'.",
}


@in_python
def load(model: str | Path | None = None) -> Model:
    """Loads a trained model. TensorFlow is imported only for melodies, trios and multitrack models.

    Args:
        model: Name of a model of the package, a run folder, a ``.safetensors`` file, or an archive of Magenta's that is
            named after its config; ``None``: the drum model of the package.

    Raises:
        UsageError: There is no such model.
        GmdVaeError: It is damaged.
    """
    from gmd_vae.models.bundled import DEFAULT

    opened = contextlib.ExitStack()
    name = DEFAULT if model is None else path_text("model", model)
    try:
        found = opened.enter_context(find_model(name))
    except NoConfigError as error:
        known = ", ".join(error.candidates) or "none that is known"
        raise UsageError(
            f"The name of '{name}' has no config, so that it is not known which one it was trained with",
            f"Name it after its config, as in cat-drums_2bar_small.tar. Those with its variables: {known}.",
        ) from None
    return Model(found.source, opened, found.run)


class Model:
    """A trained model. ``load`` opens one; ``close`` or a ``with`` block frees it.

    Attributes:
        name: The model for people, such as ``bundled model groove-4bar``.
        config: Its config (docs/reference/configs.md).
        z_size: Size of a latent vector.
    """

    def __init__(self, source: ModelSource, opened: contextlib.ExitStack, run: Run | None = None) -> None:
        """Takes a model on disk, the contexts that keep it there, and the run that it is of."""
        self._source, self._opened, self._run = source, opened, run
        self._model: OpenedModel | None = None  # of the seed of the last call
        self._model_opened, self._seed = contextlib.ExitStack(), 0
        self.name, self.config = source.name, source.config
        self.z_size = int(source.hparams["z_size"])

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<gmd_vae.Model {self.name}: {self.config.name}>"

    def close(self) -> None:
        """Frees the model's files and, where it has one, its TensorFlow session."""
        self._model = None
        self._model_opened.close()
        self._opened.close()

    @in_python
    def encode(self, music: object, *, reading: Reading | None = None) -> Floats:
        """Returns the mean of the posterior of each window of music.

        Args:
            music: Path or bytes of a MIDI file, a ``pretty_midi.PrettyMIDI``, a ``NoteSequence``, a ``symusic.Score``,
                an array of drum labels ``[windows, steps]`` or of hits ``[windows, steps, drums]``, a ``Beat``, or
                several.
            reading: Rules for reading MIDI; ``None``: ``Reading()``.

        Returns:
            Latent vectors, float32 ``[windows, z_size]``.

        Raises:
            UsageError: An argument has another type or shape.
            GmdVaeError: The music cannot be read, or has no window.
        """
        windows = input_windows(music, self.config, reading_rules(reading))
        return GenerationInputs(windows).encode(self._open(0))

    @in_python
    def decode(self, z: npt.ArrayLike, *, temperature: float = 0.0, seed: int = 0) -> list[Beat]:
        """Decodes latent vectors. ``gmd-vae generate --latents FILE --temperature 0`` writes the same beats.

        Args:
            z: Latent vectors, ``[n, z_size]`` or ``[z_size]``.
            temperature: Temperature of the output distribution; 0 takes the likeliest step, whatever the seed. The
                default of the command is that of ``sample``.
            seed: Seed of the random draws.

        Raises:
            UsageError: ``z`` has another shape, or is not finite; or a number is out of range.
        """
        vectors = self._checked_latents(z)
        request = GenerationRequest(SAMPLE, len(vectors), self._temperature(temperature, SAMPLE), _seed(seed))
        return self._compose(request, GenerationInputs(vectors=vectors))

    @in_python
    def sample(
        self,
        count: int = 8,
        *,
        seed: int = 0,
        temperature: float | None = None,
        bars: int | None = None,
        prior: str | None = None,
    ) -> list[Beat]:
        """Samples new beats, as ``gmd-vae generate`` does. The first beats do not depend on the number of beats.

        Args:
            count: Number of beats.
            seed: Seed of the latent vectors and of the random draws.
            temperature: Temperature of the output distribution; ``None``: the default of the command.
            bars: Length of each beat in bars; ``None``: one window.
            prior: Distribution of z: ``"fitted"``, the density that training fitted to its windows, or ``"normal"``,
                N(0, I); ``None``: fitted where the model has one.

        Raises:
            UsageError: A number is out of the range that the command has, there is no such prior, or the model has no
                fitted one.
        """
        if not isinstance(prior, str | None) or prior not in (None, *PRIORS):
            raise UsageError(
                f"There is no prior {shown(prior)}", f"Give {' or '.join(map(repr, PRIORS))}, or leave it out."
            )
        chosen = choose_prior(self._source, prior)
        count, bars = _count(count), None if bars is None else whole("bars", bars, 1, MAX_BARS)
        temperature = self._temperature(temperature, SAMPLE)
        request = GenerationRequest(SAMPLE, count, temperature, _seed(seed), bars=bars, prior=chosen)
        return self._compose(request, GenerationInputs())

    @in_python
    def interpolate(
        self,
        start: object,
        end: object,
        count: int = 8,
        *,
        seed: int = 0,
        temperature: float | None = None,
        reading: Reading | None = None,
    ) -> list[Beat]:
        """Returns beats on the way from one to another, both ends included.

        Args:
            start: Music as in ``encode``, of which the fullest regular window counts, or a latent vector.
            end: The same.
            count: Number of beats, 2 or more.
            seed: Seed of the random draws.
            temperature: Temperature of the output distribution; ``None``: the default of the command.
            reading: Rules for reading MIDI; ``None``: ``Reading()``.

        Raises:
            UsageError: A number is out of range, or ``count`` is 1.
            GmdVaeError: The music cannot be read, or has no window.
        """
        if _count(count) < 2:
            raise UsageError("Interpolation needs a count of 2 or more: both endpoints count", "Choose a larger one.")
        request = GenerationRequest(
            INTERPOLATE, _count(count), self._temperature(temperature, INTERPOLATE), _seed(seed)
        )
        return self._compose(request, self._inputs(reading, start, end))

    @in_python
    def vary(
        self, beat: object, count: int = 8, *, distance: int = DISTANCE, seed: int = 0, reading: Reading | None = None
    ) -> list[Beat]:
        """Returns variations of a beat.

        Args:
            beat: Music as in ``encode``, of which the fullest regular window counts, or a latent vector.
            count: Number of variations.
            distance: Number of steps in which each differs from the model's version of the beat.
            seed: Seed of the directions.
            reading: Rules for reading MIDI; ``None``: ``Reading()``.

        Raises:
            UsageError: A number is out of range.
            GmdVaeError: The music cannot be read, or has no window; or there is no such variation.
        """
        distance = whole("distance", distance, 1, MAX_COUNT)
        request = GenerationRequest(VARY, _count(count), LIKELIEST, _seed(seed), distance=distance)
        return self._compose(request, self._inputs(reading, beat))

    @in_python
    def reconstruct(self, music: object, *, reading: Reading | None = None) -> list[Beat]:
        """Returns the model's version of each window of music; arguments and errors as for ``encode``."""
        inputs = GenerationInputs(input_windows(music, self.config, reading_rules(reading)))
        return self._compose(GenerationRequest(RECONSTRUCT, temperature=LIKELIEST), inputs)

    @in_python
    def attribute_vectors(self) -> dict[str, Floats]:
        """Returns the attribute vectors that ``gmd-vae generate --mode attribute`` and the studio add to z.

        A model file and a model of the package have them inside. Those of a run are computed from its training windows
        on the first use, which takes seconds, and kept in ``RUN/attributes``.

        Returns:
            Name of each attribute, such as ``"ride"``, ``"closed hi-hat"`` or ``"busier"`` → float32 ``[z_size]``.
            The arrays are copies.

        Raises:
            GmdVaeError: The model has none with it and no training windows, or does not play drum labels.
        """
        if ATTRIBUTE in family_of(self.config).unsupported_modes:
            raise GmdVaeError(
                f"'{self.config.name}' has no attribute vectors: they are of drum configs with one label a step",
                "Load such a model: 'gmd-vae models' lists those of the package.",
            )
        vectors = self._source.stored_vectors
        if vectors is None:
            if self._run is None:
                raise GmdVaeError(
                    f"{self.name} has no attribute vectors with it",
                    "Load its run folder, or a file that 'gmd-vae export RUN' wrote.",
                )
            attributes = attributes_of_run(self._run, Path(self._source.describe()["name"]))
            vectors = vectors_of(self._source, attributes, self._open(self._seed))
        return {name: np.array(vector, np.float32) for name, vector in vectors.items()}

    def _humanizer(self) -> Humanizer:
        """Returns the performer of drum patterns that a GrooVAE is, for ``Beat.save(humanize=model)``.

        Raises:
            UsageError: The model is none.
        """
        from gmd_vae.models.bundled import HUMANIZER

        family = family_of(self.config)
        if not family.humanizes(self.config):
            raise UsageError(f"'{self.config.name}' does not humanize", f"Load '{HUMANIZER}'.")
        return family.humanizer(self.config, self._open(0))

    def _temperature(self, given: float | None, mode: str) -> float:
        if given is None:
            return default_temperature(mode, family_of(self.config).sampling_temperature)
        return real("temperature", given, 0, MAX_TEMPERATURE)

    def _open(self, seed: int) -> OpenedModel:
        """Returns the model whose draws have a seed. One model is in memory, however many seeds are used."""
        if self._model is None or seed != self._seed:
            if isinstance(self._model, NumpyModel):
                self._model = self._model.with_seed(seed)
            else:
                self._model_opened.close()
                self._model = self._model_opened.enter_context(self._source.open(seed, ACCELERATED))
            self._seed = seed
        return self._model

    def _inputs(self, reading: Reading | None, *beats: object) -> GenerationInputs:
        """Returns the beats as windows, or as latent vectors if one of them is a vector."""
        rules = reading_rules(reading)
        if not any(is_latent(beat) for beat in beats):
            return GenerationInputs(tuple(one_window(beat, self.config, rules) for beat in beats))
        vectors = [
            self._checked_latents(beat) if is_latent(beat) else self._encode_one(beat, rules)  # type: ignore[arg-type]
            for beat in beats
        ]
        if any(len(vector) != 1 for vector in vectors):
            raise UsageError("Several latent vectors are given for one beat", "Give one of them, such as z[0].")
        return GenerationInputs(vectors=np.concatenate(vectors))

    def _encode_one(self, music: object, reading: midi_reading.Reading) -> Floats:
        """Returns the mean of the posterior of the window that stands for music, ``[1, z_size]``."""
        return GenerationInputs((one_window(music, self.config, reading),)).encode(self._open(0))

    def _checked_latents(self, z: npt.ArrayLike) -> Floats:
        try:
            with np.errstate(over="ignore"):  # infinite ones are refused below
                vectors = np.atleast_2d(np.asarray(z, np.float32))
        except (TypeError, ValueError, OverflowError):
            raise UsageError("The latent vectors are no array of numbers", f"Give [n, {self.z_size}].") from None
        if vectors.ndim != 2 or vectors.shape[1] != self.z_size or not len(vectors):
            shape = np.shape(z)
            raise UsageError(f"Latent vectors of shape {shape} are not this model's", f"Give [n, {self.z_size}].")
        if not np.isfinite(vectors).all():
            raise UsageError("The latent vectors are not finite", "Give finite numbers.")
        return vectors

    def _compose(self, request: GenerationRequest, inputs: GenerationInputs) -> list[Beat]:
        """Composes beats; as the command does, also in what it refuses."""
        if (controls := family_of(self.config).output(self.config).controls) and not inputs.controls:
            raise GmdVaeError(f"'{self.config.name}' plays given {controls}, and is given none", _CONTROLS[controls])
        model = self._open(request.seed)
        composition = compose(self._source, model, request, inputs)
        lowest, highest = TEMPO_RANGE
        plan = composition.plan(request, inputs, Playing(min(max(inputs.tempo or Playing.tempo, lowest), highest)))
        return [
            Beat(
                self.config,
                plan.tempos[index] if plan.tempos else plan.playing.tempo,
                request.seed,
                tuple(windows),
                dataclasses.replace(
                    plan, numbers=plan.numbers[index : index + 1], windows=(), chords=plan.chords[index : index + 1],
                    tempos=plan.tempos[index : index + 1], played=plan.played[index : index + 1],
                ),
                model,
            )
            for index, windows in enumerate(plan.windows)
        ]  # fmt: skip


def _count(given: int) -> int:
    return whole("count", given, 1, MAX_COUNT)


def _seed(given: int) -> int:
    return whole("seed", given, 0, MAX_SEED)
