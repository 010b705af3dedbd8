"""Learning rate, β and sampling probability: known values, general properties, and Magenta's tensors."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.configuration.own_hparams import DRUM_LEVERS
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.configuration.schedules import (
    average_decay,
    draw_schedules,
    free_bits,
    kl_beta,
    learning_rate,
    sampling_probability,
    schedule_notes,
)
from hypothesis import given
from hypothesis import strategies as st

END = 10_000  # step at which the schedule "cosine" ends
STEPS = st.integers(0, 10**9)
RATES = st.floats(0.0, 1.0, allow_subnormal=False)


def annealed(**changes: Any) -> dict[str, Any]:
    """Returns the default hyperparameters with all schedules of cat-mel_2bar_big."""
    return {**get_config("cat-mel_2bar_big").hparams, **changes}


def test_known_values_of_the_learning_rate() -> None:
    hparams = annealed(learning_rate=0.01, min_learning_rate=0.002, decay_rate=0.5)  # 0.008 decays
    assert [learning_rate(hparams, step, END) for step in range(4)] == pytest.approx([0.01, 0.006, 0.004, 0.003])
    # exp(-1) of what can decay is left after 10,000 steps at 0.9999
    assert learning_rate(annealed(), 10_000, END) == pytest.approx(0.00099 / math.e + 0.00001, rel=1e-3)


def test_schedules_that_the_run_does_not_finish_are_named() -> None:
    assert schedule_notes(annealed(), 1) == []
    levers = annealed(warm_up_steps=30, beta_warm_up_steps=40, free_bits=8, free_bits_until=50)
    assert schedule_notes(levers, 50) == []
    assert schedule_notes(levers, 40) == [
        "the free bits decline until step 50 (free_bits_until), and the run ends at step 40."
    ]
    assert [text.split(" (")[0] for text in schedule_notes(levers, 29)] == [
        "the learning rate rises until step 30",
        "β rises until step 40",
        "the free bits decline until step 50",
    ]
    # a warm-up is at most a tenth of a cosine
    assert schedule_notes(annealed(warm_up_steps=30, learning_rate_schedule="cosine"), 10) == []
    without = annealed(free_bits=0, free_bits_until=5)
    assert schedule_notes(without, 10) == ["free_bits_until has no effect without free_bits."]


def test_known_values_of_the_levers() -> None:
    cosine = annealed(learning_rate=0.01, min_learning_rate=0.002, learning_rate_schedule="cosine")
    assert [learning_rate(cosine, step, 4) for step in range(6)] == pytest.approx(
        [0.01, 0.006 + 0.004 * math.sqrt(0.5), 0.006, 0.006 - 0.004 * math.sqrt(0.5), 0.002, 0.002]
    )
    warm = {**cosine, "warm_up_steps": 2}
    assert [learning_rate(warm, step, 22) for step in (0, 1, 2, 12, 22, 23)] == pytest.approx(
        [0.005, 0.01, 0.01, 0.006, 0.002, 0.002]
    )
    # a run that would end within the warm-up: a tenth of it is the warm-up
    assert [learning_rate({**cosine, "warm_up_steps": 200}, step, 60) for step in (0, 5, 6, 33, 60)] == pytest.approx(
        [0.01 / 6, 0.01, 0.01, 0.006, 0.002]
    )
    assert learning_rate({**cosine, "warm_up_steps": 200}, 0, 4) == pytest.approx(0.01)
    cooldown = annealed(learning_rate=0.01, min_learning_rate=0.002, learning_rate_schedule="cooldown")
    assert [learning_rate(cooldown, step, 100) for step in (0, 50, 80, 85, 90, 95, 100, 101)] == pytest.approx(
        [*[0.01] * 3, 0.006, *(0.01 - 0.008 * math.sqrt(share) for share in (0.5, 0.75)), 0.002, 0.002]
    )
    # as with a cosine, a warm-up is at most a tenth of the run; of the 108 steps that follow the last fifth falls
    warm = {**cooldown, "warm_up_steps": 20}
    assert [learning_rate(warm, step, 120) for step in (0, 5, 11, 12, 98, 120)] == pytest.approx(
        [0.01 / 12, 0.005, 0.01, 0.01, 0.01, 0.002]
    )
    flat = annealed(learning_rate=0.01, decay_rate=1.0, warm_up_steps=4)
    assert [learning_rate(flat, step, 0) for step in range(5)] == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01])
    rising = annealed(max_beta=0.4, beta_rate=0.0, beta_warm_up_steps=4)
    assert [kl_beta(rising, step) for step in range(6)] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.4])
    falling = annealed(free_bits=48, free_bits_until=4)
    assert [free_bits(falling, step) for step in range(6)] == pytest.approx([48, 36, 24, 12, 0, 0])
    assert free_bits(annealed(free_bits=48), 10**6) == 48
    decays = [average_decay(annealed(average_decay=0.9), step) for step in (1, 2, 12, 82, 83, 10**6)]
    assert decays == pytest.approx([0, 0.1, 0.55, 0.9, 0.9, 0.9])


def test_known_values_of_beta() -> None:
    assert [kl_beta(annealed(max_beta=0.2, beta_rate=0.0), step) for step in (0, 1, 2, 10**6)] == [0.0, 0.2, 0.2, 0.2]
    hparams = annealed(max_beta=0.4, beta_rate=0.5)
    assert [kl_beta(hparams, step) for step in range(4)] == pytest.approx([0.0, 0.2, 0.3, 0.35])
    assert kl_beta(annealed(max_beta=0.3, beta_rate=1.0), 100) == 0.0


def test_known_values_of_the_sampling_probability() -> None:
    inverse_sigmoid = annealed(sampling_schedule="inverse_sigmoid", sampling_rate=1000)
    assert sampling_probability(inverse_sigmoid, 0) == pytest.approx(1 / 1001)
    assert sampling_probability(inverse_sigmoid, 1000) == pytest.approx(math.e / (1000 + math.e))
    assert sampling_probability(inverse_sigmoid, round(1000 * math.log(1000))) == pytest.approx(0.5, abs=1e-3)
    exponential = annealed(sampling_schedule="exponential", sampling_rate=0.5)
    assert [sampling_probability(exponential, step) for step in range(3)] == [0.0, 0.5, 0.75]
    assert sampling_probability(annealed(sampling_schedule="constant", sampling_rate=0.25), 7) == 0.25
    assert sampling_probability(annealed(sampling_schedule="constant", sampling_rate=0), 7) == 0.0
    assert sampling_probability({}, 7) == 0.0


@pytest.mark.parametrize(
    ("schedule", "rate"), [("constant", 1.5), ("inverse_sigmoid", 0.5), ("exponential", 1.0), ("linear", 0.5)]
)
def test_a_schedule_that_magenta_refuses_is_refused(schedule: str, rate: float) -> None:
    with pytest.raises(ValueError, match=schedule):
        sampling_probability(annealed(sampling_schedule=schedule, sampling_rate=rate), 1)


def test_nothing_overflows() -> None:
    for step in (10**5, 10**7, 10**12):
        assert sampling_probability(annealed(sampling_rate=1), step) == 1.0
        assert learning_rate(annealed(), step, END) >= 1e-05
        assert kl_beta(annealed(max_beta=0.5), step) <= 0.5
    assert learning_rate(annealed(decay_rate=1.5), 10**7, END) == math.inf  # as Magenta's


@given(STEPS, STEPS, RATES)
def test_the_learning_rate_falls_and_keeps_its_bounds(step: int, more: int, decay_rate: float) -> None:
    hparams = annealed(decay_rate=decay_rate)
    now, later = learning_rate(hparams, step, END), learning_rate(hparams, step + more, END)
    assert hparams["min_learning_rate"] <= later <= now <= hparams["learning_rate"] * (1 + 1e-12)


@given(STEPS, STEPS, RATES, st.floats(0.0, 10.0))
def test_beta_rises_and_keeps_its_bounds(step: int, more: int, beta_rate: float, max_beta: float) -> None:
    hparams = annealed(beta_rate=beta_rate, max_beta=max_beta)
    assert 0.0 <= kl_beta(hparams, step) <= kl_beta(hparams, step + more) <= max_beta


@given(
    STEPS,
    STEPS,
    st.one_of(
        st.tuples(st.just("constant"), RATES),
        st.tuples(st.just("inverse_sigmoid"), st.floats(1.0, 1e6)),
        st.tuples(st.just("exponential"), st.floats(1e-6, 0.999999)),
    ),
)
def test_the_sampling_probability_rises_between_0_and_1(step: int, more: int, schedule: tuple[str, float]) -> None:
    hparams = annealed(sampling_schedule=schedule[0], sampling_rate=schedule[1])
    assert 0.0 <= sampling_probability(hparams, step) <= sampling_probability(hparams, step + more) <= 1.0


def test_every_config_has_schedules() -> None:
    for config in all_configs().values():
        for step in (0, 1, config.num_steps):
            assert 0 < learning_rate(config.hparams, step, config.num_steps) <= 0.002
            assert 0 <= kl_beta(config.hparams, step) <= 1
            assert 0 <= sampling_probability(config.hparams, step) <= 1


@pytest.mark.parametrize("num_steps", [0, 1, 200_000])
def test_schedules_are_drawn(num_steps: int, tmp_path: Path) -> None:
    from PIL import Image

    target = tmp_path / "schedules.png"
    draw_schedules(annealed(), num_steps, target, "cat-mel_2bar_big")
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert image.width > 1000


@pytest.mark.parametrize("name", ["hierdec-drum_4bar_small", "groovae_2bar_humanize_hits_small", "hierdec-drum_4bar"])
def test_the_levers_of_a_config_can_be_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No text of the picture lies on another one, and none leaves it."""
    from gmd_vae.common import charts

    original = charts.drawing
    figures: list[Any] = []

    @contextlib.contextmanager
    def drawing(*arguments: Any, **named: Any) -> Iterator[Any]:
        with original(*arguments, **named) as figure:
            yield figure
            figures.append(figure)

    monkeypatch.setattr(charts, "drawing", drawing)
    hparams = get_config(name).hparams
    draw_schedules(hparams, 16_000, tmp_path / "schedules.png", name)
    (figure,) = figures
    texts = [text for text in figure.texts if text.get_text()]
    shown = "".join(text.get_text() for text in texts)
    assert all(f"{lever}={hparams[lever]}" in shown for lever in DRUM_LEVERS if hparams[lever])
    boxes = [*(text.get_window_extent() for text in texts), *(axes.get_tightbbox() for axes in figure.axes)]
    for box, other in itertools.combinations(boxes, 2):
        assert not box.overlaps(other), (box, other)
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "changes",
    [
        {"beta_rate": 0.0, "sampling_schedule": "inverse_sigmoid", "sampling_rate": 1000},
        {"beta_rate": 0.99999, "sampling_schedule": "exponential", "sampling_rate": 0.9999},
        {"beta_rate": 0.999, "sampling_schedule": "inverse_sigmoid", "sampling_rate": 1, "decay_rate": 0.5},
        {"beta_rate": 1.0, "sampling_schedule": "constant", "sampling_rate": 0.3, "decay_rate": 1.0},
        {"sampling_schedule": "constant", "sampling_rate": 0},
        {
            "sampling_rate": 0,
            "beta_rate": 0.999,
            "beta_warm_up_steps": 70,
            "free_bits": 48,
            "free_bits_until": 900,
            "warm_up_steps": 50,
            "learning_rate_schedule": "cosine",
        },
        {"sampling_rate": 0, "warm_up_steps": 50, "learning_rate_schedule": "cooldown"},
        {"sampling_rate": 0, "warm_up_steps": 500},
    ],
)
def test_schedules_equal_the_tensors_of_magentas_training(changes: dict[str, Any]) -> None:
    from gmd_vae.magenta import api
    from gmd_vae.training.scheduled_hparams import schedule_hparams

    tf = api.tf
    small = {"enc_rnn_size": [4], "dec_rnn_size": [4], "z_size": 2, "batch_size": 1}
    hparams = {**get_config("flat-drum_4bar_small").hparams, **small, **changes}
    config = api.build_config(get_config("flat-drum_4bar_small"), copy.deepcopy(hparams))
    converter, length = config.data_converter, hparams["max_seq_len"]
    with tf.Graph().as_default() as graph, tf.Session() as session:
        config.model.build(config.hparams, converter.output_depth, is_training=True)
        schedule_hparams(config.model, hparams, END)
        optimizer = config.model.train(
            tf.zeros([1, length, converter.input_depth]),
            tf.zeros([1, length, converter.output_depth]),
            tf.fill([1], length),
        )
        summaries = {
            operation.name: operation.inputs[1]
            for operation in graph.get_operations()
            if operation.type == "ScalarSummary"
        }
        sampling = [tensor for name, tensor in summaries.items() if name.endswith("sampling_probability")]
        assert len(sampling) == (changes["sampling_rate"] != 0)  # Magenta has no such tensor for teacher forcing
        shown = [summaries["learning_rate"], summaries["losses/kl_beta"]]
        tensors = [optimizer._lr, *shown, tf.convert_to_tensor(config.model.hparams.free_bits, tf.float32), *sampling]
        for step in (0, 1, 2, 10, 100, 1_000, 7_000, 9_000, 50_000, 200_000, 1_000_000):
            config.model.global_step.load(step, session)
            rate = learning_rate(hparams, step, END)
            ours = [rate, rate, *(schedule(hparams, step) for schedule in (kl_beta, free_bits, sampling_probability))]
            if not sampling:
                assert ours.pop() == 0.0
            assert session.run(tensors) == pytest.approx(ours, rel=5e-6, abs=1e-7), step
