"""The configs that Magenta.js computes, and the reasons against the others.

Source: ``esm/music_vae/model.js`` of ``@magenta/music`` 1.23.1 (``MusicVAE.initialize``, ``ConductorDecoder``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.own_hparams import magentas
from gmd_vae.families import family_of


def check_playable(config: Config, hparams: Mapping[str, Any], others: Iterable[Config]) -> None:
    """Checks that Magenta.js computes the decoder of a model.

    Args:
        config: Config of the model.
        hparams: All its hyperparameters.
        others: Configs to name instead.

    Raises:
        UsageError: It does not; the message has the reason and the nearest of the other configs that it plays.
    """
    reason = reason_against(config, hparams)
    if reason is None:
        return
    choices = []
    if near := nearest_playable(config, others):
        choices.append(f"'{near.name}', the nearest config that it plays")
    if config.levels and config.conductor_autoregression:
        choices.append("a copy of this config with conductor_autoregression=False")
    action = f"Train {', or '.join(choices)}." if choices else ""
    raise UsageError(f"Magenta.js cannot play config '{config.name}': {reason}", action)


def reason_against(config: Config, hparams: Mapping[str, Any]) -> str | None:
    """Returns the reason why Magenta.js cannot play a model, as a clause; ``None`` if it can."""
    if config.levels and config.conductor_autoregression:
        return "its conductor reads the decoder's last state, and that of Magenta.js reads zeros"
    if config.levels and len(config.levels) != 2:
        return f"its decoder has {len(config.levels)} levels, and that of Magenta.js has 2"
    if len(set(hparams["dec_rnn_size"])) > 1:
        return "its decoder has layers of different sizes, and those of Magenta.js are of one size"
    if hparams["residual_decoder"]:
        return "its decoder has residual connections, and that of Magenta.js has none"
    try:
        family_of(config).magentajs_spec(config)
    except ValueError as error:
        return str(error)
    return None


def nearest_playable(config: Config, others: Iterable[Config]) -> Config | None:
    """Returns the most similar config that Magenta.js plays; of equally similar ones the first.

    The kind of music counts most, then the windows, the levels of the decoder, and the number of equal hyperparameters
    of Magenta's.
    """

    def distance(other: Config) -> tuple[int, ...]:
        return (
            other.family != config.family,
            family_of(other).music(other) != family_of(config).music(config),
            other.windows != config.windows,
            bool(other.levels) != bool(config.levels),
            other.levels != config.levels,
            sum(value != config.hparams.get(name) for name, value in magentas(other.hparams).items()),
        )

    playable = (other for other in others if reason_against(other, other.hparams) is None)
    return min(playable, key=distance, default=None)


def has_encoder(config: Config, hparams: Mapping[str, Any]) -> bool:
    """Returns True if Magenta.js computes the encoder too.

    Beside a flat decoder it has one bidirectional layer, beside a hierarchical one two levels of one layer each, with
    as many segments as the decoder.
    """
    if len(hparams["enc_rnn_size"]) != 1 or hparams["residual_encoder"]:
        return False
    if config.levels:
        return len(config.encoder_levels) == 2 and config.encoder_levels[1] == config.levels[0]
    return not config.encoder_levels
