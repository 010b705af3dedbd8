"""Validation of configs whose decoders are Magenta's own: a last batch that is not full counts as it should."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline.examples.preprocess import preprocess
from pipeline.models.extraction import extractor_for
from pipeline.models.hparams import resolve
from pipeline.models.registry import get_config
from pipeline.notes.convert import convert
from pipeline.training.examples import open_examples
from pipeline.training.run import Run

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("name", ["groovae_2bar_humanize", "nade-drums_2bar_reduced", "hierdec-trio_16bar"])
def test_other_decoders_take_partial_batches_too(
    name: str, starter_notes: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values, NADE, and three streams at once (whose decoder refuses windows of other lengths)."""
    from pipeline.models.magenta import configs
    from pipeline.training import validation
    from pipeline.training.loop import train
    from pipeline.training.run import Plan

    notes = starter_notes
    if "trio" in name:
        # two segments in the place of 16: Magenta's graphs of 16 times three decoders take two minutes to build
        monkeypatch.setattr(configs.CONFIG_MAP[name].model.decoder, "_level_lengths", [2, 128])
        music = tmp_path / "music"
        music.mkdir()
        for file in sorted((request.getfixturevalue("test_data") / "freedoom" / "musics").glob("*.mid"))[:6]:
            (music / file.name).write_bytes(file.read_bytes())
        convert(music, tmp_path / "notes")
        notes = tmp_path / "notes"
    config = get_config(name)
    preprocess(notes, tmp_path / "examples", extractor_for(config), config=name, max_per_sequence=2)
    examples = open_examples(tmp_path / "examples", config)
    size = next(size for size in (3, 4, 2) if examples.train.count >= size and examples.train.count % size)
    hparams = resolve(config, f"enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size={size}")
    monkeypatch.setattr(validation, "BATCH_SIZE", size)
    run = Run(tmp_path / "run", config, hparams, 0, examples.folder, examples.digest)
    # the training windows, of which there are enough, stand in for validation
    outcome = train(run, dataclasses.replace(examples, validation=examples.train), Plan(1))
    assert outcome.best is not None
    assert outcome.best.windows == examples.train.count
    monkeypatch.setattr(validation, "BATCH_SIZE", 1)
    with validation.Validator(run, examples.train) as validator:
        single, _ = validator.validate(outcome.checkpoint, 1)
    assert outcome.best.kl_bits == pytest.approx(single.kl_bits, rel=1e-3, abs=1e-4)
    assert outcome.best.reconstruction == pytest.approx(single.reconstruction, rel=1e-2)
