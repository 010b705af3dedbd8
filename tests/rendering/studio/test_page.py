"""The studio as a file: equal bytes, no overwriting, refusals, and that no text of a model becomes HTML."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.cli import main
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.registry import get_config
from gmd_vae.models.card import InitialWeights
from gmd_vae.models.model_file import Card, ModelFile, write_model
from gmd_vae.rendering.studio import model_data
from gmd_vae.rendering.studio.page import write_studio

EVIL = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\"'&amp;"


def test_the_same_model_gives_the_same_bytes_and_a_changed_file_stays(tiny_model: ModelFile, tmp_path: Path) -> None:
    first, second = tmp_path / "one.html", tmp_path / "two.html"
    page = write_studio(tiny_model, first)
    write_studio(tiny_model, second)
    assert first.read_bytes() == second.read_bytes()
    assert page.size == first.stat().st_size
    write_studio(tiny_model, first)  # its own unchanged page is replaced
    first.write_text(first.read_text() + "mine")
    with pytest.raises(GmdVaeError, match="did not write it or it was changed"):
        write_studio(tiny_model, first)
    assert first.read_text().endswith("mine")


def test_text_of_a_model_is_escaped(tiny_model: ModelFile, tmp_path: Path) -> None:
    began_with = (InitialWeights(EVIL, "a" * 64, EVIL, EVIL, EVIL),)
    card = Card(EVIL, EVIL, EVIL, evaluation={EVIL: EVIL}, began_with=began_with)
    model = dataclasses.replace(tiny_model, card=card, licence=EVIL)
    write_studio(model, tmp_path / "studio.html")
    text = (tmp_path / "studio.html").read_text()
    assert "alert(1)</script>" not in text
    assert "<img" not in text
    assert len(re.findall("<script", text)) == len(re.findall("</script", text)) == 3
    (content,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(content)["name"] == EVIL


@pytest.mark.parametrize(
    ("name", "description", "shown"),
    [
        ("groove", "groove 1.0.0 (CC BY 4.0): J. G.", "groove 1.0.0 (CC BY 4.0): J. G."),
        ("beats", "groove 1.0.0", "beats: groove 1.0.0"),
        ("groove", "", "groove"),
    ],
)
def test_the_data_and_its_description_are_shown(
    tiny_model: ModelFile, tmp_path: Path, name: str, description: str, shown: str
) -> None:
    card = Card("x", data=name, data_description=description)
    write_studio(dataclasses.replace(tiny_model, card=card), tmp_path / "studio.html")
    text = re.sub(r"<[^>]*>", "|", (tmp_path / "studio.html").read_text())
    assert re.search(rf"\|Data\|+\s*\|*{re.escape(shown)}\|", text)


def test_models_that_the_page_cannot_compute_are_refused(
    tiny_model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("groovae_2bar_humanize_small", "cat-mel_2bar_big", "nade-drums_2bar_full"):
        config = get_config(name)
        with pytest.raises(UsageError, match="the studio plays drum labels"):
            model_data.check_playable(config, config.hparams)
    monkeypatch.setattr(model_data, "MAX_PARAMETERS", 1000)
    with pytest.raises(UsageError, match="more than 1,000"):
        write_studio(tiny_model, tmp_path / "studio.html")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_page_of_a_model_file(
    tiny_model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(Path("mine.safetensors"), tiny_model)
    with pytest.raises(SystemExit) as done:
        main(["studio", "mine.safetensors", "--json"])
    assert done.value.code == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["output"] == "studio.html"
    assert answer["bytes"] == Path("studio.html").stat().st_size
    with pytest.raises(SystemExit) as done:
        main(["studio", "mine.safetensors", "-o", "mine.safetensors"])
    assert done.value.code == 2
    assert "is an input" in capsys.readouterr().err


def test_from_the_hi_hat_to_the_ride_is_an_attribute_of_the_page(tiny_model: ModelFile) -> None:
    vectors = {"ride": np.array([1.0, 2.0]), "closed hi-hat": np.array([0.5, -1.0])}
    found = model_data.attribute_vectors(dataclasses.replace(tiny_model, attribute_vectors=vectors))
    assert found == {"closed hi-hat": [0.5, -1.0], "ride": [1.0, 2.0], "ride against hi-hat": [0.5, 3.0]}
    assert list(model_data.attribute_vectors(tiny_model)) == ["busier", "syncopation"]
