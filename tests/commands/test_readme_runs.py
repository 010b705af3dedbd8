"""The commands of the first pages find the right run, in the order of the pages and backwards. Nothing is trained."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.documented_commands import Line, command_lines
from fixtures.generate_command import Generate
from fixtures.models import random_model
from fixtures.started_runs import write_run
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.families import family_of
from gmd_vae.generation import find_model, newest_model
from gmd_vae.generation.job import GenerationJob
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.model_file import write_model

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / name for name in ("README.md", "docs/first-model.md", "docs/reference/configs.md")]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
NAMED = {"--run-dir", "--model", "--checkpoint-file"}


def _blocks() -> list[list[Line]]:
    blocks = [list(command_lines("pages", block)) for block in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.M | re.S)]
    return [block for block in blocks if any({"train", "generate"} & set(line.words) for line in block)]


def _trained(line: Line) -> tuple[Path, str] | None:
    """The run folder and the config that a line trains; ``None`` if it trains nothing."""
    if "train" not in line.words:
        return None
    if line.words[0] == "make":
        variables = dict(word.split("=", 1) for word in line.words if "=" in word)
        config = variables.get("CONFIG", DEFAULT_CONFIG)
        return Path("runs", variables.get("RUN", config)), config
    options = dict(zip(line.words, line.words[1:], strict=False))
    config = options.get("--config", DEFAULT_CONFIG)
    return Path(options.get("--run-dir", f"runs/{config}")), config


@pytest.mark.parametrize("backwards", [False, True], ids=["as written", "backwards"])
def test_each_generate_takes_the_drum_model_that_was_trained_last(
    backwards: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_midi: Callable[..., bytes],
    jobs: list[GenerationJob],
    generate: Generate,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("beat", "a", "b", "song", "drums"):
        Path(f"{name}.mid").write_bytes(make_midi([(quarter * 480, 36) for quarter in range(32)]))
    python = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)
    Path("my_configs.py").write_text(next(block for block in python if "CONFIGS" in block))
    blocks = _blocks()
    drum_runs: list[Path] = []
    checked = 0
    for number, line in enumerate(line for block in (blocks[::-1] if backwards else blocks) for line in block):
        if (trained := _trained(line)) is not None:
            folder, config = trained
            if not folder.exists():
                write_run(folder, f"2026-03-01T10:{number:02}:00+00:00", config, Path("my_configs.py"))
                drum_runs += [folder] if "drum" in config else []
        elif line.words[:2] == ["gmd-vae", "generate"] and "--checkpoint-file" not in line.words:
            jobs.clear()
            code, err = generate(*line.words[2:])
            assert code == 0, err
            if NAMED.isdisjoint(line.words):
                wanted = drum_runs[-1] if drum_runs else "bundled model groove-4bar"
                assert str(wanted) in jobs[0].source.name, line
                assert not drum_runs or f"Run: {wanted}, " in err
                checked += 1
    assert checked >= 9
    assert len(drum_runs) >= 5


def test_without_a_run_the_bundled_model_that_can_do_it_is_taken(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_midi: Callable[..., bytes],
    jobs: list[GenerationJob],
    generate: Generate,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("drums.mid").write_bytes(make_midi([(quarter * 480, 36) for quarter in range(32)]))
    write_model(Path("player.safetensors"), random_model(get_config("groovae_2bar_humanize_small")))
    models = {**bundled_models(), "player": Path("player.safetensors")}
    for module in (find_model, newest_model):
        monkeypatch.setattr(module, "bundled_models", lambda: models)
    assert generate("--mode", "groove", "--input-midi", "drums.mid")[0] == 0
    assert family_of(jobs[0].source.config).humanizes(jobs[0].source.config)
    write_run(Path("runs/hum"), "2026-03-01T10:00:00+00:00", "groovae_2bar_humanize_small")
    code, err = generate("--mode", "vary", "--input-midi", "drums.mid")
    assert code == 0
    assert jobs[1].source.config.name == DEFAULT_CONFIG
    assert "No run can do this: 'runs/hum' ('groovae_2bar_humanize_small' is made for --mode groove" in err
    assert "Taking groove-4bar of the package" in err
