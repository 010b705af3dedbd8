"""Builds Magenta's configs for GrooVAEs whose converter none of Magenta's own configs has. Starts TensorFlow."""

from __future__ import annotations

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import MagentaWindows
from gmd_vae.magenta.api import base_model, configs, data, lstm_models, magenta_hparams


def build_groove_model(config: Config, windows: MagentaWindows) -> configs.Config:
    """Builds Magenta's ``Config`` of a GrooVAE: model, hyperparameters and converter.

    Args:
        config: Config of the family ``groovae``, without a config of Magenta behind it.
        windows: Settings of its windows.
    """
    return configs.Config(
        model=base_model.MusicVAE(lstm_models.BidirectionalLstmEncoder(), lstm_models.GrooveLstmDecoder()),
        hparams=magenta_hparams(config.hparams),
        note_sequence_augmenter=None,
        data_converter=data.GrooveConverter(
            split_bars=windows.bars,
            steps_per_quarter=4,
            quarters_per_bar=4,
            max_tensors_per_notesequence=None,
            pitch_classes=data.ROLAND_DRUM_PITCH_CLASSES,
            inference_pitch_classes=data.REDUCED_DRUM_PITCH_CLASSES,
            humanize=windows.task == "humanize",
            tapify=windows.task == "tap",
            fixed_velocities=windows.task == "tap",
            add_instruments=list(windows.added) or None,
            hits_as_controls=windows.controls == "hits",
        ),
        train_examples_path=None,
        eval_examples_path=None,
    )
