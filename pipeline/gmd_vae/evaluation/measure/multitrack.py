"""The figures of multitrack bars: the events of each track."""

from __future__ import annotations

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.data.coding import EventCoding
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.data.tensor_windows import TensorWindows
from gmd_vae.evaluation.likelihood import Advance
from gmd_vae.evaluation.measure.coded_windows import measure_coded_windows
from gmd_vae.evaluation.metrics import event_baselines
from gmd_vae.evaluation.metrics.event_accuracy import compare_events
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.model import TensorModel
from gmd_vae.evaluation.result import Figures, Reconstruction
from gmd_vae.evaluation.settings import Settings
from gmd_vae.families.output_spec import OutputSpec


def measure_multitrack(
    model: TensorModel, data: EvaluationData[TensorWindows], output: OutputSpec, settings: Settings, advance: Advance
) -> Figures:
    """Measures all figures of a multitrack model on one split.

    Args:
        model: The model.
        data: Windows as tensors.
        output: Shapes of a window, with its tracks.
        settings: Seed and sample sizes.
        advance: Progress callback.
    """
    coding = EventCoding(output)

    def compare(
        predictions: dict[str, Labels], codes: Labels, training: Labels, resampler: FileResampler
    ) -> dict[str, Reconstruction]:
        answers = {
            **predictions,
            "nearest_training": event_baselines.nearest_by_events(codes, training, coding),
            "random_training": event_baselines.random_training(codes, training, settings.seed),
            "most_frequent_step": event_baselines.most_frequent_event(codes, training),
        }
        truth = coding.split(codes)
        compared = {
            name: compare_events(truth, coding.split(answer), output=output, resampler=resampler)
            for name, answer in answers.items()
        }
        return {**compared, "teacher_forced": compared["teacher_forced"].without_music()}

    return measure_coded_windows(model, data, coding, compare, settings, advance, steps_per_bar=None)
