"""MIDI files recognised by their first bytes, and taken out of the containers RIFF and gzip.

Formats: a Standard MIDI File begins with ``MThd``. RIFF MIDI (``.rmi``) is a RIFF file of the form type ``RMID``
whose chunk ``data`` is a Standard MIDI File (Multimedia Programming Interface and Data Specifications 1.0, IBM and
Microsoft, 1991). gzip (RFC 1952) may hold either.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import zlib

HEAD_BYTES = 4096  # first bytes of a file that are read to recognise it
SUFFIXES = (".mid", ".midi", ".kar", ".smf", ".rmi")
STOCK_SUFFIXES = (".mid", ".midi")  # those of Magenta's convert_dir_to_note_sequences
_GZIP_SUFFIX = ".gz"
_MIDI = b"MThd"
_GZIP = b"\x1f\x8b\x08"  # magic number and compression method (deflate is the only one)
_RIFF_HEADER, _CHUNK_HEADER = 12, 8  # bytes
_SUFFIX = re.compile(r"[^.](?P<suffix>\.[A-Za-z0-9_~+-]{1,12}(?:\.gz)?)\Z", re.IGNORECASE)
NO_SUFFIX = "no suffix"


class ContainerError(Exception):
    """A RIFF or gzip file whose content cannot be taken out. The message is a clause.

    Attributes:
        is_too_large: True if the content is larger than the limit.
    """

    def __init__(self, problem: str, *, is_too_large: bool = False) -> None:
        self.is_too_large = is_too_large
        super().__init__(problem)


def is_midi_name(name: str) -> bool:
    """Returns True for the name of a MIDI file: ``.mid``, ``.midi``, ``.kar``, ``.smf`` or ``.rmi``, also gzipped."""
    return name.lower().removesuffix(_GZIP_SUFFIX).endswith(SUFFIXES)


def is_stock_name(name: str) -> bool:
    """Returns True for a name that Magenta's ``convert_dir_to_note_sequences`` takes: ``.mid`` or ``.midi``."""
    return name.lower().endswith(STOCK_SUFFIXES)


def midi_stem(name: str) -> str:
    """Returns the name of a MIDI file without its suffixes; other names as they are.

    >>> midi_stem("song.mid.gz"), midi_stem("No. 5")
    ('song', 'No. 5')
    """
    short = name[: -len(_GZIP_SUFFIX)] if name.lower().endswith(_GZIP_SUFFIX) else name
    suffix = next((suffix for suffix in SUFFIXES if short.lower().endswith(suffix)), "")
    return short[: -len(suffix)] or name if suffix else name


def suffix_of(name: str) -> str:
    """Returns the suffix of a file name in lower case, to count by: ``.wav``, ``.tar.gz``, or ``no suffix``."""
    match = _SUFFIX.search(name)
    return match["suffix"].lower() if match else NO_SUFFIX


def is_midi(head: bytes) -> bool:
    """Returns True for the first bytes of a MIDI file: Standard MIDI, RIFF MIDI, or gzip with one of them.

    Args:
        head: First ``HEAD_BYTES`` of the file, or fewer.
    """
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _RIFF_HEADER)
        except zlib.error:
            return False
    return head.startswith(_MIDI) or _is_riff_midi(head)


def take_out(data: bytes, max_bytes: int) -> bytes:
    """Returns the Standard MIDI File in a RIFF or gzip file; other bytes as they are.

    Args:
        data: Content of a file.
        max_bytes: Limit of the unpacked size.

    Raises:
        ContainerError: The container is damaged, or holds more than ``max_bytes``.
    """
    if data.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
                data = stream.read(max_bytes + 1)
        except EOFError:
            raise ContainerError("the gzip data ends too early") from None
        except (OSError, zlib.error, struct.error) as error:
            raise ContainerError(f"gzip: {error}") from None
        if len(data) > max_bytes:
            raise ContainerError(f"gzip unpacks to more than {max_bytes:,} bytes", is_too_large=True)
    return _riff_data(data) if _is_riff_midi(data) else data


def _is_riff_midi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:_RIFF_HEADER] == b"RMID"


def _riff_data(data: bytes) -> bytes:
    """Returns the chunk ``data`` of a RIFF MIDI file. A size beyond the end of the file means its rest."""
    position = _RIFF_HEADER
    while position + _CHUNK_HEADER <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        position += _CHUNK_HEADER
        if name == b"data":
            return data[position : position + size]
        position += size + (size & 1)  # chunks begin at even offsets
    raise ContainerError("the RIFF file has no MIDI data")
