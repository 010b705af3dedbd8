"""Archives that lie: bombs, headers without end, sparse members, names that leave the folder."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

from attacks.driver import Attack
from attacks.home import CONFIG
from attacks.kinds import kind

_NAMES = (
    "../evil.mid", "/tmp/evil.mid", "a/../../evil.mid", "\x1b[2J.mid", "a\nb.mid", "x" * 300 + ".mid", "C:\\evil.mid",
    "a/" * 500 + "a.mid", "..", ".", "", "\u202egnp.mid", "manifest.json", "info.csv", "CON.mid", "a//b.mid", "~/x.mid",
)  # fmt: skip
_BOMB = 300 << 20  # bytes unpacked


def _info(rng: random.Random, name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = rng.choice([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                            tarfile.CHRTYPE, tarfile.DIRTYPE])  # fmt: skip
    info.linkname = rng.choice(["/etc/passwd", "../../outside/diary.txt", ".", name])
    info.mtime = rng.choice([0, 2**33, -1])
    info.mode = rng.choice([0o644, 0, 0o7777])
    return info


def _tar(rng: random.Random, members: dict[str, bytes]) -> bytes:
    """Returns a tar with the members and some hostile ones."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for _ in range(rng.randrange(1, 4)):
            info = _info(rng, rng.choice(_NAMES) or "x")
            if info.isreg():
                info.size = 40
            if rng.random() < 0.3:
                info.pax_headers = {rng.choice(["comment", "path", "size", "GNU.sparse.size", "GNU.sparse.major"]):
                                    rng.choice(["9" * 30, "-1", "x" * 100_000, "../evil", "\x1b[2J"])}  # fmt: skip
            archive.addfile(info, io.BytesIO(b"MThd" * 10) if info.isreg() else None)
    return stream.getvalue()


def _pax_bomb() -> bytes:
    """Returns a tar whose extended headers are far larger than what it holds."""
    member = tarfile.TarInfo("0.mid")
    member.pax_headers = {f"k{key}": "x" * 1000 for key in range(3000)}
    # the same for each member: tarfile takes a second to write them
    headers = member.tobuf(tarfile.PAX_FORMAT)[: -tarfile.BLOCKSIZE]
    members = (headers + tarfile.TarInfo(f"{number}.mid").tobuf(tarfile.USTAR_FORMAT) for number in range(20))
    return b"".join(members) + bytes(2 * tarfile.BLOCKSIZE)


def _sparse_bomb() -> bytes:
    """Returns a tar with a member of 8 bytes that unpacks to 3 GiB of zeros."""
    info = tarfile.TarInfo("big.mid")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(3 << 30),
                        "GNU.sparse.name": "big.mid", "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,8"}  # fmt: skip
    info.size = 8
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(b"MThd1234"))
    return stream.getvalue()


def _damaged(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.randrange(1, 30)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged[: rng.randrange(len(damaged))] if rng.random() < 0.2 else damaged)


def hostile_tar(rng: random.Random, members: dict[str, bytes]) -> bytes:
    """Returns a hostile tar or tar.gz; some also hold the members."""
    choice = rng.random()
    if choice < 0.15:
        data = _pax_bomb()
    elif choice < 0.3:
        data = _sparse_bomb()
    elif choice < 0.6:
        data = _damaged(rng, _tar(rng, members))
    else:
        data = _tar(rng, members)
    return gzip.compress(data, 1) if rng.random() < 0.5 else data


def hostile_zip(rng: random.Random, members: dict[str, bytes]) -> bytes:
    """Returns a hostile zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for _ in range(rng.randrange(1, 4)):
            info = zipfile.ZipInfo(rng.choice(_NAMES) or "x")
            info.external_attr = rng.choice([0o120777, 0o100644, 0o010644, 0]) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, b"/etc/passwd")
        if rng.random() < 0.2:
            with archive.open("bomb.mid", "w") as member:
                for _ in range(_BOMB >> 20):
                    member.write(bytes(1 << 20))
    data = stream.getvalue()
    return _damaged(rng, data) if rng.random() < 0.4 else data


@kind()
def hostile_archive_of_midi(rng: random.Random, home: Path) -> Attack:
    """A hostile archive given to `convert` and `inspect`."""
    members = {f"mine/{path.name}": path.read_bytes() for path in sorted((home / "mine").iterdir())[:3]}
    if rng.random() < 0.4:
        name, data = "evil.zip", hostile_zip(rng, members)
    else:
        name, data = rng.choice(["evil.tar", "evil.tar.gz", "evil.tgz"]), hostile_tar(rng, members)
    (home / name).write_bytes(data)
    command = rng.choice([["convert", name, "--output-dir", "new"], ["convert", name], ["inspect", name],
                          ["convert", name, "--output-dir", "new", "--json"]])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*", "data*"], seconds=60, megabytes=1000)


@kind(slow=True)
def hostile_archive_of_a_checkpoint(rng: random.Random, home: Path) -> Attack:
    """A hostile archive in the place of a trained model."""
    members = {f"run/{path.relative_to(home / 'run')}": path.read_bytes()
               for path in sorted((home / "run" / "best").rglob("*")) if path.is_file()}  # fmt: skip
    name = rng.choice(["evil.tar", "evil.tar.gz", "evil.tgz"])
    (home / name).write_bytes(hostile_tar(rng, members))
    command = rng.choice([
        ["generate", "--checkpoint-file", name, "--config", CONFIG, "-n", "1", "--output-dir", "new"],
        ["train", "--init-from", name, "--examples-path", "examples", "--run-dir", "new", "--num-steps", "1"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=120, megabytes=3000)
