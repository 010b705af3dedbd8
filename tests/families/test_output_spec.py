"""The output of each of Magenta's configs, compared with the installed converters and decoders."""

from __future__ import annotations

from typing import Any

import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.families import family_of

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("stock", MAGENTA_CONFIGS, ids=lambda stock: stock.name)
def test_each_output_equals_magentas(magenta: Any, stock: Config) -> None:
    family = family_of(stock)
    output, theirs = family.output(stock), magenta.configs.CONFIG_MAP[stock.name]
    converter, lstm = theirs.data_converter, magenta.lstm_models
    decoder = getattr(theirs.model.decoder, "_core_decoder", theirs.model.decoder)
    assert output.steps == theirs.hparams.max_seq_len
    kinds = {lstm.MultiLabelRnnNadeDecoder: "roll", lstm.GrooveLstmDecoder: "groove"}
    drums = "labels" if isinstance(converter, magenta.data.DrumsConverter) else "streams"
    assert family.kind == kinds.get(type(decoder), drums)
    depths = getattr(decoder, "_output_depths", [converter.output_depth])
    assert [stream.classes for stream in output.streams] == (depths if family.kind == "streams" else [])
    assert not output.streams or output.streams[-1].stop == converter.output_depth
    assert output.tracks == getattr(converter, "_max_num_instruments", 1)
    chords = getattr(converter, "_chord_encoding", None) is not None
    hits = getattr(converter, "_hits_as_controls", False)
    assert output.controls == ("chords" if chords else "hits" if hits else "")
    assert (output.input_depth, output.output_depth) == (converter.input_depth, converter.output_depth)
    assert output.control_depth == converter.control_depth
    if output.tracks == 1:
        assert output.steps == output.bars * 16
