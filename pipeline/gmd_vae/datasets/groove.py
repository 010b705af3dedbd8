"""The Groove MIDI Dataset as Magenta publishes it (MIDI only), fetched into a folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.common.temporary_files import temporary_folder
from gmd_vae.datasets.download import OnProgress, RemoteFile, download
from gmd_vae.datasets.fetched import STAGE
from gmd_vae.datasets.midi_formats import is_midi_name
from gmd_vae.datasets.unpack import unpack_zip

NAME = "groove"
VERSION = "1.0.0"
GROOVE = RemoteFile(
    url="https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip",
    size=3_260_318,
    sha256="651cbc524ffb891be1a3e46d89dc82a1cecb09a57c748c7b45b844c4841dcc1e",
)
LICENCE = "CC BY 4.0"
CITATION = (
    "Jon Gillick, Adam Roberts, Jesse Engel, Douglas Eck, David Bamman:"
    ' "Learning to Groove with Inverse Sequence Transformations", ICML 2019'
)
ARCHIVE_VARIABLE = "GMD_VAE_GROOVE_ARCHIVE"
TOP_FOLDER = "groove"  # of the archive; not part of the names in output_dir
# The archive has 1,225 members and unpacks to 5.5 MB.
MAX_UNPACKED_BYTES = 64 << 20
MAX_MEMBERS = 5_000


@dataclass(frozen=True)
class GrooveSummary:
    """The dataset that ``fetch groove`` wrote, or that was there.

    Attributes:
        dataset: ``groove``.
        version: Version of the dataset.
        output_dir: Folder of the dataset.
        url: Address of the archive.
        sha256: SHA-256 of the archive.
        bytes: Size of the archive.
        files: Number of files.
        midi_files: Number of MIDI files.
        already_there: Nothing was done: an earlier fetch was complete.
    """

    dataset: str
    version: str
    output_dir: str
    url: str
    sha256: str
    bytes: int
    files: int
    midi_files: int
    already_there: bool

    def as_json(self) -> dict[str, Any]:
        """Returns the answer of ``gmd-vae fetch groove --json``."""
        return {
            "dataset": self.dataset,
            "version": self.version,
            "output_dir": self.output_dir,
            "url": self.url,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "midi_files": self.midi_files,
            "already_there": self.already_there,
        }


def fetch_groove(
    output_dir: Path,
    archive: Path | None = None,
    remote: RemoteFile | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> GrooveSummary:
    """Writes the dataset's own folders and a manifest to ``output_dir``, complete or not at all.

    Only checks the archive when a complete fetch is there. Replaces the incomplete folder of an earlier fetch.

    Args:
        output_dir: The folder to make.
        archive: A copy of the archive on this machine, instead of a download.
        remote: The archive to download; None: the official one.
        on_progress: Called with the bytes received and the bytes in total.

    Raises:
        GmdVaeError: No network, a wrong or damaged archive, or ``output_dir`` holds a foreign or changed file.
        UsageError: ``archive`` lies in ``output_dir``.
    """
    remote = remote or GROOVE
    inputs = [archive] if archive else []
    manifest.check_replaceable(output_dir, STAGE, inputs=inputs, dataset=NAME)
    if archive is not None:
        _verify(archive, remote)  # a wrong one is refused also where the dataset is there
    if (present := _already_there(output_dir, remote)) is not None:  # before the lock: the disk may be read-only
        return present
    with open_output(output_dir, STAGE, inputs=inputs, dataset=NAME) as replaceable:
        if archive is not None:
            return _unpack(archive, output_dir, remote, replaceable)
        return _download(output_dir, remote, replaceable, on_progress)


def _download(
    output_dir: Path, remote: RemoteFile, replaceable: manifest.Replaceable, on_progress: OnProgress
) -> GrooveSummary:
    advice = (
        f"Connect to the network and run the command again; or get {remote.url} on another machine and give it with"
        f" --archive FILE (or the variable {ARCHIVE_VARIABLE}). 'gmd-vae fetch starter' needs no network."
    )
    folder = temporary_folder(output_dir.resolve())
    try:
        return _unpack(download(remote, folder, advice, on_progress), output_dir, remote, replaceable)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _already_there(output_dir: Path, remote: RemoteFile) -> GrooveSummary | None:
    """Returns the summary of an earlier, complete fetch; None without one."""
    if not output_dir.exists() or next(output_dir.iterdir(), None) is None:
        return None
    content = manifest.read(output_dir, STAGE, "")
    summary = _summary(output_dir, remote, content.get("files"), content.get("midi_files"), already_there=True)
    if content.get("sha256") != remote.sha256 or _count(output_dir) != (summary.files, summary.midi_files):
        return None
    return summary


def _count(folder: Path) -> tuple[int, int]:
    """Returns the number of files, without the manifest, and the number of MIDI files."""
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    return len(names) - 1, sum(is_midi_name(name) for name in names)


def _verify(archive: Path, remote: RemoteFile) -> None:
    """Checks that the user's file is the archive, before anything reads its content.

    Raises:
        GmdVaeError: It is missing, unreadable, or another file.
    """
    get = f"Get it from {remote.url}."
    try:
        if not archive.is_file():
            reason = "is not a file" if archive.exists() else "does not exist"
            raise GmdVaeError(f"The archive '{archive}' {reason}", get)
        size = archive.stat().st_size
        if size != remote.size:
            raise GmdVaeError(f"'{archive}' is not the Groove archive: {size:,} bytes, not {remote.size:,}", get)
        digest = sha256(archive)
    except OSError as error:
        raise GmdVaeError(f"The archive '{archive}' cannot be read ({error.strerror})", get) from None
    if digest != remote.sha256:
        raise GmdVaeError(f"'{archive}' is not the Groove archive: sha256 {digest}, not {remote.sha256}", get)


def _unpack(archive: Path, output_dir: Path, remote: RemoteFile, replaceable: manifest.Replaceable) -> GrooveSummary:
    with whole_folder(output_dir, replaceable) as folder:
        names = unpack_zip(archive, folder, MAX_UNPACKED_BYTES, MAX_MEMBERS, strip=TOP_FOLDER)
        midi_files = sum(is_midi_name(name) for name in names)
        summary = _summary(output_dir, remote, len(names), midi_files, already_there=False)
        manifest.write(
            folder,
            STAGE,
            {
                "dataset": NAME,
                "version": VERSION,
                "url": remote.url,
                "sha256": remote.sha256,
                "bytes": remote.size,
                "files": summary.files,
                "midi_files": summary.midi_files,
                "licence": LICENCE,
                "citation": CITATION,
                "versions": manifest.versions(),
            },
        )
    return summary


def _summary(output_dir: Path, remote: RemoteFile, files: Any, midi_files: Any, already_there: bool) -> GrooveSummary:
    return GrooveSummary(
        dataset=NAME,
        version=VERSION,
        output_dir=str(output_dir),
        url=remote.url,
        sha256=remote.sha256,
        bytes=remote.size,
        files=files if isinstance(files, int) else -1,
        midi_files=midi_files if isinstance(midi_files, int) else -1,
        already_there=already_there,
    )
