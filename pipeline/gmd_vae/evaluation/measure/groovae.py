"""The figures of a GrooVAE: hits as in any drum model, and their velocities and timing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.arrays import Floats, Vectors
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.data.tensor_windows import TensorWindows
from gmd_vae.evaluation.likelihood import Advance, Posterior, measure_likelihood, window_losses
from gmd_vae.evaluation.measure.coded_windows import ROWS, conditioning_inputs, encode_all, measure_latent
from gmd_vae.evaluation.measure.drum_labels import compare_features, compare_predictions
from gmd_vae.evaluation.measure.samples import draw_samples
from gmd_vae.evaluation.measure.window_sets import Music, Samples, measure_window_sets
from gmd_vae.evaluation.metrics.boosted_feel import PlayedWindows, play_boosted
from gmd_vae.evaluation.metrics.contents import DrumContents
from gmd_vae.evaluation.metrics.groove_errors import Performance, TrainingFeel, measure_errors, measure_feel
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.novelty import measure_novelty
from gmd_vae.evaluation.model import LIKELIEST, TensorModel
from gmd_vae.evaluation.result import Figures, Groove, NoveltyOfSets, Reconstruction
from gmd_vae.evaluation.settings import Settings
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.windows.extraction import Tensors

DEFAULT_TEMPO = 120.0  # quarter notes per minute of files without a known tempo: that of all music Magenta writes
# Second words of the seeds of NumPy's generators, so that different draws are independent
_CONTROLS, _RANDOM_FEEL = 31, 32


def measure_groovae(
    model: TensorModel,
    data: EvaluationData[TensorWindows],
    output: OutputSpec,
    grid: DrumWindows,
    settings: Settings,
    advance: Advance,
) -> Figures:
    """Measures all figures of a GrooVAE on one split.

    Args:
        model: The model.
        data: Windows as tensors.
        output: Shapes of a window.
        grid: Drum classes and steps of a window.
        settings: Seed and sample sizes.
        advance: Progress callback.
    """
    windows, seed, classes = data.windows.tensors, settings.seed, len(grid.voice_names)
    advance("windows", 0)
    truth, training = (_performance(part) for part in (data.windows, data.training))
    labels = truth.labels
    resampler = FileResampler(data.windows.files, settings.resamples, seed)
    advance("posteriors", 0)
    posterior = Posterior.draw(*encode_all(model, windows), seed)
    likelihood = measure_likelihood(
        window_losses(model, windows),
        posterior,
        np.full(len(labels), labels.shape[1]),
        resampler,
        draws=settings.importance_samples,
        rows=ROWS,
        is_likelihood=False,
        advance=advance,
    )

    def decode(
        z: Vectors,
        temperature: float,
        conditioned_by: npt.NDArray[np.int64],
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> Performance:
        controls = conditioning_inputs(data.windows, conditioned_by) if output.controls else None
        return Performance.from_columns(np.stack(model.decode(z, temperature, None, controls, hits)))

    advance("reconstruction", 0)
    themselves = np.arange(len(labels))
    played = {
        "teacher_forced": _teacher_forced(model, windows, posterior.means),
        "free_running": decode(posterior.means, LIKELIEST, themselves),
        "free_running_sampled": decode(posterior.sampled, settings.temperature, themselves),
    }
    hits_given = decode(posterior.means, LIKELIEST, themselves, list(truth.hits.astype(np.float32)))
    predictions = {name: answer.labels for name, answer in played.items()}
    reconstruction = compare_predictions(predictions, labels, training.labels, grid, resampler)
    advance("samples from the prior", 0)
    conditioned_by = np.random.default_rng([seed, _CONTROLS]).integers(len(labels), size=settings.samples)
    drawn = draw_samples(model, settings)
    sampled = {name: decode(draw.z, draw.temperature, conditioned_by) for name, draw in drawn.items()}
    samples = sampled["samples"]
    advance("novelty and distributions", 0)
    novelty = NoveltyOfSets(
        held_out=measure_novelty(labels, training.labels, classes),
        **{name: measure_novelty(sampled[name].labels, training.labels, classes) for name in drawn},
    )
    return Figures(
        windows=len(labels),
        files=len(data.windows.sources),
        file_ids=tuple(data.windows.sources),
        steps=labels.shape[1],
        steps_per_bar=grid.steps_per_bar,
        voices=grid.voice_names,
        in_training=_in_training(windows, data.training.tensors),
        likelihood=likelihood,
        reconstruction=dict[str, Reconstruction](reconstruction),
        groove=_measure_groove(data, truth, training, {**played, "hits_given": hits_given}, samples, resampler, seed),
        novelty=novelty,
        window_sets=measure_window_sets(
            {name: Samples(part.labels, drawn[name].temperature, drawn[name].prior) for name, part in sampled.items()},
            Music(labels, data.windows.files),
            Music(training.labels, data.training.files),
            DrumContents(classes, grid.meter),
            settings,
        ),
        distribution=compare_features(samples.labels, training.labels, labels, grid, seed),
        latent=measure_latent(
            model, data, labels, posterior, lambda z, starts: decode(z, LIKELIEST, starts).labels, seed, advance
        ),
    )


def _performance(windows: TensorWindows) -> Performance:
    return Performance.from_columns(np.stack([window.outputs for window in windows.tensors]))


def _in_training(windows: Sequence[Tensors], training: Sequence[Tensors]) -> int:
    """Returns the number of windows that are training windows too; equal hits alone are not enough."""
    known = {window.outputs.tobytes() for window in training}
    return sum(window.outputs.tobytes() in known for window in windows)


def _teacher_forced(model: TensorModel, windows: Sequence[Tensors], z: Vectors) -> Performance:
    """Returns the model's prediction of each step given the true steps before it."""
    starts = range(0, len(windows), ROWS)
    answers = [model.score(windows[start : start + ROWS], z[start : start + ROWS]).likeliest for start in starts]
    return Performance.from_columns(np.concatenate(answers))


def _measure_groove(
    data: EvaluationData[TensorWindows],
    truth: Performance,
    training: Performance,
    played: dict[str, Performance],
    samples: Performance,
    resampler: FileResampler,
    seed: int,
) -> Groove:
    """Measures velocities and timing of the predictions, and of baselines that play the true hits."""
    known = [data.tempos[file] for file in data.windows.files.tolist()]
    tempos: Floats = np.array([tempo or DEFAULT_TEMPO for tempo in known], np.float64)
    answers = dict(played)
    feel = TrainingFeel.learn(training)
    if feel is not None:
        answers["on_the_grid"] = feel.play_on_grid(truth)
        answers["as_usual"] = feel.play_means(truth)
        answers["by_dice"] = feel.play_random(truth, np.random.default_rng([seed, _RANDOM_FEEL]))
    boosted = play_boosted(
        _with_catalogue(training, data.training.files, data.training_styles, data.training_tempos),
        _with_catalogue(truth, data.windows.files, data.styles, data.tempos),
        seed,
    )
    if boosted is not None:
        answers["boosted"] = boosted
    return Groove(
        hits=int(truth.hits.sum()),
        windows_with_tempo=sum(tempo is not None for tempo in known),
        answers={name: measure_errors(truth, answer, tempos, resampler) for name, answer in answers.items()},
        samples=measure_feel(truth, samples, resampler, same_windows=False),
    )


def _with_catalogue(
    played: Performance,
    files: npt.NDArray[np.int64],
    styles: Sequence[str | None],
    tempos: Sequence[float | None],
) -> PlayedWindows:
    """Returns windows with what the catalogue lists for their files."""
    return PlayedWindows(played, [styles[file] for file in files.tolist()], [tempos[file] for file in files.tolist()])
