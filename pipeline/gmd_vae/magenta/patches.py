"""Faults of the installed Magenta, repaired where it comes in: ``gmd_vae.magenta.api`` calls ``repair`` once.

Only Magenta's own functions and tables are changed, never TensorFlow's or NumPy's. Each repair has a test that fails
without it, and one that fails when Magenta no longer needs it (``tests/models/test_faults.py``).
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.common.latent_points import slerp

Module: TypeAlias = Any  # one whose functions are replaced


def repair(
    *,
    configs: Module,
    data: Module,
    data_hierarchical: Module,
    lstm_utils: Module,
    trained_model: Module,
) -> None:
    """Repairs all that is known to be wrong in Magenta's modules of these names. Call it once."""
    unshare_configs(configs)
    keep_hyperparameters(lstm_utils)
    unbatch_without_a_crash(data)
    count_ragged_controls(data_hierarchical)
    interpolate_between_equals(trained_model)


def unshare_configs(configs: Module) -> None:
    """Gives every config a model, a converter and hyperparameters of its own.

    Six configs share two converters: ``set_mode`` or another cap of windows for one of them changes the others.
    ``build_config`` hands out a copy of what is here for each use, because Magenta also changes them in use.
    """
    for name, config in configs.CONFIG_MAP.items():
        configs.CONFIG_MAP[name] = copy.deepcopy(config)


def keep_hyperparameters(lstm_utils: Module) -> None:
    """Leaves the caller's hyperparameters as they are when a model with scheduled sampling is built to be evaluated.

    Magenta writes "constant, 1.0" into them: whoever trains with them afterwards trains on the model's own output.
    """
    get_sampling_probability: Callable[..., Any] = lstm_utils.get_sampling_probability

    def of_a_copy(hparams: Any, is_training: bool) -> Any:
        return get_sampling_probability(copy.copy(hparams), is_training)

    lstm_utils.get_sampling_probability = of_a_copy


def unbatch_without_a_crash(data: Module) -> None:
    """Lets ``get_dataset`` take batches apart by other means than ``Dataset.unbatch``.

    TensorFlow 2.16 to 2.21 dies of a segmentation fault (exit code 139) where a component has a dimension of size 0,
    as the controls of every config without controls have. The one call is replaced in the function's source.
    """
    source = inspect.getsource(data.get_dataset)
    call = "dataset.unbatch()"
    if source.count(call) != 1:  # of another Magenta: not ours to rewrite
        return
    source = source.replace(call, "dataset.flat_map(lambda *batch: tf.data.Dataset.from_tensor_slices(batch))")
    first = inspect.getsourcelines(data.get_dataset)[1]
    # the lines keep their numbers, for tracebacks
    exec(compile("\n" * (first - 1) + source, data.__file__ or "", "exec"), data.__dict__)


def count_ragged_controls(data_hierarchical: Module) -> None:
    """Lets the configs with tracks and chords have windows.

    ``hierarchical_pad_tensors`` asks ``np.size`` whether a window has controls. Theirs are a list of a bar's tracks,
    arrays of different lengths; NumPy 2 makes no array of that, but asks an object that knows its own size.
    """
    pad: Callable[..., Any] = data_hierarchical.hierarchical_pad_tensors

    def pad_sized(tensors: Any, *arguments: Any, **more: Any) -> Any:
        controls = [_Sized(control) if isinstance(control, list) else control for control in tensors.controls]
        return pad(tensors._replace(controls=controls), *arguments, **more)

    data_hierarchical.hierarchical_pad_tensors = pad_sized


class _Sized(list[Any]):
    """A list that ``np.size`` needs not make an array of."""

    @property
    def size(self) -> int:
        return len(self)


def interpolate_between_equals(trained_model: Module) -> None:
    """Lets ``TrainedModel.interpolate`` walk between sequences with equal latent vectors.

    Magenta divides the sine of their angle, 0, by itself: every window is decoded from NaN. Ours: `latents.slerp`.
    """

    def interpolate(
        self: Any,
        start_sequence: Any,
        end_sequence: Any,
        num_steps: int,
        length: int | None = None,
        temperature: float = 1.0,
        assert_same_length: bool = True,
    ) -> list[Any]:
        """As Magenta's; see there."""
        _, means, _ = self.encode([start_sequence, end_sequence], assert_same_length)
        start, end = (np.asarray(mean, np.float32) for mean in means)
        path: npt.NDArray[np.float32] = slerp(start, end, num_steps)
        decoded: list[Any] = self.decode(z=path, length=length, temperature=temperature)
        return decoded

    trained_model.TrainedModel.interpolate = interpolate
