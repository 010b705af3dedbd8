"""The parser of the starter set's step notation."""

from __future__ import annotations

import pytest
from fixtures.starter_grids import (
    BAR,
    performer,
    quantised,
    written,
)
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.datasets.starter import player
from gmd_vae.datasets.starter.notation import BPM_RANGE, MAX_SWING, VOICES, Groove, Hit, parse
from hypothesis import given, settings
from hypothesis import strategies as st

BARS = st.text(alphabet="...gxX", min_size=BAR, max_size=BAR)
PARTS = st.dictionaries(
    st.sampled_from(sorted(VOICES)),
    st.sampled_from((1, 2, 4)).flatmap(lambda n: st.lists(BARS, min_size=n, max_size=n)),
).filter(lambda parts: any(set(bar) != {"."} for bars in parts.values() for bar in bars))


def in_fours(bar: str) -> str:
    return " ".join(bar[start : start + 4] for start in range(0, BAR, 4))


@settings(deadline=None)
@given(
    parts=PARTS,
    bpm=st.integers(*BPM_RANGE),
    swing=st.integers(-MAX_SWING, MAX_SWING),
    beat_type=st.sampled_from(("beat", "fill")),
    split=st.sampled_from(SPLITS),
    repeat_signs=st.booleans(),
)
def test_what_is_written_is_read(
    parts: dict[str, list[str]], bpm: int, swing: int, beat_type: str, split: str, repeat_signs: bool
) -> None:
    lines = ["# a comment", "", f"[any name] style=funk/fast bpm={bpm} type={beat_type} swing={swing} split={split}"]
    for voice, bars in parts.items():
        signs = [
            "%" if repeat_signs and index and bars[index - 1] == bar else in_fours(bar)
            for index, bar in enumerate(bars)
        ]
        lines.append(f"{voice}   {' | '.join(signs)}")
    (groove,) = parse("\n".join(lines))
    expected = {
        Hit(bar * BAR + step, voice, mark)
        for voice, bars in parts.items()
        for bar in range(4)
        for step, mark in enumerate(bars[bar % len(bars)])
        if mark != "."
    }
    assert groove == Groove("any name", "funk/fast", bpm, beat_type, swing, split, tuple(sorted(expected)))


@settings(deadline=None)
@given(seed=st.integers(), parts=PARTS, bpm=st.integers(*BPM_RANGE), swing=st.integers(-MAX_SWING, MAX_SWING))
def test_any_groove_survives_playing_and_quantisation(
    seed: int, parts: dict[str, list[str]], bpm: int, swing: int
) -> None:
    lines = [f"{voice} {'|'.join(bars)}" for voice, bars in parts.items()]
    (groove,) = parse("\n".join([f"[a] style=rock bpm={bpm} swing={swing}", *lines]))
    midi = player.to_midi(groove, player.perform(groove, seed))
    assert quantised(midi) == written(player.arrange(groove, performer(groove, seed)), 192)
    assert min(message.time for message in midi.tracks[0]) >= 0
    assert sum(message.time for message in midi.tracks[0]) == 12 * 4 * 480


def test_facts_have_defaults() -> None:
    (groove,) = parse("[plain] style=rock bpm=120\nkick x...x...x...x...")
    assert (groove.beat_type, groove.swing, groove.split) == ("beat", 0, "train")


REST_BAR, ROCK = "." * 16, "[a] style=rock bpm=120"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "no groove"),
        ("# only a comment\n", 1, "no groove"),
        (f"\nkick {REST_BAR}", 2, "before the first"),
        ("[a style=rock bpm=120", 1, "bracket"),
        ("[A!] style=rock bpm=120", 1, "'A!'"),
        ("[] style=rock bpm=120", 1, "name ''"),
        ("\n\n[a] bpm=120", 3, "no style="),
        ("[a] style=rock", 1, "no bpm="),
        ("[a] style=Rock/ bpm=120", 1, "'Rock/'"),
        ("[a] style=rock bpm=fast", 1, "bpm=fast"),
        ("[a] style=rock bpm=٣٠٠", 1, "bpm="),
        ("[a] style=rock bpm=20", 1, "from 40 to 300"),
        ("[a] style=rock bpm=120 swing=40", 1, "from -24 to 24"),
        ("[a] style=rock bpm=120 type=loop", 1, "type=loop"),
        ("[a] style=rock bpm=120 split=dev", 1, "train, validation, test"),
        ("[a] style=rock bpm=120 key=c", 1, "'key=c'"),
        ("[a] style=rock bpm=120 bpm=130", 1, "'bpm=130'"),
        ("[a] style=rock bpm=120 beat", 1, "'beat'"),
        (f"{ROCK}\nkik {REST_BAR}", 2, "no voice 'kik'. Did you mean 'kick'"),
        (f"{ROCK}\nkick", 2, "0 steps"),
        (f"{ROCK}\nkick x...x...x...x..", 2, "bar 1 of 'kick' has 15 steps"),
        (f"{ROCK}\nkick {REST_BAR} | x", 2, "bar 2 of 'kick' has 1 steps"),
        (f"{ROCK}\nkick x...x...x...x..-", 2, "'-'"),
        (f"{ROCK}\nkick % | {REST_BAR}", 2, "no bar to repeat"),
        (f"{ROCK}\nkick {REST_BAR}|%|%", 2, "3 bars"),
        (f"{ROCK}\nkick {REST_BAR}|%|%|%|%", 2, "5 bars"),
        (f"{ROCK}\nkick {REST_BAR}\nkick {REST_BAR}", 3, "two lines"),
        (f"\n{ROCK}\nkick {REST_BAR}", 2, "no notes"),
        (f"{ROCK}\nkick x{REST_BAR[1:]}\n{ROCK}\n", 3, "two grooves 'a'"),
    ],
)
def test_errors_name_the_line_and_the_problem(text: str, line: int, problem: str) -> None:
    with pytest.raises(GmdVaeError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"line {line} of the grooves: ")
    assert problem in str(caught.value)
    assert "grooves.txt" in caught.value.next_action


@settings(deadline=None)
@given(st.text(alphabet="[]a =|%.gxXkick\n#style=rock bpm=120", max_size=200))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    try:
        grooves = parse(text)
    except GmdVaeError as error:
        number = int(error.problem.split()[1])
        assert 1 <= number <= text.count("\n") + 1
    else:
        assert all(groove.hits for groove in grooves)
