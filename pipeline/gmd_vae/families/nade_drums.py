"""NADE drums: one bit for each drum class and step, drawn one after the other given the classes before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gmd_vae.common import temperatures
from gmd_vae.configuration.config import Config
from gmd_vae.families.drum_labels import DrumLabels
from gmd_vae.families.output_spec import bars_in_words

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    import numpy.typing as npt

    from gmd_vae.configuration.layers import Layers
    from gmd_vae.evaluation.key_figures import KeyFigure
    from gmd_vae.evaluation.result import Figures
    from gmd_vae.generation.decoded.decoded_music import DecodedMusic
    from gmd_vae.models.inference.scorer import Scorer
    from gmd_vae.windows.extraction import Tensors


class NadeDrums(DrumLabels):
    """Drum grids as rolls; the model is Magenta's ``MultiLabelRnnNadeDecoder``."""

    kind = "roll"
    runs_in_numpy = False
    unsupported_modes = ("attribute", "groove")
    sampling_temperature = temperatures.SAMPLING  # no figures ask for another one

    def check(self, config: Config) -> None:
        """Checks that the decoder's target is the drum roll."""
        if not config.drum_windows.roll_output:
            raise ValueError(f"config '{config.name}': the NADE decoder writes a drum roll (roll_output=True)")

    def describe_output(self, config: Config) -> str:
        """Returns the decoder's output in words."""
        return f"a bit for each drum class and step; windows of {bars_in_words(config.windows.bars)}"

    def core_decoders(self, config: Config, hparams: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Returns one decoder that reads the roll and writes the biases of the NADE's hidden units and outputs."""
        depth = config.drum_windows.output_depth
        return [(depth, hparams["nade_num_hidden"] + depth)]

    def extra_variables(self, config: Config, hparams: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Returns the NADE's encoder and decoder weights, one matrix each."""
        depth, hidden = config.drum_windows.output_depth, int(hparams["nade_num_hidden"])
        return {"decoder/nade/w_enc": (depth, 1, hidden), "decoder/nade/w_dec_t": (depth, hidden, 1)}

    def window_parts(self, config: Config, window: Tensors) -> list[dict[str, Any]]:
        """Returns the drums of a drum roll."""
        from gmd_vae.windows.window_content import part

        return [part("drums", int((window.outputs > 0).sum()))]

    def build(self, config: Config) -> Any:
        """Refuses: our own configs have no NADE model; they take Magenta's at other sizes."""
        raise ValueError(f"config '{config.name}': give the config of Magenta's that it takes its model from")

    def magentajs_spec(self, config: Config) -> dict[str, Any]:
        """Returns ``DrumRollConverter``."""
        return {"dataConverter": self._magentajs_converter("DrumRollConverter", config)}

    def open_scorer(
        self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers
    ) -> AbstractContextManager[Scorer[Any]]:
        """Returns the scorer of labels for a NADE."""
        from gmd_vae.models.inference.label_scorer import NadeScorer

        return NadeScorer(config, hparams, checkpoint, layers)

    def key_figures(self, config: Config, figures: Figures) -> Sequence[KeyFigure | None]:
        """Returns free-running hits F1, since the model decides each hit by itself, and the figures of samples."""
        from gmd_vae.evaluation import key_figures
        from gmd_vae.evaluation.figures import HITS_F1

        _, *of_samples = super().key_figures(config, figures)
        baselines = ("previous_bar", "nearest_training")
        return (key_figures.reconstruction(figures, HITS_F1, baselines), *of_samples)

    def stored_windows(self, decoded: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Returns drum rolls ``[steps, classes]`` as labels ``[steps]``."""
        import numpy as np

        return [(roll > 0).astype(np.int64) @ (1 << np.arange(roll.shape[-1], dtype=np.int64)) for roll in decoded]

    def decoded_music(self, config: Config) -> DecodedMusic:
        """Returns drum rolls as music."""
        from gmd_vae.generation.decoded.drum_grids import DecodedRolls

        return DecodedRolls(self.output(config), config.drum_windows)


NADE_DRUMS = NadeDrums()
