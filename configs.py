"""The configs as plain data. Add yours here, or in a file of your own (``--configs my_configs.py``).

``gmd-vae configs`` lists all configs; ``gmd-vae configs NAME`` shows every number of one. Magenta's own 23 configs need
no entry here: use their names with ``--config``.

``pipeline/gmd_vae/configuration/config.py`` explains the fields. ``replace`` returns a copy with other fields or
hyperparameters (Magenta's by its names, and the levers of ``own_hparams.py``). The reason for each number is beside it
or in ``source``. Most numbers come from the project that this one grew out of ("the previous project", with runs v1 to
v3 on the Groove MIDI Dataset), and from the MusicVAE paper (Roberts et al., ICML 2018).
"""

from typing import Any

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.window_specs import DrumWindows, MagentaWindows

__all__ = ["CONFIGS", "FLAT_SMALL", "HIERDEC_SMALL", "DrumWindows"]  # public (docs/versions.md)

# Four bars of sixteenth notes = 64 steps, a window at every bar. A pause of one bar ends a stretch of drums. All
# windows of a file are used (the previous project used at most 5 of each file, 1,479 of 13,251).
FOUR_BARS, SIXTEEN_BARS = DrumWindows(slice_bars=4), DrumWindows(slice_bars=16)  # 16: as in the paper's Table 1
ONE_BAR, TWO_BARS = DrumWindows(slice_bars=1), DrumWindows(slice_bars=2)  # loops of drum machines and sample packs
# A bar of 3/4 and one of 6/8 have three quarter notes, 12 sixteenths: the windows are the same, and either config takes
# the music of both. The time signature is the one of generated files; in 6/8 a beat is a dotted quarter note.
WALTZ = DrumWindows(slice_bars=4, quarters_per_bar=3)
SIX_EIGHT = DrumWindows(slice_bars=4, quarters_per_bar=3, time_signature=(6, 8))
# Shuffle, swing and 12/8 feel written in 4/4: a swung eighth note lies on the third of three steps, and the step of a
# triplet (a third of a beat) is as coarse as drummers are exact. Four bars are 48 steps, fewer than in sixteenths.
SHUFFLE = DrumWindows(slice_bars=4, steps_per_quarter=3)
# Sixteenths (every 3rd step) and triplets (every 4th) in one grid: 12 is the smallest number of steps that has both.
# Two bars are 96 steps, half as many again as the default's four. A step lasts 42 ms at 120 bpm, as long as drummers
# are off the beat: for quantised music; played music scatters over neighbouring steps.
TRIPLETS = DrumWindows(slice_bars=2, steps_per_quarter=12)

HIERDEC = Config(
    name="hierdec-drum_4bar",
    family="drum-labels",
    summary="4 bars, conductor over 8 half bars",
    source="the project before gmd-vae, its runs v1 and v2",
    windows=FOUR_BARS,
    levels=(8, 8),  # 8 segments of 8 sixteenths: a segment is half a bar
    hparams={
        "z_size": 512,
        "enc_rnn_size": [512, 512],
        "dec_rnn_size": [256, 256],
        "batch_size": 512,  # for a GPU, as in the previous project
        "free_bits": 48,  # as in cat-drums_2bar_small, the config of Magenta's that the previous project began with
        "max_beta": 0.2,
        "sampling_schedule": "inverse_sigmoid",  # from teacher forcing to the model's own output
        "sampling_rate": 1000,  # the probability is one half at step 6,908
    },
)
NO_AR = HIERDEC.replace(
    name="hierdec-drum_4bar-no_ar",
    summary="as hierdec-drum_4bar, conductor not autoregressive, as in the paper",
    source="the project before gmd-vae",
    conductor_autoregression=False,
)
FLAT = HIERDEC.replace(
    name="flat-drum_4bar",
    summary="4 bars, flat decoder",
    source="the sizes of hierdec-drum_4bar",
    levels=(),
)
V2 = HIERDEC.replace(
    name="hierdec-drum_4bar_v2",
    summary="as hierdec-drum_4bar, z_size 256 in place of 512",
    source="the project before gmd-vae, its run v3",
    z_size=256,  # reached the same training loss as 512
)
PAPER = NO_AR.replace(
    name="hierdec-drum_4bar_paper",
    summary="4 bars, the sizes of the MusicVAE paper, for a GPU",
    source="a review of the MusicVAE paper that builds it from Magenta; sizes of hierdec-mel_16bar",
    enc_rnn_size=[2048, 2048],
    dec_rnn_size=[1024, 1024],
    batch_size=64,
    free_bits=256,
    max_beta=0.2,
    sampling_schedule="constant",
    sampling_rate=0,  # teacher forcing throughout
)

# Sizes for two CPU cores, for the likelihood. The values were chosen by trials of 280 seconds on one core
# (docs/small-config.md; the ELBO is that of the validation windows, higher is better). The starting point was the loss
# of the larger configs.
SMALL: dict[str, Any] = {
    "z_size": 64,
    "enc_rnn_size": [128],  # 256: ELBO 3 nats better, samples worse, as fewer steps fit into the time
    "dec_rnn_size": [128, 128],
    "batch_size": 32,  # twice the steps of 64 in the same time: ELBO -144 instead of -155; 16 was no better
    # Free bits are filled with noise: with 48 the model used all of them, with 0 it used 9 bits, at the same step
    # accuracy. The ELBO was -121 with 0 instead of -144 with 48.
    "free_bits": 0,
    "max_beta": 0.1,  # best ELBO of 0.2, 0.1, 0.05 and 0.02 (-114.5, -113.9, -122, -131)
    "learning_rate": 0.002,  # decays to a tenth in 7,700 steps: ELBO -142.4 instead of -143.7
    "decay_rate": 0.9997,
    # Teacher forcing: with a quarter of the inputs sampled, a step took a fifth longer and samples were worse
    "sampling_schedule": "constant",
    "sampling_rate": 0,
    "num_steps": 6_000,  # the best ELBO is at step 4,500 to 5,800
}
BARS = (4, 16)  # 4 segments of a bar: ELBO -140 instead of -144 for 8 half bars, and a better step accuracy

# z still learns when a short run ends: with a cosine the default's validation loss (seed 0) was 69.6 nats, not 55.1
AVERAGED: dict[str, Any] = {
    "learning_rate_schedule": "cooldown",
    "warm_up_steps": 200,
    "average_decay": 0.999,  # the average over about 1,000 steps
}

# The default's numbers, and the levers that own_hparams.py explains. SMALL has a better likelihood, these have better
# reconstructions: z holds seven times the bits (223 instead of 31). docs/small-config.md has the trials.
RECONSTRUCTION: dict[str, Any] = {
    **SMALL,
    "z_size": 128,  # the KL divergence reaches 220 bits in 16,000 steps
    "max_beta": 0.03,  # with SMALL's 0.1, z holds 31 bits: too few for four bars
    "learning_rate": 0.003,  # 0.004 was worse than 0.002; 0.002 and 0.003 were not compared alone
    **AVERAGED,
    "best_by": "objective",  # with this β the ELBO is best at an eighth of the run
    # 13,207 windows that overlap, of ten drummers: the changes make other ones of them in every step. With about half
    # as many, nothing was gained.
    "mix_windows": 0.5,
    "mix_bars": 0.4,
    "replace_bars": 0.1,
    "swap_voices": 0.2,
    "drop_voices": 0.3,
    "blank_inputs": 0.4,  # 60 and 80 % were no better in so few steps
    "prior_components": 1000,  # samples at temperature 1 are as far from the training windows as validation music is
    "num_steps": 16_000,  # docs/first-model.md has the minutes on 2 cores
}
HIERDEC_SMALL = NO_AR.replace(
    name="hierdec-drum_4bar_small",
    summary="the default: 4 bars, conductor over 4 bars, for a laptop",
    source="trials on two CPU cores (documentation: How the small configs were chosen)",
    levels=BARS,
    **RECONSTRUCTION,
)
# The default until version 0.12. With the numbers above, this conductor is no better step for step than the paper's,
# and a step takes a quarter longer.
AR_SMALL = HIERDEC.replace(
    name="hierdec-drum_4bar-ar_small",
    summary="4 bars, autoregressive conductor; for a laptop",
    source="trials on one CPU core (documentation: How the small configs were chosen)",
    levels=BARS,
    **SMALL,
)
# For the highest likelihood of unseen music (docs/small-config.md): a strong decoder that reads the true past, and
# windows that change. On validation the ELBO is -99.7 nats in place of -114.4, with 3 bits in z: no model to play on.
LIKELIHOOD = AR_SMALL.replace(
    name="hierdec-drum_4bar-likelihood",
    summary="4 bars, for the best likelihood, with almost nothing in z",
    source="trials on one CPU core (documentation: How the small configs were chosen)",
    enc_rnn_size=[256],
    dec_rnn_size=[256, 256],
    # at the end the loss is minus the ELBO; at first z is almost free
    max_beta=1.0,
    beta_warm_up_steps=12_000,
    learning_rate_schedule="cosine",
    warm_up_steps=200,
    average_decay=0.999,
    # Without them training memorises: the ELBO of hierdec-drum_4bar-ar_small is best after 4,500 to 5,800 steps.
    mix_windows=0.3,
    mix_bars=0.2,
    replace_bars=0.1,
    swap_voices=0.1,
    drop_voices=0.1,
    num_steps=12_000,
)
FLAT_SMALL = FLAT.replace(
    name="flat-drum_4bar_small",
    summary="4 bars, flat decoder, for a laptop",
    source="the numbers of hierdec-drum_4bar-ar_small",
    **SMALL,
)

# Other lengths and metres at the numbers of the small configs above; none of them has been searched for anew.
FLAT_1_SMALL = FLAT_SMALL.replace(
    name="flat-drum_1bar_small",
    summary="1 bar, flat decoder, for a laptop",
    source="the numbers of hierdec-drum_4bar-ar_small; 16 steps need no hierarchy",
    windows=ONE_BAR,
)
HIERDEC_2_SMALL = HIERDEC_SMALL.replace(
    name="hierdec-drum_2bar_small",
    summary="2 bars, for a laptop",
    source="the numbers of hierdec-drum_4bar_small, not searched for anew",
    windows=TWO_BARS,
    levels=(2, 16),  # a segment is a bar, as in the default
)
WALTZ_SMALL = HIERDEC_SMALL.replace(
    name="hierdec-drum_4bar-3_4_small",
    summary="4 bars of 3/4, for a laptop",
    source="the numbers of hierdec-drum_4bar_small, not searched for anew",
    windows=WALTZ,
    levels=(4, 12),  # a segment is a bar
)
SIX_EIGHT_SMALL = WALTZ_SMALL.replace(
    name="hierdec-drum_4bar-6_8_small",
    summary="4 bars of 6/8, for a laptop",
    windows=SIX_EIGHT,
)
SHUFFLE_SMALL = HIERDEC_SMALL.replace(
    name="hierdec-drum_4bar-shuffle_small",
    summary="4 bars of 4/4 in triplets (3 steps a beat): shuffle, swing, 12/8 feel; for a laptop",
    source="the numbers of hierdec-drum_4bar_small, not searched for anew",
    windows=SHUFFLE,
    levels=(4, 12),  # a segment is a bar
)
TRIPLETS_SMALL = HIERDEC_SMALL.replace(
    name="hierdec-drum_2bar-triplets_small",
    summary="2 bars of 4/4 with sixteenths and triplets (12 steps a beat), for a laptop",
    source="the numbers of hierdec-drum_4bar_small, not searched for anew",
    windows=TRIPLETS,
    levels=(8, 12),  # a segment is a beat: recurrent layers of 12 steps, as in the configs of 3/4
)

HIERDEC_16 = PAPER.replace(
    name="hierdec-drum_16bar",
    summary="16 bars, for a GPU",
    source="the paper's Table 1; hyperparameters of Magenta's hierdec-mel_16bar",
    windows=SIXTEEN_BARS,
    levels=(16, 16),  # a segment is a bar
)
FLAT_16 = HIERDEC_16.replace(
    name="flat-drum_16bar",
    summary="16 bars, flat decoder, for a GPU",
    source="the paper's Table 1; hyperparameters of Magenta's flat-mel_16bar",
    dec_rnn_size=[2048, 2048, 2048],
    levels=(),
)
HIERDEC_16_SMALL = HIERDEC_16.replace(
    name="hierdec-drum_16bar_small",
    summary="16 bars, for a laptop",
    source="the numbers of flat-drum_4bar_small",
    conductor_autoregression=True,  # without it the posterior collapses (docs/evaluation.md)
    **SMALL,
)
NO_AR_16_SMALL = HIERDEC_16_SMALL.replace(
    name="hierdec-drum_16bar-no_ar_small",
    summary="16 bars, conductor not autoregressive, as in the paper; for a laptop",
    conductor_autoregression=False,
)
FLAT_16_SMALL = FLAT_16.replace(
    name="flat-drum_16bar_small",
    summary="16 bars, flat decoder, for a laptop",
    source="the numbers of hierdec-drum_4bar-ar_small",
    **SMALL,
)


def other_segments(parent: Config) -> Config:
    """Returns the model with segments of a whole bar where the parent's are half bars, or the reverse."""
    name, levels = ("half_bar", HIERDEC.levels) if parent.levels == BARS else ("bar", BARS)
    return parent.replace(
        name=f"{parent.name}_{name}",
        summary=f"as {parent.name}, segments of {'half a bar' if name == 'half_bar' else 'a whole bar'}",
        source=f"{parent.name}; levels {levels[0]} × {levels[1]}",
        levels=levels,
    )


# Magenta's other systems for two CPU cores; docs/systems.md describes each of them. The values are those of SMALL where
# no better ones have been measured.
SMALL_SYSTEM: dict[str, Any] = {**SMALL, "beta_rate": 0.0}


def small(model: str, name: str, **changes: Any) -> Config:
    """Returns one of Magenta's configs at the sizes of ``SMALL_SYSTEM``, with further changes."""
    parent = next(config for config in MAGENTA_CONFIGS if config.name == model)
    return parent.replace(
        name=name,
        summary=f"{parent.summary.removesuffix(', large')}, for a laptop",
        source=f"{model} at the sizes of hierdec-drum_4bar-ar_small",
        **{**SMALL_SYSTEM, **changes},
    )


# GrooVAE's loss is small and consists mostly of squared errors. With SMALL's values the best step was 1,600 of 3,200,
# with a free-running hits F1 of 0.69; with the paper's own values it still improved at 3,000, with 0.72. Without
# Magenta's dropout (keep probability 0.3) our layers compute the encoder. Dropout was not tried with 128 units.
GROOVE: dict[str, Any] = {"free_bits": 48, "max_beta": 0.2, "dropout_keep_prob": 1.0}

# A tapped rhythm has one place for all drums, so a model of it needs the drums that drummers play together, and mixed
# voices are no help. The step accuracy free-running is 0.42 on validation in place of 0.39 (docs/systems.md).
TAP: dict[str, Any] = {
    **GROOVE,
    "z_size": 128,
    "free_bits": 0,
    "max_beta": 0.02,
    **AVERAGED,
    "best_by": "objective",
    "blank_inputs": 0.3,
}

# Other windows, mixed, in every step. With added hi-hats the hits F1 on test is 0.711, not 0.685. With hits as controls
# samples play 6 % more hits than they are given, not 49 % (docs/systems.md).
MIXED: dict[str, Any] = {**TAP, "mix_windows": 0.4, "mix_bars": 0.3, "drop_voices": 0.3, "blank_inputs": 0.5}

# On test the step accuracy free-running is 0.53 in place of 0.50, timing and velocities are nearer to those of
# drummers, and samples repeat more of their bars (docs/systems.md). From N(0, I) its samples would have fewer hits.
GROOVE_4_BARS: dict[str, Any] = {**MIXED, "prior_components": 1000}

# With SMALL's learning rate the trio's gradients exploded after 400 steps, and Magenta's clipping made them zero.
# With the other numbers the hierarchical model's ELBO on test is 105 nats better (docs/systems.md). The flat one has
# them too, so that both can be compared.
TRIO: dict[str, Any] = {
    "num_steps": 3_000,  # the best at 2,750
    "learning_rate": 0.001,
    **AVERAGED,
    "transpose": 5,  # semitones, as melodies
}

# The decoder also reads the hits that it plays, so z holds the rest: what comes later in the two bars. No config of
# Magenta's has both; its groovae_2bar_hits_control_tfds encodes velocities and timing too, which given hits lack.
HUMANIZE_HITS = Config(
    name="groovae_2bar_humanize_hits_small",
    family="groovae",
    summary="GrooVAE: adds velocity and timing to given hits, for a laptop",
    source="trials on the Groove MIDI Dataset (documentation: Systems)",
    windows=MagentaWindows("groovae_2bar_humanize_hits_small", bars=2, steps=32, controls="hits", task="humanize"),
    num_steps=16_000,
    hparams={
        "z_size": 128,
        "enc_rnn_size": [128],
        "dec_rnn_size": [128, 128],
        "batch_size": 32,
        "free_bits": 0,
        "max_beta": 0.0005,  # the squared errors are small beside the KL divergence of other models
        "beta_rate": 0.0,
        # with 0.003 and a β of 0.0002 a training diverged after 2,400 steps, and recovered slowly
        "learning_rate": 0.002,
        "learning_rate_schedule": "cosine",
        "warm_up_steps": 200,
        "average_decay": 0.999,
        "best_by": "objective",
        "mix_windows": 0.4,
        "mix_bars": 0.3,
        "drop_voices": 0.3,
        # in playing its decoder reads blanks alone (models/forward/groove.py)
        "blank_inputs": 0.95,
        # as wide as the validation errors allow: they rise by at most 2 % (docs/systems.md)
        "widen_velocities": 0.1,
        "raise_full_velocities": 0.1,
        "widen_timing": 0.45,
        "full_velocity_from": 0.94,
        "sampling_schedule": "constant",
        "sampling_rate": 0,
    },
)

# On validation the free-running notes F1 is 0.52 in place of 0.25 (docs/systems.md). A density fitted to so few
# windows gave samples that were nearer to them than other music is, so z is drawn from N(0, I).
MELODY: dict[str, Any] = {
    "z_size": 128,
    "max_beta": 0.03,
    **AVERAGED,
    "best_by": "objective",
    "transpose": 5,  # semitones; Magenta transposes its own melody configs, too
    "blank_inputs": 0.5,
}

# On test the ELBO of the hierarchical model is -312 nats, not -365; of the flat one -287, not -339 (docs/systems.md).
MELODY_16: dict[str, Any] = {"num_steps": 2_000, **AVERAGED, "transpose": 5}  # the last step is the best

SYSTEMS = [
    small("cat-mel_2bar_small", "cat-mel_2bar_laptop", **MELODY),
    small("cat-mel_2bar_med_chords", "cat-mel_2bar_small_chords", **MELODY),
    small("cat-drums_2bar_small", "cat-drums_2bar_laptop"),
    small("nade-drums_2bar_reduced", "nade-drums_2bar_reduced_small"),
    small("flat-mel_16bar", "flat-mel_16bar_small", **MELODY_16),
    small("hierdec-mel_16bar", "hierdec-mel_16bar_small", **MELODY_16),
    small("flat-trio_16bar", "flat-trio_16bar_small", **TRIO),
    small("hierdec-trio_16bar", "hierdec-trio_16bar_small", **TRIO),
    small("hier-multiperf_vel_1bar_med", "hier-multiperf_vel_1bar_small"),
    small("hier-multiperf_vel_1bar_med_chords", "hier-multiperf_vel_1bar_small_chords"),
    small("groovae_4bar", "groovae_4bar_small", **GROOVE_4_BARS),
    small("groovae_2bar_humanize", "groovae_2bar_humanize_small", **GROOVE),
    small("groovae_2bar_tap_fixed_velocity", "groovae_2bar_tap_fixed_velocity_small", **TAP),
    small("groovae_2bar_add_closed_hh", "groovae_2bar_add_closed_hh_small", **MIXED),
    small("groovae_2bar_hits_control_tfds", "groovae_2bar_hits_control_small", **MIXED),
]

CONFIGS = [
    HIERDEC_SMALL,
    AR_SMALL,
    LIKELIHOOD,
    FLAT_SMALL,
    HIERDEC,
    V2,
    NO_AR,
    FLAT,
    PAPER,
    other_segments(HIERDEC_SMALL),
    other_segments(HIERDEC),
    other_segments(V2),
    other_segments(NO_AR),
    FLAT_1_SMALL,
    HIERDEC_2_SMALL,
    WALTZ_SMALL,
    SIX_EIGHT_SMALL,
    SHUFFLE_SMALL,
    TRIPLETS_SMALL,
    HIERDEC_16_SMALL,
    NO_AR_16_SMALL,
    FLAT_16_SMALL,
    HIERDEC_16,
    FLAT_16,
    *SYSTEMS,
    HUMANIZE_HITS,
]
