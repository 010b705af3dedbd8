"""Writes and reads ``latents.npz``, the latent vectors of generated beats. Nothing is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import NotAFileError, open_regular

NAME = "latents.npz"
# exceptions of zipfile and NumPy for damaged files and files of another format
_DAMAGE = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
_MAX_ROWS = 1_000_000  # 2 GB at z_size 512

Floats = npt.NDArray[np.float32]


def write_latents(path: Path, z: Floats, beats: npt.NDArray[np.int64]) -> None:
    """Writes an ``.npz`` file with the arrays ``z`` and ``beat``.

    Args:
        path: File to write.
        z: Latent vectors, float32 ``[rows, z_size]``.
        beats: Number of the MIDI file of each row, int64 ``[rows]``.
    """
    np.savez(path, z=z, beat=beats)


def read_latents(path: Path, z_size: int) -> Floats:
    """Reads latent vectors from an ``.npz`` file with an array ``z``, or from an ``.npy`` file.

    The header is checked before memory is allocated.

    Args:
        path: File from ``write_latents`` or NumPy.
        z_size: Size of the model's latent vectors.

    Returns:
        Latent vectors, float32 ``[rows, z_size]``.

    Raises:
        GmdVaeError: The file has another format, its vectors have another size, or a number is not finite.
    """
    name = printable(str(path), limit=None)
    if not path.exists():
        raise GmdVaeError(f"Latent file '{name}' does not exist", "Check the path.")
    try:
        with open_regular(path) as stream:
            is_zip = stream.read(4) == b"PK\x03\x04"
            stream.seek(0)
            if not is_zip:
                return _read(stream, name, z_size)
            with zipfile.ZipFile(stream) as archive:
                if "z.npy" not in archive.namelist():
                    raise GmdVaeError(
                        f"'{name}' holds no array 'z'", f"Give the {NAME} of a folder of generated beats."
                    )
                with archive.open("z.npy") as member:
                    return _read(member, name, z_size)
    except NotAFileError:  # an OSError, and no damage
        raise
    except _DAMAGE as error:
        raise GmdVaeError(f"'{name}' cannot be read as latent vectors ({error})", f"Give a {NAME}.") from None


def read_vectors(path: Path, names: Sequence[str], z_size: int) -> dict[str, npt.NDArray[np.float64]]:
    """Reads vectors of latent space from an ``.npz`` file.

    Args:
        path: File from ``numpy.savez``.
        names: Names of the arrays, each float ``[z_size]``.
        z_size: Size of the model's latent vectors.

    Raises:
        ValueError: The file cannot be read, or an array is missing or has another form.
    """
    vectors = {}
    try:
        with open_regular(path, follow=False) as stream, zipfile.ZipFile(stream) as archive:
            for name in names:
                with archive.open(f"{name}.npy") as member:
                    shape, _, dtype = _header(member)
                    if dtype.kind != "f" or shape != (z_size,):
                        raise ValueError(f"'{name}' is {dtype.name} {list(shape)}")
                    data = member.read(z_size * dtype.itemsize)
                vectors[name] = np.frombuffer(data, dtype, z_size).astype(np.float64)
                if not np.isfinite(vectors[name]).all():
                    raise ValueError(f"'{name}' holds numbers that are not finite")
    except (KeyError, *_DAMAGE) as error:
        raise ValueError(str(error)) from None
    return vectors


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Returns shape, order and dtype of an ``.npy`` file."""
    from numpy.lib import format as numpy_format

    npy: Any = numpy_format  # its functions have no type annotations
    version = npy.read_magic(stream)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = read_header(stream)
    return header


def _read(stream: IO[bytes], name: str, z_size: int) -> Floats:
    shape, fortran, dtype = _header(stream)
    if dtype.kind != "f" or len(shape) != 2 or not 0 < shape[0] <= _MAX_ROWS:
        raise GmdVaeError(
            f"'{name}' holds {dtype.name} {list(shape)}, not latent vectors",
            f"They are float [beats, {z_size}], for 1 to {_MAX_ROWS:,} beats.",
        )
    if shape[1] != z_size:
        raise GmdVaeError(
            f"'{name}' holds latent vectors of {shape[1]} dimensions, and the model has {z_size}",
            "Give those of a run with this config.",
        )
    size = shape[0] * shape[1] * dtype.itemsize
    data = stream.read(size)
    if len(data) != size:
        raise GmdVaeError(f"'{name}' is cut short", f"Give a whole {NAME}.")
    with np.errstate(over="ignore"):  # numbers too large for float32 become infinite
        z = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").astype(np.float32)
    if not np.isfinite(z).all():
        raise GmdVaeError(f"'{name}' holds numbers that are not finite", f"Give another {NAME}.")
    return z
