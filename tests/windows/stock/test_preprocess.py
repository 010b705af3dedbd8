"""``preprocess --stock`` writes the records of Magenta's own script."""

from __future__ import annotations

import json

import pytest
from fixtures.magenta_script import extract, load_script
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.registry import get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.engines.local import LocalEngine
from gmd_vae.families import family_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records
from gmd_vae.windows.cutting.filters import STOCK_FILTERS
from gmd_vae.windows.stock.drums import StockDrumExtractor
from gmd_vae.windows.stock.order import MAGENTA_CAP
from gmd_vae.windows.stock.preprocess import write_stock


@pytest.fixture(scope="module")
def script():
    return load_script()


def by_the_script(script, config_name, record, cap=None) -> list[tuple[bytes, str]]:
    function = extract(script, config_name, STOCK_FILTERS, cap)
    found = function.process(NoteSequence.FromString(record))
    return [(example.SerializeToString(deterministic=True), source) for example, source in found]


def by_us(extractor, record) -> list[tuple[bytes, str]]:
    extraction = extractor(record)
    return [(data, extraction.sequence_id) for data in extraction.sequences]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("config_name", "every", "cap"),
    [
        (
            "hierdec-drum_4bar_small",
            2,
            MAGENTA_CAP,
        ),  # our configs have no maximum; the script gets that of Magenta's converter
        ("cat-drums_2bar_small", 4, None),
        ("nade-drums_2bar_full", 5, None),
        ("cat-mel_2bar_small", 4, None),
        ("hierdec-trio_16bar", 6, None),
    ],
)
def test_the_records_equal_those_of_the_script(script, real_records, config_name, every, cap):
    extractor = family_of(get_config(config_name)).stock_extractor(get_config(config_name))
    found = 0
    for record in real_records[::-every]:
        ours = by_us(extractor, record)
        assert ours == by_the_script(script, config_name, record, cap)
        found += len(ours)
    assert found > 3


@pytest.mark.tensorflow
def test_magentas_drum_converters_have_the_default_maximum(script):
    from gmd_vae.magenta.api import configs

    for config in MAGENTA_CONFIGS:
        if not config.windows.converter:
            assert configs.CONFIG_MAP[config.name].data_converter.max_tensors_per_notesequence == MAGENTA_CAP


@pytest.mark.tensorflow
@pytest.mark.parametrize("gap_bars", [0, 0.5, 2, 3])
def test_windows_that_are_not_reproduced_are_left_out(script, beat, gap_bars):
    """With longer pauses a window may begin or end with a bar of silence."""
    from gmd_vae.magenta.api import configs, data

    sequence = beat(4)
    for bar in (6, 7, 8, 9, 13, 14):
        sequence.notes.add(start_time=bar * 2.0, end_time=bar * 2.0 + 0.1, pitch=36 + bar, velocity=9, is_drum=True)
    sequence.total_time = 30.0
    spec = DrumWindows(slice_bars=2, gap_bars=gap_bars)
    extractor = StockDrumExtractor(spec, cap=100)
    converter = data.DrumsConverter(
        max_bars=100, slice_bars=2, gap_bars=gap_bars, roll_input=True, max_tensors_per_notesequence=100
    )
    function = extract(script, "cat-drums_2bar_small", STOCK_FILTERS)
    function._config = configs.CONFIG_MAP["cat-drums_2bar_small"]._replace(data_converter=converter)
    theirs = [example.SerializeToString(deterministic=True) for example, _ in function.process(sequence)]
    extraction = extractor(sequence.SerializeToString())
    assert extraction.sequences == theirs
    assert bool(extraction.dropped.reasons["not_reproduced"]) == (gap_bars in (0, 3))


def repeated_beat(beat, name):
    """Writes two sections with equal windows, and a beat at the end that depends on the name."""
    sequence = beat(10, sequence_id=name, accent=len(name))
    sequence.tempos.add(time=10.0, qpm=120.5)
    return sequence


def test_equal_windows_become_one_record_with_all_ids(beat, write_notes, tmp_path):
    sequences = [repeated_beat(beat, name) for name in ("a", "bb", "a", "")]
    notes = write_notes(tmp_path / "notes" / "train.tfrecord", sequences).parent
    write_notes(notes / "test.tfrecord", sequences[1:2])
    extractor = StockDrumExtractor(DrumWindows())
    summary = write_stock(notes, tmp_path / "out", extractor, config="name", engine=LocalEngine(1))
    expected: dict[bytes, list[str]] = {}
    for sequence in sequences:
        for data in extractor(sequence.SerializeToString()).sequences:
            expected.setdefault(data, []).append(sequence.id)
    assert max(map(len, expected.values())) > 3
    written = {}
    for record in read_records(tmp_path / "out" / "train.tfrecord"):
        sequence = NoteSequence.FromString(record)
        ids = sequence.id
        sequence.ClearField("id")
        assert sequence.SerializeToString(deterministic=True) not in written
        written[sequence.SerializeToString(deterministic=True)] = ids
    assert written == {data: ",".join(ids) for data, ids in expected.items()}
    assert (tmp_path / "out" / "test.tfrecord").exists()
    assert not (tmp_path / "out" / "validation.tfrecord").exists()
    assert summary.splits["train"].records == len(expected)
    assert summary.splits["train"].windows == sum(map(len, expected.values()))
    content = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert content["stage"] == "preprocess --stock"
    assert content["extractor"]["filters"] == STOCK_FILTERS.describe()
    assert content["splits"]["train"]["files"][0]["records"] == len(expected)


def test_the_bytes_do_not_depend_on_the_number_of_processes(starter_notes, tmp_path):
    extractor = StockDrumExtractor(DrumWindows())
    for jobs in (1, 2):
        write_stock(starter_notes, tmp_path / str(jobs), extractor, config="name", engine=LocalEngine(jobs))
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / jobs).iterdir()} for jobs in "12")
    assert one == two
    assert len(list(read_records(tmp_path / "1" / "train.tfrecord"))) > 50


def test_music_without_windows_is_an_error_of_one_line(beat, write_notes, tmp_path):
    path = write_notes(tmp_path / "notes.tfrecord", [beat(2), b"\xff"])
    with pytest.raises(GmdVaeError, match=r"makes nothing of the 2 NoteSequences of .* for 'name'"):
        write_stock(path, tmp_path / "out", StockDrumExtractor(DrumWindows()), config="name", engine=LocalEngine(1))
    assert not (tmp_path / "out").exists()


def test_other_output_folders_are_not_replaced(beat, write_notes, tmp_path):
    path = write_notes(tmp_path / "notes.tfrecord", [beat(8)])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    with pytest.raises(GmdVaeError, match="did not write"):
        write_stock(path, tmp_path / "out", StockDrumExtractor(DrumWindows()), config="name", engine=LocalEngine(1))
    assert (tmp_path / "out" / "mine.txt").read_text() == "precious"


@pytest.mark.tensorflow
def test_music_that_magentas_converters_refuse_is_counted(beat):
    extractor = family_of(get_config("cat-mel_2bar_small")).stock_extractor(get_config("cat-mel_2bar_small"))
    assert extractor(b"\xff").dropped.reasons == {"unreadable": 1}
    drums = beat(4)
    assert extractor(drums.SerializeToString()).dropped.reasons["no_windows"] == 1
    drums.quantization_info.steps_per_quarter = 4
    assert extractor(drums.SerializeToString()).dropped.reasons["failed"] == 1


@pytest.mark.tensorflow
def test_filters_apply_to_magentas_converters(beat):
    from gmd_vae.windows.cutting.filters import Filters

    config = get_config("cat-mel_2bar_small")
    melody = NoteSequence(id="melody", total_time=16.0)
    for quarter in range(32):
        time = quarter * 0.5
        melody.notes.add(start_time=time, end_time=time + 0.5, pitch=60 + quarter % 5, velocity=80)
    melody.time_signatures.add(time=8.0, numerator=2, denominator=2)
    record = melody.SerializeToString()
    open_extractor = family_of(config).extractor(config)
    everything = open_extractor(record)
    filtered = family_of(config).extractor(config, Filters(max_num_notes=1))(record)
    passing = family_of(config).extractor(config, Filters(max_num_notes=16))(record)
    assert len(everything.windows) == len(passing.windows) > 0
    assert len(filtered.windows) == 0
    assert filtered.dropped.reasons == {"too_many_notes": 2}
