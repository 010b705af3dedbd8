"""Figures of melodies, trios and multitrack bars, by hand; and of models whose answers are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.evaluation.data.codes import Coding
from gmd_vae.evaluation.data.tensor_data import TensorData, TensorWindows
from gmd_vae.evaluation.measure_streams import measure_streams
from gmd_vae.evaluation.metrics import stream_baselines
from gmd_vae.evaluation.metrics.event_accuracy import DRUMS, compare_events, found, notes_of
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.stream_accuracy import compare_streams
from gmd_vae.evaluation.results import without_nan
from gmd_vae.evaluation.settings import Settings
from gmd_vae.evaluation.tables.details import details, overview
from gmd_vae.evaluation.tables.formats import to_markdown
from gmd_vae.families.output_spec import Output, Stream
from gmd_vae.windows.extraction import Tensors
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

MELODY = Output("streams", 2, 32, (Stream("melody", 0, 90),))
TRIO = Output("streams", 2, 32, (Stream("melody", 0, 90), Stream("bass", 90, 180), Stream("drums", 180, 692)))
CHORDS = Output("streams", 2, 32, (Stream("melody", 0, 90),), controls="chords")
BARS = Output("streams", 1, 128, (Stream("events", 0, 490),), tracks=2)
FEW = Settings(importance_samples=2, samples=6)
ON, OFF, SHIFT, VELOCITY, PROGRAM, END = 0, 128, 255, 352, 360, 489


def window(classes: npt.NDArray[Any], output: Output) -> Tensors:
    """Classes ``[steps, streams]`` as tensors; -1: no step."""
    parts = [(classes[:, [number]] == np.arange(stream.classes)) for number, stream in enumerate(output.streams)]
    outputs = np.concatenate(parts, axis=1)
    length = tuple((classes[:, 0].reshape(output.tracks, -1) >= 0).sum(axis=1).tolist())
    controls = np.full((output.steps, 3 if output.controls else 0), classes[0, 0] % 2 > 0)
    return Tensors(outputs, outputs, controls, length)


def track(*events: int) -> npt.NDArray[np.int64]:
    return np.array([*events, END] + [-1] * (63 - len(events)))


def some_windows(output: Output, count: int, seed: int) -> TensorWindows:
    random = np.random.default_rng(seed)
    windows = []
    for _ in range(count):
        if output.is_events:
            tracks = [track(PROGRAM + int(random.integers(129)), *random.integers(0, 360, 12).tolist()) for _ in "ab"]
            classes = np.concatenate(tracks)[:, None]
        else:
            classes = np.stack([random.integers(part.classes, size=output.steps) for part in output.streams], axis=1)
        windows.append(window(classes, output))
    return TensorWindows(windows, np.arange(count) * 3 // count, ("a", "b", "c"))


class Oracle:
    """Knows the windows by number: z is where a window stands in the list, and nothing is uncertain."""

    z_size = 2

    def __init__(self, known: list[Tensors], output: Output) -> None:
        self.known, self.coding, self.steered = known, Coding(output), output.controls

    def encode(self, windows: Any) -> tuple[Any, Any]:
        numbers = [next(place for place, one in enumerate(self.known) if one is each) for each in windows]
        means = np.stack([np.array(numbers, np.float32), np.zeros(len(numbers), np.float32)], axis=1)
        return means, np.full_like(means, 0.1)

    def score(self, windows: Any, z: Any) -> Any:
        codes = np.stack([self.coding.of_window(each) for each in windows])
        nats = {part.name: np.where(codes > 0, 0.5, 0.0) for part in self.coding.output.streams}
        return SimpleNamespace(nats=nats, answers=self.coding.split(codes))

    def decode(self, controls: Any, z: Any, temperature: float, rows: Any = None, hits: Any = None) -> Any:
        assert hits is None
        wanted = range(len(z)) if rows is None else rows
        numbers = np.clip(np.rint(z[wanted.start : wanted.stop, 0]).astype(int), 0, len(self.known) - 1)
        assert (controls is not None) == bool(self.steered)
        if controls is not None:
            assert len(controls) == len(z)
            assert {each.shape for each in controls[wanted.start : wanted.stop]} == {(32, 3)}
        return [self.known[number].outputs.astype(np.float32) for number in numbers]


@pytest.mark.parametrize("output", [MELODY, TRIO, CHORDS, BARS], ids=["melody", "trio", "chords", "bars"])
def test_a_model_that_knows_every_window_is_right_everywhere(output: Output) -> None:
    windows, training = some_windows(output, 9, seed=1), some_windows(output, 12, seed=2)
    data = TensorData(windows, training, [None] * 3, [None] * 3, output)
    model = Oracle([*windows.tensors, *training.tensors], output)
    told: list[tuple[str, float]] = []
    result = measure_streams(model, data, FEW, lambda what, done: told.append((what, done)))
    for way in ("teacher_forced", "free_running", "free_running_sampled"):
        for name, figure in result["reconstruction"][way].items():
            if isinstance(figure, dict) and "value" in figure and name != "fade":
                assert figure == {"value": 1.0, "low": 1.0, "high": 1.0}, (way, name)
    steps = np.mean([sum(each.length) for each in windows.tensors])
    likelihood = result["likelihood"]
    assert likelihood["reconstruction"]["value"] == pytest.approx(steps / 2 * len(output.streams))
    assert likelihood["reconstruction_per_step"]["value"] == pytest.approx(len(output.streams) / 2)
    if len(output.streams) > 1:
        assert likelihood["parts"]["bass"]["value"] == pytest.approx(steps / 2)
    assert result["in_training"] == 0
    assert result["novelty"]["held_out"]["distinct"] == 1
    assert result["latent"]["activity"]["active"] == 1
    assert result["latent"]["interpolation"]["latent"]["mean"][-1] == 1
    assert "info.csv" in result["latent"]["decodability_reason"]
    assert all(0 <= done <= 1 for _, done in told)
    # the same figures again, and tables of them
    np.testing.assert_equal(measure_streams(model, data, FEW), result)
    result = without_nan({**result, "settings": {"importance_samples": 2}, "run": "runs/a", "split": "test"})
    shown = "\n".join(map(to_markdown, [overview([result]), *details(result)]))
    assert "1.000 [1.000, 1.000]" in shown
    assert ("Events right, by kind" in shown) == output.is_events
    assert "notes F1" in shown
    assert "hits F1" not in shown
    assert all(part.name in shown for part in output.streams if not output.is_events)


def test_runs_of_different_kinds_are_in_one_table(made_up_result: Any) -> None:
    windows = some_windows(MELODY, 9, seed=1)
    data = TensorData(windows, windows, [None] * 3, [None] * 3, MELODY)
    melody = without_nan(measure_streams(Oracle(list(windows.tensors), MELODY), data, FEW))
    assert melody["in_training"] == 9
    table = overview([made_up_result(), {**melody, "run": "runs/melody", "examples": {"sha256": "m"}}])
    drums, hits, notes = (
        table.rows[0],
        table.columns.index("hits F1\nfree-running"),
        table.columns.index("notes F1\nfree-running"),
    )
    row = next(row for row in table.rows if "runs/melody" in row)
    assert (row[hits], drums[notes]) == ("–", "–")
    assert row[notes] == "1.000 [1.000, 1.000]"


def test_melodies_by_hand() -> None:
    """32 steps; the truth: a note of two steps, its end, another note. The guess: the first note a step late."""
    truth, guess = np.zeros((2, 32, 1), np.int32), np.zeros((2, 32, 1), np.int32)
    truth[0, [0, 2, 16], 0] = 40, 1, 52
    guess[0, [1, 2, 16], 0] = 40, 1, 52
    compared = compare_streams(truth, guess, streams=MELODY.streams, bars=2, resampler=FileResampler(np.array([0, 1])))
    assert compared.steps_right.value == 62 / 64
    assert compared.windows_right.value == 0.5
    assert [bar.value for bar in compared.bars] == [30 / 32, 1]
    assert compared.fade.value == pytest.approx(2 / 32)
    melody = compared.streams["melody"]
    assert melody.events_right.value == pytest.approx(2 / 3)  # the end, and the second note
    assert melody.notes_f1.value == 0.5
    assert melody.notes == 2


def test_drums_of_a_trio_count_hit_by_hit() -> None:
    truth, guess = np.zeros((1, 32, 3), np.int32), np.zeros((1, 32, 3), np.int32)
    truth[0, 0], guess[0, 0] = (40, 30, 0b101), (40, 31, 0b111)
    compared = compare_streams(truth, guess, streams=TRIO.streams, bars=2, resampler=FileResampler(np.array([0])))
    assert compared.streams["drums"].notes_f1.value == pytest.approx(4 / 5)
    assert compared.notes_f1.value == pytest.approx(2 * 3 / (4 + 5))
    assert compared.steps_right.value == 31 / 32
    assert compared.streams["melody"].steps_right.value == 1


def test_bars_by_hand() -> None:
    piano = track(PROGRAM, VELOCITY, ON + 60, SHIFT + 24, OFF + 60, ON + 64)
    late = track(PROGRAM, VELOCITY, ON + 60, SHIFT + 25, OFF + 60, ON + 64)
    drums, other = track(PROGRAM + DRUMS, ON + 36), track(PROGRAM + 5, ON + 36)
    truth, guess = (np.concatenate(tracks)[None, :, None] for tracks in ((piano, drums), (late, other)))
    compared = compare_events(truth, guess, output=BARS, resampler=FileResampler(np.array([0])))
    assert compared.notes_f1.value == pytest.approx(2 * 2 / 6)  # a step late is near enough; no drum is not a drum
    assert compared.programs_f1.value == 0.5
    assert compared.ends_right.value == 1
    assert compared.kinds["time shift"].value == 0
    assert compared.kinds["note on"].value == 1
    assert compared.steps_right.value == pytest.approx(8 / 10)
    guitar = np.concatenate([track(PROGRAM + 25, *piano[1:6]), drums])[None, :, None]
    compared = compare_events(truth, guitar, output=BARS, resampler=FileResampler(np.array([0])))
    assert (compared.notes_f1.value, compared.same_program_f1.value) == (1, pytest.approx(2 / 6))


@given(st.lists(st.integers(0, 95), max_size=12), st.lists(st.integers(0, 95), max_size=12))
def test_no_way_to_pair_notes_finds_more(here: list[int], there: list[int]) -> None:
    def notes(steps: list[int]) -> Any:
        same = np.zeros(len(steps), np.int64)
        return SimpleNamespace(window=same, program=same, pitch=same, step=np.array(steps, np.int64))

    near = np.abs(np.subtract.outer(here, there)) <= 1 if here and there else np.zeros((1, 1), bool)
    most = (maximum_bipartite_matching(csr_array(near)) >= 0).sum()
    assert found(notes(here), notes(there), 1).tolist() == [most]


def test_a_track_without_a_program_is_a_piano_and_notes_behind_the_bar_are_not_played() -> None:
    tracks = np.stack([track(ON + 60, SHIFT + 96, ON + 61), track(PROGRAM + 9, PROGRAM + 5, ON + 62)])[None]
    notes = notes_of(tracks)
    assert list(zip(notes.program.tolist(), notes.pitch.tolist(), notes.step.tolist(), strict=True)) == [
        (0, 60, 0),
        (9, 62, 0),
    ]


@given(st.lists(st.integers(-1, 89), min_size=3, max_size=3), st.integers(0, 511))
def test_classes_come_back_from_codes(pitches: list[int], label: int) -> None:
    coding = Coding(TRIO)
    classes = np.array([[pitches[0], pitches[1], label], [-1, -1, -1]])
    codes = coding.join(classes)
    assert codes[1] == 0 < codes[0] < 1 << coding.bits
    np.testing.assert_array_equal(coding.split(codes), classes)


def test_what_is_written_behind_an_end_does_not_count() -> None:
    coding = Coding(BARS)
    written = np.zeros((128, 490), np.float32)
    written[np.arange(128), np.r_[track(PROGRAM, 5).clip(0), track(PROGRAM + 1, 7, 8).clip(0)]] = 1
    classes = coding.split(coding.of_output(written))[:, 0].reshape(2, 64)
    assert (classes >= 0).sum(axis=1).tolist() == [3, 4]
    assert (
        coding.split(coding.of_window(window(classes.reshape(-1, 1), BARS)))[:, 0].tolist()
        == classes.reshape(-1).tolist()
    )


def test_baselines_of_bars() -> None:
    coding = Coding(BARS)
    training = coding.join(
        np.stack([np.concatenate([track(PROGRAM, a), track(PROGRAM, b)]) for a, b in ((1, 2), (3, 4), (3, 5))])[
            ..., None
        ]
    )
    asked = coding.join(np.concatenate([track(PROGRAM, 9, 4), track(PROGRAM, 3)])[None, :, None])
    np.testing.assert_array_equal(stream_baselines.nearest_by_events(asked, training, coding), training[1:2])
    common = coding.split(stream_baselines.most_frequent_event(asked, training))[0, :, 0]
    assert common[:3].tolist() == [PROGRAM, 3, END]
    drawn = stream_baselines.random_training(np.repeat(asked, 200, axis=0), training, seed=0)
    assert len(np.unique(drawn, axis=0)) == 3
