"""The scripts of the studio, in the order in which they are joined."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.rendering.web.html import SCRIPTS

_HERE = Path(__file__).parent
_ENGINE = ("tensors", "fast_products", "lstm", "encoder", "decoder", "draws", "density", "model", "worker")
_MUSIC = (
    "song",
    "midi_file",
    "midi_reader",
    "midi_windows",
    "latent",
    "history",
    "share",
    "newest",
    "model_client",
    "studio_state",
    "studio",
)
_PAGE = ("picture", "beat_list", "opened_files", "midi_out", "grid_music", "grid", "pad", "main")

ENGINE = [_HERE / "engine" / f"{name}.js" for name in _ENGINE]
MUSIC = [*SCRIPTS, *(_HERE / "app" / f"{name}.js" for name in _MUSIC)]
APP = [*MUSIC, *(_HERE / "app" / f"{name}.js" for name in _PAGE)]
