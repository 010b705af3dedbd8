from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
from pathlib import Path

import google_crc32c
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi import tfrecord
from gmd_vae.midi.tfrecord import (
    FRAME,
    MAX_RECORD_BYTES,
    is_gzip,
    read_records,
    record_sizes,
    write_record,
)
from hypothesis import given, settings
from hypothesis import strategies as st

RECORDS = [b"one", b"", b"\x00" * 5000, "drei ♩".encode()]

# The file that tf.io.TFRecordWriter writes for the single record b"abc".
ABC = bytes.fromhex("0300000000000000 b099490e 616263 6e57f121")


def count(path: Path) -> int:
    """Returns the number of records in a file, from their lengths alone."""
    return len(list(record_sizes(path)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "records.tfrecord"
    with path.open("wb") as stream:
        for record in RECORDS:
            write_record(stream, record)
    return path


def masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(data: bytes) -> bytes:
    stream = io.BytesIO()
    write_record(stream, data)
    return stream.getvalue()


def test_the_bytes_are_those_of_the_format():
    stream = io.BytesIO()
    write_record(stream, b"abc")
    assert stream.getvalue() == ABC


def test_records_come_back_in_order(path):
    assert list(read_records(path)) == RECORDS
    assert count(path) == len(RECORDS)


def test_an_empty_file_holds_no_records(tmp_path):
    (tmp_path / "empty").touch()
    assert list(read_records(tmp_path / "empty")) == []
    assert count(tmp_path / "empty") == 0


@pytest.mark.parametrize(
    ("place", "what"),
    [(0, "length fails"), (9, "length fails"), (13, "data fails"), (16, "data fails")],
)
def test_one_changed_byte_is_found_and_placed(path, place, what):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(GmdVaeError, match=f"records.tfrecord' is damaged at record 0: its {what}"):
        list(read_records(path))


def test_the_records_before_the_damage_are_read(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    records = read_records(path)
    assert [next(records) for _ in range(3)] == RECORDS[:3]
    with pytest.raises(GmdVaeError, match="record 3: its data fails"):
        next(records)
    assert count(path) == 4  # counting reads lengths only


def test_a_file_cut_anywhere_is_found(path):
    data = path.read_bytes()
    ends = [0]
    for record in RECORDS:
        ends.append(ends[-1] + 16 + len(record))
    for size in [*range(60), len(data) - 1]:
        path.write_bytes(data[:size])
        if size in ends:
            assert len(list(read_records(path))) == count(path) == ends.index(size)
            continue
        for read in (lambda: list(read_records(path)), lambda: count(path)):
            with pytest.raises(GmdVaeError, match="the file ends inside"):
                read()


def test_an_impossible_length_is_refused(tmp_path):
    length = struct.pack("<Q", 1 << 60)
    (tmp_path / "evil").write_bytes(length + masked(length) + b"short")
    for read in (lambda: list(read_records(tmp_path / "evil")), lambda: count(tmp_path / "evil")):
        with pytest.raises(GmdVaeError, match=f"claims {1 << 60} bytes"):
            read()


def test_a_record_that_could_not_be_read_back_is_not_written(monkeypatch):
    assert MAX_RECORD_BYTES > 1 << 20
    monkeypatch.setattr(tfrecord, "MAX_RECORD_BYTES", 10)
    stream = io.BytesIO()
    write_record(stream, bytes(10))
    with pytest.raises(GmdVaeError, match="11 bytes is too long"):
        write_record(stream, bytes(11))
    assert len(stream.getvalue()) == 26


def test_other_files_are_refused(tmp_path):
    (tmp_path / "song.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk")
    with pytest.raises(GmdVaeError, match="is it a TFRecord file"):
        list(read_records(tmp_path / "song.mid"))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_records_come_back(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("any") / "records"
    with path.open("wb") as stream:
        for record in records:
            write_record(stream, record)
    assert list(read_records(path)) == records
    assert count(path) == len(records)


@pytest.mark.tensorflow
def test_tensorflow_writes_the_same_bytes_and_reads_ours(path, tmp_path):
    from gmd_vae.magenta.api import tf

    records = [*RECORDS, os.urandom(100_000)]
    with path.open("ab") as stream:
        write_record(stream, records[-1])
    with tf.io.TFRecordWriter(str(tmp_path / "abc")) as writer:
        writer.write(b"abc")
    assert (tmp_path / "abc").read_bytes() == ABC
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in records:
            writer.write(record)
    assert (tmp_path / "theirs").read_bytes() == path.read_bytes()
    assert list(tf.python_io.tf_record_iterator(str(path))) == records


@pytest.fixture
def packed(path: Path) -> Path:
    packed = path.with_name("records.tfrecord.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


def test_gzip_is_detected_and_unpacked(path, packed):
    assert is_gzip(packed)
    assert not is_gzip(path)
    assert list(read_records(packed)) == RECORDS
    assert count(packed) == len(RECORDS)
    assert list(record_sizes(packed)) == list(record_sizes(path)) == [len(record) for record in RECORDS]


def test_reading_can_begin_at_any_record(path, packed):
    start = 2 * FRAME + len(RECORDS[0]) + len(RECORDS[1])
    assert list(read_records(path, start, 2)) == list(read_records(packed, start, 2)) == RECORDS[2:]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(GmdVaeError, match="damaged at record 3: the file ends"):
        list(read_records(path, start, 2))


@pytest.mark.parametrize("place", range(3, 60, 4))
def test_gzip_that_is_cut_is_refused_in_one_line(packed, place):
    packed.write_bytes(packed.read_bytes()[:place])
    with pytest.raises(GmdVaeError, match=r"records.tfrecord.gz' is damaged at record \d: (gzip: |the file ends)"):
        list(read_records(packed))


@given(place=st.integers(3, 70), bit=st.integers(0, 7))
def test_a_changed_bit_in_gzip_changes_no_record(tmp_path_factory, place, bit):
    data = bytearray(gzip.compress(b"".join(map(framed, RECORDS)), mtime=0))
    data[place % len(data)] ^= 1 << bit
    path = tmp_path_factory.mktemp("bit") / "packed"
    path.write_bytes(data)
    read = []
    with contextlib.suppress(GmdVaeError):
        read.extend(read_records(path))
    assert read == RECORDS[: len(read)]


def test_a_small_gzip_file_does_not_take_all_memory(tmp_path):
    length = struct.pack("<Q", MAX_RECORD_BYTES + 1)
    bomb = gzip.compress(length + masked(length) + bytes(1 << 24))
    (tmp_path / "bomb").write_bytes(bomb)
    with pytest.raises(GmdVaeError, match="claims"):
        list(read_records(tmp_path / "bomb"))


@pytest.mark.tensorflow
def test_gzip_of_tensorflow_is_read(tmp_path):
    from gmd_vae.magenta.api import tf

    with tf.io.TFRecordWriter(str(tmp_path / "theirs"), "GZIP") as writer:
        for record in RECORDS:
            writer.write(record)
    assert list(read_records(tmp_path / "theirs")) == RECORDS
