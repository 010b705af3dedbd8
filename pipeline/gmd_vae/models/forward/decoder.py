"""Flat and hierarchical decoders: Magenta's ``HierarchicalLstmDecoder`` over a `core_decoder.CoreDecoder`.

Conductors write an embedding for each segment, and the core its steps. An autoregressive conductor reads the states in
which the level below ended the segment before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.models.forward.core_decoder import CoreDecoder, CoreRun, Embedding
from gmd_vae.models.forward.lstm import Cell, LstmStack, StackRun, Variables, output_rows
from gmd_vae.models.forward.products import padded

Floats = npt.NDArray[np.float32]
# from the step and the outputs before their activation, ``[rows, depth]``, to the output that the next step reads
Choose: TypeAlias = Callable[[int, Floats], npt.NDArray[Any]]


class TeacherForcing:
    """The true steps in the place of the decoder's own; keeps the outputs. Called by `Decoder.decode` for each step.

    Args:
        windows: Labels, ``[rows, steps]``, or columns, ``[rows, steps, depth]``.
        depth: Columns of the outputs.

    Attributes:
        outputs: Outputs before their activation, such as logits, float32 ``[rows, steps, depth]``.
    """

    def __init__(self, windows: npt.NDArray[Any], depth: int) -> None:
        self._windows = windows
        self.outputs = np.empty((*windows.shape[:2], depth), np.float32)

    def __call__(self, step: int, outputs: Floats) -> npt.NDArray[Any]:
        """Keeps the outputs of a step, and returns its true content."""
        self.outputs[:, step] = outputs
        return self._windows[:, step]


class Conductor:
    """Weights of one level above the core.

    Args:
        variables: Variables of the model by Magenta's names.
        level: Number of the level; 0 is the top.
        layers: Number of layers.
        below: Stack of the level below, whose final states this level reads; ``None``: it reads none.
    """

    def __init__(self, variables: Variables, level: int, layers: int, below: LstmStack | None) -> None:
        scope = f"decoder/hierarchical_level_{level}"
        cells = [Cell.read(variables, f"{scope}/cell_{number}") for number in range(layers)]
        inputs = cells[0].inputs
        slot, gates = inputs[:0], None  # without autoregression the only input is 0
        if below is not None:
            states, gates = np.split(inputs, [2 * sum(below.sizes)])
            slot = _state_rows(states, below.sizes)
        self.stack = LstmStack([[cell] for cell in cells], [slot])
        first, first_bias = (variables[f"{scope}/initial_state/{part}"] for part in ("kernel", "bias"))
        self.embedding = Embedding(self.stack, first, first_bias, gates, of_stack=level > 0)


def _state_rows(weights: Floats, sizes: Sequence[int]) -> Floats:
    """Returns weights that read states ``c, h, c, h, ...``, for `StackRun.copy_states`."""
    parts = np.split(weights, np.cumsum([size for size in sizes for _ in "ch"])[:-1])
    padding = [((0, padded(len(part)) - len(part)), (0, 0)) for part in parts]
    return np.concatenate(
        [output_rows(part) if number % 2 else np.pad(part, padding[number]) for number, part in enumerate(parts)]
    )


class Decoder:
    """Weights of a decoder.

    Args:
        variables: Variables of the model by Magenta's names.
        levels: Steps of each level, the conductors first; one number for a flat decoder.
        sizes: Units of each layer, the same at all levels.
        z_size: Size of a latent vector.
        autoregressive: Conductors read the final states of the level below.
        reads_labels: The output of a step is one of several labels; False: columns.

    Attributes:
        core: The network that writes the steps.
        steps: Steps of a window.
    """

    def __init__(
        self,
        variables: Variables,
        levels: Sequence[int],
        sizes: Sequence[int],
        z_size: int,
        *,
        autoregressive: bool,
        reads_labels: bool,
    ) -> None:
        self._levels, self._autoregressive = list(levels), autoregressive
        self.steps = int(np.prod(self._levels))
        scope, embedding_size = ("core_decoder/", sizes[-1]) if len(self._levels) > 1 else ("", z_size)
        self.core = CoreDecoder(variables, scope, len(sizes), embedding_size, reads_labels=reads_labels)
        self._conductors: list[Conductor] = []
        below = self.core.stack
        for level in reversed(range(len(self._levels) - 1)):
            self._conductors.insert(0, Conductor(variables, level, len(sizes), below if autoregressive else None))
            below = self._conductors[0].stack

    def decode(self, z: Floats, choose: Choose, controls: Floats | None = None) -> None:
        """Decodes latent vectors.

        Args:
            z: Latent vectors, ``[rows, z_size]``.
            choose: Function that is called for each step in turn and returns its output.
            controls: Controls, ``[steps, rows, control_depth]``, where the model has them.
        """
        rows = len(z)
        core, step = CoreRun(self.core, rows), 0
        runs = [conductor.stack.run(rows) for conductor in self._conductors]

        def decode_level(level: int, embedding: Floats) -> StackRun:
            nonlocal step
            if level == len(runs):
                core.start(embedding)
                for _ in range(self._levels[-1]):
                    core.before = choose(step, core.step(None if controls is None else controls[step]))
                    step += 1
                return core.stack
            run = runs[level]
            added = self._conductors[level].embedding.start(run, embedding)
            run.slot[...] = 0
            for _ in range(self._levels[level]):
                run.step(*added)
                below = decode_level(level + 1, run.output[0, :rows])
                if self._autoregressive:
                    below.copy_states(run.slot[0])
            return run

        decode_level(0, np.concatenate([z, np.ones((rows, 1), np.float32)], axis=1))
