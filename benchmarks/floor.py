"""The least that a training step costs: the model's matrix products, at the rate of this machine.

Counted are the products that no rewriting can avoid. A one-hot vector picks a row of a matrix and
needs no product; what stays the same over a segment is multiplied once per segment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from gmd_vae.configuration.config import Config

# forward, then backward for the inputs and for the weights: three products of the same size
_PASSES = 3


@dataclasses.dataclass(frozen=True)
class Products:
    """Matrix products of one training step.

    Attributes:
        part: of the model.
        units: of the layer whose size they have.
        in_turn: floating point operations that wait for the time step before: ``batch`` rows at once.
        at_once: floating point operations that may be done for all time steps at once.
    """

    part: str
    units: int
    in_turn: int
    at_once: int


@dataclasses.dataclass(frozen=True)
class Rate:
    """How fast a machine multiplies: floating point operations per second of wall and of processor time."""

    wall: float
    cpu: float


def count(config: Config, batch_size: int) -> list[Products]:
    """The matrix products of one training step, part by part.

    Args:
        config: hierarchical (of two levels) or flat.
        batch_size: windows per step.
    """
    steps, width, found = config.drum_windows.steps, config.drum_windows.input_depth, []
    for units in config.hparams["enc_rnn_size"]:
        found.append(_lstm("encoder", units, width, batch_size, steps, directions=2))
        width = 2 * units
    found.append(_dense("latent", config.hparams["enc_rnn_size"][-1], width, 2 * config.hparams["z_size"], batch_size))

    first, last = config.hparams["dec_rnn_size"][0], config.hparams["dec_rnn_size"][-1]
    states, embedding, segments = 2 * sum(config.hparams["dec_rnn_size"]), config.hparams["z_size"], 1
    if config.levels:
        segments = config.levels[0]
        found.append(_dense("conductor", first, embedding, states, batch_size))
        width = 0  # a conductor without autoregression hears nothing
        if config.conductor_autoregression:
            # z, the same in every segment, and the states that the core decoder ended with
            found.append(_dense("conductor", first, embedding, 4 * first, batch_size))
            width = states
        for units in config.hparams["dec_rnn_size"]:
            found.append(_lstm("conductor", units, width, batch_size, segments))
            width = units
        embedding = last
    found.append(_dense("decoder", first, embedding, states, batch_size * segments))
    # its input: the last step's token, a row of the matrix, and the segment's embedding
    found.append(_dense("decoder", first, embedding, 4 * first, batch_size * segments))
    width = 0
    for units in config.hparams["dec_rnn_size"]:
        found.append(_lstm("decoder", units, width, batch_size, steps))
        width = units
    found.append(_dense("output", last, last, config.drum_windows.output_depth, batch_size * steps))
    return found


def total(products: Sequence[Products]) -> int:
    """All floating point operations."""
    return sum(one.in_turn + one.at_once for one in products)


def seconds(products: Sequence[Products], rate: Callable[[int, bool], Rate]) -> Rate:
    """How long the products take: seconds of wall and of processor time.

    Args:
        products: from `count`.
        rate: for layers of so many units; whether only one time step is done at once.
    """
    wall = cpu = 0.0
    for one in products:
        for operations, in_turn in ((one.in_turn, True), (one.at_once, False)):
            now = rate(one.units, in_turn)
            wall += operations / now.wall
            cpu += operations / now.cpu
    return Rate(wall, cpu)


def rates(measured: Mapping[tuple[int, int], Rate], batch_size: int, steps: int) -> Callable[[int, bool], Rate]:
    """What `seconds` asks for.

    Args:
        measured: by rows and units: a batch, and all steps of a batch.
        batch_size: windows per step of training.
        steps: time steps of a window.
    """

    def rate(units: int, in_turn: bool) -> Rate:
        one, many = measured[batch_size, units], measured[batch_size * steps, units]
        # what may be done at once may also be done in parts
        return one if in_turn else Rate(max(one.wall, many.wall), max(one.cpu, many.cpu))

    return rate


def _lstm(part: str, units: int, inputs: int, rows: int, steps: int, directions: int = 1) -> Products:
    """An LSTM layer: only its own state has to come step by step, forward and backward."""
    recurrent = 2 * rows * units * 4 * units * steps * directions
    from_inputs = 2 * rows * inputs * 4 * units * steps * directions
    # the product for the recurrent weights' gradient waits for nothing
    return Products(part, units, in_turn=(_PASSES - 1) * recurrent, at_once=recurrent + _PASSES * from_inputs)


def _dense(part: str, units: int, inputs: int, outputs: int, rows: int) -> Products:
    """A matrix of its own, as fast as that of a layer with so many units."""
    return Products(part, units, in_turn=0, at_once=_PASSES * 2 * rows * inputs * outputs)
