"""Pictures, sound files and pages at places that users choose: only those of gmd-vae are replaced.

Each ends in a mark that its format allows: a text chunk (PNG), an INFO chunk (WAV) or a comment (HTML). The mark
holds the SHA-256 of all bytes before it. A file without a mark, or changed after the mark was written, is the user's.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.files import is_regular, sha256
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular
from gmd_vae.common.run_places import check_not_of_training

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
_WAV_START = b"RIFF"
_LONGEST_START = len(_PNG_START)


def has_mark(path: Path) -> bool:
    """Returns True for a regular file that ends in the mark of its other bytes."""
    status = path.lstat()
    if not is_regular(status):
        return False
    with open_regular(path) as stream:
        start = stream.read(_LONGEST_START)
        length = status.st_size - len(_mark(start, ""))
        if length < len(start):
            return False
        stream.seek(0)
        digest, left = hashlib.sha256(), length
        while left and (block := stream.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
        return stream.read() == _mark(start, digest.hexdigest())


def check_writable(
    path: Path, *, inputs: Iterable[Path] = (), option: str, is_own: Callable[[Path], bool] = has_mark
) -> None:
    """Checks that a file may be written: nothing is there, or an unchanged file of gmd-vae.

    Args:
        path: File to write.
        inputs: Inputs of the command, which are never replaced.
        option: Option that chooses another place, for the message.
        is_own: Returns True for an unchanged file of gmd-vae; by default by its mark.

    Raises:
        UsageError: ``path`` is an input.
        GmdVaeError: ``path`` is a folder, a link, or a file that gmd-vae did not write or that was changed since; or it
            belongs to the training of a run.
    """
    check_not_of_training(path, option)
    if not os.path.lexists(path):
        return
    action = f"Choose another {option}, or move it away. Nothing was changed."
    name = printable(str(path))
    if path.exists() and any(source.exists() and path.samefile(source) for source in inputs):
        raise UsageError(f"'{name}' is an input and would be replaced", f"Choose another {option}.")
    if path.is_dir():
        raise GmdVaeError(f"'{name}' is a folder, and a file is to be written there", action)
    if not is_own(path):
        raise GmdVaeError(f"'{name}' exists, and gmd-vae did not write it or it was changed since", action)


def add_mark(path: Path) -> None:
    """Appends the mark to a finished PNG, WAV or HTML file. Equal files stay equal.

    Args:
        path: A file without a mark.
    """
    with open(path, "r+b") as stream:
        start = stream.read(_LONGEST_START)
        if start == _PNG_START:
            stream.seek(-len(_PNG_END), os.SEEK_END)
            stream.truncate()
        elif start.startswith(_WAV_START):
            size = os.fstat(stream.fileno()).st_size + len(_mark(start, ""))
            stream.seek(len(_WAV_START))
            stream.write(struct.pack("<I", size - 8))
        stream.flush()
        digest = sha256(path)
        stream.seek(0, os.SEEK_END)
        stream.write(_mark(start, digest))


def _mark(start: bytes, digest: str) -> bytes:
    """Returns the last bytes of a file.

    Args:
        start: First bytes of the file, which tell its format.
        digest: SHA-256 of the bytes before the mark, as 64 hex digits; empty for a mark of equal length.
    """
    text = f"gmd-vae sha256:{digest:0>64}".encode("ascii")
    if start == _PNG_START:
        chunk = b"tEXt" + b"Software\0" + text
        return struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + _PNG_END
    if start.startswith(_WAV_START):
        value = text + b"\0" * (2 - len(text) % 2)  # ends in a zero, at an even length
        content = b"INFO" + b"ISFT" + struct.pack("<I", len(value)) + value
        return b"LIST" + struct.pack("<I", len(content)) + content
    return b"<!-- " + text + b" -->\n"
