"""Latent vectors in files: written and read back; other files are checked first."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.latent_points import prior
from gmd_vae.common.regular_files import NotAFileError
from gmd_vae.generation.latent.latent_files import read_latents, write_latents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_written_vectors_are_read_back_and_have_equal_bytes(tmp_path: Path) -> None:
    z = prior(5, 8, seed=1)
    for name in ("a.npz", "b.npz"):
        write_latents(tmp_path / name, z, np.array([0, 0, 1, 1, 2]))
    np.testing.assert_array_equal(read_latents(tmp_path / "a.npz", 8), z)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["beat"].tolist() == [0, 0, 1, 1, 2]


def test_an_npy_file_of_another_float_type_is_read(tmp_path: Path) -> None:
    z = np.asfortranarray(prior(3, 4, seed=1).astype(np.float64))
    np.save(tmp_path / "z.npy", z)
    found = read_latents(tmp_path / "z.npy", 4)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, z, rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 7), np.float32), "7 dimensions, and the model has 8"),
        (np.zeros(8, np.float32), r"float32 \[8\], not latent vectors"),
        (np.zeros((2, 8), np.int64), r"int64 \[2, 8\], not latent vectors"),
        (np.zeros((0, 8), np.float32), "not latent vectors"),
        (np.full((2, 8), np.nan, np.float32), "not finite"),
    ],
)
def test_other_arrays_are_refused_with_their_size(tmp_path: Path, array: Any, said: str) -> None:
    np.savez(tmp_path / "z.npz", z=array)
    with pytest.raises(GmdVaeError, match=said):
        read_latents(tmp_path / "z.npz", 8)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(GmdVaeError, match="not latent vectors"):
        read_latents(tmp_path / "z.npy", 8)


def test_a_huge_shape_is_refused_before_memory_is_allocated(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 8)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("z.npy", header.getvalue())
    with pytest.raises(GmdVaeError, match="1 to 1,000,000 beats"):
        read_latents(tmp_path / "bomb.npz", 8)


@pytest.mark.parametrize(("name", "data"), [("text.npz", b"hello"), ("empty.npz", b""), ("cut.npz", b"PK\x03\x04zz")])
def test_a_file_without_an_array_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(GmdVaeError, match=name):
        read_latents(tmp_path / name, 8)


def test_an_archive_without_z_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros((2, 8), np.float32))
    with pytest.raises(GmdVaeError, match="holds no array 'z'"):
        read_latents(tmp_path / "other.npz", 8)
    with pytest.raises(GmdVaeError, match="does not exist"):
        read_latents(tmp_path / "none.npz", 8)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "z.npz"
    write_latents(path, prior(2, 4, seed=0), np.array([0, 1]))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        shape = read_latents(path, 4).shape
    except GmdVaeError:  # any other error is a bug
        shape = (2, 4)
    assert shape == (2, 4)


def test_a_device_is_no_damaged_file() -> None:
    with pytest.raises(NotAFileError, match="it is a device, not a file; move it away, or give another path"):
        read_latents(Path("/dev/zero"), 8)
