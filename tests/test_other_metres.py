"""From MIDI files in other lengths and metres, with tempo maps, to new MIDI files."""

from __future__ import annotations

import json
import random
import shlex
from pathlib import Path

import mido
import pytest
from fixtures.command_line import run_here
from fixtures.tempo_maps import TICKS, tempo_map_midi

TINY = "batch_size=1,z_size=4,enc_rnn_size=[8],dec_rnn_size=[8]"
STRAIGHT, SWUNG = (0, TICKS // 2), (0, 2 * TICKS // 3)

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("without_pictures")]


@pytest.mark.parametrize(
    ("config", "bars", "meter", "steps"),
    [
        ("flat-drum_1bar_small", 1, (4, 4), STRAIGHT),
        ("hierdec-drum_2bar_small", 2, (4, 4), STRAIGHT),
        ("hierdec-drum_4bar-3_4_small", 4, (3, 4), STRAIGHT),
        ("hierdec-drum_4bar-6_8_small", 4, (6, 8), STRAIGHT),
        ("hierdec-drum_4bar-shuffle_small", 4, (4, 4), SWUNG),
        ("hierdec-drum_2bar-triplets_small", 2, (4, 4), SWUNG),
    ],
)
def test_music_of_a_metre_becomes_music_of_that_metre(
    config: str, bars: int, meter: tuple[int, int], steps: tuple[int, ...], tmp_path: Path
) -> None:
    bar = 4 * TICKS * meter[0] // meter[1]
    rng = random.Random(3)
    (tmp_path / "mine").mkdir()
    for number in range(30):
        beats = range(0, bars * bar, TICKS)
        hits = [(beat + step, rng.choice([36, 38, 42])) for beat in beats for step in steps] + [(0, 36)]
        tempos = {beat: rng.uniform(90, 110) for beat in beats}
        (tmp_path / "mine" / f"{number}.mid").write_bytes(tempo_map_midi(hits, tempos, {0: meter}))
    run_here(tmp_path, "convert", "mine")
    counts = json.loads(run_here(tmp_path, "preprocess", "data/notes/mine", "--config", config, "--json").stdout)
    assert sum(split["windows"] for split in counts["splits"].values()) == 30
    run_here(tmp_path, "train", "--config", config, "--num-steps", "2", "--hparams", TINY)
    made = ("generate", "--run-dir", f"runs/{config}", "--output-dir")
    run_here(tmp_path, *made, "new", "-n", "1", "--bars", "3", "--png")
    run_here(tmp_path, *made, "again", "--mode", "reconstruct", "--input-midi", "mine/0.mid")
    for name, length in (("new", 3), ("again", bars)):
        (path,) = (tmp_path / name).glob("*.mid")
        (track,) = mido.MidiFile(path).tracks
        signature = next(event for event in track if event.type == "time_signature")
        assert (signature.numerator, signature.denominator) == meter
        assert sum(event.time for event in track) == length * bar


def test_the_model_of_the_package_becomes_one_of_another_metre(tmp_path: Path) -> None:
    """Each command is the last line of the one before; only the number of steps is smaller here."""

    def next_words(*words: str) -> list[str]:
        line = run_here(tmp_path, *words).stdout.splitlines()[-1]
        return shlex.split(line.partition(": ")[2])[1:]

    (tmp_path / "mine").mkdir()
    rng = random.Random(3)
    for number in range(20):
        hits = [(step, rng.choice([36, 38, 42])) for step in range(0, 6 * 3 * TICKS, TICKS // 2)]
        (tmp_path / "mine" / f"{number}.mid").write_bytes(tempo_map_midi(hits, {0: 100}, {0: (6, 8)}))
    words = next_words(*next_words("convert", "mine"))
    assert words[:5] == ["train", "--init-from", "groove-4bar", "--config", "hierdec-drum_4bar-6_8_small"]
    words[words.index("--num-steps") + 1] = "2"
    assert next_words(*words)[:2] == ["generate", "--run-dir"]
    run_here(tmp_path, "generate", "--run-dir", "runs/mine-tuned", "--output-dir", "new", "-n", "1")
    (path,) = (tmp_path / "new").glob("*.mid")
    (track,) = mido.MidiFile(path).tracks
    signature = next(event for event in track if event.type == "time_signature")
    assert (signature.numerator, signature.denominator) == (6, 8)
    assert sum(event.time for event in track) == 4 * 3 * TICKS
