"""The card of a trained model: facts for people, after Mitchell et al. 2019, "Model Cards for Model Reporting".

A card is part of the metadata of a model's file (``model_file.py``), which may come from anybody: fields have bounds,
and the header of the file, with all of them, has a largest size.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, TypeAlias

import msgspec

from gmd_vae.common.json_formats import Count
from gmd_vae.common.printable import counted, one_line

_MAX_NAME, _MAX_TEXT = 200, 4000  # characters
MOST_INITIAL_WEIGHTS = 50  # fine-tunings one after another

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=_MAX_NAME)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=_MAX_TEXT)]
Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
DigestsBySplit: TypeAlias = Annotated[dict[Name, Digest], msgspec.Meta(max_length=100)]
_Hours: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


@dataclasses.dataclass(frozen=True)
class HeldOutFigure:
    """A figure with its 95 % interval over source files.

    Attributes:
        value: The figure.
        low: Lower end of the interval; ``None``: not measured.
        high: Upper end, likewise.
    """

    value: float
    low: float | None = None
    high: float | None = None


FiguresByName: TypeAlias = Annotated[dict[Name, HeldOutFigure], msgspec.Meta(max_length=50)]


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Figures on music that the model was not trained on, beside those of baselines, from ``gmd-vae evaluate``.

    Attributes:
        split: Name of the split.
        windows: Number of windows.
        files: Number of source files.
        samples: Number of samples from the prior.
        temperature: Temperature of the samples.
        figures: Figures by their place in ``result.json`` (``reconstruction.free_running``) and their name
            (``step_accuracy``), as ``evaluation/figures.py`` has them.
        usual_temperature: Temperature of the samples that ``result.json`` calls usual; 0.5 in all cards of version 0.21
            and earlier, which do not say it.
    """

    split: Name
    windows: Count
    files: Count
    samples: Count
    temperature: float
    figures: Annotated[dict[Name, FiguresByName], msgspec.Meta(max_length=100)]
    usual_temperature: float = 0.5


@dataclasses.dataclass(frozen=True)
class InitialWeights:
    """The weights that a training began with. What no card says of them is absent.

    Attributes:
        name: Name on the card of their model; of a checkpoint without a card, that of its file.
        sha256: SHA-256 of the model's file; of a checkpoint, that of the digests of its files.
        data: Name of the music that they were trained on; empty: unknown.
        data_description: Contents of the music, and its source; empty: unknown.
        licence: Licence of the weights; empty: not stated.
    """

    name: Name
    sha256: Digest
    data: Name = ""
    data_description: Text = ""
    licence: Text = ""

    @property
    def in_words(self) -> str:
        """Name and digest, and the data and the licence, or that they are not known."""
        named = f"{self.name} (sha256 {self.sha256[:12]}…)"
        data = data_in_words(self.data, self.data_description)
        if not data and not self.licence:
            return f"{named}: its data and licence are not known, since no card names them"
        trained = f"trained on {data}" if data else "its data are not known"
        return f"{named}, {trained.rstrip('.')}. Licence: {self.licence.rstrip('.') or 'not stated'}"


InitialWeightsChain: TypeAlias = Annotated[tuple[InitialWeights, ...], msgspec.Meta(max_length=MOST_INITIAL_WEIGHTS)]


def data_in_words(name: str, description: str) -> str:
    """Returns the name of music and its description; the name once, where the description begins with it."""
    return description if description.startswith(f"{name} ") else ": ".join(filter(None, (name, description)))


_VALIDATION = {
    "elbo": "ELBO {:.1f} nats",
    "reconstruction": "reconstruction {:.1f} nats",
    "kl_bits": "KL {:.1f} bits",
    "objective": "objective {:.1f} nats",
    "accuracy": "step accuracy {:.1%}",
}


@dataclasses.dataclass(frozen=True)
class Card:
    """The facts about a model for people. What is not known is absent.

    Attributes:
        name: Name of the model: of its run, or of its checkpoint.
        summary: One line about the config.
        data: Name of the music that it was trained on; empty: unknown.
        training_windows: Number of training windows.
        windows_sha256: Name of a split → digest of its windows, as ``windows/storage/shards.py`` computes it; empty:
            unknown.
        validation: Figures of the validation windows at this checkpoint, by the names of ``validation.json``. Those of
            a newer version are not shown; they may be texts.
        evaluation: Main figures of ``gmd-vae evaluate`` in files of version 0.11.0, which have no ``held_out``.
        data_description: Contents of the music, and its source.
        intended_use: Uses that the model was made for.
        limits: Uses and music that it is not good for, a sentence or two each.
        held_out: Figures of ``gmd-vae evaluate`` for this checkpoint.
        seed: Seed of the training.
        code: Version and commit of the code that trained it.
        cpu_hours: CPU time of the training, in hours.
        began_with: Weights that the training began with, then those that they began with, and so on.
    """

    name: str
    summary: str = ""
    data: str = ""
    training_windows: Count | None = None
    validation: Annotated[dict[Name, int | float | Text | None], msgspec.Meta(max_length=50)] | None = None
    evaluation: Annotated[dict[Name, int | float | Text | None], msgspec.Meta(max_length=50)] | None = None
    data_description: Text = ""
    intended_use: Text = ""
    limits: Annotated[tuple[Text, ...], msgspec.Meta(max_length=20)] = ()
    held_out: HeldOut | None = None
    seed: Count | None = None
    code: Text = ""
    cpu_hours: _Hours | None = None
    began_with: InitialWeightsChain = ()
    windows_sha256: DigestsBySplit = dataclasses.field(default_factory=dict)

    @property
    def windows_in_words(self) -> str:
        """The digests of the windows, shortened; empty if they are unknown."""
        return ", ".join(f"{split} sha256 {digest[:12]}…" for split, digest in self.windows_sha256.items())

    def without_fitted_prior(self) -> Card:
        """Returns the card of a copy of the model that has no fitted prior: without the figures of its samples.

        A model with a fitted prior has the same figures of samples from N(0, I), under names in ``_normal``. They stay.
        """
        if self.held_out is None:
            return self
        figures = self.held_out.figures

        def of_normal(place: str) -> str:
            section, _, rest = place.partition(".")  # novelty.samples.steps: novelty.samples_normal.steps
            name, dot, inner = rest.partition(".")
            return f"{section}.{name}_normal{dot}{inner}"

        kept = {place: values for place, values in figures.items() if of_normal(place) not in figures}
        return dataclasses.replace(self, held_out=dataclasses.replace(self.held_out, figures=kept))

    def as_initial_weights(self, sha256: str, licence: str | None) -> tuple[InitialWeights, ...]:
        """Returns the initial weights of a training that begins with this model, and those that they began with.

        Args:
            sha256: Digest of the model.
            licence: Licence of the model; ``None``: not stated.
        """
        own = InitialWeights(
            one_line(self.name, _MAX_NAME),
            sha256,
            one_line(self.data, _MAX_NAME),
            one_line(self.data_description, _MAX_TEXT),
            one_line(licence or "", _MAX_TEXT),
        )
        return (own, *self.began_with)

    @property
    def began_with_in_words(self) -> tuple[str, ...]:
        """A text for each of the weights in ``began_with``."""
        texts = [weights.in_words for weights in self.began_with]
        return tuple(f"{'which began with ' if number else ''}{text}" for number, text in enumerate(texts))

    @property
    def validation_in_words(self) -> str:
        """The figures per validation window, as training prints them; empty if they are unknown."""
        figures = {name: value for name, value in (self.validation or {}).items() if isinstance(value, (int, float))}
        shown = ", ".join(text.format(figures[name]) for name, text in _VALIDATION.items() if name in figures)
        windows = figures.get("windows")
        return f"{shown} ({counted(int(windows), 'window')})" if shown and windows else shown

    def known(self) -> dict[str, Any]:
        """Returns the fields that are not absent, as JSON values."""
        content: dict[str, Any] = msgspec.to_builtins(self)
        absent: tuple[Any, ...] = (None, "", (), [], {})
        return {name: value for name, value in content.items() if value not in absent}
