"""What is read from a spec, and what is said of one that can't be read."""

from typing import Any

import pytest

from disksnapshot.errors import Problem
from disksnapshot.snapshot import spec
from rules.situations import STEPS, ask, body


def with_spec(changed: Any) -> dict[str, Any]:
    return {**body(), "spec": changed}


def selecting(selector: dict[str, Any]) -> str:
    mysql = {**STEPS[0]["mysql"], "target": {"podSelector": selector}}
    step = spec.parse(body(quiesce={"steps": [{"mysql": mysql}]})).quiesce
    assert step is not None
    assert isinstance(step.steps[0], spec.MysqlStep)
    return step.steps[0].selector


def chosen_by_labels(**status: Any) -> spec.Ask:
    made = body(status_so_far=status)
    made["spec"]["source"] = {"claimSelector": {"matchLabels": {"app": "shop"}}}
    return spec.parse(made)


def test_a_selector_of_claims_names_none_until_an_attempt_has_written_them_down() -> None:
    assert chosen_by_labels().claim_selector == "app=shop"
    assert chosen_by_labels().claims == ()
    volumes = [{"claimName": "b"}, {"claimName": "a"}]
    assert chosen_by_labels(volumes=volumes, claims="b,a").claims == ("b", "a")
    assert chosen_by_labels(claims="b,a").claims == ("b", "a"), "the list of volumes was lost"


def test_steps_are_named_by_place_and_kind() -> None:
    quiesce = ask(quiesce={}).quiesce
    assert quiesce is not None
    assert [step.name for step in quiesce.steps] == ["0-mysql", "1-freeze"]


def test_commands_are_read_as_lists_of_words_with_their_target_and_time() -> None:
    target = {"podSelector": {"matchLabels": {"app": "db"}}, "container": "db"}
    step = {"acquire": ["lock", "a b"], "release": ["unlock"], "timeoutSeconds": 3}
    quiesce = spec.parse(body(quiesce={"steps": [{"exec": {**step, "target": target}}]})).quiesce
    assert quiesce is not None
    assert quiesce.steps == (
        spec.ExecStep(
            name="0-exec",
            target=spec.PodTarget(selector="app=db", container="db"),
            acquire=("lock", "a b"),
            release=("unlock",),
            seconds=3,
        ),
    )


def test_an_empty_sync_is_one_by_the_freezer() -> None:
    quiesce = spec.parse(body(quiesce={"steps": [{"sync": {}}]})).quiesce
    assert quiesce is not None
    assert quiesce.steps == (
        spec.SyncStep(name="0-sync", method="Agent", target=spec.PodTarget()),
    )


def test_a_selector_is_written_in_the_api_s_query_form() -> None:
    conditions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "app", "operator": "Exists"},
        {"key": "zone", "operator": "NotIn", "values": ["x"]},
    ]
    selector = {"matchLabels": {"app": "db"}, "matchExpressions": conditions}
    assert selecting(selector) == "app=db,tier in (a,b),!old,app,zone notin (x)"


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        {"source": []},
        {"source": {"claims": [{}]}},
        {"source": {"claims": [{"name": "a"}]}, "quiesce": {}},
        {"source": {"claims": [{"name": "a"}]}, "quiesce": {"steps": [{}]}},
        {"source": {"claims": [{"name": "a"}]}, "quiesce": {"steps": [{"mysql": "x"}]}},
        {"source": {"claims": [{"name": "a"}]}, "quiesce": "soon"},
        {"source": {"claims": [{"name": "a"}]}, "tags": 7},
    ],
)
def test_what_can_t_be_read_is_a_final_problem_of_the_spec(wrong: Any) -> None:
    with pytest.raises(Problem) as problem:
        spec.parse(with_spec(wrong))
    assert (problem.value.reason, problem.value.final) == ("SpecInvalid", True)


@pytest.mark.parametrize(
    ("changed", "policy"),
    [(None, "Retain"), ([], "Retain"), ({}, "Retain"), ({"deletionPolicy": "Delete"}, "Delete")],
)
def test_of_an_unreadable_spec_the_deletion_policy_is_still_known(
    changed: Any, policy: str
) -> None:
    assert spec.unreadable(with_spec(changed)).deletion_policy == policy


def test_a_mysql_step_without_a_tls_block_uses_none_and_waits_for_what_runs_long() -> None:
    step = mysql_step({})
    assert step.tls is None
    assert (step.long_statement.threshold_seconds, step.long_statement.wait_seconds) == (5, 30)


def test_a_tls_block_names_a_secret_and_maybe_a_server() -> None:
    bare = mysql_step({"tls": {"caSecretRef": {"name": "ca"}}}).tls
    named = mysql_step({"tls": {"caSecretRef": {"name": "ca"}, "serverName": "db"}}).tls
    assert bare == spec.MysqlTls(ca_secret_name="ca", server_name="")  # noqa: S106 - a name
    assert named == spec.MysqlTls(ca_secret_name="ca", server_name="db")  # noqa: S106 - the same


def mysql_step(changed: dict[str, Any]) -> spec.MysqlStep:
    quiesce = spec.parse(body(quiesce={"steps": [{"mysql": {**STEPS[0]["mysql"], **changed}}]}))
    assert quiesce.quiesce is not None
    step = quiesce.quiesce.steps[0]
    assert isinstance(step, spec.MysqlStep)
    return step
