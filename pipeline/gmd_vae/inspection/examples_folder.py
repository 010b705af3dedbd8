"""Inspects a folder of examples from ``gmd-vae preprocess``."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.families import family_of
from gmd_vae.inspection.sequence_figures import window_digest
from gmd_vae.windows.cutting.drum_windows import DrumExtractor
from gmd_vae.windows.extraction import Tensors
from gmd_vae.windows.label_windows import load_windows
from gmd_vae.windows.storage.examples_manifest import ExamplesManifest, other_sizes, read_examples_manifest
from gmd_vae.windows.storage.records import read_tensor_example
from gmd_vae.windows.storage.shards import parse_examples

_FREQUENT = 5  # bars to show


PartsOf: TypeAlias = Callable[[Tensors], list[dict[str, Any]]]  # the parts of one window, with their notes


def inspect_examples(path: Path) -> dict[str, Any]:
    """Returns the figures of a folder of examples as JSON values (docs/reference/json.md).

    Args:
        path: Folder that ``preprocess`` made.

    Raises:
        GmdVaeError: The folder is damaged, or its config does not exist.
    """
    content = read_examples_manifest(path)
    try:
        if content.layout.format == "tensors":
            config = get_config(content.config)
            family = family_of(config)
            if different := other_sizes(content.layout, family.output(config)):
                raise GmdVaeError(
                    f"The manifest of '{path}' does not fit its config '{config.name}': {'; '.join(different)}",
                    "Make it again with 'gmd-vae preprocess'.",
                )
            return _tensor_figures(path, content, lambda window: family.window_parts(config, window))
        return _label_figures(path, content)
    except (KeyError, TypeError, AttributeError, IndexError):  # a manifest that was edited by hand
        raise _unknown_windows(path) from None


def _label_figures(path: Path, content: ExamplesManifest) -> dict[str, Any]:
    """Returns the figures of drum windows from the examples and the content of their manifest."""
    splits: dict[str, Any] = {}
    seen: dict[str, set[int]] = {}
    bars: Counter[bytes] = Counter()
    hits: Any = 0
    spec: DrumWindows | None = None
    for name in SPLITS:
        windows = load_windows(path, name)  # first: its error is about missing labels
        spec = spec or _spec(path, content)
        labels = windows.labels
        seen[name] = {window_digest(row) for row in labels}
        silent = int((labels == 0).all(axis=1).sum())
        splits[name] = {
            "windows": len(windows),
            "files": len(windows.sources),
            "distinct": len(seen[name]),
            "silent": silent,
            "silent_share": round(silent / len(windows), 6) if len(windows) else None,
        }
        classes = range(len(spec.pitch_classes))
        hits = hits + np.array([int(((labels >> number) & 1).sum()) for number in classes])
        if labels.shape[1] % spec.steps_per_bar:
            raise _unknown_windows(path)
        rows = np.ascontiguousarray(labels.astype("<i8").reshape(-1, spec.steps_per_bar))
        found, counts = np.unique(rows, axis=0, return_counts=True)
        bars.update({row.tobytes(): int(count) for row, count in zip(found, counts, strict=True)})
    assert spec is not None
    frequent = sorted(bars.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT]
    names = spec.voice_names
    return {
        "kind": "examples",
        "path": printable(str(path), limit=None),
        "config": content.config,
        "splits": splits,
        "shared": _shared(seen),
        "voices": [{"voice": name, "notes": int(count)} for name, count in zip(names, hits, strict=True)],
        "bars": {
            "all": bars.total(),
            "distinct": len(bars),
            "frequent": [{"count": count, "labels": np.frombuffer(row, "<i8").tolist()} for row, count in frequent],
        },
        "grid": {
            "voices": list(names),
            "steps_per_bar": spec.steps_per_bar,
            "steps_per_quarter": spec.steps_per_quarter,
            "steps_per_beat": spec.meter.steps_per_beat,
        },
    }


def _tensor_figures(path: Path, content: ExamplesManifest, parts_of: PartsOf) -> dict[str, Any]:
    """Returns the figures of windows of other music than drum labels."""
    layout = content.layout
    splits: dict[str, Any] = {}
    seen: dict[str, set[bytes]] = {}
    windows: Counter[str] = Counter()  # windows with notes of each part
    notes: Counter[str] = Counter()
    for name in SPLITS:
        files: set[str] = set()
        seen[name] = set()
        count = 0
        for window, sources in parse_examples(path, name, functools.partial(read_tensor_example, layout=layout)):
            count += 1
            files.update(sources[:1])
            arrays = (window.inputs, window.outputs, window.controls, np.array(window.length))
            seen[name].add(hashlib.blake2b(b"".join(map(np.ndarray.tobytes, arrays)), digest_size=8).digest())
            by_name: Counter[str] = Counter()
            for part in parts_of(window):
                by_name[part["name"]] += part["notes"]
            windows.update(part for part, number in by_name.items() if number)
            notes.update(by_name)
        splits[name] = {"windows": count, "files": len(files), "distinct": len(seen[name])}
    names = sorted(windows, key=lambda part: (-windows[part], part))
    return {
        "kind": "examples",
        "path": printable(str(path), limit=None),
        "config": content.config,
        "splits": splits,
        "shared": _shared(seen),
        "parts": [{"part": part, "windows": windows[part], "notes": notes[part]} for part in names],
    }


def _shared(seen: Mapping[str, Set[Any]]) -> dict[str, int]:
    """Returns the number of windows that each pair of splits shares."""
    return {
        f"{one} and {other}": len(seen[one] & seen[other])
        for place, one in enumerate(SPLITS)
        for other in SPLITS[place + 1 :]
    }


def _spec(path: Path, content: ExamplesManifest) -> DrumWindows:
    """Reads the drum windows' settings from the manifest."""
    try:
        fields = dict(content.extractor)
        fields["pitch_classes"] = tuple(tuple(pitches) for pitches in fields["pitch_classes"])
        declared = all_configs().get(content.config)
        grid = declared and family_of(declared).drum_grid(declared)
        if grid:
            fields["time_signature"] = grid.time_signature  # it does not change what is cut
        spec = DrumWindows(**fields)
        spec.check()
        return DrumExtractor(spec).spec  # checks the numbers that only extractors need
    except (KeyError, TypeError, ValueError):
        raise _unknown_windows(path) from None


def _unknown_windows(path: Path) -> GmdVaeError:
    return GmdVaeError(
        f"The manifest of '{path}' does not describe how its windows were cut",
        "Make it again with 'gmd-vae preprocess'.",
    )
