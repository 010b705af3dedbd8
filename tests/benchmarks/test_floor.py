"""The counts of matrix products, compared with hand-written formulas."""

from __future__ import annotations

import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import DrumWindows

from benchmarks import floor
from benchmarks.floor import Products, Rate

# one bar: 16 steps; one pitch class: an input of 2, an output of 2
TINY = Config(
    name="tiny",
    family="drum-labels",
    summary="",
    source="",
    windows=DrumWindows(slice_bars=1, pitch_classes=((36,),)),
    hparams={"z_size": 3, "enc_rnn_size": [4], "dec_rnn_size": [5]},
    levels=(2, 8),
)
FLAT = TINY.replace(levels=())
NO_AR = TINY.replace(conductor_autoregression=False)


def by_part(config: Config, batch_size: int = 1) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in floor.count(config, batch_size):
        found[one.part] = found.get(one.part, 0) + one.in_turn + one.at_once
    return found


def test_the_encoder_reads_every_step_in_both_directions() -> None:
    # [1, 2 + 4] x [4 + 2, 16], 16 steps, 2 directions, 2 operations each, 3 passes
    assert by_part(TINY)["encoder"] == 6 * 16 * 16 * 2 * 2 * 3


def test_a_second_encoder_layer_reads_both_directions_of_the_first() -> None:
    two = TINY.replace(enc_rnn_size=[4, 4])
    assert by_part(two)["encoder"] == ((2 + 4) + (8 + 4)) * 16 * 16 * 2 * 2 * 3


def test_the_latent_vector_has_a_mean_and_a_deviation() -> None:
    assert by_part(TINY)["latent"] == 8 * 6 * 2 * 3


def test_the_conductor_reads_z_once_and_the_decoder_an_embedding_for_each_segment() -> None:
    # z to the first state [3, 10], z to the gates [3, 20], then 2 segments of [10 + 5, 20]
    assert by_part(TINY)["conductor"] == (3 * 10 + 3 * 20 + 2 * 15 * 20) * 2 * 3


def test_a_conductor_without_autoregression_has_no_input() -> None:
    assert by_part(NO_AR)["conductor"] == (3 * 10 + 2 * 5 * 20) * 2 * 3


def test_the_decoder_multiplies_its_embedding_once_a_segment_and_no_tokens() -> None:
    # 2 segments: embedding to the first state [5, 10] and to the gates [5, 20]; 16 steps of [5, 20]
    assert by_part(TINY)["decoder"] == (2 * 5 * 10 + 2 * 5 * 20 + 16 * 5 * 20) * 2 * 3


def test_the_embedding_of_a_flat_decoder_is_z() -> None:
    parts = by_part(FLAT)
    assert parts["decoder"] == (3 * 10 + 3 * 20 + 16 * 5 * 20) * 2 * 3
    assert "conductor" not in parts


def test_the_output_is_projected_at_every_step() -> None:
    assert by_part(TINY)["output"] == 16 * 5 * 2 * 2 * 3


def test_twice_the_batch_is_twice_the_work() -> None:
    assert floor.total(floor.count(TINY, 6)) == 2 * floor.total(floor.count(TINY, 3))


def test_only_the_recurrence_and_its_gradient_go_step_by_step() -> None:
    encoder = floor.count(TINY, 1)[0]
    recurrent, from_inputs = 4 * 16 * 16 * 2 * 2, 2 * 16 * 16 * 2 * 2
    assert (encoder.in_turn, encoder.at_once) == (2 * recurrent, recurrent + 3 * from_inputs)


def test_seconds_are_the_sum_over_parts_at_their_rates() -> None:
    products = [Products("a", 4, in_turn=100, at_once=60), Products("b", 8, in_turn=0, at_once=90)]
    fast = {(4, True): Rate(10, 5), (4, False): Rate(20, 10), (8, True): Rate(1, 1), (8, False): Rate(30, 15)}
    least = floor.seconds(products, lambda units, in_turn: fast[units, in_turn])
    assert least.wall == pytest.approx(100 / 10 + 60 / 20 + 90 / 30)
    assert least.cpu == pytest.approx(100 / 5 + 60 / 10 + 90 / 15)


def test_products_for_all_steps_use_the_better_rate() -> None:
    rate = floor.rates({(2, 4): Rate(10, 9), (32, 4): Rate(8, 12)}, batch_size=2, steps=16)
    assert rate(4, True) == Rate(10, 9)
    assert rate(4, False) == Rate(10, 12)


def test_every_product_has_the_size_of_a_layer_whose_rate_is_measured() -> None:
    assert {one.units for one in floor.count(TINY, 1)} == {4, 5}
