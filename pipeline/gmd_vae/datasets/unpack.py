"""Unpacks a zip archive from outside without trust in its content.

An archive decides neither the place of a file nor the disk space that it takes: names are checked, links
are refused, sizes and counts are bounded. One bad member refuses the whole archive.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular
from gmd_vae.datasets.archives import GET_AGAIN, damage_as_error
from gmd_vae.datasets.safe_names import is_clutter, name_on_disk, relative_name
from gmd_vae.datasets.zip_files import zip_infos, zip_problem


def unpack_zip(archive: Path, folder: Path, max_bytes: int, max_members: int, strip: str = "") -> list[str]:
    """Unpacks a zip archive into an empty folder; returns the names written, sorted.

    Checks every name before the first byte is written. Leaves out the files that macOS adds to archives
    (``._x``, ``Icon``). File modes and times are those of new files.

    Args:
        archive: Path of the archive.
        folder: An empty folder; the caller removes it after an error.
        max_bytes: Limit of the unpacked size of all files.
        max_members: Limit of the number of files.
        strip: A top folder to remove from the names of its files.

    Raises:
        GmdVaeError: The archive is damaged, encrypted, above a limit, or holds a name or a kind of file
            that is not allowed.
        OSError: The folder cannot be written (a full disk).
    """
    with damage_as_error(archive), open_regular(archive) as stream, zipfile.ZipFile(stream) as opened:
        plan = _plan(archive, zip_infos(opened), max_bytes, max_members, strip)
        for name, info in sorted(plan.items(), key=lambda item: item[0]):
            info.filename = name  # extract() writes to this name, never more than the size in the directory
            try:
                opened.extract(info, folder)
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise GmdVaeError(f"'{archive}' holds '{name}' as a file and a folder", GET_AGAIN) from None
    return sorted(plan)


def _plan(
    archive: Path, infos: list[zipfile.ZipInfo], max_bytes: int, max_members: int, strip: str
) -> dict[str, zipfile.ZipInfo]:
    """Returns the files to unpack by their new names; refuses the whole archive for one bad member."""
    if len(infos) > max_members:
        raise GmdVaeError(f"'{archive}' holds {len(infos):,} files, more than the {max_members:,} allowed", GET_AGAIN)
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise GmdVaeError(f"'{archive}' unpacks to {total:,} bytes, more than the {max_bytes:,} allowed", GET_AGAIN)
    plan: dict[str, zipfile.ZipInfo] = {}
    taken: set[str] = set()  # a disk that ignores case would keep one of two
    for info in infos:
        if info.is_dir():
            continue
        try:
            name = relative_name(info.filename.rstrip("\r"))  # macOS's folder icons: "Icon" and a carriage return
            if is_clutter(name):
                continue
            if problem := zip_problem(info):
                raise ValueError(problem)
            name = name.removeprefix(f"{strip}/") if strip else name
            if name_on_disk(name) in taken:
                raise ValueError("it is there twice")
        except ValueError as error:
            shown = printable(info.filename)
            raise GmdVaeError(f"'{archive}' holds '{shown}', which is not unpacked: {error}", GET_AGAIN) from None
        plan[name] = info
        taken.add(name_on_disk(name))
    return plan
