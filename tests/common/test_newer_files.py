"""A newer version of gmd-vae is recognised by its number, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from gmd_vae.common.code_state import own_version
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.extras import update
from gmd_vae.common.newer_files import NewerFileError, unusable, wrong_number

OWN = own_version()


@pytest.mark.parametrize(
    "content",
    [
        {"versions": {"gmd-vae": "999.0.0", "numpy": "1.0.0"}},
        {"versions": {"gmd-vae": "999.0.0rc1"}},
        {"versions": {"gmd-vae": OWN}, "starts": [3, {}, {"code": {"version": "999.0.0"}}, {"code": {"version": OWN}}]},
    ],
)
def test_a_file_of_a_newer_version_has_the_advice_to_update(content: dict[str, Any]) -> None:
    error = unusable("'x' has a new lever", content, "Make it again.")
    assert isinstance(error, NewerFileError)
    assert str(error) == f"'x' has a new lever (written by gmd-vae 999.0.0, this is {OWN}). {update()}"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"versions": None},
        {"versions": ["999.0.0"]},
        {"versions": {"gmd-vae": OWN}},
        {"versions": {"gmd-vae": "0.2.0"}},
        {"versions": {"gmd-vae": 999}},
        {"versions": {"gmd-vae": "not installed"}},
        {"versions": {"gmd-vae": "9" * 5000 + ".0.0"}},
        {"versions": {"gmd-vae": "0.0." + "9" * 5000}},
        {"versions": {"numpy": "999.0.0"}},
        {"starts": {"code": {"version": "999.0.0"}}},
        {"starts": [{"code": "999.0.0"}, {"code": {"version": None}}]},
    ],
)
def test_any_other_file_has_the_advice_of_the_caller(content: dict[str, Any]) -> None:
    error = unusable("'x' is damaged", content, "Make it again.")
    assert type(error) is GmdVaeError
    assert str(error) == "'x' is damaged. Make it again."


@pytest.mark.parametrize("found", [None, "3", 0, 1, 3.5, True, [3], {}])
def test_a_number_that_is_not_newer_has_the_advice_of_the_caller(found: Any) -> None:
    error = wrong_number("'x'", "figures", found, 2, "Make it again.")
    assert type(error) is GmdVaeError
    assert error.next_action == "Make it again."


@pytest.mark.parametrize("found", [3, 10**400])
def test_a_newer_number_has_the_advice_to_update(found: int) -> None:
    error = wrong_number("'x'", "figures", found, 2, "Make it again.")
    assert isinstance(error, NewerFileError)
    assert error.next_action == update()
    assert str(found)[:40] in error.problem
    assert error.problem.endswith("this version of gmd-vae reads 2 and earlier")
