"""The declaration of a model: what ``configs.py`` fills in, for our configs and for Magenta's alike.

Plain data, cheap to import, without TensorFlow. The hyperparameters have Magenta's names. What a family of music does
with a config is in ``families/``; the names of all configs are in ``configuration/registry.py``.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from typing import Any

from gmd_vae.configuration.limits import (
    COUNT,
    MOST_TRAINING_STEPS,
    Range,
    check_fields,
    check_hparams,
    check_name,
    check_numbers,
    shortened,
)
from gmd_vae.configuration.own_hparams import OWN_HPARAMS, without_off
from gmd_vae.configuration.window_specs import DrumWindows, MagentaWindows, WindowSpec

# The defaults of magenta.models.music_vae.lstm_models.get_default_hparams(); a test compares them with the installed
# package. Their types are the types that --hparams accepts.
HPARAM_DEFAULTS: dict[str, Any] = {
    "max_seq_len": 32,
    "z_size": 32,
    "free_bits": 0.0,
    "max_beta": 1.0,
    "beta_rate": 0.0,
    "batch_size": 512,
    "grad_clip": 1.0,
    "clip_mode": "global_norm",
    "grad_norm_clip_to_zero": 10000,
    "learning_rate": 0.001,
    "decay_rate": 0.9999,
    "min_learning_rate": 1e-05,
    "conditional": True,
    "dec_rnn_size": [512],
    "enc_rnn_size": [256],
    "dropout_keep_prob": 1.0,
    "sampling_schedule": "constant",
    "sampling_rate": 0.0,
    "use_cudnn": False,
    "residual_encoder": False,
    "residual_decoder": False,
    "control_preprocessing_rnn_size": [256],
}
# hyperparameters of single decoders, which Magenta's defaults do not list
EXTRA_HPARAMS = ("nade_num_hidden",)
_KNOWN_HPARAMS = (*HPARAM_DEFAULTS, *EXTRA_HPARAMS, *OWN_HPARAMS)


@dataclasses.dataclass(frozen=True)
class Config:
    """A MusicVAE: its music, its windows, its network and its training.

    Attributes:
        name: Name for ``--config``.
        family: Family of music, a key of ``families.FAMILIES``.
        summary: One line for ``gmd-vae configs``.
        source: Origin of the numbers.
        windows: Training windows. Their length is the model's ``max_seq_len``.
        hparams: Hyperparameters: Magenta's by its names, and our levers (``own_hparams.py``). Those that are left out
            have Magenta's defaults, and the levers are off; afterwards the field holds all of them.
        encoder_levels: Steps of each level of a hierarchical encoder, the lowest level first. Empty: one
            bidirectional encoder over the window.
        levels: Steps of each level of a hierarchical decoder, the conductor first, for example ``(4, 16)``: 4
            segments of 16 steps. Empty: a flat decoder.
        conductor_autoregression: Feeds the core decoder's last state back to the conductor (Magenta's default). False:
            the conductor's input is zero (``disable_autoregression=True``), as in the paper.
        num_steps: Default number of training steps.
        magenta: Name of the config of Magenta's that has the same model and converter at other sizes, or of the config
            itself where it is one of Magenta's. Empty: the family builds the model from the fields above.
        augmented: Magenta transposes the training data of this config at random.

    Raises:
        ValueError: A field has another type or is out of its range (``limits.py``); levels, windows and hyperparameters
            do not fit each other; or a hyperparameter is unknown.
    """

    name: str
    family: str
    summary: str
    source: str
    windows: WindowSpec
    hparams: dict[str, Any]
    encoder_levels: tuple[int, ...] = ()
    levels: tuple[int, ...] = ()
    conductor_autoregression: bool = True
    num_steps: int = 10_000
    magenta: str = ""
    augmented: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)
        for field in ("levels", "encoder_levels"):  # lists in a config file or in JSON
            if isinstance(getattr(self, field), list):
                object.__setattr__(self, field, tuple(getattr(self, field)))
        try:
            self._check_fields()
        except ValueError as error:
            raise ValueError(f"config '{self.name}': {error}") from None
        steps = self.windows.steps
        for name, lengths in (("levels", self.levels), ("encoder_levels", self.encoder_levels)):
            if lengths and math.prod(lengths) != steps:
                raise ValueError(
                    f"config '{self.name}': {name} {lengths} make {math.prod(lengths)} steps, its windows have {steps}"
                )
        for name in self.hparams:
            if name not in _KNOWN_HPARAMS:
                raise ValueError(f"config '{self.name}': unknown hyperparameter '{name}'{_nearest(name)}")
        if self.hparams.get("max_seq_len", steps) != steps:
            raise ValueError(
                f"config '{self.name}': max_seq_len {self.hparams['max_seq_len']}, its windows have {steps} steps"
            )
        # in a frozen dataclass; a copy, so that no two configs share a dictionary or a list
        hparams = {**HPARAM_DEFAULTS, **OWN_HPARAMS, **self.hparams, "max_seq_len": steps}
        hparams = {name: list(value) if isinstance(value, (list, tuple)) else value for name, value in hparams.items()}
        object.__setattr__(self, "hparams", hparams)
        try:
            check_hparams(hparams)
        except ValueError as error:
            raise ValueError(f"config '{self.name}': {error}") from None

    def _check_fields(self) -> None:
        """Checks the types and ranges of all fields but the values in ``hparams``."""
        texts = dict.fromkeys(("family", "summary", "source", "magenta"), str)
        switches = dict.fromkeys(("conductor_autoregression", "augmented"), bool)
        others: dict[str, Any] = {"hparams": dict, "num_steps": Range(int, 1, MOST_TRAINING_STEPS)}
        check_fields(vars(self), {**texts, **switches, **others})
        for name in ("levels", "encoder_levels"):
            check_numbers(name, getattr(self, name), COUNT, 10)
        if not isinstance(self.windows, (DrumWindows, MagentaWindows)):
            raise ValueError(f"windows is {shortened(self.windows)}, and must be DrumWindows or MagentaWindows")
        self.windows.check()

    @property
    def drum_windows(self) -> DrumWindows:
        """The windows of a config of drum grids.

        Raises:
            ValueError: One of Magenta's converters cuts the windows.
        """
        if not isinstance(self.windows, DrumWindows):
            raise ValueError(f"config '{self.name}': family '{self.family}' needs DrumWindows")
        return self.windows

    @property
    def magenta_windows(self) -> MagentaWindows:
        """The windows of a config that takes its converter from Magenta.

        Raises:
            ValueError: The windows are drum grids, which our own code cuts.
        """
        if not isinstance(self.windows, MagentaWindows):
            raise ValueError(f"config '{self.name}': family '{self.family}' needs MagentaWindows")
        return self.windows

    @property
    def is_magentas(self) -> bool:
        """True for the configs of Magenta's own ``CONFIG_MAP``, unchanged."""
        return self.magenta == self.name

    def replace(self, **changes: Any) -> Config:
        """Returns a copy with other fields or hyperparameters.

        Args:
            **changes: Fields of ``Config``, or hyperparameters, for example
                ``replace(name="mine", levels=(4, 16), z_size=64)``.

        Raises:
            ValueError: A name is neither, or the values do not fit each other.
        """
        names = {field.name for field in dataclasses.fields(self)} - {"hparams"}
        fields = {name: value for name, value in changes.items() if name in names}
        hparams = {name: value for name, value in self.hparams.items() if name != "max_seq_len"}  # of the windows
        hparams.update({name: value for name, value in changes.items() if name not in names})
        return dataclasses.replace(self, **fields, hparams=hparams)

    def without_texts(self) -> Config:
        """Returns a copy without summary and source, which differ between versions of one config."""
        return self.replace(summary="", source="")

    def as_declaration(self) -> dict[str, Any]:
        """Returns the fields as plain data, for ``run.json``; ``from_declaration`` reads them back."""
        fields = dataclasses.asdict(self)
        # so that declarations of earlier versions are equal
        if fields["windows"].get("time_signature", "") is None:
            del fields["windows"]["time_signature"]
        fields["hparams"] = without_off(fields["hparams"])
        return fields


def from_declaration(fields: dict[str, Any]) -> Config:
    """Returns the config whose ``as_declaration`` went through JSON: lists become tuples again.

    Fields that this version does not have are ignored.

    Raises:
        ValueError: The fields are not those of a config.
    """
    windows = fields.get("windows")
    if not isinstance(windows, dict):
        raise ValueError(f"'windows' is {shortened(windows)}, and must be an object")
    kind: type[WindowSpec] = DrumWindows if "pitch_classes" in windows else MagentaWindows
    config: Config = _from_fields(Config, {**fields, "windows": _from_fields(kind, _with_tuples(windows))})
    return config


def _from_fields(kind: Any, fields: dict[str, Any]) -> Any:
    """Returns a dataclass, without the fields that it does not have."""
    known = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(kind)}
    if missing := [name for name, is_required in known.items() if is_required and name not in fields]:
        raise ValueError(f"the declaration has no field '{missing[0]}'")
    return kind(**{name: value for name, value in fields.items() if name in known})


def _with_tuples(value: Any, depth: int = 2) -> Any:
    """Returns a value with tuples in the place of lists, ``depth`` levels deep; in a dictionary, of its values."""
    if isinstance(value, dict):
        return {name: _with_tuples(part, depth) for name, part in value.items()}
    return tuple(_with_tuples(part, depth - 1) for part in value) if isinstance(value, list) and depth else value


def _nearest(name: str) -> str:
    close = difflib.get_close_matches(name, _KNOWN_HPARAMS, 1)
    return f"; did you mean '{close[0]}'?" if close else ""
