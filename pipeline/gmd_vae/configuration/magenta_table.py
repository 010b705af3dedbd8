"""Magenta's own 23 configs, described without importing Magenta.

The models themselves come from the installed package (``gmd_vae.magenta.api``). This table is
what ``gmd-vae configs`` and every check before the work starts need; a test holds each row equal to
``magenta.models.music_vae.configs.CONFIG_MAP``, the parameter counts to the variables it builds.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.configuration.config import HPARAM_DEFAULTS
from gmd_vae.configuration.drum_windows import DrumWindows

# magenta.models.music_vae.data.FULL_DRUM_PITCH_CLASSES: General MIDI drums, one class each
_FULL_CLASSES = tuple(
    (pitch,)
    for pitch in (
        *(36, 35, 38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85, 42, 44, 54, 68, 69, 70, 71, 73, 78),
        *(80, 46, 67, 72, 74, 79, 81, 45, 29, 41, 61, 64, 84, 48, 47, 60, 63, 77, 86, 87, 50, 30, 43, 62, 76, 83),
        *(49, 55, 57, 58, 51, 52, 53, 59, 82),
    )
)


# what comes after flat-, hierdec- and hier- in the names of configs that share a converter
_ONE_CONVERTER = ("mel_16bar", "trio_16bar")


@dataclasses.dataclass(frozen=True)
class StockConfig:
    """One of Magenta's configs, or one of ours with a model of Magenta's at other sizes.

    Attributes:
        name: its name in ``CONFIG_MAP``.
        summary: one line for ``gmd-vae configs``.
        needs: the music it learns from.
        parameters: trainable parameters.
        changed: the hyperparameters that differ from Magenta's defaults.
        windows: how its windows are cut, where we do that ourselves (``DrumsConverter``); ``None``:
            Magenta's own converter cuts them.
        augmented: whether Magenta transposes its training data at random.
        source: where the numbers come from.
        num_steps: how long ``gmd-vae train`` trains unless told otherwise.
        sized_from: of a config of ours: the one of Magenta's whose model it is at other sizes.
    """

    name: str
    summary: str
    needs: str
    parameters: int
    changed: dict[str, Any]
    windows: DrumWindows | None = None
    augmented: bool = False
    source: str = "magenta 2.1.4"
    num_steps: int = 200_000  # the default of Magenta's music_vae_train
    sized_from: str = ""

    @property
    def model(self) -> str:
        """The name in ``CONFIG_MAP`` of the model and the converter that it has."""
        return self.sized_from or self.name

    @property
    def converter(self) -> str:
        """The first of Magenta's configs with the same converter: examples cut for one fit all of them."""
        family = self.model.partition("-")[2]
        return f"flat-{family}" if family in _ONE_CONVERTER else self.model

    @property
    def hparams(self) -> dict[str, Any]:
        """Every hyperparameter by Magenta's name."""
        return {**HPARAM_DEFAULTS, **self.changed}


# hyperparameters that several configs share
_NADE: dict[str, Any] = {
    "z_size": 256,
    "free_bits": 48,
    "max_beta": 0.2,
    "dec_rnn_size": [512, 512],
    "enc_rnn_size": [1024],
    "sampling_schedule": "inverse_sigmoid",
    "sampling_rate": 1000,
    "nade_num_hidden": 128,
}
_MULTITRACK_MEDIUM: dict[str, Any] = {
    "max_seq_len": 512,
    "z_size": 512,
    "batch_size": 256,
    "dec_rnn_size": [512, 512, 512],
    "enc_rnn_size": [1024],
}
_MULTITRACK_BIG: dict[str, Any] = {
    "max_seq_len": 512,
    "z_size": 512,
    "batch_size": 256,
    "dec_rnn_size": [1024, 1024, 1024],
    "enc_rnn_size": [2048],
}
_GROOVAE_2BAR: dict[str, Any] = {
    "z_size": 256,
    "free_bits": 48,
    "max_beta": 0.2,
    "dec_rnn_size": [256, 256],
    "enc_rnn_size": [512],
    "dropout_keep_prob": 0.3,
}

STOCK_CONFIGS = (
    StockConfig(
        "cat-mel_2bar_small",
        "2-bar melodies",
        needs="melody",
        parameters=4_423_770,
        changed={
            "z_size": 256,
            "max_beta": 0.2,
            "beta_rate": 0.99999,
            "dec_rnn_size": [256, 256],
            "enc_rnn_size": [512],
            "sampling_schedule": "inverse_sigmoid",
            "sampling_rate": 1000,
        },
        augmented=True,
    ),
    StockConfig(
        "cat-mel_2bar_big",
        "2-bar melodies, large",
        needs="melody",
        parameters=134_571_098,
        changed={
            "z_size": 512,
            "max_beta": 0.5,
            "beta_rate": 0.99999,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048],
            "sampling_schedule": "inverse_sigmoid",
            "sampling_rate": 1000,
        },
        augmented=True,
    ),
    StockConfig(
        "cat-mel_2bar_med_chords",
        "2-bar melodies, given chords",
        needs="melody",
        parameters=17_478_234,
        changed={"z_size": 256, "dec_rnn_size": [512, 512, 512], "enc_rnn_size": [1024]},
        augmented=True,
    ),
    StockConfig(
        "cat-drums_2bar_small",
        "2-bar drums",
        needs="drums",
        parameters=4_636_672,
        changed={
            "z_size": 256,
            "free_bits": 48,
            "max_beta": 0.2,
            "dec_rnn_size": [256, 256],
            "enc_rnn_size": [512],
            "sampling_schedule": "inverse_sigmoid",
            "sampling_rate": 1000,
        },
        windows=DrumWindows(slice_bars=2),
    ),
    StockConfig(
        "cat-drums_2bar_big",
        "2-bar drums, large",
        needs="drums",
        parameters=137_582_080,
        changed={
            "z_size": 512,
            "free_bits": 48,
            "max_beta": 0.2,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048],
            "sampling_schedule": "inverse_sigmoid",
            "sampling_rate": 1000,
        },
        windows=DrumWindows(slice_bars=2),
    ),
    StockConfig(
        "nade-drums_2bar_reduced",
        "2-bar drums, NADE output, nine classes",
        needs="drums",
        parameters=13_819_273,
        changed=_NADE,
        windows=DrumWindows(slice_bars=2, roll_output=True),
    ),
    StockConfig(
        "nade-drums_2bar_full",
        "2-bar drums, NADE output, 61 General MIDI drums",
        needs="drums",
        parameters=14_391_741,
        changed=_NADE,
        windows=DrumWindows(slice_bars=2, roll_output=True, pitch_classes=_FULL_CLASSES),
    ),
    StockConfig(
        "flat-trio_16bar",
        "16-bar trios, flat decoder",
        needs="melody, bass and drums",
        parameters=251_279_028,
        changed={
            "max_seq_len": 256,
            "z_size": 512,
            "batch_size": 256,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048, 2048],
        },
    ),
    StockConfig(
        "hierdec-trio_16bar",
        "16-bar trios, hierarchical decoder",
        needs="melody, bass and drums",
        parameters=230_975_156,
        changed={
            "max_seq_len": 256,
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "batch_size": 256,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [2048, 2048],
        },
    ),
    StockConfig(
        "hier-trio_16bar",
        "16-bar trios, hierarchical encoder and decoder",
        needs="melody, bass and drums",
        parameters=122_529_460,
        changed={
            "max_seq_len": 256,
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "batch_size": 256,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [1024],
        },
    ),
    StockConfig(
        "flat-mel_16bar",
        "16-bar melodies, flat decoder",
        needs="melody",
        parameters=235_250_778,
        changed={
            "max_seq_len": 256,
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048, 2048],
        },
    ),
    StockConfig(
        "hierdec-mel_16bar",
        "16-bar melodies, hierarchical decoder",
        needs="melody",
        parameters=176_061_530,
        changed={
            "max_seq_len": 256,
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [2048, 2048],
        },
    ),
    StockConfig(
        "hier-mel_16bar",
        "16-bar melodies, hierarchical encoder and decoder",
        needs="melody",
        parameters=72_547_418,
        changed={
            "max_seq_len": 256,
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [1024],
        },
    ),
    StockConfig(
        "hier-multiperf_vel_1bar_med",
        "1-bar multitrack",
        needs="several instruments",
        parameters=55_638_506,
        changed=_MULTITRACK_MEDIUM,
        augmented=True,
    ),
    StockConfig(
        "hier-multiperf_vel_1bar_big",
        "1-bar multitrack, large",
        needs="several instruments",
        parameters=204_598_762,
        changed=_MULTITRACK_BIG,
        augmented=True,
    ),
    StockConfig(
        "hier-multiperf_vel_1bar_med_chords",
        "1-bar multitrack, given chords",
        needs="several instruments",
        parameters=56_140_266,
        changed=_MULTITRACK_MEDIUM,
        augmented=True,
    ),
    StockConfig(
        "hier-multiperf_vel_1bar_big_chords",
        "1-bar multitrack, large, given chords",
        needs="several instruments",
        parameters=205_602_282,
        changed=_MULTITRACK_BIG,
        augmented=True,
    ),
    StockConfig(
        "groovae_4bar",
        "GrooVAE: 4-bar drums with velocity and timing",
        needs="drums",
        parameters=4_085_019,
        changed={
            "max_seq_len": 64,
            "z_size": 256,
            "free_bits": 48,
            "max_beta": 0.2,
            "dec_rnn_size": [256, 256],
            "enc_rnn_size": [512],
            "dropout_keep_prob": 0.3,
        },
    ),
    StockConfig(
        "groovae_2bar_humanize",
        "GrooVAE: adds velocity and timing to a beat",
        needs="drums",
        parameters=4_085_019,
        changed=_GROOVAE_2BAR,
    ),
    StockConfig(
        "groovae_2bar_tap_fixed_velocity",
        "GrooVAE: a tapped rhythm to drums",
        needs="drums",
        parameters=4_085_019,
        changed=_GROOVAE_2BAR,
    ),
    StockConfig(
        "groovae_2bar_tap_fixed_velocity_note_dropout",
        "GrooVAE: a tapped rhythm with gaps to drums",
        needs="drums",
        parameters=4_085_019,
        changed=_GROOVAE_2BAR,
    ),
    StockConfig(
        "groovae_2bar_add_closed_hh",
        "GrooVAE: adds a closed hi-hat",
        needs="drums",
        parameters=4_085_019,
        changed=_GROOVAE_2BAR,
    ),
    StockConfig(
        "groovae_2bar_hits_control_tfds",
        "GrooVAE: velocity and timing, given the hits",
        needs="drums",
        parameters=4_131_099,
        changed=_GROOVAE_2BAR,
    ),
)

_BY_NAME = {stock.name: stock for stock in STOCK_CONFIGS}


def at_other_sizes(
    model: str, /, *, name: str, summary: str, source: str, parameters: int, num_steps: int, **changed: Any
) -> StockConfig:
    """A config of ours: one of Magenta's with other hyperparameters.

    Args:
        model: the name of Magenta's.
        name: its own.
        summary: one line for ``gmd-vae configs``.
        source: where the numbers come from.
        parameters: trainable parameters; a test counts them.
        num_steps: how long to train.
        changed: hyperparameters by Magenta's names.
    """
    stock = _BY_NAME[model]
    return dataclasses.replace(
        stock,
        name=name,
        summary=summary,
        source=source,
        parameters=parameters,
        num_steps=num_steps,
        changed={**stock.changed, **changed},
        sized_from=model,
    )
