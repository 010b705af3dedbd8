"""The description of the machine, and the warning about its load."""

from __future__ import annotations

from benchmarks import machine


def test_a_quiet_machine_needs_no_warning() -> None:
    assert machine.warning(0.1) is None
    assert "2.50" in str(machine.warning(2.5))


def test_results_are_named_after_the_device_that_trains() -> None:
    assert machine.device({"gpus": []}) == "cpu"
    assert machine.device({"gpus": [{"name": "NVIDIA H100 80GB HBM3"}]}) == "nvidia-h100-80gb-hbm3"


def test_the_machine_is_described() -> None:
    about = machine.describe()
    assert about["cpu"]["usable_cores"] >= 1
    assert len(about["load_average_before"]) == 3
    assert about["versions"]["gmd-vae"] != "not installed"
