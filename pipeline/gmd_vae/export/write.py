"""Writes a model in a format: complete or not at all, and only in the place of what gmd-vae wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.common.files import whole_file
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.common.own_files import check_writable
from gmd_vae.configuration.own_hparams import without_off
from gmd_vae.export.formats import FORMATS
from gmd_vae.models.export_manifest import STAGE
from gmd_vae.models.model_file import DType, ModelFile, check_finite, is_unchanged_model

OPTION = "--output"


def check_output(format_name: str, output: Path, inputs: Sequence[Path]) -> None:
    """Checks that an output may be written, before the model is read.

    Args:
        format_name: Name of the format.
        output: File or folder to write.
        inputs: Files and folders that are read.

    Raises:
        GmdVaeError: Something is there that gmd-vae did not write, or that was changed since.
        UsageError: An input would be replaced.
    """
    if FORMATS[format_name].is_folder:
        manifest.check_replaceable(output, STAGE, inputs=inputs, option=OPTION)
    else:
        check_writable(output, inputs=inputs, option=OPTION, is_own=is_unchanged_model)


def export_model(model: ModelFile, format_name: str, output: Path, dtype: DType, inputs: Sequence[Path]) -> None:
    """Writes a model. The same model gives the same bytes.

    Args:
        model: The model.
        format_name: Name of the format.
        output: File or folder to write.
        dtype: Type of the variables.
        inputs: Files and folders that were read.

    Raises:
        GmdVaeError: The output may not be replaced, or a variable is not finite.
        UsageError: An input would be replaced, or the format cannot hold the model.
    """
    check_finite(model)
    chosen = FORMATS[format_name]
    if not chosen.is_folder:
        check_output(format_name, output, inputs)
        with whole_file(output) as partial:
            chosen.writer()(model, partial, dtype)
        return
    with (
        open_output(output, STAGE, inputs=inputs, option=OPTION) as replaceable,
        whole_folder(output, replaceable) as folder,
    ):
        chosen.writer()(model, folder, dtype)
        manifest.write(
            folder,
            STAGE,
            {
                "format_name": format_name,
                "config": model.config.name,
                "declaration": model.config.as_declaration(),
                "hparams": without_off(model.hparams),
                "step": model.step,
                "examples_digest": model.examples_digest,
                "checkpoint": model.checkpoint,
                "licence": model.licence,
                "card": model.card.without_fitted_prior().known(),  # the formats of folders have no place for it
                "versions": manifest.versions(),
            },
        )
