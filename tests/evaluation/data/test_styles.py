"""Styles and tempos of source files, found by the ids of their NoteSequences."""

from __future__ import annotations

from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.starter.starter_set import write_starter
from gmd_vae.evaluation.data.styles import find_catalogues, styles_of, tempos_of
from gmd_vae.midi.midi_io import sequence_id
from gmd_vae.windows.label_windows import load_windows

HEADER = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n"
ROCK = "drummer1,s,1,rock/halftime,100,beat,4-4,drummer1/1_rock.mid,,4,train\n"
JAZZ = "drummer1,s,2,jazz,100,beat,4-4,drummer1/2_jazz.mid,,4,test\n"


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "raw" / "mine" / "info.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + ROCK + JAZZ)
    return path


def test_the_primary_style_of_each_file_that_is_listed(catalogue: Path) -> None:
    sources = [
        sequence_id("mine", "drummer1/2_jazz.mid"),
        sequence_id("mine", "drummer1/3_blues.mid"),
        sequence_id("mine", "drummer1/1_rock.mid"),
        sequence_id("other/name", "drummer1/1_rock.mid"),
        "window 7",
        "../../etc/passwd",
    ]
    assert styles_of(sources, [catalogue]) == ["jazz", None, "rock", "rock", None, None]
    assert styles_of(sources, []) == [None] * 6


def test_catalogues_are_found_beside_the_examples(catalogue: Path, tmp_path: Path) -> None:
    assert find_catalogues(tmp_path / "data" / "examples" / "mine" / "config") == [catalogue]
    assert find_catalogues(tmp_path / "elsewhere" / "examples" / "mine" / "config") == []
    assert find_catalogues(Path("/")) == []


def test_a_damaged_catalogue_is_named(catalogue: Path) -> None:
    catalogue.write_text(HEADER + ROCK.replace("100", "quick"))
    with pytest.raises(GmdVaeError, match=r"info\.csv' line 2"):
        styles_of([sequence_id("mine", "a.mid")], [catalogue])


def test_every_file_of_the_starter_set_has_its_style(starter_examples: Path, tmp_path: Path) -> None:
    write_starter(tmp_path / "starter")
    styles = styles_of(load_windows(starter_examples, "train").sources, [tmp_path / "starter" / "info.csv"])
    assert None not in styles
    assert {"rock", "jazz"} <= set(styles)


def test_a_catalogue_without_styles_gives_none(catalogue: Path) -> None:
    catalogue.write_text("midi_filename,split\ndrummer1/1_rock.mid,train\n")
    assert styles_of([sequence_id("mine", "drummer1/1_rock.mid")], [catalogue]) == [None]


def test_a_catalogue_has_the_tempo_of_a_file(tmp_path: Path) -> None:
    catalogue = tmp_path / "info.csv"
    catalogue.write_text("midi_filename,split,bpm\na/1.mid,train,97\na/2.mid,train,120.5\n")
    sources = [sequence_id("groove", name) for name in ("a/2.mid", "a/3.mid", "a/1.mid")]
    assert tempos_of(sources, [catalogue]) == [120.5, None, 97.0]
