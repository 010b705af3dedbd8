"""``gmd_vae.load`` and ``Model``: results equal to the commands', inputs of every kind, and errors."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import gmd_vae
import numpy as np
import pretty_midi
import pytest
from fixtures.command_line import environment, run_here
from fixtures.models import random_model
from gmd_vae import Beat, GmdVaeError, Model, UsageError
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import get_config
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import write_model

NAME = "groove-4bar"
FIRST = tuple(f"{NAME}_sample_seed7_00{number}_120bpm.mid" for number in range(2))
GROOVAE = get_config("groovae_2bar_humanize_small")


@pytest.fixture(scope="module")
def model() -> Model:
    return gmd_vae.load()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beats of the command, in folders by mode."""
    folder = tmp_path_factory.mktemp("made")

    def generate(output: str, *arguments: str) -> None:
        run_here(folder, "generate", "--model", NAME, *arguments, "--output-dir", output)

    generate("sample", "-n", "3", "--seed", "7")
    two = tuple(word for name in FIRST for word in ("--input-midi", f"sample/{name}"))
    generate("interpolate", "--mode", "interpolate", *two, "-n", "4")
    generate("vary", "--mode", "vary", *two[:2], "--distance", "6", "-n", "2")
    generate("latents", "--latents", "interpolate/latents.npz", "--temperature", "0")
    generate("played", "-n", "2", "--bars", "8", "--humanize", "--tempo", "97", "--swing", "58")
    generate("even", "-n", "2", "--velocity", "90", "--quantize")
    return folder


@pytest.fixture(scope="module")
def groovae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GrooVAE with random weights."""
    config = GROOVAE
    hparams = resolve(config, "enc_rnn_size=[16],dec_rnn_size=[12,8],z_size=4")
    path = tmp_path_factory.mktemp("groovae") / "humanize.safetensors"
    write_model(path, random_model(config, hparams))
    return path


def files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.mid"))]


def test_beats_are_those_of_the_command(model: Model, made: Path) -> None:
    start, end = (made / "sample" / name for name in FIRST)
    assert [beat.to_midi() for beat in model.sample(3, seed=7)] == files(made / "sample")
    assert [beat.to_midi() for beat in model.interpolate(start, end, 4)] == files(made / "interpolate")
    assert [beat.to_midi() for beat in model.vary(start, 2, distance=6)] == files(made / "vary")
    with np.load(made / "interpolate/latents.npz") as stored:
        z = stored["z"]
    assert [beat.to_midi() for beat in model.decode(z)] == files(made / "latents")
    played = [beat.to_midi(humanize=True, tempo=97, swing=58) for beat in model.sample(2, bars=8)]
    assert played == files(made / "played")
    assert [beat.to_midi(velocity=90, quantize=True) for beat in model.sample(2)] == files(made / "even")


def test_the_first_beats_do_not_depend_on_their_number(model: Model) -> None:
    few, many = model.sample(2, seed=3, bars=8, temperature=1), model.sample(70, seed=3, bars=8, temperature=1)
    assert [beat.to_midi() for beat in few] == [beat.to_midi() for beat in many[:2]]
    assert len({beat.to_midi() for beat in many}) == 70
    longer = model.sample(2, seed=3, bars=16, temperature=1)
    assert [(beat.labels[:128] == part.labels).all() for beat, part in zip(longer, few, strict=True)] == [True, True]


def test_seeds_share_the_weights_and_do_not_depend_on_the_calls_before(model: Model) -> None:
    first = [model.sample(1, seed=seed)[0].labels for seed in range(3)]
    assert model._open(1)._decoder is model._open(2)._decoder  # type: ignore[attr-defined]
    again = [model.sample(1, seed=seed)[0].labels for seed in (2, 1, 0)]
    assert [(one == other).all() for one, other in zip(first, again[::-1], strict=True)] == [True] * 3


def test_music_of_every_kind_gives_the_same_vectors(model: Model, made: Path) -> None:
    path = made / "sample" / FIRST[0]
    beat = model.sample(1, seed=7)[0]
    z = model.encode(path)
    assert z.shape == (1, model.z_size)
    assert z.dtype == np.float32
    sequence = beat.to_note_sequence()
    for music in (
        *(str(path), path.read_bytes(), bytearray(path.read_bytes()), pretty_midi.PrettyMIDI(str(path)), sequence),
        *(beat, [beat], beat.labels[None], beat.grid[None], beat.grid[None].astype(np.uint8)),
    ):
        assert np.array_equal(model.encode(music), z), type(music)
    assert len(model.encode([beat, beat])) == 2
    assert model.encode([beat, *model.sample(3)]).shape == (4, model.z_size)


def test_a_score_of_symusic_is_recognised_by_its_method(model: Model, made: Path) -> None:
    class Score:
        def dumps_midi(self) -> bytes:
            return (made / "sample" / FIRST[0]).read_bytes()

    assert np.array_equal(model.encode(Score()), model.encode(made / "sample" / FIRST[0]))


def test_beats(model: Model, tmp_path: Path) -> None:
    beat = model.sample(1, seed=7)[0]
    assert beat.grid.shape == (64, 9)
    assert beat.voices[:3] == ("kick", "snare", "closed hi-hat")
    assert (beat.grid @ (1 << np.arange(9)) == beat.labels).all()
    path = beat.save(tmp_path / "new" / "a.mid", tempo=96, humanize=True)
    music = beat.to_pretty_midi(tempo=96, humanize=True)
    assert path.read_bytes() == beat.to_midi(tempo=96, humanize=True)
    assert len(music.instruments[0].notes) == beat.grid.sum()
    assert round(music.get_tempo_changes()[1][0]) == 96
    assert len(beat.to_note_sequence().notes) == beat.grid.sum()
    assert {note.velocity for note in beat.to_note_sequence(velocity=99).notes} == {99}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("beat.mid/x.mid", "'beat.mid': File exists. Something else is in its place: move it away"),
        ("beat.mid/deep/x.mid", "Not a directory. A file is in the place of a folder of that path"),
        ("docs", "'docs': Is a directory. A folder is in the place of that file: choose another name."),
        ("dangling/x.mid", "'dangling': File exists. Something else is in its place"),
        (f"{'x' * 300}.mid", "xxx.mid': File name too long. Choose a shorter name."),
        ("docs/" * 1000 + "x.mid", "Choose a shorter name."),
        ("\ud800.mid", r"path must be a path, not '\ud800.mid'"),
    ],
)
def test_a_file_that_cannot_be_written_is_an_error_with_the_reason(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    Path("dangling").symlink_to("missing")
    model.sample(1)[0].save("beat.mid")
    with pytest.raises(GmdVaeError) as raised:
        model.sample(1)[0].save(name)
    assert said in str(raised.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["beat.mid", "dangling", "docs"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error_with_the_reason(model: Model, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(GmdVaeError, match=r"Permission denied\. Check the permissions"):
        model.sample(1)[0].save(tmp_path / "x.mid")


def test_a_dangling_link_in_the_place_of_a_beat_is_replaced(model: Model, tmp_path: Path) -> None:
    (tmp_path / "x.mid").symlink_to("missing.mid")
    path = model.sample(1)[0].save(tmp_path / "x.mid")
    assert path.is_file()
    assert not path.is_symlink()


def test_texts_of_objects_are_one_short_line(model: Model, groovae: Path) -> None:
    (beat,) = model.sample(1, seed=7)
    (long,) = model.sample(1, seed=7, bars=8)
    hits = int(beat.grid.sum())
    assert repr(model) == f"<gmd_vae.Model bundled model {NAME}: {model.config.name}>"
    assert repr(beat) == str(beat) == f"<gmd_vae.Beat of {model.config.name}: 4 bars, {hits} hits, 120 bpm>"
    assert repr(long) == f"<gmd_vae.Beat of {model.config.name}: 8 bars, {int(long.grid.sum())} hits, 120 bpm>"
    with gmd_vae.load(groovae) as humanizer:
        assert repr(humanizer.sample(1)[0]).startswith(f"<gmd_vae.Beat of {GROOVAE.name}: 2 bars, ")


def test_attribute_vectors_are_those_of_the_command(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = model.attribute_vectors()
    assert {"kick", "closed hi-hat", "ride", "busier", "syncopation"} <= vectors.keys()
    assert {(vector.shape, vector.dtype) for vector in vectors.values()} == {((model.z_size,), np.dtype(np.float32))}
    command = ("--model", NAME, "--mode", "attribute", "--attribute", "ride=2", "-n", "2", "--output-dir", "made")
    run_here(tmp_path, "generate", *command)
    z = np.load(tmp_path / "made" / "latents.npz")["z"]
    assert np.allclose(z[1] - z[0], 2 * vectors["ride"], atol=1e-5)
    vectors["ride"][:] = 0
    assert model.attribute_vectors()["ride"].any()


def test_a_model_without_attribute_vectors_says_so(groovae: Path, tmp_path: Path) -> None:
    with gmd_vae.load(groovae) as humanizer, pytest.raises(GmdVaeError, match="are of drum configs"):
        humanizer.attribute_vectors()
    write_model(tmp_path / "plain.safetensors", dataclasses.replace(random_model(), attribute_vectors={}))
    with gmd_vae.load(tmp_path / "plain.safetensors") as plain, pytest.raises(GmdVaeError, match="has no attribute"):
        plain.attribute_vectors()


@pytest.mark.tensorflow
def test_attribute_vectors_of_a_run_are_computed_and_kept(tiny_run: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_run, tmp_path / "run")
    with gmd_vae.load(tmp_path / "run") as trained:
        vectors = trained.attribute_vectors()
        assert {vector.shape for vector in vectors.values()} == {(trained.z_size,)}
    assert list((tmp_path / "run" / "attributes").glob("*/vectors.npz"))


def test_the_default_tempo_is_that_of_the_input(model: Model) -> None:
    data = model.sample(1)[0].to_midi(tempo=87)
    (beat, *_) = model.reconstruct(data)
    assert round(beat.tempo) == 87
    assert round(beat.to_pretty_midi().get_tempo_changes()[1][0]) == 87


@pytest.mark.parametrize(
    ("music", "said"),
    [
        ("missing.mid", "'missing.mid' does not exist"),
        (b"hello", "'MIDI bytes' cannot be read as MIDI"),
        (17, "A builtins.int is no music that can be read. Give a path or the bytes of a MIDI file"),
        (17, "[windows, steps, drums], a beat, or a list of beats."),
        ([], "An empty list holds no music. Give one beat or more."),
        (("beat.mid", b"MThd"), "The tuple holds something else than beats. Give beats alone"),
        (np.zeros((3, 10), int), "shape (3, 10) is no drum grid of this model. Give labels [windows, 64]"),
        (np.zeros((0, 64), int), "shape (0, 64) is no drum grid"),
        (np.full((1, 64), 512), "out of range: 512 to 512"),
        (np.full((1, 64), -1), "out of range: -1 to -1"),
        (np.zeros((1, 64)), "out of range: a float64"),
        (np.full((1, 64, 9), 2), "out of range: 2 to 2"),
        (pretty_midi.PrettyMIDI(), "'PrettyMIDI' has no 4 bars of 4/4 drums: it has no drum notes"),
    ],
)
def test_music_that_cannot_be_used_says_why(model: Model, music: object, said: str) -> None:
    with pytest.raises(GmdVaeError) as raised:
        model.encode(music)
    assert said in str(raised.value)


def test_a_pretty_midi_without_drums_says_what_to_do(model: Model) -> None:
    music = pretty_midi.PrettyMIDI()
    music.instruments.append(pretty_midi.Instrument(0))
    music.instruments[0].notes.append(pretty_midi.Note(80, 36, 0, 1))
    with pytest.raises(GmdVaeError, match="is_drum is true for their notes"):
        model.encode(music)


def test_latents_and_options_that_do_not_fit_say_why(model: Model) -> None:
    z = model.encode(model.sample(2))
    for call, said in (
        (lambda: model.decode(np.zeros((2, 3))), r"shape \(2, 3\) are not this model's. Give \[n, 128\]"),
        (lambda: model.decode(np.full(model.z_size, np.nan)), "not finite"),
        (lambda: model.vary(z), "Several latent vectors"),
        (lambda: model.sample(2, prior="gauss"), r"no prior 'gauss'\. Give 'fitted' or 'normal', or leave it out\."),
        (lambda: model.interpolate(z[0], z[1], 1), "count of 2 or more"),
        (lambda: model.sample(1)[0].to_midi(tempo=0), "tempo must be"),
        (lambda: model.sample(-1), "count must be 1 to 1,000,000, not -1"),
        (lambda: model.sample(10**30), "count must be"),
        (lambda: model.sample(2.5), "count must be a whole number"),  # type: ignore[arg-type]
        (lambda: model.sample(1, seed="x"), "seed must be a whole number"),  # type: ignore[arg-type]
        (lambda: model.sample(1, seed=-1), "seed must be 0 to"),
        (lambda: model.sample(1, temperature=np.nan), "temperature must be 0 to 10, not nan"),
        (lambda: model.sample(1, bars=0), "bars must be 1 to 4,000"),
        (lambda: model.vary(z[0], 0), "count must be"),
        (lambda: model.decode(["a"]), "no array of numbers"),
        (lambda: model.sample(1)[0].to_midi(tempo="fast"), "tempo must be a finite number, not 'fast'"),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].to_midi(swing="x"), "swing must be a finite number"),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].to_midi(velocity=2.5), "velocity must be a whole number"),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].to_midi(quantize=np.zeros(2)), r"quantize must be True or False, not array\("),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].save("beat.mid", quantize="no"), "quantize must be True or False, not 'no'"),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].to_midi(tempo=np.array([90.0])), "tempo must be a finite number, not array"),  # type: ignore[arg-type]
        (lambda: model.sample(1, prior=np.zeros((2, 2))), r"no prior array\(\[\[0., 0.\], \[0., 0.\]\]\)\. Give"),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].to_midi(humanize="yes"), "neither True, False nor a model"),  # type: ignore[arg-type]
        (lambda: model.sample(1)[0].save(""), "path must be a path, not ''"),
        (lambda: gmd_vae.load(True), "model must be a path"),  # type: ignore[arg-type]
        (lambda: gmd_vae.train(3), "config is no text"),  # type: ignore[arg-type]
        (lambda: gmd_vae.train(num_steps=0), "num_steps must be 1 to"),
        (lambda: gmd_vae.train(run_dir=""), "run_dir must be a path"),
        (lambda: gmd_vae.train(on_metrics=[print]), r"on_metrics is no function: \[<built-in function print>\]"),  # type: ignore[arg-type]
        (lambda: gmd_vae.train(precision="fp64"), "precision is none of fp32, bf16, auto"),
        (lambda: model.sample(1)[0].to_midi(humanize=model), "does not humanize"),
        (lambda: gmd_vae.load("groove-4baar"), "Did you mean 'groove-4bar'"),
        (lambda: gmd_vae.load("nothing.safetensors"), "There is no model"),
    ):
        with pytest.raises(UsageError, match=said):
            call()


def test_what_the_model_or_the_disk_does_not_allow_is_no_wrong_usage(model: Model) -> None:
    """As the exit status of the commands, which is 1 there, and 2 where an argument is wrong by itself."""
    z = model.encode(model.sample(1))
    for call, said in (
        (lambda: model.vary(z[0], distance=65), r"differ in 65 of 64 steps\. Choose a smaller distance\."),
        (lambda: model.sample(200_001), "200,000 can be made at once"),
        (
            lambda: gmd_vae.train(run_dir=__file__),
            "test_model.py' is a file, not a folder. Choose another run_dir, for",
        ),
    ):
        with pytest.raises(GmdVaeError, match=said) as raised:
            call()
        assert not isinstance(raised.value, UsageError)


def test_a_model_that_is_none_is_named_in_the_words_of_python(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "weights").mkdir()
    write_checkpoint(
        tmp_path / "weights" / "model.ckpt-1", random_model(get_config("cat-mel_2bar_small_chords")).variables
    )
    with tarfile.open(tmp_path / "weights.tar", "w") as tar:
        tar.add(tmp_path / "weights", "weights")
    for name, said in (
        ("docs", "docs' is not a run folder: it has no run.json. Give a folder that 'gmd-vae train' made, or one with"),
        ("weights.tar", "weights.tar' has no config, so that it is not known which one it was trained with. Name it"),
        ("weights.tar", "as in cat-drums_2bar_small.tar. Those with its variables: cat-mel_2bar_small_chords."),
    ):
        with pytest.raises(GmdVaeError) as raised:
            gmd_vae.load(tmp_path / name)
        assert said in str(raised.value)
        assert "--" not in str(raised.value)


def test_a_model_without_a_fitted_prior_says_so_in_the_words_of_python(groovae: Path) -> None:
    with pytest.raises(GmdVaeError, match="no fitted density of z") as raised:
        gmd_vae.load(groovae).sample(1, prior="fitted")
    assert "--" not in str(raised.value)


def test_a_model_of_given_hits_says_that_it_needs_them() -> None:
    model = gmd_vae.load("humanize-2bar")
    z = np.zeros((2, model.z_size), np.float32)
    for call in (lambda: model.sample(1), lambda: model.decode(z), lambda: model.interpolate(z[0], z[1])):
        with pytest.raises(GmdVaeError, match=r"plays given hits, and is given none\. Give music to model.reconstruct"):
            call()


def test_importing_and_playing_import_no_tensorflow() -> None:
    code = """
import sys, json
import gmd_vae
light = sorted(sys.modules)
beat = gmd_vae.load().sample(2)[1]
beat.to_midi(humanize=True)
print(json.dumps([light, sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    light, full = json.loads(done.stdout)
    assert not {"numpy", "click", "msgspec"} & set(light)
    heavy = {"tensorflow", "tf_keras", "magenta", "scipy", "sklearn", "pretty_midi", "pandas", "librosa", "matplotlib"}
    assert not heavy & set(full)
    assert dir(gmd_vae) == sorted(dir(gmd_vae))
    assert "load" in dir(gmd_vae)


def test_a_groovae_plays_beats(model: Model, groovae: Path) -> None:
    drummer = gmd_vae.load(groovae)
    beat = model.sample(1, seed=2)[0]
    notes = drummer.encode(beat.to_midi())
    assert notes.shape[1] == drummer.z_size
    played = pretty_midi.PrettyMIDI(io.BytesIO(beat.to_midi(humanize=drummer)))
    assert len(played.instruments[0].notes) == beat.grid.sum()
    assert len({note.velocity for note in played.instruments[0].notes}) > 3
    assert isinstance(drummer.reconstruct(beat.to_midi())[0], Beat)
