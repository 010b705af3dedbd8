"""What the table says of each config's output is what the installed Magenta's converters and decoders have."""

from __future__ import annotations

from typing import Any

import pytest
from gmd_vae.configuration.magenta_table import STOCK_CONFIGS, StockConfig
from gmd_vae.families.output_spec import output_of

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("stock", STOCK_CONFIGS, ids=lambda stock: stock.name)
def test_each_output_is_what_magenta_has(magenta: Any, stock: StockConfig) -> None:
    output, theirs = output_of(stock), magenta.configs.CONFIG_MAP[stock.name]
    converter, lstm = theirs.data_converter, magenta.lstm_models
    decoder = getattr(theirs.model.decoder, "_core_decoder", theirs.model.decoder)
    assert output.steps == theirs.hparams.max_seq_len
    kinds = {lstm.MultiLabelRnnNadeDecoder: "roll", lstm.GrooveLstmDecoder: "groove"}
    drums = "labels" if isinstance(converter, magenta.data.DrumsConverter) else "streams"
    assert output.kind == kinds.get(type(decoder), drums)
    depths = getattr(decoder, "_output_depths", [converter.output_depth])
    assert [stream.classes for stream in output.streams] == (depths if output.kind == "streams" else [])
    assert not output.streams or output.streams[-1].stop == converter.output_depth
    assert output.tracks == getattr(converter, "_max_num_instruments", 1)
    chords = getattr(converter, "_chord_encoding", None) is not None
    hits = getattr(converter, "_hits_as_controls", False)
    assert output.controls == ("chords" if chords else "hits" if hits else "")
    assert bool(output.controls) == bool(converter.control_depth)
    if not output.is_events:
        assert output.steps == output.bars * 16
