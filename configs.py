"""The configs: data, not code. Add your own here, or in a file of your own: ``--configs my_configs.py``.

``gmd-vae configs`` lists them, ``gmd-vae configs NAME`` shows every number of one. Magenta's own 23
configs need no entry here: they are reachable by their names.

A drum config is one ``VaeConfig`` (its fields are explained in ``pipeline/gmd_vae/configuration/config.py``); any
other system is one of Magenta's configs at other sizes (``at_other_sizes``). Each number has its
reason beside it or in ``source``. Most of them come from the runs this project grew
out of ("the ancestor": v1, v2 and v3 on the Groove MIDI Dataset) and from the MusicVAE paper
(Roberts et al., "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music",
ICML 2018).
"""

from dataclasses import replace
from typing import Any

from gmd_vae.configuration.config import VaeConfig
from gmd_vae.configuration.drum_windows import DrumWindows
from gmd_vae.configuration.magenta_table import STOCK_CONFIGS, StockConfig, at_other_sizes

MAGENTAS = {config.name: config for config in STOCK_CONFIGS}

# Four bars of sixteenth notes = 64 steps, a window at every bar. A pause of one bar ends a stretch
# of drums; nothing caps the windows per file (the ancestor kept 5 a file, 1,479 of 13,251).
FOUR_BARS = DrumWindows(slice_bars=4)
SIXTEEN_BARS = DrumWindows(slice_bars=16)  # 256 steps, as in the paper's Table 1

HIERDEC = VaeConfig(
    name="hierdec-drum_4bar",
    summary="4 bars, conductor over 8 half bars",
    source="the project's ancestor, v1 and v2 runs",
    windows=FOUR_BARS,
    z_size=512,
    encoder_sizes=(512, 512),
    decoder_sizes=(256, 256),
    levels=(8, 8),  # 8 segments of 8 sixteenths: a segment is half a bar
    batch_size=512,  # the ancestor's, on a GPU
    free_bits=48,  # as cat-drums_2bar_small, the stock config it started from
    max_beta=0.2,
    sampling_schedule="inverse_sigmoid",  # from teacher forcing to the model's own output
    sampling_rate=1000,  # half and half at step 6,908
)
NO_AR = replace(
    HIERDEC,
    name="hierdec-drum_4bar-no_ar",
    summary="the same, conductor as in the paper",
    source="the project's ancestor",
    conductor_autoregression=False,
)
FLAT = replace(
    HIERDEC,
    name="flat-drum_4bar",
    summary="4 bars, flat decoder",
    source="the sizes of hierdec-drum_4bar",
    levels=(),
)
V2 = replace(
    HIERDEC,
    name="hierdec-drum_4bar_v2",
    summary="half the latent size",
    source="the project's ancestor, v3 run",
    z_size=256,  # reached the same training loss as 512
)
PAPER = replace(
    NO_AR,
    name="hierdec-drum_4bar_paper",
    summary="the paper's sizes, for a GPU",
    source="a review of the MusicVAE paper that builds it from Magenta; sizes of hierdec-mel_16bar",
    encoder_sizes=(2048, 2048),
    decoder_sizes=(1024, 1024),
    batch_size=64,
    free_bits=256,
    max_beta=0.2,
    sampling_schedule="constant",
    sampling_rate=0,  # teacher forcing throughout
)

# Sized for two CPU cores, and chosen by what was learned in 280 s of one (docs/small-config.md has the trials; the
# ELBO is of the validation windows, higher is better). Before, these configs had the parents' loss.
SMALL = {
    "z_size": 64,
    "encoder_sizes": (128,),  # 256 takes so many steps from the time that the ELBO was 3 nats better, the beats worse
    "decoder_sizes": (128, 128),
    "batch_size": 32,  # twice the steps of 64 in the same time: ELBO -144 instead of -155; 16 was no better
    # Free bits are filled with noise: with 48 of them the model learned as much from z as with 9 bits of its own
    # choice, and paid for all 48. None: ELBO -121 instead of -144, with as many steps right.
    "free_bits": 0,
    "max_beta": 0.1,  # the best ELBO of 0.2, 0.1, 0.05 and 0.02 (-114.5, -113.9, -122, -131)
    "learning_rate": 0.002,  # and down to a tenth in 7,700 steps: ELBO -142.4 instead of -143.7
    "decay_rate": 0.9997,
    # Teacher forcing: with a quarter of the inputs sampled, steps took a fifth longer and beats were worse
    "sampling_schedule": "constant",
    "sampling_rate": 0,
    "num_steps": 6_000,  # minutes on 2 cores: README.md
}
BARS = (4, 16)  # 4 segments of a bar: ELBO -140 instead of the -144 of 8 half bars, and more steps right
HIERDEC_SMALL = replace(
    HIERDEC,
    name="hierdec-drum_4bar_small",
    summary="the default, for a laptop",
    source="tools/search.py",
    levels=BARS,
    **SMALL,
)
NO_AR_SMALL = replace(
    NO_AR,
    name="hierdec-drum_4bar-no_ar_small",
    summary="conductor as in the paper, for a laptop",
    source="the default's numbers",
    levels=BARS,
    **SMALL,
)
FLAT_SMALL = replace(
    FLAT,
    name="flat-drum_4bar_small",
    summary="flat decoder, for a laptop",
    source="the default's numbers",
    **SMALL,
)

HIERDEC_16 = replace(
    PAPER,
    name="hierdec-drum_16bar",
    summary="16 bars, for a GPU",
    source="the paper's Table 1; hyperparameters of Magenta's hierdec-mel_16bar",
    windows=SIXTEEN_BARS,
    levels=(16, 16),  # a segment is a bar
)
FLAT_16 = replace(
    HIERDEC_16,
    name="flat-drum_16bar",
    summary="16 bars, flat decoder, for a GPU",
    source="the paper's Table 1; hyperparameters of Magenta's flat-mel_16bar",
    decoder_sizes=(2048, 2048, 2048),
    levels=(),
)
HIERDEC_16_SMALL = replace(
    HIERDEC_16,
    name="hierdec-drum_16bar_small",
    summary="16 bars, for a laptop",
    source="the numbers of hierdec-drum_4bar_small",
    conductor_autoregression=True,  # without it the posterior collapses (docs/evaluation.md)
    **SMALL,
)
NO_AR_16_SMALL = replace(
    HIERDEC_16_SMALL,
    name="hierdec-drum_16bar-no_ar_small",
    summary="16 bars, conductor as in the paper, for a laptop",
    conductor_autoregression=False,
)
FLAT_16_SMALL = replace(
    FLAT_16,
    name="flat-drum_16bar_small",
    summary="16 bars, flat decoder, for a laptop",
    source="the numbers of hierdec-drum_4bar_small",
    **SMALL,
)


def by_the_other(parent: VaeConfig) -> VaeConfig:
    """The same model with segments of a whole bar where the parent's are half bars, or the other way round."""
    name, levels = ("half_bar", HIERDEC.levels) if parent.levels == BARS else ("bar", BARS)
    return replace(
        parent,
        name=f"{parent.name}_{name}",
        summary="segments of half a bar" if name == "half_bar" else "segments of a whole bar",
        source=f"{parent.name}; levels {levels[0]} × {levels[1]}",
        levels=levels,
    )


# Magenta's other systems for two CPU cores: docs/systems.md shows each of them. The numbers are those of SMALL, as
# long as nothing better has been measured.
SMALL_SYSTEM = {
    "z_size": 64,
    "enc_rnn_size": [128],
    "dec_rnn_size": [128, 128],
    "batch_size": 32,
    "free_bits": 0,
    "max_beta": 0.1,
    "beta_rate": 0.0,
    "learning_rate": 0.002,
    "decay_rate": 0.9997,
    "sampling_schedule": "constant",
    "sampling_rate": 0.0,
}


def small(model: str, name: str, parameters: int, **changed: Any) -> StockConfig:
    """One of Magenta's configs at the sizes above, or those given."""
    return at_other_sizes(
        model,
        name=name,
        summary=f"{MAGENTAS[model].summary.removesuffix(', large')}, for a laptop",
        source=f"{model} at the sizes of hierdec-drum_4bar_small",
        parameters=parameters,
        num_steps=6_000,
        **{**SMALL_SYSTEM, **changed},
    )


# GrooVAE's loss is small, squared errors for the most part: with SMALL's weights its best step came at 1,600 of 3,200,
# with hits F1 of 0.69 running free; with the paper's own it still got better at 3,000, with 0.72. Without Magenta's
# dropout (0.3 of the units stay) our layers compute the encoder; 0.3 of 128 units is little, and was not tried.
GROOVE = {"free_bits": 48, "max_beta": 0.2, "dropout_keep_prob": 1.0}

# With the learning rate of SMALL the trio's gradients exploded after 400 steps: to Magenta's clipping that is zero.
TRIO = {"learning_rate": 0.001}

SYSTEMS = [
    small("cat-mel_2bar_small", "cat-mel_2bar_laptop", 578_522),
    small("cat-mel_2bar_med_chords", "cat-mel_2bar_small_chords", 653_786),
    small("cat-drums_2bar_small", "cat-drums_2bar_laptop", 767_104),
    small("nade-drums_2bar_reduced", "nade-drums_2bar_reduced_small", 463_497),
    small("flat-mel_16bar", "flat-mel_16bar_small", 578_522),
    small("hierdec-mel_16bar", "hierdec-mel_16bar_small", 875_482),
    small("flat-trio_16bar", "flat-trio_16bar_small", 1_580_852, **TRIO),
    small("hierdec-trio_16bar", "hierdec-trio_16bar_small", 2_536_244, **TRIO),
    small("hier-multiperf_vel_1bar_med", "hier-multiperf_vel_1bar_small", 1_935_722),
    small("hier-multiperf_vel_1bar_med_chords", "hier-multiperf_vel_1bar_small_chords", 2_010_986),
    small("groovae_4bar", "groovae_4bar_small", 473_627, **GROOVE),
    small("groovae_2bar_humanize", "groovae_2bar_humanize_small", 473_627, **GROOVE),
    small("groovae_2bar_tap_fixed_velocity", "groovae_2bar_tap_fixed_velocity_small", 473_627, **GROOVE),
    small("groovae_2bar_add_closed_hh", "groovae_2bar_add_closed_hh_small", 473_627, **GROOVE),
    small("groovae_2bar_hits_control_tfds", "groovae_2bar_hits_control_small", 487_451, **GROOVE),
]

CONFIGS = [
    HIERDEC_SMALL,
    NO_AR_SMALL,
    FLAT_SMALL,
    HIERDEC,
    V2,
    NO_AR,
    FLAT,
    PAPER,
    by_the_other(HIERDEC_SMALL),
    by_the_other(NO_AR_SMALL),
    by_the_other(HIERDEC),
    by_the_other(V2),
    by_the_other(NO_AR),
    HIERDEC_16_SMALL,
    NO_AR_16_SMALL,
    FLAT_16_SMALL,
    HIERDEC_16,
    FLAT_16,
    *SYSTEMS,
]
