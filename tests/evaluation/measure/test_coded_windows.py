"""All figures of melodies, trios and multitrack bars, of a model whose predictions are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.coded_windows import BARS, CHORDS, MELODY, TRIO, some_windows
from fixtures.results import made_up_result
from gmd_vae.evaluation.data.coding import EventCoding, StreamCoding
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.json_form import to_json
from gmd_vae.evaluation.measure.multitrack import measure_multitrack
from gmd_vae.evaluation.measure.streams import measure_streams
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Figures
from gmd_vae.evaluation.settings import Settings
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.formats import to_markdown
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.models.inference.scorer import StepScores
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.windows.extraction import Tensors

FEW = Settings(importance_samples=2, samples=6)


class Oracle:
    """A perfect model: z is the number of a window in a list of all windows, with a small variance."""

    z_size = 2
    density: LatentDensity | None = None
    usual_temperature = 0.25

    def __init__(self, known: list[Tensors], output: OutputSpec) -> None:
        coding = EventCoding if output.tracks > 1 else StreamCoding
        self.known, self.coding, self.conditioned = known, coding(output), output.controls

    def encode(self, windows: Any) -> tuple[Any, Any]:
        numbers = [next(place for place, one in enumerate(self.known) if one is each) for each in windows]
        means = np.stack([np.array(numbers, np.float32), np.zeros(len(numbers), np.float32)], axis=1)
        return means, np.full_like(means, 0.1)

    def score(self, windows: Any, z: Any) -> StepScores:
        codes = np.stack([self.coding.encode_window(each) for each in windows])
        losses = {part.name: np.where(codes > 0, 0.5, 0.0) for part in self.coding.output.streams}
        return StepScores(losses, self.coding.split(codes))

    def decode(self, z: Any, temperature: float, rows: Any = None, controls: Any = None, hits: Any = None) -> Any:
        assert hits is None
        wanted = range(len(z)) if rows is None else rows
        numbers = np.clip(np.rint(z[wanted.start : wanted.stop, 0]).astype(int), 0, len(self.known) - 1)
        assert (controls is not None) == bool(self.conditioned)
        if controls is not None:
            assert len(controls) == len(z)
            assert {each.shape for each in controls[wanted.start : wanted.stop]} == {(32, 3)}
        return [self.known[number].outputs.astype(np.float32) for number in numbers]


def measure(model: Oracle, data: EvaluationData[Any], output: OutputSpec, advance: Any = None) -> Figures:
    function = measure_multitrack if output.tracks > 1 else measure_streams
    return function(model, data, output, FEW, advance or (lambda stage, share: None))


@pytest.mark.parametrize("output", [MELODY, TRIO, CHORDS, BARS], ids=["melody", "trio", "chords", "bars"])
def test_a_model_that_knows_every_window_is_right_everywhere(output: OutputSpec) -> None:
    windows, training = some_windows(output, 9, seed=1), some_windows(output, 12, seed=2)
    data = EvaluationData(windows, training, [None] * 3, [None] * 3, [None] * 3, [])
    model = Oracle([*windows.tensors, *training.tensors], output)
    progress: list[tuple[str, float]] = []
    figures = measure(model, data, output, lambda stage, share: progress.append((stage, share)))
    for name in ("teacher_forced", "free_running", "free_running_sampled"):
        for field, figure in vars(figures.reconstruction[name]).items():
            if isinstance(figure, Estimate) and field != "accuracy_drop":
                assert figure == Estimate(1, 1, 1), (name, field)
    steps = np.mean([sum(each.length) for each in windows.tensors])
    likelihood = figures.likelihood
    assert likelihood.reconstruction.value == pytest.approx(steps / 2 * len(output.streams))
    assert likelihood.reconstruction_per_step.value == pytest.approx(len(output.streams) / 2)
    if len(output.streams) > 1:
        assert likelihood.parts is not None
        assert likelihood.parts["bass"].value == pytest.approx(steps / 2)
    assert figures.in_training == 0
    assert figures.novelty.held_out.distinct == 1
    assert figures.novelty.held_out.hits is None
    if output is BARS:
        assert figures.window_sets is None
    else:
        assert figures.window_sets is not None
        assert list(figures.window_sets) == ["samples", "samples_usual", "held_out", "training"]
    assert figures.latent.activity.active == 1
    assert figures.latent.interpolation.latent is not None
    assert figures.latent.interpolation.latent.mean[-1] == 1
    assert "info.csv" in (figures.latent.decodability_reason or "")
    assert all(0 <= share <= 1 for _, share in progress)
    # the same figures again, and tables of them
    np.testing.assert_equal(to_json(measure(model, data, output)), to_json(figures))
    result = made_up_result(**{"voices": None, "distribution": None, "window_sets": None} | to_json(figures))
    shown = "\n".join(map(to_markdown, [overview([result]), *details(result)]))
    assert "1.000 [1.000, 1.000]" in shown
    assert ("Step accuracy, by kind of event" in shown) == (output is BARS)
    assert "notes F1" in shown
    assert "hits F1" not in shown
    assert all(part.name in shown for part in output.streams if output is not BARS)


def test_teacher_forced_events_have_no_notes() -> None:
    windows = some_windows(BARS, 9, seed=1)
    data = EvaluationData(windows, windows, [None] * 3, [None] * 3, [None] * 3, [])
    figures = to_json(measure(Oracle(list(windows.tensors), BARS), data, BARS))
    assert figures["reconstruction"]["teacher_forced"].keys() == {"steps_right", "windows_right", "kinds", "by_file"}
    assert "notes_f1" in figures["reconstruction"]["free_running"]
    assert figures["steps_per_bar"] is None


def test_runs_of_different_families_are_in_one_table() -> None:
    windows = some_windows(MELODY, 9, seed=1)
    data = EvaluationData(windows, windows, [None] * 3, [None] * 3, [None] * 3, [])
    figures = measure(Oracle(list(windows.tensors), MELODY), data, MELODY)
    assert figures.in_training == 9
    melody = made_up_result(
        run="runs/melody",
        examples={"folder": "m", "sha256": "m"},
        voices=None,
        distribution=None,
        **to_json(figures),
    )
    table = overview([made_up_result(), melody])
    drums, hits, notes = (
        table.rows[0],
        table.columns.index("hits F1,\nfree-running"),
        table.columns.index("notes F1,\nfree-running"),
    )
    row = next(row for row in table.rows if "runs/melody" in row)
    assert (row[hits], drums[notes]) == ("–", "–")
    assert row[notes] == "1.000 [1.000, 1.000]"
