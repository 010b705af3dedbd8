"""The directory of a zip archive from outside: its size, its entries, and the reasons for not using one."""

from __future__ import annotations

import functools
import stat
import struct
import zipfile
from pathlib import Path

from gmd_vae.common.regular_files import open_regular

MAX_RATIO = 200  # of unpacked to packed size; GMD's densest file has 10, a zip bomb 1,000
RATIO_COUNTS_FROM = 1 << 20  # bytes; a high ratio does no harm to smaller files
NOT_A_FILE = "it is a link or a special file"
_END_BYTES = 22 + 0xFFFF + 20 + 56  # the last record, its comment, and two records of large archives


def directory_bytes(archive: Path) -> int:
    """Returns the size of a zip's directory, as the records at its end give it; 0 without such a record."""
    with open_regular(archive) as stream:
        stream.seek(max(0, archive.stat().st_size - _END_BYTES))
        tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    locator = end - 20  # of the record of a large archive, which lies before it and counts alone, as for zipfile
    if locator >= 56 and tail.startswith(b"PK\x06\x07", locator) and tail.startswith(b"PK\x06\x06", locator - 56):
        return int(struct.unpack_from("<Q", tail, locator - 56 + 40)[0])
    return int(struct.unpack_from("<L", tail, end + 12)[0]) if 0 <= end <= len(tail) - 22 else 0


@functools.lru_cache(maxsize=2)
def open_zip(archive: Path, _mtime_ns: int, _size: int) -> zipfile.ZipFile:
    """Opens an archive once per process: to parse its directory takes longer than to read a file."""
    return zipfile.ZipFile(open_regular(archive))


def zip_infos(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Returns the directory of a zip archive.

    Raises:
        BadZipFile: A file would begin before the archive does.
    """
    infos = opened.infolist()
    if any(info.header_offset < 0 for info in infos):
        raise zipfile.BadZipFile("a file begins before the archive")
    return infos


def zip_problem(info: zipfile.ZipInfo) -> str:
    """Returns the reason for not using a file of a zip archive, as a clause; or ""."""
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return NOT_A_FILE
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is compressed in an unusual way"  # LZMA takes the memory that a header asks for
    if info.file_size > RATIO_COUNTS_FROM and info.file_size > MAX_RATIO * info.compress_size:
        return f"it unpacks to more than {MAX_RATIO} times its size"
    return ""
