"""The figures of melodies and trios: one class a step of each stream."""

from __future__ import annotations

import numpy as np

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.data.coding import StreamCoding
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.data.tensor_windows import TensorWindows
from gmd_vae.evaluation.likelihood import Advance
from gmd_vae.evaluation.measure.coded_windows import measure_coded_windows
from gmd_vae.evaluation.metrics import baselines
from gmd_vae.evaluation.metrics.contents import StreamContents
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.stream_accuracy import compare_streams
from gmd_vae.evaluation.model import TensorModel
from gmd_vae.evaluation.result import Figures, Reconstruction
from gmd_vae.evaluation.settings import Settings
from gmd_vae.families.output_spec import OutputSpec


def measure_streams(
    model: TensorModel, data: EvaluationData[TensorWindows], output: OutputSpec, settings: Settings, advance: Advance
) -> Figures:
    """Measures all figures of a model of streams on one split.

    Args:
        model: The model.
        data: Windows as tensors.
        output: Shapes of a window, with its streams.
        settings: Seed and sample sizes.
        advance: Progress callback.
    """
    coding = StreamCoding(output)

    def compare(
        predictions: dict[str, Labels], codes: Labels, training: Labels, resampler: FileResampler
    ) -> dict[str, Reconstruction]:
        answers = {
            **predictions,
            "nearest_training": baselines.nearest_training(codes, training, coding.bits),
            "previous_bar": baselines.previous_bar(codes, output.steps_per_bar),
            "most_frequent_step": baselines.most_frequent_step(codes, training),
            "silence": np.where(codes > 0, coding.no_event, 0),
        }
        truth = coding.split(codes)
        return {
            name: compare_streams(
                truth, coding.split(answer), streams=output.streams, bars=output.bars, resampler=resampler
            )
            for name, answer in answers.items()
        }

    return measure_coded_windows(
        model,
        data,
        coding,
        compare,
        settings,
        advance,
        steps_per_bar=output.steps_per_bar,
        contents=StreamContents(coding),
    )
