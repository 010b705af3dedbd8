"""Errors of Python calls: they name arguments, and no options of the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import gmd_vae
import pytest
from fixtures.command_line import run_here
from gmd_vae import GmdVaeError, UsageError
from gmd_vae.api.errors import in_python, in_words
from gmd_vae.api.reading import reading_rules
from gmd_vae.commands.options import selected_reading
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.midi.reading import EVERY_HIT, STOCK, DrumChannel
from gmd_vae.training.cut_examples import cut_examples

PACKAGE = Path(gmd_vae.__file__).parent
TRAIN = {"config", "configs_file", "examples_path", "hparams", "init_from", "num_steps", "precision", "run_dir"}
# Options without an argument, in texts that a call of ``train`` can raise: that of the command which made a run
WITHOUT_ARGUMENT = {"--no-acceleration"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Choose another --run-dir, for example 'a-2'.", "Choose another run_dir, for example 'a-2'."),
        ("Wait; another --run-dir starts another run.", "Wait; another run_dir starts another run."),
        ("Train with --hparams batch_size=16 or less.", "Train with hparams={'batch_size': 16} or less."),
        ("(--hparams learning_rate=...) in", "(hparams={'learning_rate': ...}) in"),
        ("--hparams enc_rnn_size=[8,8],best_by=elbo.", "hparams={'enc_rnn_size': [8,8], 'best_by': 'elbo'}."),
        ("Choose: --examples-path a/b, --examples-path 'c d'.", "Choose: examples_path='a/b', examples_path='c d'."),
        ("begin with --num-steps 500.", "begin with num_steps=500."),
        ("with --precision bf16, not --no-acceleration", "with precision='bf16', not --no-acceleration"),
        ("Configs of your own need --configs FILE.", "Configs of your own need configs_file=FILE."),
        ("Run 'gmd-vae preprocess --config x' first.", "Run 'gmd-vae preprocess --config x' first."),
        ("See: gmd-vae inspect a.mid --config x", "See: gmd-vae inspect a.mid --config x"),
        ("resume it with 'gmd-vae train --run-dir runs/x'.", "resume it with gmd_vae.train(run_dir='runs/x')."),
        ("Run: gmd-vae train --config x --run-dir 'a b'.", "Run: gmd_vae.train(config='x', run_dir='a b')."),
        ("Run: gmd-vae train --no-acceleration", "Run: gmd-vae train --no-acceleration"),
        ("Run 'gmd-vae train' first", "Run 'gmd-vae train' first"),
        ("There is no model '--run-dir'", "There is no model '--run-dir'"),
        ("the config's: --init-from", "the config's: init_from"),
        ("pip install --no-deps magenta", "pip install --no-deps magenta"),
        ("with --drum-channel.", "with reading=gmd_vae.Reading(drum_channel=...)."),
        ("drums: --drum-channel 3 reads them", "drums: reading=gmd_vae.Reading(drum_channel=3) reads them"),
        ("Leave out --stock: then", "Leave out reading=gmd_vae.Reading(stock=True): then"),
    ],
)
def test_options_become_arguments(text: str, words: str) -> None:
    assert in_words(text, TRAIN) == words


def errors_of(room: str) -> Iterator[tuple[str, str]]:
    """The texts of the errors that the modules of a room raise, with the place; values are ``runs/x``."""
    for module in sorted((PACKAGE / room).rglob("*.py")):
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.endswith("Error"):
                for argument in call.args:
                    yield f"{module.relative_to(PACKAGE)}:{call.lineno}", text_of(argument)


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join("runs/x" if isinstance(part, ast.FormattedValue) else text_of(part) for part in node.values)
    return " ".join(map(text_of, ast.iter_child_nodes(node)))


@pytest.mark.parametrize("room", ["training/run", "training", "configuration"])
def test_every_error_of_training_names_arguments(room: str) -> None:
    """A new option in an error of these rooms has an argument, or is added to the table of this test with a reason."""
    found = [(place, in_words(text, TRAIN)) for place, text in errors_of(room) if "/cluster/" not in place]
    assert len(found) > 20
    left = {place: re.sub(r"'gmd-vae [^']*'|gmd-vae .*", "", text) for place, text in found}
    assert {place: text for place, text in left.items() if set(re.findall(r"--\S+", text)) - WITHOUT_ARGUMENT} == {}


def test_an_error_keeps_its_kind_and_has_new_words_everywhere() -> None:
    @in_python
    def call(run_dir: str) -> None:
        raise gmd_vae.UsageError(f"'{run_dir}' is taken", "Choose another --run-dir.")

    with pytest.raises(gmd_vae.UsageError, match=r"'x' is taken\. Choose another run_dir\.") as raised:
        call("x")
    assert raised.value.args == ("'x' is taken", "Choose another run_dir.")


def test_drums_on_another_channel_are_read_as_the_error_says(tmp_path: Path) -> None:
    import pretty_midi

    model = gmd_vae.load()
    music = model.sample(1)[0].to_pretty_midi()
    for instrument in music.instruments:
        instrument.is_drum = False
    music.write(str(tmp_path / "other.mid"))
    melody = pretty_midi.PrettyMIDI()
    melody.instruments.append(pretty_midi.Instrument(40))
    melody.instruments[0].notes = [pretty_midi.Note(90, 60 + step % 12, step / 4, step / 4 + 0.2) for step in range(64)]
    melody.write(str(tmp_path / "melody.mid"))
    for name, said in (
        ("other", "drum_channel=1) reads them so"),
        ("melody", "with reading=gmd_vae.Reading(drum_channel=...)"),
    ):
        path = tmp_path / f"{name}.mid"
        for call in (model.encode, model.reconstruct, model.vary, lambda path: model.interpolate(path, path)):
            with pytest.raises(GmdVaeError) as raised:
                call(path)
            assert said in str(raised.value)
            assert "--drum-channel" not in str(raised.value)
    reading = gmd_vae.Reading(drum_channel=1)
    path = tmp_path / "other.mid"
    assert len(model.encode(path, reading=reading)) == 1
    variations = model.vary(path, 2, reading=reading)
    answer = run_here(tmp_path, "generate", "--model", "groove-4bar", "--mode", "vary", "--input-midi", "other.mid",
                      "--drum-channel", "1", "-n", "2", "--output-dir", "made")  # fmt: skip
    assert answer.code == 0
    made = sorted((tmp_path / "made").glob("*.mid"))
    assert [beat.to_midi() for beat in variations] == [file.read_bytes() for file in made]
    assert len(model.interpolate(path, model.encode(path, reading=reading)[0], 2, reading=reading)) == 2


def test_rules_for_reading_are_checked() -> None:
    model = gmd_vae.load()
    for reading, said in (
        (3, "reading must be a gmd_vae.Reading"),
        (gmd_vae.Reading(drum_channel=17), "1 to 16, not 17"),
        (gmd_vae.Reading(drum_channel="every"), "drum_channel must be 1 to 16, or 'all', not 'every'"),  # type: ignore[arg-type]
        (gmd_vae.Reading(drum_channel=None), "drum_channel must be a whole number from 1 to 16"),  # type: ignore[arg-type]
        (gmd_vae.Reading(stock=[0, 1]), r"stock must be True or False, not \[0, 1\]"),  # type: ignore[arg-type]
        (gmd_vae.Reading(drum_map={35: 36}), r"drum_map must be a path, not {35: 36}"),  # type: ignore[arg-type]
        (gmd_vae.Reading(drum_map="roland"), r"no drum map 'roland'.* Ready maps: general-midi, roland-td\."),
        (gmd_vae.Reading(stock=True, drum_channel=3), "without drum_channel and drum_map"),
        (gmd_vae.Reading(stock=True, drum_map="roland-td"), "without drum_channel and drum_map"),
    ):
        for call in (model.encode, model.vary):
            with pytest.raises(UsageError, match=said):
                call(b"", reading=reading)  # type: ignore[arg-type]


def test_rules_for_reading_are_those_of_the_options(tmp_path: Path) -> None:
    (tmp_path / "kit.csv").write_text("22,kick\n")
    for given, rules in (
        (None, EVERY_HIT),
        (gmd_vae.Reading(), EVERY_HIT),
        (gmd_vae.Reading(stock=True), STOCK),
        (gmd_vae.Reading(drum_channel="all"), selected_reading([DrumChannel(None)], None)),
        (gmd_vae.Reading(drum_map="roland-td"), selected_reading([], "roland-td")),
        (
            gmd_vae.Reading(drum_channel=3, drum_map=tmp_path / "kit.csv"),
            selected_reading([DrumChannel(3)], str(tmp_path / "kit.csv")),
        ),
    ):
        assert reading_rules(given).describe() == rules.describe()
    (tmp_path / "kit.csv").write_text("22\n")
    with pytest.raises(GmdVaeError, match=r"kit\.csv' line 1 has fewer than two columns"):
        gmd_vae.load().encode(b"", reading=gmd_vae.Reading(drum_map=tmp_path / "kit.csv"))


def test_a_taken_folder_of_windows_is_no_matter_of_an_option(starter_notes: Path, tmp_path: Path) -> None:
    """Training chooses the place of the windows that it cuts: no option and no argument names another."""
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").touch()
    (tmp_path / "file").touch()
    for name in ("taken", "file"):
        with pytest.raises(GmdVaeError, match=r"[Mm]ove .* away\. Nothing was changed\.") as raised:
            cut_examples(get_config(DEFAULT_CONFIG), starter_notes, tmp_path / name)
        assert "--" not in str(raised.value)
