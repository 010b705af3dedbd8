"""Hyperparameters of gmd-vae beside Magenta's: levers of training and playing, each off by default.

They stand in ``Config.hparams`` with Magenta's, and are given, checked and recorded in the same way. Magenta's
``HParams`` never hold them (``magenta.api.magenta_hparams``), so a model trained with them is one of Magenta's.

A new one is an entry of ``LEVERS`` here and its range in ``limits.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gmd_vae.families import family_of

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config


class Lever(NamedTuple):
    """A hyperparameter of gmd-vae.

    Attributes:
        off: Value without an effect, the default. Its type is the type that ``--hparams`` accepts.
        effect: Effect of other values, in one line for ``gmd-vae configs NAME``.
    """

    off: Any
    effect: str


DRUM_LEVERS = (
    "mix_windows",
    "mix_bars",
    "replace_bars",
    "swap_voices",
    "drop_voices",
)  # in the order in which they change a window
PLAYING_LEVERS = ("widen_velocities", "raise_full_velocities", "widen_timing")  # of the target of a GrooVAE
FULL_VELOCITY = "full_velocity_from"
GROOVE_LEVERS = (*PLAYING_LEVERS, FULL_VELOCITY)
PLANNED = ("cosine", "cooldown")  # schedules of the learning rate that end with the run
LEVERS: dict[str, Lever] = {
    # The weights of single steps are noisy at a constant learning rate; their average generalises better.
    "average_decay": Lever(
        0.0, "the model is a moving average of the weights, which keeps this share of itself at each step"
    ),
    # Adam's first steps are large, since its second moments rest on few gradients.
    "warm_up_steps": Lever(0, "steps in which the learning rate rises linearly from 0"),
    # Magenta's rate falls to the same value whatever the length of a run; a short run ends at a high one.
    "learning_rate_schedule": Lever(
        "exponential",
        "'cosine': the learning rate falls to min_learning_rate over the run; 'cooldown': in its last fifth",
    ),
    # A decoder that reads its own past needs no z at first: with the full β the KL divergence falls to 0 and stays.
    "beta_warm_up_steps": Lever(0, "steps in which β rises linearly from 0 to max_beta"),
    # Free bits help at the start, and cost likelihood at the end.
    "free_bits_until": Lever(0, "step at which the free bits, which decline linearly from the first step, reach 0"),
    # With β below 1 the ELBO, which weighs the KL divergence with 1, is best long before the loss is.
    "best_by": Lever("elbo", "'objective': best/ keeps the checkpoint with the lowest reconstruction + max_beta × KL"),
    # Few drummers recorded the music. Voices that played together in no window make the model learn each by itself.
    "mix_windows": Lever(0.0, "probability that the drums of a window are mixed with those of another one"),
    # In most windows the bars are alike: a model learns first to write one bar four times, and stays there for long.
    "mix_bars": Lever(0.0, "probability that half of the bars of a window are replaced by bars of another window"),
    # A model that has seen a window a hundred times can write it from memory; with other bars it has to read z.
    "replace_bars": Lever(0.0, "probability that bars of a window are replaced by other bars of the window"),
    "drop_voices": Lever(0.0, "probability that voices of a window are dropped"),
    # Drummers keep time on the hi-hat or on the ride, and accent with the open hi-hat or the crash.
    "swap_voices": Lever(
        0.0, "probability that closed hi-hat and ride are swapped, open hi-hat and crash, and the toms; each by itself"
    ),
    # Music in all keys, as in Magenta's configs of melodies and multitrack
    "transpose": Lever(0, "a window is transposed by at most so many semitones up or down"),
    # A decoder that reads its own past needs z less; in generation its past is its own (Bowman et al. 2016).
    "blank_inputs": Lever(0.0, "probability that the decoder does not read the step before"),
    # A squared error teaches the mean of what drummers play, which varies less than they do.
    "widen_velocities": Lever(0.0, "velocities of the target lie farther from the window's mean, by this part"),
    # A pad gives 127 for every stroke from some force on, so 127 means "127 or more".
    "raise_full_velocities": Lever(0.0, "velocities of 127 in the target are louder by this part of 127"),
    "widen_timing": Lever(0.0, "timing offsets of the target lie farther from the window's mean, by this part"),
    # The output layer, a sigmoid, comes near 127 only slowly.
    FULL_VELOCITY: Lever(1.0, "velocities from this part of 127 on are played as 127"),
    # With β below 1 the posteriors lie far from N(0, I), and beats of z from there are unlike the music.
    "prior_components": Lever(
        0, "training windows of the density that is fitted to their z at the end, to sample from"
    ),
}
# The levers of the training input: changes of the windows, in training graphs alone
INPUT_LEVERS = (*DRUM_LEVERS, "transpose", "blank_inputs", *PLAYING_LEVERS)
OWN_HPARAMS: dict[str, Any] = {name: lever.off for name, lever in LEVERS.items()}


def complete(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Returns hyperparameters with the levers that they lack, off: those of models and runs of earlier versions."""
    return {**hparams, **{name: off for name, off in OWN_HPARAMS.items() if name not in hparams}}


def magentas(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Magenta's hyperparameters alone."""
    return {name: value for name, value in hparams.items() if name not in OWN_HPARAMS}


def without_off(hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Returns hyperparameters without the levers that are off, for files that earlier versions may read."""
    return {name: value for name, value in hparams.items() if name not in OWN_HPARAMS or value != OWN_HPARAMS[name]}


def check_levers(config: Config, hparams: Mapping[str, Any]) -> None:
    """Checks that the levers of the training input and of playing that are on fit the config's music.

    Args:
        config: The config.
        hparams: All hyperparameters.

    Raises:
        ValueError: One does not fit; the text names it and the reason.
    """
    for name in (*INPUT_LEVERS, FULL_VELOCITY):
        if hparams[name] != OWN_HPARAMS[name] and (reason := family_of(config).unfit_lever(config, name)):
            raise ValueError(f"{name}={hparams[name]} does not fit config '{config.name}': {reason}")
