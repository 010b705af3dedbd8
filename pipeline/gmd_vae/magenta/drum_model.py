"""Magenta's model of a drum-label config: LSTM encoder, flat or hierarchical decoder, ``DrumsConverter``."""

from __future__ import annotations

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.magenta.api import base_model, configs, data, lstm_models, magenta_hparams


def build_drum_model(config: Config, windows: DrumWindows) -> configs.Config:
    """Builds Magenta's ``Config`` of a drum-label config: model, hyperparameters and converter.

    Args:
        config: Config of the family ``drum_labels``, without a config of Magenta behind it.
        windows: Settings of its windows.
    """
    decoder: base_model.BaseDecoder = lstm_models.CategoricalLstmDecoder()
    if config.levels:
        decoder = lstm_models.HierarchicalLstmDecoder(
            decoder,
            level_lengths=list(config.levels),
            disable_autoregression=not config.conductor_autoregression,
        )
    return configs.Config(
        model=base_model.MusicVAE(lstm_models.BidirectionalLstmEncoder(), decoder),
        hparams=magenta_hparams(config.hparams),
        note_sequence_augmenter=None,
        data_converter=data.DrumsConverter(
            max_bars=windows.max_bars,
            slice_bars=windows.slice_bars,
            gap_bars=windows.gap_bars,
            pitch_classes=[list(pitches) for pitches in windows.pitch_classes],
            steps_per_quarter=windows.steps_per_quarter,
            quarters_per_bar=windows.quarters_per_bar,
            roll_input=windows.roll_input,
            roll_output=windows.roll_output,
            max_tensors_per_notesequence=None,
            presplit_on_time_changes=True,
        ),
        train_examples_path=None,
        eval_examples_path=None,
    )
