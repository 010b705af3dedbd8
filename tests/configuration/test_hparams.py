"""``--hparams`` is parsed and checked before TensorFlow starts."""

from typing import Any

import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration import usual_names
from gmd_vae.configuration.config import HPARAM_DEFAULTS
from gmd_vae.configuration.hparams import as_typed, changed, resolve
from gmd_vae.configuration.own_hparams import OWN_HPARAMS
from gmd_vae.configuration.registry import get_config
from hypothesis import given
from hypothesis import strategies as st

SMALL = get_config("hierdec-drum_4bar_small")
DEFAULTS = {**HPARAM_DEFAULTS, **OWN_HPARAMS}
NUMBERS = [name for name, value in DEFAULTS.items() if type(value) is float]
WHOLE = [name for name, value in DEFAULTS.items() if type(value) is int and name != "grad_norm_clip_to_zero"]


def test_without_overrides_the_values_are_the_configs_own() -> None:
    assert resolve(SMALL, "") == SMALL.hparams
    assert changed(SMALL, resolve(SMALL, "")) == {}


def test_values_take_the_type_of_the_default() -> None:
    hparams = resolve(SMALL, "batch_size=48, learning_rate=1, enc_rnn_size=[64,32],residual_encoder=true")
    assert changed(SMALL, hparams) == {
        "batch_size": 48,
        "learning_rate": 1.0,
        "enc_rnn_size": [64, 32],
        "residual_encoder": True,
    }
    assert isinstance(hparams["learning_rate"], float)


def test_hyperparameters_are_shown_as_they_are_typed() -> None:
    shown = as_typed({"z_size": 8, "dec_rnn_size": [16, 16], "learning_rate_schedule": "cosine"})
    assert shown == ["z_size=8", "dec_rnn_size=[16,16]", "learning_rate_schedule=cosine"]
    assert changed(SMALL, resolve(SMALL, ",".join(shown[:2]))) == {"z_size": 8, "dec_rnn_size": [16, 16]}


def test_hints_name_hyperparameters_that_exist() -> None:
    assert set(usual_names._NAMES) <= set(DEFAULTS)
    assert not set(usual_names._HINTS) & set(DEFAULTS)


def test_the_config_itself_is_not_changed() -> None:
    before = {**SMALL.hparams}
    resolve(SMALL, "batch_size=3,dec_rnn_size=[7]")
    assert SMALL.hparams == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("batchsize=32", "Did you mean 'batch_size'"),
        ("z=16", r"Unknown hyperparameter 'z'\. Did you mean 'z_size'\?"),
        ("latent_size=32", r"Did you mean 'z_size'\? 'gmd-vae configs hierdec-drum_4bar_small' shows them all\."),
        ("latent_dim=32", "Did you mean 'z_size'"),
        ("lr=2", "Did you mean 'learning_rate'"),
        ("KL-weight=0.5", "Did you mean 'max_beta'"),
        ("beta=0.5", "Did you mean 'max_beta'"),
        ("batch=8", "Did you mean 'batch_size'"),
        ("dropout=0.1", "Did you mean 'dropout_keep_prob'. It is 1 - dropout"),
        ("epochs=3", "no hyperparameter: give the steps of the run with --num-steps"),
        ("hidden_size=64", r"'enc_rnn_size' or 'dec_rnn_size'\? Each is a list"),
        ("encoder_size=64", "Did you mean 'enc_rnn_size'"),
        ("dec_rnn_size=256, 256,128", r"'256' has no value\. Write a list in brackets: dec_rnn_size=\[256,256,128\]\."),
        ("z_size=256,256", "'256' has no value. Write --hparams"),
        ("dec_rnn_size=256,free_bits", "'free_bits' has no value. Write --hparams"),
        ("256,256", "'256' has no value. Write --hparams"),
        ("batch_size", "has no value"),
        ("batch_size=many", "whole number"),
        ("batch_size=2.5", "whole number"),
        ("batch_size=0", "from 1 to 1,000,000"),
        ("enc_rnn_size=[]", r"\[128,128\]"),
        ("enc_rnn_size=[128,-1]", "whole numbers from 1 to 65,536"),
        ("residual_encoder=perhaps", "true or false"),
        ("max_seq_len=32", "64 steps"),
        ("sampling_schedule=sigmoid", "inverse_sigmoid"),
        ("sampling_schedule=inverse_sigmoid,sampling_rate=0.5", "1 or more"),
        ("sampling_rate=2", "from 0 to 1"),
        ("clip_mode=norm", "global_norm"),
        ("min_learning_rate=0.1", r"min_learning_rate=0.1 is above learning_rate=0.003, .* at most 0.003"),
        ("learning_rate=1e-6", "min_learning_rate=1e-05 is above learning_rate=1e-06"),
        ("learning_rate_schedule=cosin", "'exponential' or 'cosine'"),
        ("best_by=loss", "'elbo' or 'objective'"),
        ("average_decay=1", "from 0 to 0.999999"),
        *((f"dropout_keep_prob={value}", "from 0.001 to 1") for value in ("0", "5", "nan", "-1", "1e-20")),
        *((f"{name}={value}", "must be") for name in NUMBERS for value in ("nan", "inf", "-1", "1e300")),
        *((f"{name}=1{'0' * digits}", "must be|cannot be") for name in WHOLE for digits in (13, 30, 5000)),
        ("enc_rnn_size=[" + "1," * 5000 + "1]", "1 to 32 whole numbers"),
    ],
)
def test_invalid_overrides_are_an_error_with_the_next_action(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        resolve(SMALL, text)


@given(st.text(max_size=60))
def test_any_text_is_accepted_or_refused_in_one_line(text: str) -> None:
    message = ""
    hparams = SMALL.hparams
    try:
        hparams = resolve(SMALL, text)
    except UsageError as error:
        message = str(error)
    assert "\n" not in message
    assert set(hparams) == set(SMALL.hparams)


@given(st.fixed_dictionaries({}, optional={"batch_size": st.integers(1, 4096), "z_size": st.integers(1, 4096)}))
def test_written_overrides_are_read_back(values: dict[str, Any]) -> None:
    text = ",".join(f"{name}={value}" for name, value in values.items())
    assert {name: resolve(SMALL, text)[name] for name in values} == values


def test_every_known_name_can_be_given() -> None:
    for name, value in SMALL.hparams.items():
        text = str(value).replace(" ", "")
        assert resolve(SMALL, f"{name}={text}")[name] == value
    assert {*HPARAM_DEFAULTS, *OWN_HPARAMS} == set(SMALL.hparams)
