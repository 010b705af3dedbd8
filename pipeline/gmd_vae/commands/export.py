"""``gmd-vae export``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.newest_run import newest_run
from gmd_vae.commands.options import Name, configs_option, json_option
from gmd_vae.commands.paths import UserPath
from gmd_vae.export.formats import FORMATS

if TYPE_CHECKING:
    from gmd_vae.models.model_file import DType, ModelFile

_MAX_LICENCE = 100_000  # characters: the whole text of a long licence has 35,000


@click.command(cls=HelpCommand)
@click.argument("model_name", metavar="[MODEL]", required=False, type=UserPath())  # text: "./x" is no bundled model
@click.option("-o", "--output", required=True, type=UserPath(path_type=Path), help="File or folder to write.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    default="safetensors",
    show_default=True,
    help="One file for gmd-vae (safetensors), a checkpoint folder for stock Magenta (magenta), or a folder for "
    "browsers (magentajs).",
)
@click.option(
    "--dtype",
    type=click.Choice(["fp32", "fp16"]),
    default="fp32",
    show_default=True,
    help="Numbers of the weights; fp16 halves the file and rounds them.",
)
@click.option("--licence", metavar="TEXT", help="Licence of the weights, for the file.  [default: not stated]")
@click.option("--config", "config_name", metavar="NAME", type=Name(), help="Config of a checkpoint outside a run.")
@configs_option
@json_option
def command(
    model_name: str | None,
    output: Path,
    format_name: str,
    dtype: DType,
    licence: str | None,
    config_name: str | None,
    configs_file: Path | None,
    as_json: bool,
) -> None:
    """Write a trained model as one file, or for other programs.

    MODEL is a run folder (its best checkpoint), RUN/best, RUN/latest, a checkpoint, one of Magenta's
    .tar archives, a .safetensors file or a model of the package (`gmd-vae models`); by default the newest run
    in runs/ that the format can hold.

    A .safetensors file holds the weights by Magenta's names, the config with its windows, the
    hyperparameters, the attribute vectors and the fitted prior of a run, digests of the data and the
    checkpoint, and a card: the name, data, seed and CPU time of the run, and the figures of its
    validation and its evaluation, beside the baselines. The card of a fine-tuned model also names the
    weights that it began with, their data and their licence. It is read without pickle, and a changed or
    damaged one is refused. Only outputs of this command that nobody changed since are replaced.
    TensorFlow is not needed.

    --format magentajs is for web pages with @magenta/music (docs/magentajs.md). A config that it does
    not play is refused with the reason and the nearest config that it plays.

    \b
    Examples:
      gmd-vae export -o model.safetensors
      gmd-vae export runs/small -o small.safetensors --dtype fp16 --licence "CC BY 4.0"
      gmd-vae export cat-drums_2bar_small.tar -o drums.safetensors
      gmd-vae export small.safetensors -o small --format magenta
      gmd-vae export runs/hierdec-drum_4bar_small -o page/my-model --format magentajs
    """
    from gmd_vae.commands.next_steps import generate_words
    from gmd_vae.common import console
    from gmd_vae.common.errors import UsageError
    from gmd_vae.common.printable import as_command, printable

    chosen = FORMATS[format_name]
    if dtype == "fp16" and not chosen.has_fp16:
        raise UsageError(f"--format {format_name} has no fp16", "Leave --dtype out.")
    if licence is not None and len(licence) > _MAX_LICENCE:
        raise UsageError(f"--licence has more than {_MAX_LICENCE:,} characters", "Give its name.")

    from gmd_vae.export.source import has_vectors, read_model_of
    from gmd_vae.export.write import check_output, export_model

    model_name = model_name or str(newest_run(chosen.check_run).folder)
    inputs = [path for path in (Path(model_name), configs_file) if path is not None and path.exists()]
    check_output(format_name, output, inputs)
    model = read_model_of(model_name, config_name, configs_file, with_vectors=chosen.has_vectors)
    if licence is not None:
        model = dataclasses.replace(model, licence=licence)
    if chosen.has_vectors and has_vectors(model.config) and not model.attribute_vectors:
        console.stderr().print("Without attribute vectors: they need a run and its training windows.")
    if model.density is not None and not chosen.has_vectors:
        console.stderr().print(
            f"Without the fitted prior, which --format {format_name} cannot hold: new beats from this copy are drawn "
            "from N(0, I). For the beats of 'gmd-vae generate', use the model itself, or export it without --format."
        )
    if note := _licence_note(model):
        console.stderr().print(note)
    export_model(model, format_name, output, dtype, inputs)
    files = [output] if output.is_file() else sorted(path for path in output.iterdir() if path.is_file())
    size = sum(path.stat().st_size for path in files)
    if as_json:
        step = {"config": model.config.name, "step": model.step}
        console.print_json({"output": str(output), "format": format_name, "dtype": dtype, **step, "bytes": size})
        return
    step_text = "" if model.step is None else f", step {model.step:,}"
    console.stdout().print(f"Wrote {output} ({size / 1e6:,.1f} MB, {model.config.name}{step_text})")
    shown = printable(str(output), limit=None)
    console.print_next(
        {
            "safetensors": as_command(*generate_words(model.config, "--model", output)),
            "magenta": f"give '{shown}' to Magenta's TrainedModel as checkpoint_dir_or_path, or train it further with "
            "--init-from",
            "magentajs": f"load '{shown}' in a page with @magenta/music",
        }[format_name]
    )


def _licence_note(model: ModelFile) -> str:
    """Returns a note for a model without a licence that was made of a known dataset or of weights; else empty."""
    from gmd_vae.models.card import data_in_words

    card = model.card
    if model.licence is not None or not (card.data_description or card.began_with):
        return ""
    origins, named = [], []
    if card.data_description:
        origins.append("its data")
        named.append(data_in_words(card.data, card.data_description))
    if card.began_with:
        origins.append("the weights it began with")
        named += [f"{one.name} ({one.licence.rstrip('.') or 'not stated'})" for one in card.began_with]
    return (
        f"Note: without --licence, no licence of the model is stated. That of {' or of '.join(origins)} may ask for "
        f"attribution; the card names them: {'; '.join(named)}"
    )
