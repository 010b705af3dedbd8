"""What a folder of examples holds, from ``gmd-vae preprocess``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import GmdVaeError
from pipeline.examples.drum_windows import DrumExtractor
from pipeline.examples.shards import read_examples_manifest
from pipeline.examples.spec import DrumWindows
from pipeline.examples.windows import load_windows
from pipeline.inspection.facts import window_digest
from pipeline.sources.info import SPLITS
from pipeline.sources.names import printable

_FREQUENT = 5  # bars to show


def inspect_examples(path: Path) -> dict[str, Any]:
    """The figures of a folder of examples, as JSON has them (docs/folders.md).

    Raises:
        GmdVaeError: it holds no drum labels, or is damaged.
    """
    content = read_examples_manifest(path)
    try:
        return _figures(path, content)
    except (KeyError, TypeError, AttributeError, IndexError):  # a manifest that somebody edited
        raise _unlike(path) from None


def _figures(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    splits: dict[str, Any] = {}
    seen: dict[str, set[int]] = {}
    bars: Counter[bytes] = Counter()
    hits: Any = 0
    spec: DrumWindows | None = None
    for name in SPLITS:
        windows = load_windows(path, name)  # first: it says so where there are no labels
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
            raise _unlike(path)
        rows = np.ascontiguousarray(labels.astype("<i8").reshape(-1, spec.steps_per_bar))
        found, counts = np.unique(rows, axis=0, return_counts=True)
        bars.update({row.tobytes(): int(count) for row, count in zip(found, counts, strict=True)})
    assert spec is not None
    frequent = sorted(bars.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT]
    names = spec.voice_names
    return {
        "kind": "examples",
        "path": printable(str(path), limit=None),
        "config": content.get("config"),
        "splits": splits,
        "shared": {
            f"{one} and {other}": len(seen[one] & seen[other])
            for place, one in enumerate(SPLITS)
            for other in SPLITS[place + 1 :]
        },
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
        },
    }


def _spec(path: Path, content: dict[str, Any]) -> DrumWindows:
    """How the windows were cut, from the manifest."""
    try:
        facts = dict(content["extractor"])
        facts["pitch_classes"] = tuple(tuple(pitches) for pitches in facts["pitch_classes"])
        return DrumExtractor(DrumWindows(**facts)).spec  # it checks the numbers
    except (KeyError, TypeError, ValueError):
        raise _unlike(path) from None


def _unlike(path: Path) -> GmdVaeError:
    return GmdVaeError(
        f"The manifest of '{path}' does not say how its windows were cut", "Make it again with 'gmd-vae preprocess'."
    )
