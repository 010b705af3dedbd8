"""Reads the generated beats of a run from ``generated/*/manifest.json`` and the MIDI files beside it."""

from __future__ import annotations

import collections
import dataclasses
import re
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import read_regular
from gmd_vae.datasets.safe_names import relative_name
from gmd_vae.generation.elsewhere import noted_folders
from gmd_vae.generation.request import ATTRIBUTE, CONTINUE, GROOVE, INTERPOLATE, RECONSTRUCT, SAMPLE, VARY
from gmd_vae.rendering.drum_part import read_drum_part
from gmd_vae.rendering.report.beat_data import BeatData, describe_beat
from gmd_vae.rendering.report.json_files import finite, read_json

MAX_FOLDERS = 3  # for each mode
MAX_BEATS = 16  # for each folder
MAX_WALK = 32  # for an interpolation, which needs its end
MAX_MIDI_BYTES = 4 << 20
MAX_PAGE_BYTES = 3 << 20  # of all MIDI files on the page

# Mode of gmd-vae generate: heading and introduction of its section, in the order of the page.
SECTIONS = {
    SAMPLE: ("New beats", "Invented by the model from random points of its latent space."),
    INTERPOLATE: (
        "From one beat to another",
        "The first and the last beat are the model's versions of two given beats. It invents the steps in between.",
    ),
    VARY: ("Variations", "One given beat and small changes to it, a different one each time."),
    ATTRIBUTE: ("More of one thing", "One beat with more or less of one attribute, such as hi-hat or syncopation."),
    CONTINUE: ("Continuations", "The model continues where a given beat ends."),
    GROOVE: ("Grooves", "Given drums as the model plays them, from the first bar to the last."),
    RECONSTRUCT: ("Reconstructions", "Given beats, encoded into a few numbers each and decoded again."),
}
_SETTINGS = (
    ("temperature", ""),
    ("seed", ""),
    ("radius", ""),
    ("distance", " steps"),
    ("bars", ""),
    ("drift", ""),
    ("tempo", " bpm"),
)
_STRAIGHT = 50  # percent: no swing
_JOINED = re.compile(r".*[_-]joined(_[\d.]+bpm)?\.mid", re.IGNORECASE)
_DATED = re.compile(r"\d{4}-\d\d-\d\d_\d{6}(-\d+)?")


@dataclasses.dataclass(frozen=True)
class Beat:
    """One MIDI file on the page.

    Attributes:
        name: File name, safe for a download.
        midi: Bytes of the file.
        data: Text, grid and hits of the beat.
    """

    name: str
    midi: bytes
    data: BeatData


@dataclasses.dataclass(frozen=True)
class Folder:
    """The beats of one ``gmd-vae generate``.

    Attributes:
        name: Path of the folder, relative to the run, or its name if it is elsewhere.
        mode: Mode of ``gmd-vae generate``.
        facts: Settings as text.
        inputs: Names of the MIDI files that conditioned the beats.
        beats: Beats on the page.
        joined: The file with all beats, or ``None``.
        more: Number of beats that are not on the page.
    """

    name: str
    mode: str
    facts: list[str]
    inputs: list[str]
    beats: list[Beat]
    joined: Beat | None
    more: int


@dataclasses.dataclass(frozen=True)
class Generated:
    """The generated folders on the page.

    Attributes:
        folders: Folders by mode, then from new to old.
        more: Number of folders that are not on the page.
    """

    folders: list[Folder]
    more: int

    @property
    def count(self) -> int:
        """Number of beats on the page."""
        return sum(len(folder.beats) for folder in self.folders)


def read_generated(run: Path, problems: list[str]) -> Generated:
    """Reads the newest beats of each mode. Damaged files are left out.

    Args:
        run: Run folder.
        problems: Receives one line for each manifest or file that is left out.
    """
    described: list[tuple[Path, str, dict[str, Any]]] = []
    for path, name in _folders(run / "generated"):
        try:
            content = read_json(path / manifest.NAME)
            if not isinstance(content, dict) or content.get("stage") != "generate":
                raise GmdVaeError(f"{manifest.NAME} does not describe beats")
            described.append((path, name, content))
        except GmdVaeError as error:
            problems.append(f"{name}: {printable(error.problem)}")
    by_mode: dict[str, list[Folder]] = collections.defaultdict(list)
    room, more = MAX_PAGE_BYTES, 0
    for path, name, content in described:
        mode = printable(str(content.get("mode", "")), limit=40)
        if len(by_mode[mode]) == MAX_FOLDERS:
            more += 1
            continue
        folder = _folder(path, name, content, mode, room, problems)
        room -= sum(len(beat.midi) for beat in folder.beats)
        by_mode[mode].append(folder)
    order = {mode: place for place, mode in enumerate(SECTIONS)}
    modes = sorted(by_mode, key=lambda mode: (order.get(mode, len(order)), mode))
    return Generated([folder for mode in modes for folder in by_mode[mode]], more)


def _folders(generated: Path) -> list[tuple[Path, str]]:
    """Returns the folders of beats of a run and their names on the page, from new to old.

    Those in ``generated`` that are named by their time are newer than the others there.
    """
    found = [
        (bool(_DATED.fullmatch(path.name)), path.name, path, printable(f"generated/{path.name}"))
        for path in generated.glob("*/")
        if not path.name.startswith(".") and path.is_dir() and any(path.iterdir())  # empty: being generated
    ]
    found += [(True, time, path, printable(path.name)) for path, time in noted_folders(generated)]
    return [(path, name) for *_, path, name in sorted(found, reverse=True)]


def _folder(path: Path, shown_as: str, content: dict[str, Any], mode: str, room: int, problems: list[str]) -> Folder:
    files = content.get("files")
    entries = [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
    beats: list[Beat] = []
    joined, more = None, 0
    limit = MAX_WALK if mode == INTERPOLATE else MAX_BEATS
    for entry in entries:
        name = entry.get("name")
        if not isinstance(name, str) or not name.lower().endswith((".mid", ".midi")):
            continue  # a sound file or a picture
        if len(beats) == limit and not _JOINED.fullmatch(name):
            more += 1
            continue
        try:
            beat = _beat(path, name, room)
        except GmdVaeError as error:
            problems.append(f"{shown_as}/{printable(name, limit=80)}: {printable(error.problem)}")
            continue
        if beat is None:
            more += 1
        elif _JOINED.fullmatch(name):
            joined = beat
        else:
            beats.append(beat)
            room -= len(beat.midi)
    return Folder(shown_as, mode, _facts(content), _inputs(content), beats, joined, more)


def _beat(folder: Path, name: str, room: int) -> Beat | None:
    """Reads a beat, or returns ``None`` if the page has no room for it.

    Raises:
        GmdVaeError: The file is outside the folder, missing, too large, or not MIDI with drums.
    """
    try:
        clean = relative_name(name)
    except ValueError as error:
        raise GmdVaeError(f"refused, {error}") from None
    if "/" in clean or clean != name:
        raise GmdVaeError("refused, its name points outside the folder")
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise GmdVaeError("refused, it is a link to a file outside the folder")
        if not path.is_file():
            raise GmdVaeError("missing")
        size = path.stat().st_size
        if size > MAX_MIDI_BYTES:
            raise GmdVaeError(f"larger than {MAX_MIDI_BYTES >> 20} MiB")
        if size > room:
            return None
        data = read_regular(path, MAX_MIDI_BYTES)
    except (OSError, ValueError) as error:
        raise GmdVaeError(f"cannot be read ({error})") from None
    return Beat(printable(name), data, describe_beat(read_drum_part(path), data))


def _facts(content: dict[str, Any]) -> list[str]:
    """Returns the settings that shape the beats, as short texts."""
    facts = []
    for key, unit in _SETTINGS:
        value = finite(content.get(key))
        if value is not None:
            facts.append(f"{key} {value:g}{unit}")
    moves = content.get("moves")
    for move in moves[:4] if isinstance(moves, list) else []:
        if isinstance(move, dict) and isinstance(move.get("attribute"), str):
            ends = [finite(move.get(end)) or 0.0 for end in ("start", "end")]
            facts.append(f"{printable(move['attribute'], limit=40)} {ends[0]:+g} to {ends[1]:+g}")
    playing = content.get("playing")
    if isinstance(playing, dict):
        swing = finite(playing.get("swing"))
        if swing is not None and swing != _STRAIGHT:
            facts.append(f"swing {swing:g}%")
        if isinstance(playing.get("feel"), str):
            facts.append("with a human feel")
        velocity = finite(playing.get("velocity"))
        if velocity is not None:
            facts.append(f"velocity {velocity:g}")
        if playing.get("quantize") is True:
            facts.append("on the grid")
    checkpoint = content.get("checkpoint")
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get("name"), str):
        facts.append(printable(checkpoint["name"], limit=60))
    return facts


def _inputs(content: dict[str, Any]) -> list[str]:
    inputs = content.get("inputs")
    if not isinstance(inputs, list):
        return []
    names = [entry.get("name") for entry in inputs if isinstance(entry, dict)]
    return [printable(name, limit=80) for name in names if isinstance(name, str)][:MAX_BEATS]
