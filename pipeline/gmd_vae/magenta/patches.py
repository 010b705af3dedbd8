"""Repairs faults of the installed Magenta (2.1.4). ``gmd_vae.magenta.api`` calls `repair` once.

Only Magenta's own functions and tables change, never TensorFlow's or NumPy's. For each patch, the docstring names the
fault, the line of Magenta and the expiry test in ``tests/magenta/test_patches.py``. An expiry test fails without the
patch, and also when the installed Magenta no longer has the fault: then remove the patch.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.common.latent_points import slerp

Module: TypeAlias = Any  # a module whose functions are replaced


def repair(
    *,
    configs: Module,
    data: Module,
    data_hierarchical: Module,
    lstm_utils: Module,
    trained_model: Module,
) -> None:
    """Applies all patches to the modules of ``magenta.models.music_vae`` with these names. Call it once."""
    separate_config_objects(configs)
    preserve_hyperparameters(lstm_utils)
    replace_unbatch(data)
    accept_ragged_controls(data_hierarchical)
    interpolate_equal_points(trained_model)


def separate_config_objects(configs: Module) -> None:
    """Gives every config its own model, converter and hyperparameters.

    Fault: six configs share two converters. ``set_mode`` or another cap of windows for one config changes the others.
    Magenta: ``configs.py``, lines 240 and 337 (``trio_16bar_converter``, ``mel_16bar_converter``).
    Expiry test: ``test_configs_share_no_objects``.
    """
    for name, config in configs.CONFIG_MAP.items():
        configs.CONFIG_MAP[name] = copy.deepcopy(config)


def preserve_hyperparameters(lstm_utils: Module) -> None:
    """Preserves the caller's hyperparameters when a model with scheduled sampling is built for evaluation.

    Fault: Magenta overwrites the schedule with "constant, 1.0". A model trained with the same object afterwards reads
    only its own output.
    Magenta: ``lstm_utils.py``, lines 140 and 141, in ``get_sampling_probability``.
    Expiry test: ``test_hyperparameters_are_preserved_in_evaluation``.
    """
    get_sampling_probability: Callable[..., Any] = lstm_utils.get_sampling_probability

    def with_copy(hparams: Any, is_training: bool) -> Any:
        return get_sampling_probability(copy.copy(hparams), is_training)

    lstm_utils.get_sampling_probability = with_copy


def replace_unbatch(data: Module) -> None:
    """Replaces ``Dataset.unbatch`` in ``get_dataset``, by a change of the function's source.

    Fault: TensorFlow 2.16 to 2.21 ends with a segmentation fault (exit code 139) if a component has a dimension of
    size 0. The controls of every config without controls have one.
    Magenta: ``data.py``, line 1869, in ``get_dataset``.
    Expiry test: ``test_tensorflow_still_crashes_on_unbatch_of_size_0``.
    """
    source = inspect.getsource(data.get_dataset)
    call = "dataset.unbatch()"
    if source.count(call) != 1:  # another version of Magenta: do not rewrite its source
        return
    source = source.replace(call, "dataset.flat_map(lambda *batch: tf.data.Dataset.from_tensor_slices(batch))")
    first_line = inspect.getsourcelines(data.get_dataset)[1]
    # empty lines before the source keep the line numbers in tracebacks
    exec(compile("\n" * (first_line - 1) + source, data.__file__ or "", "exec"), data.__dict__)


def accept_ragged_controls(data_hierarchical: Module) -> None:
    """Accepts control sequences of different lengths, so that the configs with tracks and chords have windows.

    Fault: ``np.size`` tests for the presence of controls. Theirs are a list with one array per track, of different
    lengths, which NumPy 2 does not convert to an array. An object with a ``size`` needs no conversion.
    Magenta: ``data_hierarchical.py``, line 222, in ``hierarchical_pad_tensors``.
    Expiry test: ``test_tracks_of_different_lengths_with_chords_are_converted``.
    """
    pad: Callable[..., Any] = data_hierarchical.hierarchical_pad_tensors

    def pad_sized(tensors: Any, *arguments: Any, **more: Any) -> Any:
        controls = [_Sized(control) if isinstance(control, list) else control for control in tensors.controls]
        return pad(tensors._replace(controls=controls), *arguments, **more)

    data_hierarchical.hierarchical_pad_tensors = pad_sized


class _Sized(list[Any]):
    """List with the attribute that ``np.size`` reads."""

    @property
    def size(self) -> int:
        return len(self)


def interpolate_equal_points(trained_model: Module) -> None:
    """Interpolates between sequences with equal latent vectors, with `latent_points.slerp`.

    Fault: the angle between the vectors is 0, and Magenta divides by its sine. Every window is decoded from NaN.
    Magenta: ``trained_model.py``, line 383, in ``TrainedModel.interpolate``.
    Expiry test: ``test_interpolation_between_equal_sequences``.
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
        """Interpolates between two NoteSequences, with the arguments of Magenta's method."""
        _, means, _ = self.encode([start_sequence, end_sequence], assert_same_length)
        start, end = (np.asarray(mean, np.float32) for mean in means)
        path: npt.NDArray[np.float32] = slerp(start, end, num_steps)
        decoded: list[Any] = self.decode(z=path, length=length, temperature=temperature)
        return decoded

    trained_model.TrainedModel.interpolate = interpolate
