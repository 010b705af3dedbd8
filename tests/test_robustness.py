"""Hostile input through the command line: no crash, no hang, little memory, every file counted once."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gmd_vae.midi.refusals import MAX_TRACKS

ROOT = Path(__file__).parent.parent
LIMIT = 60  # seconds; it takes one
MOST_MEMORY = 300 << 20

MakeMidi = Callable[..., bytes]


class Answer(NamedTuple):
    """What the command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def convert(tmp_path: Path) -> Callable[..., Answer]:
    """Runs ``gmd-vae convert INPUT`` as a process, and checks what holds for any input."""

    def run(source: Path, *options: str) -> Answer:
        before = [path for path in tmp_path.iterdir() if path.name != "notes"]
        command = [sys.executable, "-m", "gmd_vae", "convert", str(source), "--output-dir", str(tmp_path / "notes")]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.watch", *command, *options],
            capture_output=True, timeout=LIMIT, cwd=ROOT, check=False,
        )  # fmt: skip
        report, err = json.loads(done.stdout), done.stderr.decode()
        assert report["peak_bytes"] < MOST_MEMORY
        assert done.returncode in (0, 1)
        assert "Traceback" not in err
        if done.returncode:
            lines = err.splitlines()
            assert [line.startswith("Error: ") for line in lines] == [True], err
        assert [path for path in tmp_path.iterdir() if path.name != "notes"] == before
        return Answer(done.returncode, report["stdout"], err)

    return run


def counted(answer: Answer) -> tuple[int, dict[str, int]]:
    """How many files became records, and how many were skipped for each reason."""
    assert answer.code == 0, answer.err
    content: dict[str, Any] = json.loads(answer.out)
    records = sum(split["records"] for split in content["splits"].values())
    return records, {reason: names["count"] for reason, names in content["skipped"].items()}


def midi(*tracks: bytes, claims: int | None = None) -> bytes:
    count = len(tracks) if claims is None else claims
    return b"MThd" + struct.pack(">LHHH", 6, 1, count, 480) + b"".join(tracks)


def track(events: bytes) -> bytes:
    return b"MTrk" + struct.pack(">L", len(events)) + events


HIT = b"\x00\x99\x24\x64\x3c\x89\x24\x00"
LONGEST = b"\xff\xff\xff\x7f"  # a delta of 2**28 - 1 ticks
END = b"\x00\xff\x2f\x00"


def bombs() -> dict[str, bytes]:
    """Small files that ask for much, all of which are refused."""
    return {
        "37 bytes.mid": midi(track(b"\x00\x99\x24\x64" + LONGEST + b"\x89\x24\x00" + END)),
        "more ticks.mid": midi(track((LONGEST + b"\x99\x24\x64" + LONGEST + b"\x89\x24\x00") * 50 + END)),
        "ticks in the tempo map.mid": midi(track(LONGEST + b"\xff\x51\x03\x00\x00\x01" + END), track(HIT + END)),
        "a long number.mid": midi(track(b"\xff" * 100_000 + b"\x7f\x99\x24\x64")),
        "a long length.mid": midi(track(b"\x00\xff\x01" + b"\xff" * 100_000 + b"\x7f\x99\x24\x64")),
        "a long text.mid": midi(track(b"\x00\xff\x01\xff\xff\xff\x7fabc")),
        "a long sysex.mid": midi(track(b"\x00\xf0\x83\xff\xff\x7f" + b"\x01" * 70_000)),
        "65,535 empty tracks.mid": midi(*[track(b"")] * 65_535),
        "65,535 tracks that end.mid": midi(*[track(END)] * 65_535),
        "a long track.mid": midi(b"MTrk\xff\xff\xff\xff" + HIT),
        "zero bytes.mid": b"",
        "zeros.mid": bytes(100_000),
        "ones.mid": b"\xff" * 100_000,
        "a header.mid": midi(track(HIT + END))[:14],
        "no header.mid": track(HIT + END),
    }


def many_tracks() -> dict[str, bytes]:
    """Small files with the largest number of tracks, all of which are read."""
    return {
        "10,000 empty tracks.mid": midi(*[track(b"")] * MAX_TRACKS),
        "10,000 tracks that end.mid": midi(*[track(END)] * MAX_TRACKS),
        "65,535 tracks that are not there.mid": midi(track(HIT + END), claims=65_535),
    }


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, int, int]:
    """A folder of files from hell; how many of them are good music, and how many are not."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    good = midi(track(HIT + END))
    for name, data in bombs().items():
        (folder / name).write_bytes(data)
    names = [b"new\nline.mid", b"\x1b[31mred.mid", b"\xff\xfe.mid", b"n" * 251 + b".mid", b"-rf.MID", b"\xc3\xbc.midi"]
    names += [b"[bold]a[bold].mid", b"back\\slash.mid", b" .mid"]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(good)
    for name, data in many_tracks().items():
        (folder / name).write_bytes(data)
    bottom = folder.joinpath(*["deep"] * 300)
    bottom.mkdir(parents=True)
    (bottom / "bottom.mid").write_bytes(good)
    (folder / "folder.mid").mkdir()
    (folder / "folder.mid" / "a.mid").write_bytes(good)
    bad = len(bombs())
    os.mkfifo(folder / "fifo.mid")
    (folder / "loop.mid").symlink_to("loop.mid")
    (folder / "here").symlink_to(".")
    (bottom / "up").symlink_to(folder)
    (folder / "link.mid").symlink_to("37 bytes.mid")
    (folder / "zeros.mid.link").symlink_to("/dev/zero")
    with (folder / "a terabyte.mid").open("wb") as stream:
        stream.truncate(1 << 40)
    bad += 7
    if os.geteuid() != 0:  # root may read everything
        (folder / "unreadable.mid").write_bytes(good)
        (folder / "unreadable.mid").chmod(0)
        (folder / "unreadable folder").mkdir(mode=0)
        bad += 2
    return folder, len(names) + len(many_tracks()) + 2, bad


def test_a_folder_of_hostile_files(hostile: tuple[Path, int, int], convert: Callable[..., Answer]) -> None:
    folder, good, bad = hostile
    answer = convert(folder, "--json")
    records, skipped = counted(answer)
    assert (records, sum(skipped.values())) == (good, bad), skipped
    strict = convert(folder, "--strict")
    assert strict.code == 1
    assert "Skipped" in strict.out
    assert "\x1b" not in strict.out + strict.err
    text = strict.out.replace("\n", " ")
    assert "new line.mid" not in text  # the line break in the name is shown, not made


def test_the_real_malformed_files(test_data: Path, convert: Callable[..., Answer]) -> None:
    folder = test_data / "malformed"
    files = [path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi")]
    records, skipped = counted(convert(folder, "--json"))
    assert records + sum(skipped.values()) == len(files)
    assert records > 0


def zipped(path: Path, members: dict[str, bytes], *, encrypted: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    if encrypted:
        data = bytearray(path.read_bytes())
        place = data.rindex(encrypted.encode())  # in the directory, 46 bytes after its entry's beginning
        data[place - 46 + 8] |= 1
        path.write_bytes(data)
    return path


def bomb(path: Path) -> Path:
    """A file of 1 GB in 1 MB: one compressed block, again and again."""
    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.mid", block * 1024 + packer.flush())
        archive.writestr("good.mid", midi(track(HIT + END)))
    data = bytearray(path.read_bytes())
    for place in (0, data.index(b"PK\x01\x02") + 2):  # the same fields before the data and in the directory
        struct.pack_into("<H", data, place + 8, zipfile.ZIP_DEFLATED)
        struct.pack_into("<L", data, place + 22, 1 << 30)
    path.write_bytes(data)
    return path


def test_a_zip_bomb_and_a_bomb_in_a_zip(tmp_path: Path, convert: Callable[..., Answer]) -> None:
    path = bomb(tmp_path / "bomb.zip")
    assert counted(convert(path, "--json")) == (1, {"it unpacks to more than 200 times its size": 1})
    inner = path.read_bytes()
    path.unlink()
    nested = zipped(tmp_path / "nested.zip", {"inner.zip": inner, "inner.mid": inner, "b.mid": midi(track(HIT + END))})
    records, skipped = counted(convert(nested, "--json"))
    assert (records, sum(skipped.values())) == (1, 1), skipped


def test_a_zip_with_names_that_lead_elsewhere_and_a_secret(tmp_path: Path, convert: Callable[..., Answer]) -> None:
    good = midi(track(HIT + END))
    names = ["../out.mid", "/absolute.mid", "a/../../out.mid", "C:\\windows.mid", "good.mid", "secret.mid"]
    path = zipped(tmp_path / "evil.zip", dict.fromkeys(names, good), encrypted="secret.mid")
    records, skipped = counted(convert(path, "--json"))
    assert (records, sum(skipped.values())) == (1, 5), skipped
    assert skipped["it is encrypted"] == 1


def test_a_tar_with_links_and_devices(tmp_path: Path, convert: Callable[..., Answer]) -> None:
    kinds = {"sym": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE}
    kinds |= {"fifo": tarfile.FIFOTYPE}
    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind in kinds.items():
            info = tarfile.TarInfo(f"{name}.mid")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        good = midi(track(HIT + END))
        for name in ("good.mid", "../out.mid"):
            info = tarfile.TarInfo(name)
            info.size = len(good)
            archive.addfile(info, io.BytesIO(good))
    records, skipped = counted(convert(path, "--json"))
    assert (records, sum(skipped.values())) == (1, 6), skipped


def test_where_nothing_can_be_converted_it_says_so(tmp_path: Path, convert: Callable[..., Answer]) -> None:
    (tmp_path / "bombs").mkdir()
    for name in ("37 bytes.mid", "zero bytes.mid"):
        (tmp_path / "bombs" / name).write_bytes(bombs()[name])
    answer = convert(tmp_path / "bombs")
    assert answer.code == 1
    assert "could be converted" in answer.err
    assert not (tmp_path / "notes").exists()
