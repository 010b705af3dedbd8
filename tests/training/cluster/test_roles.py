"""TF_CONFIG and Magenta's flags: the clusters they describe, and the errors in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.own_hparams import OWN_HPARAMS
from gmd_vae.training.cluster.roles import Cluster, Flags, read_cluster
from hypothesis import given
from hypothesis import strategies as st

NONE = Flags()
ADDRESSES: dict[str, Any] = {"chief": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["a:2", "b:2"]}


def config(job: str = "worker", index: object = 0, cluster: object = ADDRESSES) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})


def read(job: str = "worker", index: object = 0, cluster: object = ADDRESSES, flags: Flags = NONE) -> Cluster:
    result = read_cluster(config(job, index, cluster), flags)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("job", "index", "role", "number"),
    [("chief", 0, "chief", 0), ("worker", 0, "worker 0 of 2", 1), ("worker", 1, "worker 1 of 2", 2)],
)
def test_chief_and_workers_are_counted_together(job: str, index: int, role: str, number: int) -> None:
    cluster = read(job, index)
    assert (cluster.role, cluster.worker_number, cluster.num_workers) == (role, number, 3)
    assert cluster.is_chief == (job == "chief")
    assert not cluster.is_ps


def test_a_ps_has_a_role_and_no_worker_number() -> None:
    cluster = read("ps", 1)
    assert (cluster.role, cluster.is_ps, cluster.is_chief, cluster.address) == ("ps 1 of 2", True, False, "b:2")
    with pytest.raises(ValueError, match="worker number"):
        _ = cluster.worker_number


def test_without_a_chief_worker_0_is_the_chief() -> None:
    addresses = {"worker": ["a:1", "b:1"], "ps": ["a:2"]}
    first, second = read("worker", 0, addresses), read("worker", 1, addresses)
    assert (first.is_chief, first.worker_number, first.role) == (True, 0, "chief (worker 0)")
    assert (second.is_chief, second.worker_number, second.role) == (False, 1, "worker 1 of 2")
    assert second.chief_address == "a:1"
    assert read("ps", 0, addresses).role == "ps 0"


def test_the_others_are_all_but_this_one() -> None:
    assert read("worker", 1).others() == {"chief": "a:1", "worker 0": "b:1", "ps 0": "a:2", "ps 1": "b:2"}


@pytest.mark.parametrize("variable", [None, "", "  ", "{}", '{"environment": "cloud"}', '{"cluster": {}}'])
def test_no_cluster_is_training_on_this_machine_alone(variable: str | None) -> None:
    assert read_cluster(variable, NONE) is None


@pytest.mark.parametrize("job", ["chief", "worker"])
def test_one_process_needs_no_servers(job: str) -> None:
    assert read_cluster(config(job, 0, {job: ["a:1"]}), NONE) is None


@pytest.mark.parametrize(
    ("variable", "fault"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 10_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"task": {"type": "chief", "index": 0}}', 'no "cluster"'),
        (json.dumps({"cluster": ADDRESSES}), 'no "task"'),
        (json.dumps({"cluster": ADDRESSES, "task": {"index": 0}}), 'no "task" with a "type"'),
        (json.dumps({"cluster": ADDRESSES, "task": {"type": "chief"}, "rpc_layer": "x"}), "rpc_layer"),
        (config(cluster="a:1"), "not a JSON object of jobs"),
        (config(cluster={**ADDRESSES, "master": ["d:1"]}), '"master" is now called "chief"'),
        (config(cluster={**ADDRESSES, "wroker": ["d:1"]}), "'wroker'"),
        (config(cluster={**ADDRESSES, "ps": "a:2"}), '"ps" is not a list'),
        (config(cluster={**ADDRESSES, "ps": {"0": "a:2"}}), '"ps" is not a list'),
        (config(cluster={**ADDRESSES, "ps": [2222]}), '"ps" is not a list'),
        (config(cluster={**ADDRESSES, "ps": ["a"]}), "ps 0, 'a', is not HOST:PORT"),
        (config(cluster={**ADDRESSES, "ps": ["a:0"]}), "not HOST:PORT"),
        (config(cluster={**ADDRESSES, "ps": ["a:65536"]}), "not HOST:PORT"),
        (config(cluster={**ADDRESSES, "ps": ["grpc://a:1"]}), "not HOST:PORT"),
        (config(cluster={**ADDRESSES, "ps": [" a:1"]}), "not HOST:PORT"),
        (config(cluster={**ADDRESSES, "ps": ["b:1"]}), "worker 0 and ps 0 have the same address, b:1"),
        (config(cluster={**ADDRESSES, "chief": ["x:1", "y:1"]}), "2 chiefs"),
        (config(cluster={"chief": ["a:1"], "worker": ["b:1"]}), "no ps"),
        (config("ps", cluster={"ps": ["a:1"]}), "no chief and no worker"),
        (config("evaluator"), "the chief validates"),
        (config("boss"), "'boss'"),
        (config("worker", 2), "worker 2, but task indices of worker go from 0 to 1"),
        (config("worker", -1), "go from 0 to 1"),
        (config("worker", "1"), "whole number"),
        (config("worker", True), "whole number"),
        (config("worker", 1.0), "whole number"),
        (config("chief", 0, {"worker": ["a:1"], "ps": ["a:2"]}), "its cluster has no chief"),
    ],
)
def test_each_fault_is_named_in_one_line(variable: str, fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_cluster(variable, NONE)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "TF_CONFIG" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["a:1", "b:2"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(["cluster", "task", "type", "index", "chief", "worker", "ps"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
CLUSTER_LIKE = st.fixed_dictionaries(
    {
        "cluster": JSON
        | st.dictionaries(
            st.sampled_from(["chief", "worker", "ps", "evaluator", "master"]),
            st.lists(st.sampled_from([f"h:{port}" for port in range(9)]) | JSON, max_size=3) | JSON,
        ),
        "task": JSON
        | st.fixed_dictionaries(
            {
                "type": st.sampled_from(["chief", "worker", "ps", "evaluator"]) | JSON,
                "index": st.integers(-1, 3) | JSON,
            }
        ),
    }
)
NUMBER = st.none() | st.integers(-2, 4)


@given(
    variable=(JSON | CLUSTER_LIKE).map(json.dumps) | st.text(),
    flags=st.builds(Flags, NUMBER, NUMBER, NUMBER, st.none() | st.text(max_size=12) | st.just("grpc://h:1")),
)
def test_whatever_is_given_is_a_cluster_or_a_usage_error(variable: str, flags: Flags) -> None:
    try:
        cluster = read_cluster(variable, flags)
    except UsageError:
        return
    if cluster is None:
        return
    assert cluster.address
    assert cluster.role
    assert cluster.num_ps > 0
    assert 0 <= cluster.num_sync_workers <= cluster.num_workers
    if not cluster.is_ps:
        assert 0 <= cluster.worker_number < cluster.num_workers
        assert cluster.is_chief == (cluster.worker_number == 0)


def test_flags_may_repeat_what_tf_config_says() -> None:
    assert read("worker", 1, flags=Flags(num_ps_tasks=2, task=1)) == read("worker", 1)


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (Flags(num_ps_tasks=1), "--num-ps-tasks is 1, but 2 in TF_CONFIG"),
        (Flags(task=0), "--task is 0, but 1 in TF_CONFIG"),
        (Flags(master="grpc://a:1"), "--master"),
        (Flags(num_sync_workers=4), "--num-sync-workers is 4"),
        (Flags(num_sync_workers=-1), "-1"),
    ],
)
def test_flags_must_not_contradict_tf_config(flags: Flags, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        read("worker", 1, flags=flags)


def test_without_tf_config_flags_describe_servers_that_run_elsewhere() -> None:
    flags = Flags(num_sync_workers=2, num_ps_tasks=1, task=1, master="grpc://10.0.0.1:2222")
    cluster = read_cluster(None, flags)
    assert cluster is not None
    assert (cluster.job, cluster.index, cluster.num_workers, cluster.num_ps) == ("worker", 1, 2, 1)
    assert (cluster.master, cluster.address, cluster.others()) == (flags.master, flags.master, {})
    assert not cluster.is_chief
    assert cluster.worker_number == 1


@pytest.mark.parametrize("flags", [Flags(), Flags(0, 0, 0, ""), Flags(num_sync_workers=1)])
def test_magentas_defaults_are_no_cluster(flags: Flags) -> None:
    assert read_cluster(None, flags) is None


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (Flags(num_sync_workers=2), "but not where it is"),
        (Flags(num_ps_tasks=1), "but not where it is"),
        (Flags(task=1), "but not where it is"),
        (Flags(2, 1, 0, "10.0.0.1:2222"), "grpc://HOST:PORT"),
        (Flags(2, 0, 0, "grpc://a:1"), "--num-ps-tasks"),
        (Flags(2, 1, 2, "grpc://a:1"), "tasks from 0 to 1"),
        (Flags(0, 1, -1, "grpc://a:1"), "--task is -1"),
    ],
)
def test_flags_that_describe_no_cluster(flags: Flags, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        read_cluster(None, flags)


def test_the_rows_of_all_workers_are_the_batch() -> None:
    shares = [read(job, index).rows(48) for job, index in (("chief", 0), ("worker", 0), ("worker", 1))]
    assert shares == [(0, 16), (16, 16), (32, 16)]


def test_each_asynchronous_worker_has_a_batch_to_itself() -> None:
    assert read("worker", 1, flags=Flags(num_sync_workers=0)).rows(50) == (0, 50)


def test_spare_workers_take_rows_beyond_the_batch() -> None:
    assert read("worker", 1, flags=Flags(num_sync_workers=2)).rows(48) == (48, 24)


@pytest.mark.parametrize(("size", "sizes"), [(50, "48 or 51"), (2, "3")])
def test_a_batch_that_cannot_be_shared_is_refused_with_one_that_can(size: int, sizes: str) -> None:
    with pytest.raises(UsageError, match=f"batch_size={sizes}\\."):
        read().rows(size)


@pytest.mark.parametrize(
    "lever", [{"average_decay": 0.9}, *({"learning_rate_schedule": name} for name in ("cosine", "cooldown"))]
)
def test_levers_that_need_one_updating_process_are_refused_without_synchronisation(lever: dict[str, Any]) -> None:
    asynchronous = read("worker", 1, flags=Flags(num_sync_workers=0))
    asynchronous.check_levers({**OWN_HPARAMS, "warm_up_steps": 5})
    read().check_levers({**OWN_HPARAMS, **lever})
    (name,) = lever
    with pytest.raises(UsageError, match=f"^{name}=.* needs synchronous updates"):
        asynchronous.check_levers({**OWN_HPARAMS, **lever})
