"""Magenta's own configs through our stages: windows by Magenta's converter, training, samples."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.generation.generate import generate
from gmd_vae.generation.job import GenerationJob
from gmd_vae.generation.request import GenerationRequest
from gmd_vae.generation.sources import CheckpointSource
from gmd_vae.midi.convert import convert
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan
from gmd_vae.windows.preprocess import preprocess
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest

pytestmark = pytest.mark.tensorflow

DRUM_LEVERS = "mix_windows=0.5,mix_bars=0.4,replace_bars=0.3,drop_voices=0.3,swap_voices=0.2"
TINY = "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=4"


@pytest.fixture(scope="module")
def melody_notes(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few pieces of music with melodies, as ``convert`` writes them."""
    root = tmp_path_factory.mktemp("music")
    for file in sorted((test_data / "freedoom" / "musics").glob("*.mid"))[:6]:
        (root / file.name).write_bytes(file.read_bytes())
    convert(root, root / "notes")
    return root / "notes"


def train_and_sample(name: str, notes: Path, folder: Path, levers: str) -> list[int]:
    """Two steps with levers and three samples; returns the notes in each sample."""
    from gmd_vae.training.loop import train

    config = get_config(name)
    preprocess(notes, folder / "examples", family_of(config).extractor(config), config=name, max_per_sequence=5)
    examples = open_examples(folder / "examples", config)
    run = Run(
        folder / "run",
        config,
        resolve(config, f"{TINY},{levers},blank_inputs=0.3"),
        0,
        examples.folder,
        examples.digest,
    )
    run.folder.mkdir()
    run.describe(Plan(2))
    outcome = train(run, examples, Plan(2))
    assert outcome.first_loss is not None
    assert math.isfinite(outcome.first_loss)
    request = GenerationRequest(count=3, temperature=1.0)
    source = CheckpointSource(config, run.hparams, outcome.checkpoint)
    return [file.notes for file in generate(GenerationJob(request, source, folder / "beats")).files]


def test_a_melody_config_from_music_to_melodies(melody_notes: Path, tmp_path: Path) -> None:
    notes = train_and_sample("cat-mel_2bar_small", melody_notes, tmp_path, "transpose=5")
    assert sum(notes) > 0
    layout = read_examples_manifest(tmp_path / "examples").layout
    assert (layout.format, layout.input_depth, layout.output_depth, layout.input_dtype) == ("tensors", 90, 90, "bool")


def test_examples_fit_every_config_with_their_converter(melody_notes: Path, tmp_path: Path) -> None:
    """The paper's pair learns from one folder, and ``evaluate`` compares it on the same windows."""
    flat, hierarchical = get_config("flat-mel_16bar_small"), get_config("hierdec-mel_16bar")
    preprocess(
        melody_notes,
        tmp_path / "examples",
        family_of(flat).extractor(flat),
        config=flat.name,
        max_per_sequence=1,
    )
    assert open_examples(tmp_path / "examples", hierarchical).train.count > 0
    with pytest.raises(GmdVaeError, match=r"config is flat-mel_16bar, not cat-mel_2bar_small"):
        open_examples(tmp_path / "examples", get_config("cat-mel_2bar_small"))
    described = tmp_path / "examples" / "manifest.json"  # by 0.8.0, for the hierarchical one
    described.write_text(described.read_text().replace('"config": "flat-mel_16bar"', '"config": "hierdec-mel_16bar"'))
    assert open_examples(tmp_path / "examples", flat).train.count > 0


def test_groovae_from_drums_to_drums(starter_notes: Path, tmp_path: Path) -> None:
    notes = train_and_sample("groovae_2bar_humanize", starter_notes, tmp_path, DRUM_LEVERS)
    assert len(notes) == 3
    layout = read_examples_manifest(tmp_path / "examples").layout
    assert (layout.format, layout.input_depth, layout.input_dtype) == ("tensors", 27, "float32")


def test_a_nade_config_uses_our_drum_windows(starter_notes: Path, tmp_path: Path) -> None:
    notes = train_and_sample("nade-drums_2bar_reduced", starter_notes, tmp_path, DRUM_LEVERS)
    assert len(notes) == 3
    assert read_examples_manifest(tmp_path / "examples").layout.format == "labels"


def test_what_is_no_note_sequence_is_counted() -> None:
    extraction = family_of(get_config("cat-mel_2bar_small")).extractor(get_config("cat-mel_2bar_small"))(
        b"\xff\xff\xff"
    )
    assert extraction.dropped.reasons["unreadable"] == 1
    assert len(extraction.windows) == 0
