"""Magenta's own 23 configs, described without importing Magenta.

The models themselves come from the installed package (``gmd_vae.magenta.api``). This table serves ``gmd-vae configs``
and every check before the work starts. A test compares each row with
``magenta.models.music_vae.configs.CONFIG_MAP``, and the computed parameter counts with the variables that it builds.
"""

from __future__ import annotations

from typing import Any

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import DrumWindows, MagentaWindows, WindowSpec

# magenta.models.music_vae.data.FULL_DRUM_PITCH_CLASSES: General MIDI drums, one class each
_FULL_CLASSES = tuple(
    (pitch,)
    for pitch in (
        *(36, 35, 38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85, 42, 44, 54, 68, 69, 70, 71, 73, 78),
        *(80, 46, 67, 72, 74, 79, 81, 45, 29, 41, 61, 64, 84, 48, 47, 60, 63, 77, 86, 87, 50, 30, 43, 62, 76, 83),
        *(49, 55, 57, 58, 51, 52, 53, 59, 82),
    )
)

# Hyperparameters that several configs share
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
    "z_size": 512,
    "batch_size": 256,
    "dec_rnn_size": [512, 512, 512],
    "enc_rnn_size": [1024],
}
_MULTITRACK_BIG: dict[str, Any] = {
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


def _config(
    name: str, family: str, summary: str, windows: WindowSpec, hparams: dict[str, Any], **fields: Any
) -> Config:
    return Config(
        name=name,
        family=family,
        summary=summary,
        source="magenta 2.1.4",
        windows=windows,
        hparams=hparams,
        num_steps=200_000,  # the default of Magenta's music_vae_train
        magenta=name,
        **fields,
    )


MAGENTA_CONFIGS = (
    _config(
        "cat-mel_2bar_small",
        "streams",
        "2-bar melodies",
        MagentaWindows("cat-mel_2bar_small", bars=2, steps=32, parts=("melody",)),
        {
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
    _config(
        "cat-mel_2bar_big",
        "streams",
        "2-bar melodies, large",
        MagentaWindows("cat-mel_2bar_big", bars=2, steps=32, parts=("melody",)),
        {
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
    _config(
        "cat-mel_2bar_med_chords",
        "streams",
        "2-bar melodies, given chords",
        MagentaWindows("cat-mel_2bar_med_chords", bars=2, steps=32, parts=("melody",), controls="chords"),
        {
            "z_size": 256,
            "dec_rnn_size": [512, 512, 512],
            "enc_rnn_size": [1024],
        },
        augmented=True,
    ),
    _config(
        "cat-drums_2bar_small",
        "drum-labels",
        "2-bar drums",
        DrumWindows(slice_bars=2),
        {
            "z_size": 256,
            "free_bits": 48,
            "max_beta": 0.2,
            "dec_rnn_size": [256, 256],
            "enc_rnn_size": [512],
            "sampling_schedule": "inverse_sigmoid",
            "sampling_rate": 1000,
        },
    ),
    _config(
        "cat-drums_2bar_big",
        "drum-labels",
        "2-bar drums, large",
        DrumWindows(slice_bars=2),
        {
            "z_size": 512,
            "free_bits": 48,
            "max_beta": 0.2,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048],
            "sampling_schedule": "inverse_sigmoid",
            "sampling_rate": 1000,
        },
    ),
    _config(
        "nade-drums_2bar_reduced",
        "nade-drums",
        "2-bar drums, NADE output, nine classes",
        DrumWindows(slice_bars=2, roll_output=True),
        _NADE,
    ),
    _config(
        "nade-drums_2bar_full",
        "nade-drums",
        "2-bar drums, NADE output, 61 General MIDI drums",
        DrumWindows(slice_bars=2, roll_output=True, pitch_classes=_FULL_CLASSES),
        _NADE,
    ),
    _config(
        "flat-trio_16bar",
        "streams",
        "16-bar trios, flat decoder",
        MagentaWindows("flat-trio_16bar", bars=16, steps=256, parts=("melody", "bass", "drums")),
        {
            "z_size": 512,
            "batch_size": 256,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048, 2048],
        },
    ),
    _config(
        "hierdec-trio_16bar",
        "streams",
        "16-bar trios, hierarchical decoder",
        MagentaWindows("flat-trio_16bar", bars=16, steps=256, parts=("melody", "bass", "drums")),
        {
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "batch_size": 256,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [2048, 2048],
        },
        levels=(16, 16),
        conductor_autoregression=False,
    ),
    _config(
        "hier-trio_16bar",
        "streams",
        "16-bar trios, hierarchical encoder and decoder",
        MagentaWindows("flat-trio_16bar", bars=16, steps=256, parts=("melody", "bass", "drums")),
        {
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "batch_size": 256,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [1024],
        },
        encoder_levels=(16, 16),
        levels=(16, 16),
        conductor_autoregression=False,
    ),
    _config(
        "flat-mel_16bar",
        "streams",
        "16-bar melodies, flat decoder",
        MagentaWindows("flat-mel_16bar", bars=16, steps=256, parts=("melody",)),
        {
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "dec_rnn_size": [2048, 2048, 2048],
            "enc_rnn_size": [2048, 2048],
        },
    ),
    _config(
        "hierdec-mel_16bar",
        "streams",
        "16-bar melodies, hierarchical decoder",
        MagentaWindows("flat-mel_16bar", bars=16, steps=256, parts=("melody",)),
        {
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [2048, 2048],
        },
        levels=(16, 16),
        conductor_autoregression=False,
    ),
    _config(
        "hier-mel_16bar",
        "streams",
        "16-bar melodies, hierarchical encoder and decoder",
        MagentaWindows("flat-mel_16bar", bars=16, steps=256, parts=("melody",)),
        {
            "z_size": 512,
            "free_bits": 256,
            "max_beta": 0.2,
            "dec_rnn_size": [1024, 1024],
            "enc_rnn_size": [1024],
        },
        encoder_levels=(16, 16),
        levels=(16, 16),
        conductor_autoregression=False,
    ),
    _config(
        "hier-multiperf_vel_1bar_med",
        "multitrack",
        "1-bar multitrack",
        MagentaWindows("hier-multiperf_vel_1bar_med", bars=1, steps=512, parts=("events",), tracks=8),
        _MULTITRACK_MEDIUM,
        encoder_levels=(64, 8),
        levels=(8, 64),
        conductor_autoregression=False,
        augmented=True,
    ),
    _config(
        "hier-multiperf_vel_1bar_big",
        "multitrack",
        "1-bar multitrack, large",
        MagentaWindows("hier-multiperf_vel_1bar_big", bars=1, steps=512, parts=("events",), tracks=8),
        _MULTITRACK_BIG,
        encoder_levels=(64, 8),
        levels=(8, 64),
        conductor_autoregression=False,
        augmented=True,
    ),
    _config(
        "hier-multiperf_vel_1bar_med_chords",
        "multitrack",
        "1-bar multitrack, given chords",
        MagentaWindows(
            "hier-multiperf_vel_1bar_med_chords", bars=1, steps=512, parts=("events",), tracks=8, controls="chords"
        ),
        _MULTITRACK_MEDIUM,
        encoder_levels=(64, 8),
        levels=(8, 64),
        conductor_autoregression=False,
        augmented=True,
    ),
    _config(
        "hier-multiperf_vel_1bar_big_chords",
        "multitrack",
        "1-bar multitrack, large, given chords",
        MagentaWindows(
            "hier-multiperf_vel_1bar_big_chords", bars=1, steps=512, parts=("events",), tracks=8, controls="chords"
        ),
        _MULTITRACK_BIG,
        encoder_levels=(64, 8),
        levels=(8, 64),
        conductor_autoregression=False,
        augmented=True,
    ),
    _config(
        "groovae_4bar",
        "groovae",
        "GrooVAE: 4-bar drums with velocity and timing",
        MagentaWindows("groovae_4bar", bars=4, steps=64, task="play"),
        {
            "z_size": 256,
            "free_bits": 48,
            "max_beta": 0.2,
            "dec_rnn_size": [256, 256],
            "enc_rnn_size": [512],
            "dropout_keep_prob": 0.3,
        },
    ),
    _config(
        "groovae_2bar_humanize",
        "groovae",
        "GrooVAE: adds velocity and timing to a beat",
        MagentaWindows("groovae_2bar_humanize", bars=2, steps=32, task="humanize"),
        _GROOVAE_2BAR,
    ),
    _config(
        "groovae_2bar_tap_fixed_velocity",
        "groovae",
        "GrooVAE: a tapped rhythm to drums",
        MagentaWindows("groovae_2bar_tap_fixed_velocity", bars=2, steps=32, task="tap"),
        _GROOVAE_2BAR,
    ),
    _config(
        "groovae_2bar_tap_fixed_velocity_note_dropout",
        "groovae",
        "GrooVAE: a tapped rhythm with gaps to drums",
        MagentaWindows("groovae_2bar_tap_fixed_velocity_note_dropout", bars=2, steps=32, task="tap"),
        _GROOVAE_2BAR,
    ),
    _config(
        "groovae_2bar_add_closed_hh",
        "groovae",
        "GrooVAE: adds a closed hi-hat",
        MagentaWindows("groovae_2bar_add_closed_hh", bars=2, steps=32, task="add", added=(2,)),
        _GROOVAE_2BAR,
    ),
    _config(
        "groovae_2bar_hits_control_tfds",
        "groovae",
        "GrooVAE: velocity and timing, given the hits",
        MagentaWindows("groovae_2bar_hits_control_tfds", bars=2, steps=32, controls="hits", task="follow"),
        _GROOVAE_2BAR,
    ),
)
