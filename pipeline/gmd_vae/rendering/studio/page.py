"""Writes the studio: one HTML file with a model inside, which opens from disk without a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gmd_vae.common.files import whole_file
from gmd_vae.common.own_files import add_mark, check_writable
from gmd_vae.common.printable import counted
from gmd_vae.families import family_of
from gmd_vae.families.parameters import count_parameters
from gmd_vae.generation.performance.feel import LEVELS, load_feel
from gmd_vae.models.card import data_in_words
from gmd_vae.models.latent_density import describe
from gmd_vae.models.model_file import ModelFile
from gmd_vae.rendering.studio.model_data import attribute_vectors, check_playable, describe_drums, pack_model
from gmd_vae.rendering.studio.scripts import APP, ENGINE
from gmd_vae.rendering.web.html import STYLE, embedded, environment, joined, policy, script_of
from gmd_vae.rendering.web.kit_samples import LOUDNESS, kit

NAME = "studio.html"
MARK = '<meta name="generator" content="gmd-vae studio">'
_HERE = Path(__file__).parent
_HUMANIZE = 100  # percent of the measured feel: as `gmd-vae generate` plays
_TEMPO = 120  # of `gmd-vae generate`
_ATTRIBUTION = (
    "The human feel is measured on the Groove MIDI Dataset (Gillick et al. 2019, Google LLC, CC BY 4.0, "
    "magenta.tensorflow.org/datasets/groove)."
)


@dataclasses.dataclass(frozen=True)
class StudioPage:
    """A page that was written.

    Attributes:
        path: HTML file.
        size: Size of the file in bytes.
        config: Name of the model's config.
        parameters: Number of the model's parameters.
    """

    path: Path
    size: int
    config: str
    parameters: int

    def as_json(self) -> dict[str, Any]:
        """Returns the answer of ``gmd-vae studio --json``."""
        return {
            "output": str(self.path),
            "bytes": self.size,
            "config": self.config,
            "parameters": self.parameters,
        }


def write_studio(model: ModelFile, target: Path, inputs: Iterable[Path] = ()) -> StudioPage:
    """Writes the page of a model. The same model gives the same bytes.

    Args:
        model: A model of drum labels.
        target: HTML file; an older studio there is replaced if nobody changed it.
        inputs: Files of the model, which are never replaced.

    Raises:
        UsageError: The studio does not compute such models, or ``target`` is an input.
        GmdVaeError: ``target`` exists and is not an unchanged page of gmd-vae, or a weight is too large for fp16.
    """
    check_playable(model.config, model.hparams)
    inputs = list(inputs)
    check_writable(target, inputs=inputs, option="--output")
    data = _render(model).encode("utf-8", "replace")  # a card may hold lone surrogates
    with whole_file(target) as temporary:
        temporary.write_bytes(data)
        add_mark(temporary)
        size = temporary.stat().st_size
        check_writable(target, inputs=inputs, option="--output")  # again: something may have appeared in its place
    return StudioPage(target, size, model.config.name, count_parameters(model.config, model.hparams))


def _render(model: ModelFile) -> str:
    """Fills the template. Everything is escaped, except the style sheet, the scripts and the data."""
    from markupsafe import Markup

    style = joined([*STYLE, _HERE / "page.css"])
    engine, script = script_of(ENGINE), script_of(APP)
    temperature = family_of(model.config).sampling_temperature
    feel = _feel(model)
    humanize = _HUMANIZE if feel else 0
    attributes = attribute_vectors(model)
    data = {
        "name": model.card.name,
        "model": pack_model(model),
        "drums": describe_drums(model.config),
        "feel": feel,
        "attributes": attributes,
        "kit": kit(),
        "loudness": LOUDNESS,
        "settings": {"tempo": _TEMPO, "swing": 50, "humanize": humanize / 100, "temperature": temperature, "seed": 0},
    }
    return (
        environment(_HERE)
        .get_template("page.html.j2")
        .render(
            mark=Markup(MARK),
            policy=policy(style, [engine, script], worker=True),
            style=Markup(style),
            engine=Markup(engine),
            script=Markup(script),
            data=Markup(embedded(data)),
            name=model.card.name,
            lead=_lead(model),
            facts=_facts(model),
            attributes=list(attributes),
            attribution=_ATTRIBUTION if feel else "",
            humanize=humanize,
            temperature=round(100 * temperature),
        )
    )


def _feel(model: ModelFile) -> dict[str, Any] | None:
    """Returns the measured feel for ``app/song.js``; ``None`` if it does not fit the drums of the model."""
    feel = load_feel()
    if not feel.fits(model.config.drum_windows):
        return None

    def rounded(numbers: Iterable[float]) -> list[float]:
        return [round(number, 4) for number in numbers]

    voices = [
        {
            "velocity": rounded(voice.velocity),
            "velocitySpread": rounded(voice.velocity_spread),
            "offset": rounded(voice.offset),
            "offsetSpread": rounded(voice.offset_spread),
            "shape": rounded(voice.velocity_shape),
        }
        for voice in feel.voices
    ]
    return {"drift": feel.drift, "driftMemory": feel.drift_memory, "levels": list(LEVELS), "voices": voices}


def _lead(model: ModelFile) -> str:
    windows = model.card.training_windows
    trained = f", trained on {counted(windows, 'window')} of drums" if windows else ""
    bars = model.config.windows.bars
    return f"A neural network that writes drum beats of {bars} bar{'s' * (bars != 1)}{trained}. Press play."


def _facts(model: ModelFile) -> list[tuple[str, str]]:
    """Returns the known facts about a model: its card, config, size and licence."""
    card = model.card
    held = card.held_out
    found = {
        "Config": f"{model.config.name}{f': {card.summary}' if card.summary else ''}",
        "Parameters": f"{count_parameters(model.config, model.hparams):,}",
        "Intended use": card.intended_use,
        "Limits": " ".join(card.limits),
        "Data": data_in_words(card.data, card.data_description),
        "Began with": "; ".join(card.began_with_in_words),
        "Training windows": None if card.training_windows is None else f"{card.training_windows:,}",
        "Step": None if model.step is None else f"{model.step:,}",
        "Validation": card.validation_in_words,
        "Held-out music": held and f"{counted(held.windows, 'window')} of {counted(held.files, 'file')} ({held.split})",
        "Evaluation": _figures(card.evaluation),
        "Prior": f"z from {describe(model.density)}",
        "Licence": model.licence_in_words or "not stated",
    }
    return [(name, value) for name, value in found.items() if value]


def _figures(figures: dict[str, Any] | None) -> str:
    """Returns figures as text, such as ``elbo -117.9, kl_bits 23.1``."""
    shown = {name: value for name, value in (figures or {}).items() if value is not None}
    texts = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in shown.items()}
    return ", ".join(f"{name} {text}" for name, text in texts.items())
