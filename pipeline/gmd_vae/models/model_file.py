"""A trained model as one file: weights, config and card as safetensors, read without pickle.

The tensors are the variables by Magenta's names, ``attribute_vectors/NAME``, and ``prior/NAME`` for the numbers of a
fitted density of z (`LatentDensity`). The metadata has one key, ``gmd_vae``,
because the library writes several keys in random order: a JSON document (`_Document`). Its last field is the SHA-256
of the fields before it and of the tensors' bytes, so that every change is detected. Equal models give equal bytes.

The header is read first. Config, names, shapes and sizes are checked before memory for the weights is allocated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.files import whole_file
from gmd_vae.common.json_formats import Count, convert_json, parse_json
from gmd_vae.common.json_text import json_text
from gmd_vae.common.newer_files import unusable, wrong_number
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.limits import MOST_COMPONENTS
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.own_hparams import without_off
from gmd_vae.configuration.registry import config_of_model
from gmd_vae.families.parameters import Shapes, variable_shapes
from gmd_vae.models.card import Card, Digest, Name
from gmd_vae.models.latent_density import LatentDensity

SUFFIX = ".safetensors"
FORMAT = "gmd-vae-model"
VERSION = 1  # of the format; a newer one is refused

_KEY = "gmd_vae"  # of the metadata
_VECTORS = "attribute_vectors/"  # first part of the names of the tensors
_PRIOR = "prior/windows"
_LENGTH = struct.Struct("<Q")  # the length of the header, the first bytes of the file
MAX_HEADER_BYTES = 1 << 20  # bytes; the largest of all configs has 30 kB
MAX_TENSOR_BYTES = 4 << 30  # bytes; those of Magenta's largest published model take 0.7 GB
_ITEM_BYTES = {"F16": 2, "F32": 4, "F64": 8}
_AGAIN = "Get the file again, or make it again with 'gmd-vae export'."

DType = Literal["fp32", "fp16"]
_DTYPES: dict[DType, tuple[str, type[np.floating[Any]]]] = {"fp32": ("F32", np.float32), "fp16": ("F16", np.float16)}
Variables = Mapping[str, npt.NDArray[np.float32]]


@dataclasses.dataclass(frozen=True)
class ModelFile:
    """A trained model.

    Attributes:
        config: Config of the model.
        hparams: All hyperparameters.
        variables: Variables by Magenta's names, those of ``parameters.variable_shapes``.
        card: Facts about the model.
        step: Training step; ``None``: unknown.
        examples_digest: SHA-256 of the manifest of the training examples; ``None``: unknown.
        checkpoint: Name and SHA-256 of each file of the checkpoint.
        attribute_vectors: Attribute vectors by name, float64 ``[z_size]``; empty if they were not computed.
        density: Density of z, fitted to the posteriors of the training windows; ``None``: N(0, I). Stored as fp16.
        licence: Licence of the weights; ``None``: not stated.
    """

    config: Config
    hparams: dict[str, Any]
    variables: Variables
    card: Card
    step: int | None = None
    examples_digest: str | None = None
    checkpoint: dict[str, str] = dataclasses.field(default_factory=dict)
    attribute_vectors: dict[str, npt.NDArray[np.float64]] = dataclasses.field(default_factory=dict)
    density: LatentDensity | None = None
    licence: str | None = None

    @property
    def licence_in_words(self) -> str:
        """The licence; empty if it is not stated, and neither is one of the initial weights."""
        if self.licence is None and any(weights.licence for weights in self.card.began_with):
            return "not stated; for that of the weights it began with, see above"
        return self.licence or ""


class _Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """The metadata, apart from ``sha256``; ``ModelFile`` explains the fields.

    Attributes:
        format: ``FORMAT``.
        version: ``VERSION``.
        dtype: Type of the variables in the file.
        config: Name of the config.
        declaration: All fields of the config, its windows included.
        attribute_vectors: Names of the attribute vectors.
        versions: Version of the gmd-vae that wrote the file, as in manifests; files of version 0.23 and earlier have
            none.
        prior_windows: Number of windows of the density of z; 0, for none, is left out.
    """

    format: str
    version: int
    dtype: DType
    config: str
    declaration: dict[str, Any]
    hparams: dict[str, Any]
    step: Count | None
    examples_digest: Digest | None
    checkpoint: dict[str, Digest]
    attribute_vectors: Annotated[list[str], msgspec.Meta(max_length=1000)]
    card: Card
    licence: str | None
    versions: Annotated[dict[Name, Name], msgspec.Meta(max_length=50)] = {}
    prior_windows: Annotated[int, msgspec.Meta(ge=0, le=MOST_COMPONENTS)] = 0


class OldPriorError(GmdVaeError):
    """A model has a fitted prior that only earlier versions can read."""


class _RefusedError(Exception):
    """A file is no model. The arguments are the reason as a predicate, and the next action."""


def write_model(path: Path, model: ModelFile, dtype: DType = "fp32") -> None:
    """Writes a model, complete or not at all.

    Args:
        path: File to write. The caller has checked that it may be replaced.
        model: The model.
        dtype: Type of the variables in the file; fp16 halves the file and rounds the weights.

    Raises:
        GmdVaeError: A variable is not finite, or is too large for fp16.
    """
    data = model_bytes(model, dtype)
    with whole_file(path) as partial:
        partial.write_bytes(data)


def model_bytes(model: ModelFile, dtype: DType = "fp32") -> bytes:
    """Returns the bytes of a model's file, as `write_model` writes them."""
    from safetensors.numpy import save

    shapes = variable_shapes(model.config, model.hparams)
    assert {name: values.shape for name, values in model.variables.items()} == shapes, "not the config's variables"
    check_finite(model)
    with np.errstate(over="ignore"):
        tensors: dict[str, npt.NDArray[Any]] = {
            name: np.ascontiguousarray(values, _DTYPES[dtype][1]) for name, values in model.variables.items()
        }
    tensors |= {f"{_VECTORS}{name}": np.ascontiguousarray(v, np.float64) for name, v in model.attribute_vectors.items()}
    if model.density is not None:
        tensors[_PRIOR] = np.ascontiguousarray(model.density.windows, np.float16)
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise GmdVaeError(f"'{name}' of '{model.card.name}' has numbers too large for fp16", "Choose --dtype fp32.")
    document = _Document(
        format=FORMAT,
        version=VERSION,
        dtype=dtype,
        config=model.config.name,
        declaration=model.config.as_declaration(),
        hparams=without_off(model.hparams),
        step=model.step,
        examples_digest=model.examples_digest,
        checkpoint=dict(sorted(model.checkpoint.items())),
        attribute_vectors=sorted(model.attribute_vectors),
        card=model.card,
        licence=model.licence,
        versions=manifest.versions(),
        prior_windows=0 if model.density is None else model.density.components,
    )
    text = json_text({**msgspec.to_builtins(document), "card": model.card.known()})
    content = save(tensors)
    data = content[_LENGTH.size + _LENGTH.unpack_from(content)[0] :]
    return save(tensors, {_KEY: _sealed(text, data)})


def check_finite(model: ModelFile) -> None:
    """Checks that no number of a model is NaN or infinite.

    Raises:
        GmdVaeError: One is.
    """
    arrays: dict[str, npt.NDArray[Any]] = {**model.variables, **model.attribute_vectors}
    for name, values in arrays.items():
        if not np.isfinite(values).all():
            problem = f"'{name}' of '{model.card.name}' holds numbers that are not finite"
            raise GmdVaeError(problem, "Choose an earlier checkpoint.")


def is_model_file(path: Path) -> bool:
    """Returns True for the name of a model file, in upper and lower case."""
    return path.suffix.lower() == SUFFIX


def read_model(path: Path) -> ModelFile:
    """Reads a model, in fp32.

    Args:
        path: File from `write_model`.

    Returns:
        The model; its arrays are read-only.

    Raises:
        GmdVaeError: There is no such file; it is damaged, or is no model of gmd-vae; or its format is newer.
    """
    try:
        with open_regular(path) as stream:
            return _read(stream)
    except _RefusedError as error:
        reason, next_action = error.args
    except OldPriorError as error:
        raise OldPriorError(f"Model '{printable(str(path), limit=None)}' {error.problem}", error.next_action) from None
    except FileNotFoundError:
        reason, next_action = "does not exist", "Check the path."
    except OSError as error:
        reason, next_action = f"cannot be read ({error.strerror})", "Check the path."
    raise GmdVaeError(f"Model '{printable(str(path), limit=None)}' {reason}", next_action)


def is_unchanged_model(path: Path) -> bool:
    """Returns True for a file from `write_model` that nobody changed since. Such a file may be replaced."""
    try:
        read_model(path)
    except GmdVaeError:
        return False
    return not path.is_symlink()


def _read(stream: BinaryIO) -> ModelFile:
    size = os.fstat(stream.fileno()).st_size
    start = stream.read(_LENGTH.size)
    length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else size
    if length > size - _LENGTH.size or length > MAX_HEADER_BYTES:
        claimed = f" (its header would have {length:,} bytes)" if len(start) == _LENGTH.size else ""
        raise _RefusedError(f"is no safetensors file, or is cut short{claimed}", _AGAIN)
    header = stream.read(length)
    try:
        entries = parse_json(header, dict[str, Any])
    except ValueError:
        raise _RefusedError("is no safetensors file: its header cannot be read", _AGAIN) from None
    metadata = entries.pop("__metadata__", None)
    text = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise _RefusedError(
            "is a safetensors file of another program, which does not name its config",
            "Give a model that 'gmd-vae export' wrote, or a run folder.",
        )
    document, config, shapes = _document(text)
    wanted = _wanted(document, shapes)
    if problems := _problems_of_entries(entries, wanted):
        raise _unfit(f"does not fit its config: {problems}", {"versions": document.versions})
    data_bytes = sum(math.prod(shape) * _ITEM_BYTES[dtype] for dtype, shape in wanted.values())
    if data_bytes > MAX_TENSOR_BYTES:
        raise _RefusedError(f"has weights of more than {MAX_TENSOR_BYTES:,} bytes", "Is it the right file?")
    held = size - _LENGTH.size - length
    if held != data_bytes:
        reason = "is cut short" if held < data_bytes else "is damaged"
        raise _RefusedError(f"{reason}: its weights take {data_bytes:,} bytes, and {held:,} are there", _AGAIN)
    stream.seek(0)
    content = stream.read(size)
    data = memoryview(content)[_LENGTH.size + length :]
    if not content.startswith(start + header) or _sealed(_unsealed(text), data) != text:
        raise _RefusedError("was changed or is damaged: its checksum does not match", _AGAIN)
    tensors = _tensors(content, wanted)
    density = None
    if document.prior_windows:
        density = LatentDensity(tensors[_PRIOR])
    return ModelFile(
        config=config,
        hparams=document.hparams,
        variables={name: tensors[name] for name in shapes},
        card=document.card,
        step=document.step,
        examples_digest=document.examples_digest,
        checkpoint=document.checkpoint,
        attribute_vectors={name: tensors[f"{_VECTORS}{name}"] for name in document.attribute_vectors},
        density=density,
        licence=document.licence,
    )


def _document(text: str) -> tuple[_Document, Config, Shapes]:
    """Returns the metadata, and the config and variables that it declares, with every field checked."""
    content: dict[str, Any] = {}
    try:
        content = parse_json(text.encode("utf-8", "surrogatepass"), dict[str, Any])
        if content.get("format") != FORMAT:
            raise _RefusedError("is no model of gmd-vae", "Give a model that 'gmd-vae export' wrote, or a run folder.")
        version = content.get("version")
        if isinstance(version, int) and version > VERSION:
            raise _RefusedError(*wrong_number("", "format", version, VERSION, _AGAIN).args)
        if content.get("prior_gaussians"):
            raise OldPriorError(
                "has a fitted prior of version 0.14 or earlier",
                "Repeat the train command of its run, which fits the prior anew in seconds, and export it again.",
            )
        document = convert_json(content, _Document)
        if document.version != VERSION:
            raise ValueError(f"has the unknown format {document.version}")
    except ValueError as error:
        reason = f"has metadata that cannot be used: it {printable(str(error), limit=300)}"
        raise _unfit(reason, content) from None
    try:
        config, hparams = config_of_model(document.config, document.declaration, document.hparams)
        if config.is_magentas and _without_texts(config) not in map(_without_texts, MAGENTA_CONFIGS):
            raise ValueError(f"config '{config.name}' is not Magenta's config of this name")
        shapes = variable_shapes(config, hparams)
    except KeyError as error:
        raise _unfit(f"does not describe a model: it has no field {error}", content) from None
    except (UsageError, ValueError) as error:
        reason = error.problem if isinstance(error, UsageError) else str(error)
        raise _unfit(f"does not describe a model: {printable(reason, limit=300)}", content) from None
    return msgspec.structs.replace(document, hparams=hparams), config, shapes


def _without_texts(config: Config) -> Config:
    return config.replace(summary="", source="", num_steps=1)


def _wanted(document: _Document, shapes: Shapes) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Returns type and shape of each tensor that the file must hold."""
    dtype, z_size = _DTYPES[document.dtype][0], document.hparams["z_size"]
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {name: (dtype, shape) for name, shape in shapes.items()}
    wanted |= {f"{_VECTORS}{name}": ("F64", (z_size,)) for name in document.attribute_vectors}
    if document.prior_windows:
        wanted[_PRIOR] = ("F16", (document.prior_windows, z_size))
    return wanted


def _problems_of_entries(entries: Mapping[str, Any], wanted: Mapping[str, tuple[str, tuple[int, ...]]]) -> str:
    """Checks names, types and shapes of the tensors in a header; returns what does not fit, or an empty text."""
    problems = []
    for name, (dtype, shape) in wanted.items():
        entry = entries.get(name)
        if not isinstance(entry, dict):
            problems.append(f"'{name}' is missing")
        elif entry.get("dtype") != dtype or entry.get("shape") != list(shape):
            found = printable(f"{entry.get('dtype')} {entry.get('shape')}")
            problems.append(f"'{name}' is {found[:60]}, the config makes it {dtype} {list(shape)}")
    problems += [f"'{printable(name)[:60]}' is unknown" for name in entries if name not in wanted]
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return f"{'; '.join(problems[:3])}{more}"


def _unfit(reason: str, content: Mapping[str, Any]) -> _RefusedError:
    """Makes the error for content that this version cannot use: damaged, or of a newer version."""
    return _RefusedError(*unusable(reason, content, _AGAIN).args)


def _tensors(content: bytes, wanted: Mapping[str, tuple[str, tuple[int, ...]]]) -> dict[str, npt.NDArray[Any]]:
    """Returns the tensors of a file whose header was checked; fp16 becomes fp32."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _RefusedError(f"is damaged ({' '.join(str(error).split())[:100]})", _AGAIN) from None
    if {name: values.shape for name, values in tensors.items()} != {name: shape for name, (_, shape) in wanted.items()}:
        raise _RefusedError("is damaged: its header names a tensor twice", _AGAIN)
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise _RefusedError(f"holds numbers that are not finite, in '{name}'", _AGAIN)
        if values.dtype == np.float16:
            tensors[name] = values.astype(np.float32)
            tensors[name].flags.writeable = False
    return tensors


def _sealed(text: str, data: bytes | memoryview) -> str:
    """Returns a JSON object with ``sha256``, of its text and the data, as the last field."""
    digest = hashlib.sha256(text[:-1].encode("utf-8", "surrogatepass"))
    digest.update(data)
    return f'{text[:-1]}, "sha256": "{digest.hexdigest()}"}}'


def _unsealed(text: str) -> str:
    """Returns the text before `_sealed`; another text if it was changed."""
    return text.rpartition(', "sha256": "')[0] + "}"
