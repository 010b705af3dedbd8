"""The public names of ``import gmd_vae``: what docs/versions.md promises, and no more."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
import re
from pathlib import Path
from typing import Any

import gmd_vae
import gmd_vae.configs
import pytest
from gmd_vae.configs import HIERDEC_SMALL, DrumWindows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
# A name that is missing here breaks programs of users; a new one stays for the whole major version.
PUBLIC = {
    "Model": "attribute_vectors close config decode encode interpolate name reconstruct sample vary z_size",
    "Beat": "config grid labels save seed tempo to_midi to_note_sequence to_pretty_midi voices",
    "Reading": "drum_channel drum_map stock",
    "Training": "best_elbo best_step checkpoint last_step run_dir",
}


def test_the_page_names_what_the_package_exports() -> None:
    assert sorted(re.findall(r"^\.\. [a-z:]+:: gmd_vae\.(\w+)", PAGE, re.MULTILINE)) == sorted(gmd_vae.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_class_has_its_public_names_and_no_others(name: str) -> None:
    kind: Any = getattr(gmd_vae, name)
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    own = {"name", "config", "z_size"} if kind is gmd_vae.Model else set()  # attributes of each object
    found = {each for each in {*dir(kind), *fields, *own} if not each.startswith("_")}
    assert found == set(PUBLIC[name].split())
    named = re.findall(r"^    (\w+): ", (inspect.getdoc(kind) or "").partition("Attributes:")[2], re.MULTILINE)
    assert set(named) == {each for each in fields | own if not each.startswith("_")}


def test_the_page_of_configs_names_the_public_fields() -> None:
    page = (ROOT / "docs" / "reference" / "configs.md").read_text(encoding="utf-8")
    part = page.partition("### What a config has")[2].partition("\n## ")[0]
    config, windows = (re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for table in part.split("`DrumWindows` takes"))
    fields = {field.name for field in dataclasses.fields(HIERDEC_SMALL)}
    assert set(re.findall(r"`(\w+)`", " ".join(config))) == fields - {"family", "magenta", "augmented"}
    fields = {field.name for field in dataclasses.fields(DrumWindows)}
    assert {name.strip("`") for name in windows} == fields - {"roll_input", "roll_output"}


def test_the_configs_export_what_their_page_names() -> None:
    assert set(gmd_vae.configs.__all__) == {"CONFIGS", "DrumWindows", "FLAT_SMALL", "HIERDEC_SMALL"}


def test_the_version_is_that_of_the_package() -> None:
    assert gmd_vae.__version__ == importlib.metadata.version("gmd-vae")
