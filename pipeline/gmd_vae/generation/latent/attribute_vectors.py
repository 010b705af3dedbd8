"""Attribute vectors of a run: computed once from its training windows, and kept beside its checkpoints.

Source: Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music".
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.common.regular_files import check_no_link
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.data.target import training_examples
from gmd_vae.evaluation.latent.attributes import attribute_vectors, drum_attributes
from gmd_vae.evaluation.latent.space import choose_by_file
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.drum_reader import labels_to_inputs
from gmd_vae.generation.latent.latent_files import read_vectors
from gmd_vae.generation.model import ModelSource, OpenedModel, Vectors
from gmd_vae.generation.request import Move
from gmd_vae.models import checkpoints
from gmd_vae.training.run.folder import Run
from gmd_vae.windows.label_windows import load_windows

STAGE = "attributes"
_WINDOWS = 4000  # training windows that are encoded, spread evenly over the files
_FILE = "vectors.npz"
_METHOD = "regression, decoded lengths"  # another one gives other vectors: kept ones do not count then

Floats = npt.NDArray[np.float32]
Encode = Callable[[Labels], Floats]
Decode = Callable[[Floats], Labels]


@dataclasses.dataclass(frozen=True)
class AttributeSource:
    """Training windows for attribute vectors, and the folder that keeps the vectors.

    Attributes:
        examples: Folder of the training windows; ``None`` if it no longer exists.
        digest: SHA-256 of that folder's manifest.
        keep: Folder that keeps the vectors; ``None``: they are computed each time.
    """

    examples: Path | None
    digest: str
    keep: Path | None


@dataclasses.dataclass(frozen=True)
class AttributeChange:
    """Effect of a request on one attribute: its values in the model's likeliest music.

    Attributes:
        attribute: Name of the attribute.
        asked: Difference of the amounts of the last and the first file, in attribute vectors.
        before: Value at the first amount.
        after: Value at the last amount.
        start: The first amount, in attribute vectors.
        unmoved: Value of the beat itself, where the amounts are 0.
    """

    attribute: str
    asked: float
    before: float
    after: float
    start: float
    unmoved: float

    @property
    def not_followed(self) -> list[str]:
        """Parts of the request in which the value did not change in its direction, in words; [] if there are none.

        A range over 0 has two parts, less and more than the beat itself. A beat without an attribute cannot have less
        of it: there is nothing less than none.
        """
        end = self.start + self.asked
        first, last = (self.start, self.before), (end, self.after)
        itself = (0.0, self.unmoved)
        parts = [(first, last)] if self.start * end > 0 else [(itself, first), (itself, last)]
        texts = []
        for (amount, value), (other_amount, other_value) in parts:
            asked, changed = other_amount - amount, other_value - value
            has_none = value == other_value == 0 and max(amount, other_amount) <= 0
            if asked and changed * asked <= 0 and not has_none:
                amounts = f"{amount:+g} to {other_amount:+g}" if amount else f"{other_amount:+g}"
                texts.append(f"{self.attribute}: asked for {amounts}, changed by {changed:+g}")
        return texts


def vectors_for_moves(
    source: ModelSource, attributes: AttributeSource | None, model: OpenedModel, moves: Sequence[Move]
) -> Vectors:
    """Returns the vectors of all attributes that vary in the training windows.

    Args:
        source: The model; its stored vectors are used where no training windows are given.
        attributes: Training windows; ``None``: the stored vectors.
        model: The opened model.
        moves: Moves along some of the vectors.

    Raises:
        GmdVaeError: The vectors are not kept and the training windows are gone, or the training windows all have the
            same value of an attribute in ``moves``.
    """
    vectors = source.stored_vectors or {} if attributes is None else vectors_of(source, attributes, model)
    for move in moves:
        if move.attribute not in vectors:
            raise GmdVaeError(
                f"All training windows have the same value of '{move.attribute}', so it has no attribute vector",
                f"Choose another attribute: {', '.join(vectors)}.",
            )
    return vectors


def vectors_of(source: ModelSource, attributes: AttributeSource, model: OpenedModel) -> Vectors:
    """Reads the kept vectors of a model, or computes and keeps them.

    Args:
        source: The model.
        attributes: Training windows.
        model: The opened model.

    Raises:
        GmdVaeError: The vectors are not kept, and the training windows are gone.
    """
    spec, music = source.config.drum_windows, family_of(source.config).decoded_music(source.config)

    def encode(labels: Labels) -> Floats:
        inputs = [labels_to_inputs(row.astype(np.int64), spec) for row in labels]
        return model.encode(inputs, [spec.steps] * len(labels))

    digests = {file["name"]: file["sha256"] for file in source.describe()["files"]}

    def decode(z: Floats) -> Labels:
        return np.array([music.steps(window) for window in model.decode(z, 0.0)])

    return vectors_for(attributes, digests, spec, encode, decode, model.z_size)


def vectors_for(
    source: AttributeSource, digests: Mapping[str, str], spec: DrumWindows, encode: Encode, decode: Decode, z_size: int
) -> Vectors:
    """Reads the kept vectors, or computes and keeps them.

    Args:
        source: Training windows.
        digests: SHA-256 of each file of the checkpoint, by name.
        spec: Windows of the config.
        encode: Function from labels ``[n, steps]`` to posterior means, float32 ``[n, z_size]``.
        decode: Function from latent vectors to the labels of their likeliest music.
        z_size: Size of a latent vector.

    Raises:
        GmdVaeError: The vectors are not kept, and the training windows are gone.
    """
    identity = _identity(source, digests)
    if (kept := _kept_vectors(source, digests, z_size)) is not None:
        return kept
    if source.examples is None:
        raise GmdVaeError(
            "Attribute vectors are computed from the training windows of the run, and these are gone",
            "Put the examples back where the run was trained ('gmd-vae preprocess' makes them again).",
        )
    training = load_windows(source.examples, "train")
    if not len(training):
        raise GmdVaeError(f"Split 'train' of '{source.examples}' has no windows", "Choose other examples.")
    chosen = training.labels[choose_by_file(training.files, _WINDOWS, seed=0)]

    def decoded(z: Floats) -> Mapping[str, npt.NDArray[np.float64]]:
        return drum_attributes(decode(z), spec.voice_names, spec.meter)

    attributes = drum_attributes(chosen, spec.voice_names, spec.meter)
    vectors = attribute_vectors(encode(chosen), attributes, decoded)
    if source.keep is not None:
        # files of the user, a link, a disk that is full or read-only, or another process: used without keeping them
        with contextlib.suppress(GmdVaeError, OSError):
            _keep(vectors, source.keep, identity)
    return vectors


def _kept_vectors(source: AttributeSource, digests: Mapping[str, str], z_size: int) -> Vectors | None:
    """Returns the vectors that the source keeps; ``None`` if it keeps none of this checkpoint, or they are damaged.

    Args:
        source: Training windows.
        digests: SHA-256 of each file of the checkpoint, by name.
        z_size: Size of a latent vector.
    """
    return None if source.keep is None else _read(source.keep, _identity(source, digests), z_size)


def attributes_of_run(run: Run, checkpoint: Path) -> AttributeSource:
    """Returns the training windows of a run, and the folder in it that keeps the vectors of a checkpoint.

    Args:
        run: The run.
        checkpoint: Name of the checkpoint, or its prefix.
    """
    step = checkpoints.step_of(checkpoint)
    keep = run.folder / "attributes" / (f"step-{step}" if step is not None else checkpoint.name)
    try:
        return AttributeSource(training_examples(run), run.examples_digest, keep)
    except GmdVaeError:  # kept vectors need no training windows
        return AttributeSource(None, run.examples_digest, keep)


def _identity(source: AttributeSource, digests: Mapping[str, str]) -> dict[str, Any]:
    """Returns all that vectors follow from, for the manifest."""
    return {
        "checkpoint": dict(digests),
        "examples": source.digest,
        "windows": _WINDOWS,
        "method": _METHOD,
    }


def _keep(vectors: Vectors, keep: Path, identity: dict[str, Any]) -> None:
    """Writes the vectors and a manifest.

    Raises:
        GmdVaeError: The folder holds something else, or another process writes it; or it lies behind a link of the
            run, which can come from somebody else.
        OSError: The disk is full or read-only.
    """
    check_no_link(keep.parent)
    arrays: dict[str, Any] = dict(vectors)
    with open_output(keep, STAGE, option="") as replaceable, whole_folder(keep, replaceable) as folder:
        np.savez(folder / _FILE, **arrays)
        manifest.write(
            folder,
            STAGE,
            {
                **identity,
                "attributes": list(vectors),
                "versions": manifest.versions("magenta", "tensorflow", "numpy"),
                "files": [manifest.describe_file(folder / _FILE)],
            },
        )


class _File(msgspec.Struct):
    """A file in the manifest."""

    sha256: str


class _AttributeManifest(msgspec.Struct):
    """The fields of the manifest that are read."""

    checkpoint: dict[str, str]
    examples: str
    windows: int
    method: str
    attributes: list[str]
    files: list[_File]


def _read(folder: Path, identity: dict[str, Any], z_size: int) -> Vectors | None:
    """Returns the vectors of a folder; ``None`` if they belong to another checkpoint, or are damaged."""
    try:
        content = manifest.read(folder, STAGE, "", _AttributeManifest)
        if {name: getattr(content, name) for name in identity} != identity:
            return None
        if [file.sha256 for file in content.files] != [files.sha256(folder / _FILE)]:
            return None
        return read_vectors(folder / _FILE, content.attributes, z_size)
    except (OSError, ValueError, GmdVaeError):
        return None
