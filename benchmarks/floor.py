"""A lower bound for the time of a training step: the model's matrix products at the measured rate of this machine.

Only products that no rewriting can avoid are counted. A one-hot vector selects a row of a matrix and needs no product;
an input that is constant over a segment is multiplied once per segment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from gmd_vae.configuration.config import Config

# forward, backward for the inputs, backward for the weights: three products of the same size
_PASSES = 3


@dataclasses.dataclass(frozen=True)
class Products:
    """Matrix products of one training step.

    Attributes:
        part: Part of the model.
        units: Units of the layer.
        in_turn: Floating-point operations that wait for the time step before: ``batch`` rows at once.
        at_once: Floating-point operations that can be done for all time steps at once.
    """

    part: str
    units: int
    in_turn: int
    at_once: int


@dataclasses.dataclass(frozen=True)
class Rate:
    """Floating-point operations per second.

    Attributes:
        wall: Operations per second of wall time; as a result of ``seconds``, wall time in seconds.
        cpu: The same for processor time.
    """

    wall: float
    cpu: float


def count(config: Config, batch_size: int) -> list[Products]:
    """Returns the matrix products of one training step, part by part.

    Args:
        config: Drum config with a flat decoder or a hierarchical one of two levels.
        batch_size: Windows in a batch.
    """
    steps, width, products = config.drum_windows.steps, config.drum_windows.input_depth, []
    for units in config.hparams["enc_rnn_size"]:
        products.append(_lstm("encoder", units, width, batch_size, steps, directions=2))
        width = 2 * units
    products.append(
        _dense("latent", config.hparams["enc_rnn_size"][-1], width, 2 * config.hparams["z_size"], batch_size)
    )

    first, last = config.hparams["dec_rnn_size"][0], config.hparams["dec_rnn_size"][-1]
    states, embedding, segments = 2 * sum(config.hparams["dec_rnn_size"]), config.hparams["z_size"], 1
    if config.levels:
        segments = config.levels[0]
        products.append(_dense("conductor", first, embedding, states, batch_size))
        width = 0  # the input of a conductor without autoregression is zero
        if config.conductor_autoregression:
            # z, constant over the segments, and the last states of the core decoder
            products.append(_dense("conductor", first, embedding, 4 * first, batch_size))
            width = states
        for units in config.hparams["dec_rnn_size"]:
            products.append(_lstm("conductor", units, width, batch_size, segments))
            width = units
        embedding = last
    products.append(_dense("decoder", first, embedding, states, batch_size * segments))
    # inputs: the token of the step before, which selects a row of the matrix, and the embedding of the segment
    products.append(_dense("decoder", first, embedding, 4 * first, batch_size * segments))
    width = 0
    for units in config.hparams["dec_rnn_size"]:
        products.append(_lstm("decoder", units, width, batch_size, steps))
        width = units
    products.append(_dense("output", last, last, config.drum_windows.output_depth, batch_size * steps))
    return products


def total(products: Sequence[Products]) -> int:
    """Returns the number of floating-point operations."""
    return sum(one.in_turn + one.at_once for one in products)


def seconds(products: Sequence[Products], rate: Callable[[int, bool], Rate]) -> Rate:
    """Returns the wall time and the processor time of the products in seconds.

    Args:
        products: Products from ``count``.
        rate: Function from the units of a layer, and True for one time step at a time, to a rate.
    """
    wall = cpu = 0.0
    for one in products:
        for operations, in_turn in ((one.in_turn, True), (one.at_once, False)):
            now = rate(one.units, in_turn)
            wall += operations / now.wall
            cpu += operations / now.cpu
    return Rate(wall, cpu)


def rates(measured: Mapping[tuple[int, int], Rate], batch_size: int, steps: int) -> Callable[[int, bool], Rate]:
    """Returns the function ``rate`` for ``seconds``.

    Args:
        measured: Rows and units → measured rate, for the rows of one batch and of all time steps of a batch.
        batch_size: Windows in a batch.
        steps: Time steps in a window.
    """

    def rate(units: int, in_turn: bool) -> Rate:
        one, many = measured[batch_size, units], measured[batch_size * steps, units]
        # products for all time steps can also be done one by one, if that is faster
        return one if in_turn else Rate(max(one.wall, many.wall), max(one.cpu, many.cpu))

    return rate


def _lstm(part: str, units: int, inputs: int, rows: int, steps: int, directions: int = 1) -> Products:
    """Returns the products of an LSTM layer. Only the recurrent ones wait for the time step before."""
    recurrent = 2 * rows * units * 4 * units * steps * directions
    from_inputs = 2 * rows * inputs * 4 * units * steps * directions
    # the gradient of the recurrent weights is one product over all time steps
    return Products(part, units, in_turn=(_PASSES - 1) * recurrent, at_once=recurrent + _PASSES * from_inputs)


def _dense(part: str, units: int, inputs: int, outputs: int, rows: int) -> Products:
    """Returns the product of a dense layer, at the rate of an LSTM layer with ``units`` units."""
    return Products(part, units, in_turn=0, at_once=_PASSES * 2 * rows * inputs * outputs)
