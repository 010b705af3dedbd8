"""Models for Magenta.js: the files, the configs, and the real @magenta/music in Node and in Chromium.

The weights are random. Magenta.js must decode them, at temperature 0, as the reference in NumPy does, step for step.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures import decoder_reference
from fixtures.magentajs import Play
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.export import magentajs
from gmd_vae.export.magentajs_support import check_playable, has_encoder, reason_against
from gmd_vae.families import family_of
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.generation.inputs.chords import chord_controls
from gmd_vae.models.card import Card
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.forward.numpy_model import NumpyModel, obstacle
from gmd_vae.models.model_file import ModelFile

Arrays = dict[str, npt.NDArray[np.float32]]

DOCS = Path(__file__).parent.parent.parent / "docs" / "magentajs.md"
CONFIGS = all_configs()
NO_AR = CONFIGS["hierdec-drum_4bar_small"]
FLAT = CONFIGS["flat-drum_4bar_small"]
SIZES: dict[str, Any] = {"z_size": 6, "enc_rnn_size": [16], "dec_rnn_size": [12, 12]}

CONDUCTOR = "its conductor reads the decoder's last state, and that of Magenta.js reads zeros"
ONE_PART = "its flat decoder writes all parts at once, and that of Magenta.js one part"
# each config that Magenta.js cannot play: the reason, and the nearest that it can
REFUSED = {
    "hierdec-drum_4bar-ar_small": (CONDUCTOR, "hierdec-drum_4bar_small"),
    "hierdec-drum_4bar-likelihood": (CONDUCTOR, "hierdec-drum_4bar_small"),
    "hierdec-drum_4bar": (CONDUCTOR, "hierdec-drum_4bar-no_ar"),
    "hierdec-drum_4bar_v2": (CONDUCTOR, "hierdec-drum_4bar-no_ar"),
    "hierdec-drum_4bar_bar": (CONDUCTOR, "hierdec-drum_4bar-no_ar_bar"),
    "hierdec-drum_4bar_v2_bar": (CONDUCTOR, "hierdec-drum_4bar-no_ar_bar"),
    "hierdec-drum_16bar_small": (CONDUCTOR, "hierdec-drum_16bar-no_ar_small"),
    "flat-trio_16bar": (ONE_PART, "hierdec-trio_16bar"),
    "flat-trio_16bar_small": (ONE_PART, "hierdec-trio_16bar_small"),
}


def random_variables(config: Config) -> Arrays:
    """Weights with which the likeliest steps vary."""
    rng = np.random.default_rng(7)
    variables = {}
    for name, shape in variable_shapes(config).items():
        scale = 0.3 if len(shape) == 1 else 4.5 if "output_projection" in name else 1.5
        variables[name] = rng.normal(0, scale / math.sqrt(shape[0] if len(shape) > 1 else 1), shape).astype(np.float32)
    return variables


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_is_played_or_refused_with_the_reason_and_the_nearest_that_is(name: str) -> None:
    config = CONFIGS[name]
    if name not in REFUSED:
        assert reason_against(config, config.hparams) is None
        return
    reason, near = REFUSED[name]
    with pytest.raises(UsageError) as refused:
        check_playable(config, config.hparams, CONFIGS.values())
    assert str(refused.value).startswith(f"Magenta.js cannot play config '{name}': {reason}")
    assert f"Train '{near}', the nearest config that it plays" in str(refused.value)
    assert reason_against(CONFIGS[near], CONFIGS[near].hparams) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"dec_rnn_size": [12, 8]},
            "its decoder has layers of different sizes, and those of Magenta.js are of one size",
        ),
        ({"residual_decoder": True}, "its decoder has residual connections, and that of Magenta.js has none"),
        ({"levels": (2, 2, 16)}, "its decoder has 3 levels, and that of Magenta.js has 2"),
    ],
)
def test_other_decoders_of_your_own_are_refused(changes: dict[str, Any], reason: str) -> None:
    config = NO_AR.replace(**changes)
    assert reason_against(config, config.hparams) == reason


def test_the_message_names_a_copy_of_the_config_that_is_played() -> None:
    config = CONFIGS["hierdec-drum_4bar-ar_small"]
    with pytest.raises(UsageError, match="a copy of this config with conductor_autoregression=False"):
        check_playable(config, config.hparams, CONFIGS.values())
    copy = config.replace(conductor_autoregression=False)
    assert reason_against(copy, copy.hparams) is None


def written(path: Path, config: Config, variables: Arrays | None = None) -> dict[str, Any]:
    """Writes a model and returns the weights that its manifest describes, by name."""
    path.mkdir()
    magentajs.write(
        ModelFile(config, config.hparams, variables or random_variables(config), Card("random")), path, "fp32"
    )
    (group,) = json.loads((path / "weights_manifest.json").read_text())
    data = b"".join((path / name).read_bytes() for name in group["paths"])
    weights, start = {}, 0
    for entry in group["weights"]:
        size = 4 * math.prod(entry["shape"])
        assert entry["dtype"] == "float32"
        weights[entry["name"]] = np.frombuffer(data[start : start + size], "<f4").reshape(entry["shape"])
        start += size
    assert start == len(data)
    return weights


def test_weights_are_those_of_the_checkpoint_in_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(magentajs, "SHARD_BYTES", 10_000)  # a variable has 25 kB
    config = FLAT.replace(**SIZES)
    variables = random_variables(config)
    weights = written(tmp_path / "js", config, variables)
    assert list(weights) == sorted(name for name in variables if "sigma" not in name)
    assert all((weights[name] == variables[name]).all() for name in weights)
    shards = sorted((tmp_path / "js").glob("group1-shard*"), key=lambda path: int(path.name[12:].partition("of")[0]))
    assert len(shards) > 3
    assert [path.stat().st_size for path in shards[:-1]] == [10_000] * (len(shards) - 1)
    assert shards[0].name == f"group1-shard1of{len(shards)}"


def test_equal_models_give_equal_bytes(tmp_path: Path) -> None:
    config = NO_AR.replace(**SIZES)
    variables = random_variables(config)
    written(tmp_path / "one", config, variables)
    written(tmp_path / "two", config, dict(reversed(variables.items())))
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in REFUSED])
def test_the_files_of_every_config_have_what_magenta_js_needs(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    sizes = {key: [16] * len(value) if isinstance(value, list) else value for key, value in config.hparams.items()}
    config = config.replace(**{**SIZES, **{key: sizes[key] for key in ("enc_rnn_size", "dec_rnn_size")}})
    weights = written(tmp_path / "js", config)
    spec = json.loads((tmp_path / "js" / "config.json").read_text())
    args = spec["dataConverter"]["args"]
    assert spec["type"] == "MusicVAE"
    assert args["numSteps"] == config.windows.steps
    assert args.get("numSegments", 0) == (config.levels[0] if config.levels else 0)
    # the layers that MusicVAE.initialize counts
    level = "hierarchical_level_{}/" if config.levels else ""
    for number in range(2 if config.levels else 1):
        assert (
            f"encoder/{level.format(number)}cell_0/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell/kernel"
            in weights
        )
    assert "encoder/mu/bias" in weights
    if not config.levels:
        assert not any(name.startswith("encoder/cell_1") for name in weights)


def request(url: str, config: Config, **fields: Any) -> dict[str, Any]:
    """A request for ``magentajs.js``: latent vectors, one of a long window, with the controls that the config needs."""
    rows = 2 if config.windows.steps <= 64 else 1
    z = np.random.default_rng(3).normal(size=(rows, config.hparams["z_size"])).round(3)
    asked: dict[str, Any] = {"url": url, "z": z.tolist(), **fields}
    if family_of(config).output(config).controls == "chords":
        asked["chords"] = CHORDS[: config.windows.bars]
    if family_of(config).output(config).controls == "hits":
        asked["controls"] = (np.arange(9 * config.windows.steps).reshape(-1, 9) % 5 == 0).astype(int).tolist()
    if has_encoder(config, config.hparams):
        output = family_of(config).output(config)
        inputs = np.random.default_rng(4).integers(0, 2, (1, config.windows.steps, output.input_depth))
        if output.tracks > 1:  # of a track, Magenta.js encodes the events up to its end token
            inputs = np.eye(output.input_depth)[inputs[..., 0]]
            inputs[:, config.encoder_levels[0] - 1 :: config.encoder_levels[0]] = np.eye(output.input_depth)[-1]
        asked["inputs"] = inputs.tolist()
    return asked


CHORDS = ["Am", "F"]


def controls(asked: dict[str, Any], config: Config) -> npt.NDArray[Any] | None:
    if "chords" in asked:
        return chord_controls(asked["chords"], family_of(config).chord_bars(config))
    return np.array(asked["controls"]) if "controls" in asked else None


def assert_equal(answer: dict[str, Any], asked: dict[str, Any], config: Config, variables: Arrays) -> None:
    """Compares an answer of ``magentajs.js`` with the reference, and with ``NumpyModel`` if that computes the model."""
    given, z = controls(asked, config), np.array(asked["z"], np.float32)
    wanted = decoder_reference.decode(config, config.hparams, variables, z, given)
    found = np.array(answer["decoded"])
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 1e-5
    assert len(np.unique(wanted.reshape(-1, wanted.shape[-1]), axis=0)) > 3  # not one step again and again
    inputs, means = np.array(asked.get("inputs", [])), np.array(answer.get("means", []))
    if len(inputs):
        every = inputs if given is None else np.concatenate([inputs, np.stack([given] * len(inputs))], axis=2)
        assert np.abs(means - decoder_reference.encode(config, variables, every)).max() < 1e-5
    if obstacle(config, config.hparams):
        return
    model = NumpyModel(config, config.hparams, variables)
    windows = np.array(model.decode(z, 0, controls=None if given is None else [given] * len(z)))
    if family_of(config).output(config).is_label:
        assert (found.argmax(axis=2) == windows).all()
    else:
        assert np.abs(found - windows).max() < 1e-5
    if len(inputs):
        posterior = model.posterior(inputs, controls=None if given is None else [given] * len(inputs))
        assert np.abs(means - posterior[0]).max() < 1e-5


# Each decoder and converter that Magenta.js has, beside the configs that use it with other numbers
PLAYED = {
    **{name: CONFIGS[name].replace(**SIZES) for name in ("hierdec-drum_4bar_small", "flat-drum_4bar_small")},
    "half bars of 3/4": CONFIGS["hierdec-drum_4bar-3_4_small"].replace(levels=(8, 6), **SIZES),
    "more layers": CONFIGS["flat-drum_4bar"].replace(z_size=6, enc_rnn_size=[16, 12], dec_rnn_size=[8, 8, 8]),
}
for _name in (
    *("nade-drums_2bar_reduced_small", "groovae_2bar_humanize_small", "groovae_2bar_hits_control_small"),
    "groovae_2bar_humanize_hits_small",
    *("cat-mel_2bar_small_chords", "hierdec-trio_16bar_small", "hier-multiperf_vel_1bar_small_chords"),
):
    # Magenta.js feeds every decoder its own output (models.forward.groove.reads_blanks)
    PLAYED[_name] = CONFIGS[_name].replace(**SIZES, blank_inputs=0.0)


def test_node_plays_every_kind_of_model_step_for_step(play_in_node: Play, served: tuple[Path, str]) -> None:
    root, address = served
    asked, variables = [], []
    for number, config in enumerate(PLAYED.values()):
        variables.append(random_variables(config))
        written(root / f"model{number}", config, variables[-1])
        asked.append(request(f"{address}/model{number}", config))
    answers = play_in_node(asked)
    for name, *found in zip(PLAYED, answers, asked, PLAYED.values(), variables, strict=True):
        try:
            assert_equal(*found)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "config",
    [
        PLAYED["hierdec-drum_4bar_small"].replace(windows=CONFIGS["flat-drum_1bar_small"].windows, levels=(4, 4)),
        *(PLAYED[name] for name in ("nade-drums_2bar_reduced_small", "groovae_2bar_hits_control_small")),
        PLAYED["cat-mel_2bar_small_chords"],
    ],
    ids=lambda config: config.name,
)
def test_the_reference_computes_what_tensorflow_does(config: Config, tmp_path: Path) -> None:
    from gmd_vae.models.inference.sampler import Sampler

    variables = random_variables(config)
    write_checkpoint(tmp_path / "model.ckpt-0", {**variables, "global_step": np.array(0)})
    asked = request("", config)
    z, given = np.array(asked["z"], np.float32), controls(asked, config)
    with Sampler(config, config.hparams, tmp_path / "model.ckpt-0", seed=0) as sampler:
        decoded = np.array(sampler.decode(z, 0, controls=None if given is None else [given] * len(z)))
    if sampler.makes_labels:
        decoded = np.eye(family_of(config).output(config).output_depth)[decoded]
    assert np.abs(decoded - decoder_reference.decode(config, config.hparams, variables, z, given)).max() < 1e-5


def test_notes_have_our_pitches_and_a_stand_in_for_the_encoder_refuses_to_encode(
    play_in_node: Play, served: tuple[Path, str]
) -> None:
    root, address = served
    classes = ((60, 61), (62,), (64, 65))
    windows = dataclasses.replace(NO_AR.drum_windows, pitch_classes=classes)
    config = NO_AR.replace(windows=windows, **SIZES)
    variables = random_variables(config)
    written(root / "model", config, variables)
    (answer,) = play_in_node([request(f"{address}/model", config, notes=windows.steps_per_quarter, encode=True)])
    for window, notes in zip(answer["decoded"], answer["notes"], strict=True):
        labels = np.argmax(window, axis=1)
        hits = [[classes[bit][0], step] for step, label in enumerate(labels) for bit in range(3) if label >> bit & 1]
        assert notes == hits
        assert hits
    assert "inner shapes" in answer["error"]


def test_chromium_plays_a_model_step_for_step(play_in_chromium: Play, served: tuple[Path, str]) -> None:
    root, address = served
    config = PLAYED["hierdec-drum_4bar_small"]
    variables = random_variables(config)
    written(root / "model", config, variables)
    asked = request(f"{address}/model", config)
    assert_equal(play_in_chromium([asked])[0], asked, config, variables)


def documented(language: str) -> str:
    """The only piece of code of a language in the documentation."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(code)


def test_the_documented_page_plays_and_its_correction_encodes_beats(
    browser: Any, magentajs_scripts: Path, served: tuple[Path, str]
) -> None:
    root, address = served
    config = CONFIGS["flat-drum_1bar_small"].replace(**SIZES)
    variables = random_variables(config)
    written(root / "my-model", config, variables)
    (root / "index.html").write_text(documented("html"), encoding="utf-8")
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(15_000)
    page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(path=magentajs_scripts / "magentamusic.js"))
    page.goto(address)
    page.click("button")
    page.wait_for_function("player.isPlaying()")
    page.evaluate("player.stop()")
    beats = [[(36, 0), (42, 0), (38, 4), (99, 5), (42, 6), (51, 15)], []]
    page.evaluate(f"async () => {{ {documented('js')} }}")
    means = page.evaluate(
        """async (beats) => await (await model.encode(beats.map((beat) => ({
          quantizationInfo: {stepsPerQuarter: 4},
          notes: beat.map(([pitch, quantizedStartStep]) => ({pitch, quantizedStartStep, isDrum: true})),
        })))).array()""",
        beats,
    )
    classes = config.drum_windows.pitch_classes
    roll = np.zeros((2, config.windows.steps, len(classes) + 1))
    for row, beat in zip(roll, beats, strict=True):
        for pitch, step in beat:
            row[step, [number for number, pitches in enumerate(classes) if pitch in pitches]] = 1
        row[:, -1] = ~row[:, :-1].any(axis=1)
    assert np.abs(np.array(means) - decoder_reference.encode(config, variables, roll)).max() < 1e-5
    # Tone.js, on a busy machine: a note that is late meets the next one of its drum
    assert [error for error in errors if not error.startswith("Start time must be")] == []
    page.close()
