"""What is measured of GrooVAE: by hand, of a made-up model that knows the answers, and of a real one."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.evaluation.data.styles import tempos_of
from gmd_vae.evaluation.data.tensor_data import TensorData, TensorWindows
from gmd_vae.evaluation.measure_groove import measure_groove
from gmd_vae.evaluation.metrics.groove_errors import (
    OFFSET_BINS,
    Performance,
    Players,
    kl_divergence,
    measure_errors,
    measure_feel,
)
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.results import without_nan
from gmd_vae.evaluation.settings import Settings
from gmd_vae.evaluation.tables.groove import velocities_and_timing
from gmd_vae.families.output_spec import Output
from gmd_vae.midi.midi_io import sequence_id
from gmd_vae.windows.extraction import Tensors
from hypothesis import given
from hypothesis import strategies as st

OUTPUT = Output("groove", 2, 32)
Window = npt.NDArray[np.float32]


def played(*hits: tuple[int, int, int, float, float], windows: int = 1) -> Performance:
    """(window, step, drum, velocity, offset)."""
    values = np.zeros((windows, 32, 27), np.float32)
    for window, step, drum, velocity, offset in hits:
        values[window, step, [drum, 9 + drum, 18 + drum]] = 1, velocity, offset
    return Performance.of(values)


def test_the_errors_by_hand() -> None:
    truth = played((0, 0, 0, 0.5, 0.2), (0, 4, 1, 1.0, 0.0), (1, 8, 2, 0.2, -1.0), windows=2)
    answer = played((0, 0, 0, 0.7, 0.0), (0, 9, 1, 0.9, 0.9), (1, 8, 2, 0.2, 1.0), windows=2)
    found = measure_errors(truth, answer, np.array([120.0, 60.0]), FileResampler(np.array([0, 1])))
    # of half a step each: 0.2, 0 (what is written at the missed hit is silence, on the grid) and 2
    assert found.timing_mae.value == pytest.approx((0.1 + 0 + 1) / 3)
    assert found.timing_mse.value == pytest.approx((0.01 + 0 + 1) / 3)
    assert found.velocity_mse.value == pytest.approx((0.04 + 1 + 0) / 3)
    # a sixteenth is 125 ms at 120, and 250 at 60
    assert found.timing_mae_ms.value == pytest.approx((12.5 + 0 + 250) / 3)
    assert found.timing_mae.low < found.timing_mae.value < found.timing_mae.high


def test_the_divergence_by_hand() -> None:
    """All true hits on the grid, and half of the others half a step early; a thousandth is spread evenly."""
    truth = played((0, 0, 0, 0.5, 0.0), (0, 4, 0, 0.5, 0.0))
    other = played((0, 0, 0, 0.5, 0.0), (0, 8, 0, 0.5, 1.0))
    found = measure_feel(truth, other, FileResampler(np.array([0])), of_truth=True)
    little = 1e-3 / OFFSET_BINS
    p, q = 0.999 + little, 0.4995 + little
    expected = p * math.log(p / q) + little * math.log(little / q)
    assert found.timing_kl.value == pytest.approx(expected)
    assert found.velocity_kl.value == 0


def test_silence_has_no_distribution() -> None:
    found = measure_feel(played((0, 0, 0, 0.5, 0.0)), played(), FileResampler(np.array([0])), of_truth=False)
    assert math.isnan(found.timing_kl.value)


counts = st.lists(st.integers(0, 1000), min_size=5, max_size=5).filter(any)


@given(counts, counts)
def test_a_divergence_is_none_of_the_same_and_finite_of_others(first: list[int], second: list[int]) -> None:
    p, q = np.array(first, np.float64), np.array(second, np.float64)
    assert kl_divergence(p, 3 * p) == pytest.approx(0, abs=1e-12)
    assert -1e-12 <= kl_divergence(p, q) < math.log(5 / 1e-3)


def test_the_baselines_by_hand() -> None:
    training = played((0, 0, 0, 0.4, 0.2), (0, 16, 0, 0.8, 0.4), (0, 1, 0, 0.3, 0.0), (0, 5, 1, 0.9, -0.5))
    truth = played((0, 16, 0, 0.1, 0.0), (0, 2, 0, 0.1, 0.0), (0, 21, 1, 0.1, 0.0), (0, 3, 8, 0.1, 0.0))
    players = Players.of(training)
    assert players is not None

    def at(answer: Performance) -> list[tuple[float, float]]:
        places = [(0, 16, 0), (0, 2, 0), (0, 21, 1), (0, 3, 8)]
        return [(round(float(answer.velocities[at]), 4), round(float(answer.offsets[at]), 4)) for at in places]

    assert at(players.on_the_grid(truth)) == [(0.6, 0.0)] * 4
    # of the kick at the bar's first sixteenth; of the kick anywhere; of the snare there; of all drums
    assert at(players.as_usual(truth)) == [(0.6, 0.3), (0.5, 0.2), (0.9, -0.5), (0.6, 0.025)]
    drawn = [at(players.by_dice(truth, np.random.default_rng(seed))) for seed in range(40)]
    first, second, third, last = ({answer[place] for answer in drawn} for place in range(4))
    assert first == {(0.4, 0.2), (0.8, 0.4)}
    assert second == first | {(0.3, 0.0)}
    assert third == {(0.9, -0.5)}
    assert last == second | third
    assert (players.by_dice(truth, np.random.default_rng(0)).hits == truth.hits).all()


def test_nothing_is_learned_from_silence() -> None:
    assert Players.of(played()) is None


class Perfect:
    """Knows every window by the first number of its latent vector."""

    z_size = 2

    def __init__(self, windows: Sequence[Tensors]) -> None:
        self._windows = windows

    def encode(self, windows: Sequence[Tensors]) -> tuple[Window, Window]:
        known = [window.outputs.tobytes() for window in self._windows]
        numbers = [known.index(window.outputs.tobytes()) for window in windows]
        means = np.stack([np.array([number, 1], np.float32) for number in numbers])
        return means, np.full_like(means, 1e-3)

    def _of(self, z: Window) -> list[Window]:
        last = len(self._windows) - 1
        return [self._windows[int(np.clip(round(float(row[0])), 0, last))].outputs for row in z]

    def score(self, windows: Sequence[Tensors], z: Window) -> Any:
        nothing = np.zeros((len(windows), 32), np.float32)
        nats = dict.fromkeys(("hits", "velocities", "offsets"), nothing)
        return types.SimpleNamespace(nats=nats, answers=np.stack(self._of(z)))

    def decode(
        self,
        controls: Sequence[npt.NDArray[Any]] | None,
        z: Window,
        temperature: float,
        rows: range | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> list[Window]:
        decoded = self._of(z)
        if hits is not None:
            assert all((given == window[:, :9]).all() for given, window in zip(hits, decoded, strict=True))
        return decoded


@pytest.fixture(scope="module")
def data() -> TensorData:
    """Twelve windows of three files, and eight to learn from."""
    random = np.random.default_rng(0)

    def windows(count: int) -> TensorWindows:
        hits = random.random((count, 32, 9)) < 0.2
        values = np.concatenate(
            [hits, hits * random.random(hits.shape), hits * random.uniform(-1, 1, hits.shape)], axis=-1
        ).astype(np.float32)
        tensors = [Tensors(window, window, np.zeros((32, 0), np.float32), (32,)) for window in values]
        return TensorWindows(tensors, np.arange(count) % 3, ("a", "b", "c"))

    return TensorData(windows(12), windows(8), [None] * 3, [None] * 3, OUTPUT, [100.0, None, 90.0])


def test_a_model_that_knows_all_makes_no_error(data: TensorData) -> None:
    settings = Settings(importance_samples=2, samples=20)
    found = measure_groove(Perfect(data.windows.tensors), data, settings)
    for answer in ("teacher_forced", "free_running", "free_running_sampled", "hits_given"):
        errors = found["groove"]["answers"][answer]
        assert {name: figure["value"] for name, figure in errors.items()} == dict.fromkeys(errors, 0.0)
    assert found["reconstruction"]["free_running"]["steps_right"]["value"] == 1.0
    assert found["reconstruction"]["free_running"]["hits_f1"]["value"] == 1.0
    assert "hits_given" not in found["reconstruction"]
    assert found["groove"]["windows_with_tempo"] == 8
    assert "importance_bound" not in found["likelihood"]  # Magenta's loss is none
    assert found["windows"] == 12
    for baseline in ("as_usual", "by_dice", "on_the_grid"):
        assert found["groove"]["answers"][baseline]["timing_mae"]["value"] > 0.1

    table = velocities_and_timing(without_nan(found))
    assert table is not None
    assert table.rows[0][0] == "the true hits given"
    assert table.rows[0][1].startswith("0.0")
    assert table.rows[-1][:2] == ("samples from the prior", "–")
    assert "4 windows" in table.notes[0]


def test_other_models_have_no_such_table() -> None:
    assert velocities_and_timing({"windows": 3}) is None


def test_the_catalogue_says_the_tempo_of_a_file(tmp_path: Path) -> None:
    catalogue = tmp_path / "info.csv"
    catalogue.write_text("midi_filename,split,bpm\na/1.mid,train,97\na/2.mid,train,120.5\n")
    sources = [sequence_id("groove", name) for name in ("a/2.mid", "a/3.mid", "a/1.mid")]
    assert tempos_of(sources, [catalogue]) == [120.5, None, 97.0]
