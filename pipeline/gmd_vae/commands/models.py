"""``gmd-vae models``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import json_option
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.common.plain_console import PlainConsole
    from gmd_vae.models.model_file import ModelFile


@click.command(cls=HelpCommand)
@click.argument("model_name", metavar="[MODEL]", required=False, type=UserPath())
@json_option
def command(model_name: str | None, as_json: bool) -> None:
    """List the trained models of the package, or show the card of one.

    MODEL is a model of the package, a .safetensors file, a run folder, RUN/best, RUN/latest, a folder of
    `gmd-vae export --format magenta`, or a checkpoint or .tar that is named after its config.

    A card says what a model is for and what it is not, the music, seed, code and time of its training,
    the weights that it began with and their licence, its figures on held-out music beside those of
    baselines, and its licence. What is not known is not shown. Of a run, it is the card that `gmd-vae
    export` would write.

    \b
    Examples:
      gmd-vae models
      gmd-vae models groove-4bar
      gmd-vae models mine.safetensors
      gmd-vae models runs/small
      gmd-vae models --json
    """
    from gmd_vae.commands.next_steps import generate_words
    from gmd_vae.common import console
    from gmd_vae.common.printable import as_command
    from gmd_vae.export.source import read_model_of
    from gmd_vae.models.bundled import DEFAULT, bundled_models
    from gmd_vae.models.model_file import read_model

    if model_name is not None:
        model = read_model_of(model_name, None, None, with_vectors=False)
        if as_json:
            console.print_json(_facts(model_name, model))
        else:
            _show(model_name, model)
            file = model_name if model_name in bundled_models() else Path(model_name)
            console.print_next(as_command(*generate_words(model.config, "--model", file)))
        return
    models = {key: read_model(path) for key, path in bundled_models().items()}
    if as_json:
        console.print_json({"models": [_facts(key, model) for key, model in models.items()]})
        return
    out = console.stdout()
    width = max(map(len, models))
    for key, model in models.items():
        _print_wrapped(out, f"{key:{width}}  ", f"{model.config.name}: {model.card.summary}")
    out.print(f"Default of gmd-vae generate: {DEFAULT}")
    console.print_next(as_command("models", DEFAULT), "for a card")


def _facts(name: str, model: ModelFile) -> dict[str, Any]:
    """Returns everything that the file says about the model, for ``--json``."""
    from gmd_vae.families.parameters import count_parameters

    return {
        "name": name,
        "config": model.config.name,
        "parameters": count_parameters(model.config, model.hparams),
        "hparams": model.hparams,
        "step": model.step,
        "examples_digest": model.examples_digest,
        "checkpoint": model.checkpoint,
        "attribute_vectors": sorted(model.attribute_vectors),
        "prior_windows": 0 if model.density is None else model.density.components,
        "licence": model.licence,
        "card": model.card.known(),
    }


def _show(name: str, model: ModelFile) -> None:
    """Prints the card of a model."""
    from gmd_vae.common import console
    from gmd_vae.common.printable import counted, duration
    from gmd_vae.evaluation.tables.card import tables
    from gmd_vae.evaluation.tables.terminal import to_rich
    from gmd_vae.families import family_of
    from gmd_vae.generation.request import plain
    from gmd_vae.models.latent_density import describe

    facts, card, out = _facts(name, model), model.card, console.stdout()
    held = card.held_out
    lines = [
        ("Model", name),
        ("Config", f"{model.config.name}: {card.summary}"),
        ("Output", family_of(model.config).describe_output(model.config)),
        ("Parameters", f"{facts['parameters']:,}"),
        ("Intended use", card.intended_use),
        *(("Limits" if not number else "", limit) for number, limit in enumerate(card.limits)),
        ("Trained on", card.data),
        ("Data", card.data_description),
        *(("Began with" if not number else "", text) for number, text in enumerate(card.began_with_in_words)),
        ("Training windows", "" if card.training_windows is None else f"{card.training_windows:,}"),
        ("Windows", card.windows_in_words),
        ("Step", "" if model.step is None else f"{model.step:,}"),
        ("Seed", "" if card.seed is None else f"{card.seed}"),
        ("Code", card.code),
        ("CPU time", "" if card.cpu_hours is None else duration(3600 * card.cpu_hours)),
        ("Validation", card.validation_in_words),
        (
            "Held-out music",
            held and f"{counted(held.windows, 'window')} of {counted(held.files, 'file')} ({held.split})",
        ),
        ("Evaluation", _figures(card.evaluation)),
        ("Attributes", ", ".join(plain(name) for name in facts["attribute_vectors"])),
        ("Prior", "" if model.density is None else f"z from {describe(model.density)}"),
        ("Licence", model.licence_in_words),
    ]
    width = max(len(label) for label, _ in lines)
    for label, text in lines:
        if text:
            _print_wrapped(out, f"{label:{width}}  ", text)
    for table in tables(held) if held else []:
        out.print("", to_rich(table), sep="\n")


def _print_wrapped(out: PlainConsole, label: str, text: str) -> None:
    """Prints a text beside its label, wrapped to the width of a terminal."""
    from gmd_vae.common.line_breaks import wrap_text

    lines = [text] if out.soft_wrap else wrap_text(text, max(20, out.width - len(label)))
    for number, line in enumerate(lines):
        out.print((" " * len(label) if number else label) + line)


def _figures(figures: Mapping[str, float | str | None] | None) -> str:
    """Returns figures as ``name value, name value``; those that were not measured are left out."""
    if not figures:
        return ""
    known = {name: value for name, value in figures.items() if value is not None}
    return ", ".join(f"{name} {value if isinstance(value, str) else f'{value:g}'}" for name, value in known.items())
