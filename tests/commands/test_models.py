"""``gmd-vae models``: the card of a model, readable on a terminal, whole in JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from fixtures.command_line import run_here
from fixtures.models import random_model
from fixtures.results import made_up_result
from gmd_vae.common import console
from gmd_vae.common.plain_console import PlainConsole
from gmd_vae.evaluation.tables.card import held_out, tables
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.card import Card, HeldOut, HeldOutFigure, InitialWeights
from gmd_vae.models.model_file import write_model

CARD = Card(
    "small",
    data="groove",
    data_description="Ten drummers, all of them in 4/4, on the sixteenths of a grid, played on an electronic drum kit.",
    intended_use="Ideas for beats.",
    limits=("It plays only 4/4. " * 6, "It plays no [bold]melodies[/bold]."),
    held_out=held_out(made_up_result(), new_music=True),
    seed=7,
    code="gmd-vae 1.2.3, commit abc",
    cpu_hours=2.345,
    windows_sha256={"train": "a" * 64, "validation": "b" * 64},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / "small.safetensors", random_model(card=CARD, step=1500, licence="CC BY 4.0"))
    return tmp_path


def test_a_card_shows_everything_that_is_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "stdout", lambda: PlainConsole(width=80))
    lines = run_here(folder, "models", "small.safetensors").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    facts = {line[:16].strip(): line[16:].strip() for line in lines}
    assert (facts["Seed"], facts["CPU time"], facts["Code"]) == ("7", "2 h 20 min", "gmd-vae 1.2.3, commit abc")
    assert facts["Windows"] == "train sha256 aaaaaaaaaaaa…, validation sha256 bbbbbbbbbbbb…"
    assert facts["Held-out music"] == "1,760 windows of 74 files (test)"
    place = next(number for number, line in enumerate(lines) if line.startswith("Limits"))
    assert all(line.startswith(" " * 18) for line in lines[place + 1 : place + 3])  # wrapped beside its label
    assert "It plays no [bold]melodies[/bold]." in text
    for title in ("Reconstruction", "Likelihood", "Samples and music", "Nearest training window"):
        assert f"\n\n{title}" in text
    assert "previous bar, copied" in text
    assert "[0.470, 0.500]" in text
    assert "1,000 samples at temperature 1." in text
    for absent in ("Velocities", "Attributes", "Validation", "Training windows", "Evaluation"):
        assert absent not in text


@pytest.mark.parametrize(("hours", "shown"), [(0.0035, "13 s"), (0.08, "4 min 48 s"), (1.0, "1 h 00 min")])
def test_the_cpu_time_of_a_short_training_is_not_rounded_to_nothing(tmp_path: Path, hours: float, shown: str) -> None:
    write_model(tmp_path / "x.safetensors", random_model(card=Card("x", cpu_hours=hours)))
    lines = run_here(tmp_path, "models", "x.safetensors").stdout.splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines if line.startswith("CPU time")] == [shown]


def test_figures_of_the_validation_are_in_words(tmp_path: Path) -> None:
    figures = {"step": 20, "windows": 80, "elbo": -387.503, "reconstruction": 386.989, "kl_bits": 0.7419,
               "kl_bits_above_free": 0.7, "accuracy": None, "unknown": 1.0}  # fmt: skip
    card = Card("small", data="groove", validation=figures)
    write_model(tmp_path / "small.safetensors", random_model(card=card))
    lines = run_here(tmp_path, "models", "small.safetensors").stdout.splitlines()
    facts = {line[:16].strip(): line[16:].strip() for line in lines}
    assert facts["Validation"] == "ELBO -387.5 nats, reconstruction 387.0 nats, KL 0.7 bits (80 windows)"
    assert facts["Trained on"] == "groove"


def test_the_weights_that_a_training_began_with_are_named_with_their_licence(tmp_path: Path) -> None:
    first = InitialWeights("mine", "a" * 64, "songs")
    last = InitialWeights("base", "b" * 64, "groove", "Ten drummers.", "CC BY 4.0.")
    write_model(tmp_path / "x.safetensors", random_model(card=Card("x", began_with=(first, last))))
    lines = run_here(tmp_path, "models", "x.safetensors").stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("Began with"))
    assert [line[12:].strip() for line in lines[place : place + 2]] == [
        "mine (sha256 aaaaaaaaaaaa…), trained on songs. Licence: not stated",
        "which began with base (sha256 bbbbbbbbbbbb…), trained on groove: Ten drummers. Licence: CC BY 4.0",
    ]
    facts = {line[:12].strip(): line[12:].strip() for line in lines}
    assert facts["Licence"] == "not stated; for that of the weights it began with, see above"
    unknown = InitialWeights("bare.tar", "c" * 64)
    write_model(tmp_path / "y.safetensors", random_model(card=Card("y", began_with=(unknown,))))
    shown = run_here(tmp_path, "models", "y.safetensors").stdout
    assert "bare.tar (sha256 cccccccccccc…): its data and licence are not known, since no card names them" in shown
    assert "Licence " not in shown


def test_attributes_are_named_as_they_are_typed(tmp_path: Path) -> None:
    shown = run_here(tmp_path, "models", "groove-4bar").stdout
    (names,) = [line.split(maxsplit=1)[1] for line in shown.splitlines() if line.startswith("Attributes")]
    assert "closed-hi-hat" in names.split(", ")
    assert {re.fullmatch(r"[a-z-]+", name) is not None for name in names.split(", ")} == {True}


def test_the_list_fits_a_narrow_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "stdout", lambda: PlainConsole(width=50))
    lines = run_here(tmp_path, "models").stdout.splitlines()
    assert max(map(len, lines)) <= 50
    assert [line for line in lines if line.startswith(" ")]  # what goes on, beside the names
    assert all(line.startswith(15 * " ") for line in lines if line.startswith(" "))


def test_a_pipe_gets_one_line_for_each_fact(folder: Path) -> None:
    lines = run_here(folder, "models", "small.safetensors").stdout.splitlines()
    assert f"{'Limits':18}{CARD.limits[0]}" in lines


def test_a_folder_for_magenta_shows_its_card(folder: Path) -> None:
    wanted = run_here(folder, "models", "small.safetensors").stdout
    run_here(folder, "export", "small.safetensors", "-o", "stock", "--format", "magenta")
    for name in ("stock", "stock/model.ckpt-1500"):
        assert run_here(folder, "models", name).stdout == wanted.replace("small.safetensors", name)
    facts = json.loads(run_here(folder, "models", "stock", "--json").stdout)
    assert (facts["step"], facts["licence"], facts["card"]["seed"]) == (1500, "CC BY 4.0", 7)


def test_json_has_the_whole_card(folder: Path) -> None:
    facts = json.loads(run_here(folder, "models", "small.safetensors", "--json").stdout)
    assert (facts["step"], facts["licence"]) == (1500, "CC BY 4.0")
    card = facts["card"]
    assert card["held_out"]["figures"]["reconstruction.free_running"]["step_accuracy"]["value"] == 0.485
    assert (card["seed"], card["limits"]) == (7, list(CARD.limits))
    assert card["windows_sha256"] == CARD.windows_sha256
    assert "validation" not in card


def test_figures_of_a_groovae_have_a_table_of_their_own() -> None:
    hits = {
        "velocity_mse": HeldOutFigure(0.05, 0.045, 0.06),
        "timing_mae_ms": HeldOutFigure(19.5),
        "unknown": HeldOutFigure(1),
    }
    held = HeldOut("test", 9, 2, 100, 1.0, {"groove.answers.hits_given": hits, "else": {"x": HeldOutFigure(1)}})
    (table,) = tables(held)
    assert table.rows == (("true hits given", "19.5", "0.0500 [0.0450, 0.0600]"),)
    assert table.columns == ("", "timing\nMAE, ms", "velocity\nMSE, 0 to 1")
    assert tables(dataclasses.replace(held, figures={"else": {}})) == []


def test_a_model_that_completes_an_input_has_no_figures_of_samples() -> None:
    result = made_up_result()
    full, without = (held_out(result, new_music=new) for new in (True, False))
    of_samples = {place for place in full.figures if place.startswith(("window_sets.", "novelty."))}
    assert of_samples >= {"window_sets.samples", "window_sets.held_out", "novelty.samples_usual.steps"}
    assert full.figures.keys() - without.figures.keys() == of_samples
    assert not any("samples at temperature" in note for table in tables(without) for note in table.notes)


def test_the_temperatures_of_samples_are_on_the_card() -> None:
    (sets,) = (
        table
        for table in tables(dataclasses.replace(held_out(made_up_result(), new_music=True), usual_temperature=0.25))
        if table.title == "Samples and music"
    )
    assert [row[0] for row in sets.rows][:2] == ["samples", "samples, temperature 0.25"]


def test_the_models_of_the_package_have_cards(tmp_path: Path) -> None:
    listed = run_here(tmp_path, "models").stdout
    for name in bundled_models():
        assert f"{name}  " in listed
        assert "Apache-2.0" in run_here(tmp_path, "models", name).stdout
    answer = run_here(tmp_path, "models", "groove-5bar", expect=2)
    assert "There is no model 'groove-5bar'" in answer.error
    assert answer.error.endswith("Or give a run folder or a .safetensors file.")
