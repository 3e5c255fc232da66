"""Each rule of the DiskSnapshot schema, by one spec that keeps it and one that breaks it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from cluster.definition import BY_EXEC, CLAIM, FREEZE, MYSQL, SYNC, installed, snapshot, stored
from lab.cluster import Lab, LabError


class Rule(NamedTuple):
    says: str
    kept_by: dict[str, Any]
    broken_by: dict[str, Any]
    answer: str


def quiesce(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"quiesce": {"steps": list(steps), **more}}


def mysql(**more: Any) -> dict[str, Any]:
    return {"mysql": {**MYSQL["mysql"], **more}}


def command(**more: Any) -> dict[str, Any]:
    return {"exec": {"acquire": ["lock"], "release": ["unlock"], **more}}


def choosing(**selector: Any) -> dict[str, Any]:
    return quiesce(mysql(target={"podSelector": selector}))


def expression(**condition: Any) -> dict[str, Any]:
    return choosing(matchExpressions=[{"key": "app", **condition}])


def claims(*names: str) -> dict[str, Any]:
    return {"source": {"claims": [{"name": name} for name in names]}}


def offline(*, kind: str = "Deployment", name: str = "db", timeout: int = 60) -> dict[str, Any]:
    return {"offline": {"scaleTargetRef": {"kind": kind, "name": name}, "timeoutSeconds": timeout}}


def selecting(**source: Any) -> dict[str, Any]:
    return {"source": source}


def tags(**more: str) -> dict[str, Any]:
    return {"tags": more}


APP = {"claimSelector": {"matchLabels": {"app": "shop"}}}
SEVENTEEN = [f"data-{number}" for number in range(17)]
TWENTY_ONE = {f"key-{number}": "" for number in range(21)}

RULES = [
    Rule("a source names claims", {"source": CLAIM}, {"source": {}}, "claims or claimSelector"),
    Rule("claims or a selector", selecting(**APP), selecting(**APP, **CLAIM), "and not both"),
    Rule("a selector selects", selecting(**APP), selecting(claimSelector={}), "chooses nothing"),
    Rule(
        "offline names claims", selecting(**APP), {**selecting(**APP), **offline()}, "takes spec"
    ),
    Rule("at least one claim", claims("a"), claims(), "should have at least 1 items"),
    Rule("at most 16 claims", claims(*SEVENTEEN[:16]), claims(*SEVENTEEN), "at most 16 items"),
    Rule("no claim twice", claims("a", "b"), claims("a", "a"), "Duplicate value"),
    Rule("a claim's name is one", claims("data.a-0"), claims("Data_A"), "should match"),
    Rule("a quiesce has steps", quiesce(FREEZE), {"quiesce": {}}, "steps: Required"),
    Rule("at least one step", quiesce(MYSQL), quiesce(), "should have at least 1 items"),
    Rule("at most 8 steps", quiesce(*[SYNC] * 8), quiesce(*[SYNC] * 9), "at most 8 items"),
    Rule("an empty freeze", quiesce(FREEZE), quiesce({"freeze": None}), "`freeze: {method: Agent"),
    Rule("an empty sync", quiesce(SYNC), quiesce({"sync": None}), "so write `sync: {}`"),
    Rule("one kind a step", quiesce(MYSQL), quiesce({**MYSQL, **FREEZE}), "as two steps"),
    Rule("one kind", quiesce(command(), SYNC), quiesce({**command(), **SYNC}), "as two steps"),
    Rule("offline or quiesce", offline(), {**offline(), **quiesce(FREEZE)}, "exclude each other"),
    Rule("a workload", offline(), {"offline": {"timeoutSeconds": 60}}, "TargetRef: Required"),
    Rule("kinds of workload", offline(), offline(kind="DaemonSet"), '"StatefulSet", "Deployment"'),
    Rule("a workload's name is one", offline(name="my.db"), offline(name="My_Db"), "should match"),
    Rule("not at once", offline(timeout=30), offline(timeout=29), "greater than or equal to 30"),
    Rule("not for ever", offline(timeout=3600), offline(timeout=3601), "than or equal to 3600"),
    Rule("one mysql", quiesce(MYSQL), quiesce(MYSQL, MYSQL), "another DiskSnapshot"),
    Rule("one freeze", quiesce(FREEZE), quiesce(FREEZE, FREEZE), "at most one freeze step"),
    Rule("freeze last", quiesce(MYSQL, FREEZE), quiesce(FREEZE, MYSQL), "put mysql before it"),
    Rule("a freeze says how", quiesce(FREEZE), quiesce({"freeze": {}}), "method: Required"),
    Rule(
        "known methods", quiesce(BY_EXEC), quiesce({"freeze": {"method": "Magic"}}), '"Agent", "'
    ),
    Rule(
        "known methods of sync",
        quiesce({"sync": {"method": "Exec"}}),
        quiesce({"sync": {"method": "Magic"}}),
        '"Agent", "Exec"',
    ),
    Rule(
        "a target for a freeze by Exec",
        quiesce({"freeze": {"method": "Exec", "target": {"container": "tools"}}}),
        quiesce({"freeze": {"method": "Agent", "target": {"container": "tools"}}}),
        "freeze.target is for method Exec",
    ),
    Rule(
        "a target for a sync by Exec",
        quiesce({"sync": {"method": "Exec", "target": {"container": "tools"}}}),
        quiesce({"sync": {"target": {"container": "tools"}}}),
        "sync.target is for method Exec",
    ),
    Rule("an acquire", quiesce(command()), quiesce(command(acquire=[])), "at least 1 items"),
    Rule(
        "a release", quiesce(command()), quiesce({"exec": {"acquire": ["a"]}}), "release: Required"
    ),
    Rule(
        "32 words",
        quiesce(command(acquire=["a"] * 32)),
        quiesce(command(acquire=["a"] * 33)),
        "at most 32 items",
    ),
    Rule(
        "words of 4096 characters",
        quiesce(command(release=["a", "b" * 4096])),
        quiesce(command(release=["a", "b" * 4097])),
        "4096",
    ),
    *(
        Rule(
            f"a word of {when} has no NUL",
            quiesce(command(**{when: ["sh", "-c", "a\n\té"]})),
            quiesce(command(**{when: ["sh", "-c", "a\0b"]})),
            "should match",
        )
        for when in ("acquire", "release")
    ),
    Rule(
        "a program first",
        quiesce(command(acquire=["lock", "-v"])),
        quiesce(command(acquire=["-v"])),
        "must be a program",
    ),
    Rule(
        "a program first in release",
        quiesce(command(release=["unlock", ""])),
        quiesce(command(release=[""])),
        "must be a program",
    ),
    Rule(
        "a command's target that says something",
        quiesce(command(target={"container": "db"})),
        quiesce(command(target={})),
        "leave target out",
    ),
    Rule(
        "20 seconds",
        quiesce(command(timeoutSeconds=20), maxHoldSeconds=40),
        quiesce(command(timeoutSeconds=21), maxHoldSeconds=60),
        "less than or equal to 20",
    ),
    Rule(
        "time for all commands",
        quiesce(command(timeoutSeconds=2), command(timeoutSeconds=3)),
        quiesce(command(timeoutSeconds=3), command(timeoutSeconds=3)),
        "maxHoldSeconds is too short",
    ),
    Rule(
        "time for a lock and a freeze too",
        quiesce(MYSQL, command(timeoutSeconds=3), BY_EXEC),
        quiesce(MYSQL, command(timeoutSeconds=3), BY_EXEC, maxHoldSeconds=9),
        "and 3 more with a mysql step",
    ),
    Rule(
        "a hold of 5 seconds or more",
        quiesce(FREEZE, maxHoldSeconds=5),
        quiesce(FREEZE, maxHoldSeconds=4),
        "greater than or equal to 5",
    ),
    Rule(
        "a hold of 60 seconds or less",
        quiesce(FREEZE, maxHoldSeconds=60),
        quiesce(FREEZE, maxHoldSeconds=61),
        "less than or equal to 60",
    ),
    Rule(
        "known failure policies",
        quiesce(FREEZE, failurePolicy="AllowCrashConsistent"),
        quiesce(FREEZE, failurePolicy="Ignore"),
        '"Abort", "AllowCrashConsistent"',
    ),
    Rule(
        "known moments of release",
        quiesce(FREEZE, releaseWhen="Accepted"),
        quiesce(FREEZE, releaseWhen="Done"),
        '"Accepted", "Visible"',
    ),
    Rule("an account", quiesce(MYSQL), quiesce({"mysql": {}}), "credentialsSecretRef: Required"),
    Rule("a port", quiesce(mysql(port=65535)), quiesce(mysql(port=65536)), "equal to 65535"),
    Rule("locks", quiesce(mysql(lock="Tables")), quiesce(mysql(lock="Rows")), '"Auto", "Tables"'),
    Rule(
        "whom to trust",
        quiesce(mysql(tls={"caSecretRef": {"name": "ca"}, "serverName": "db.shop.svc"})),
        quiesce(mysql(tls={"serverName": "db.shop.svc"})),
        "caSecretRef: Required",
    ),
    Rule(
        "what is waited for",
        quiesce(mysql(longStatement={"waitSeconds": 0})),
        quiesce(mysql(longStatement={"waitSeconds": 61})),
        "less than or equal to 60",
    ),
    Rule(
        "a target that says something",
        quiesce(mysql(target={"container": "mysql"})),
        quiesce(mysql(target={})),
        "leave target out",
    ),
    Rule(
        "a selector that chooses",
        choosing(matchLabels={"app": "mysql"}),
        choosing(matchLabels={}),
        "podSelector chooses nothing",
    ),
    Rule(
        "names of labels",
        choosing(matchLabels={"app.kubernetes.io/name": "mysql"}),
        choosing(matchLabels={"app/name/of": "mysql"}),
        "must be a label's name",
    ),
    Rule(
        "values for In",
        expression(operator="In", values=["mysql"]),
        expression(operator="In"),
        "needs at least one entry in values",
    ),
    Rule(
        "no values for Exists",
        expression(operator="Exists"),
        expression(operator="Exists", values=["mysql"]),
        "takes no values",
    ),
    Rule(
        "known policies on deletion",
        {"deletionPolicy": "Delete"},
        {"deletionPolicy": "Keep"},
        '"Retain", "Delete"',
    ),
    Rule(
        "known words for unmounted claims",
        {"whenNotMounted": "Snapshot"},
        {"whenNotMounted": "Ignore"},
        '"Fail", "Snapshot"',
    ),
    Rule(
        "an expiry a day after the cut or later",
        {"expireAfterSeconds": 86400},
        {"expireAfterSeconds": 86399},
        "greater than or equal to 86400",
    ),
    Rule(
        "an expiry within ten years",
        {"expireAfterSeconds": 315360000},
        {"expireAfterSeconds": 315360001},
        "less than or equal to 315360000",
    ),
    Rule("at most 20 tags", tags(a=""), {"tags": TWENTY_ONE}, "at most 20 items"),
    Rule("short keys", tags(**{"k" * 127: ""}), tags(**{"k" * 128: ""}), "1 to 127 characters"),
    Rule("keys not empty", tags(k=""), tags(**{"": "v"}), "1 to 127 characters"),
    Rule("clean keys", tags(**{"部门 a-b/(c)": ""}), tags(**{"a,b": ""}), "may hold letters"),
    Rule(
        "keys of ours", tags(**{"project-id": ""}), tags(**{"project:id": ""}), "qcs: or project:"
    ),
    Rule("keys of mine", tags(uid=""), tags(**{"disksnapshot.io/uid": ""}), "operator's own"),
    Rule("or like mine", tags(uid=""), tags(**{" DiskSnapshot.io/uid": ""}), "operator's own"),
    Rule("short values", tags(k="v" * 255), tags(k="v" * 256), "255"),
    Rule("clean values", tags(k="数据 [1] @ 50.5"), tags(k="50 %"), "should match"),
    Rule("no unknown field", {}, {"sync": {}}, 'unknown field "spec.sync"'),
]
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)


@pytest.fixture(scope="module", autouse=True)
def _definition(lab: Lab) -> Iterator[None]:
    with installed(lab):
        yield


@EVERY_RULE
def test_a_spec_that_keeps_the_rule_is_accepted(lab: Lab, rule: Rule) -> None:
    assert stored(lab, snapshot(**rule.kept_by))["metadata"]["name"] == "orders"


@EVERY_RULE
def test_a_spec_that_breaks_the_rule_is_refused_with_words_that_help(lab: Lab, rule: Rule) -> None:
    with pytest.raises(LabError) as refused:
        stored(lab, snapshot(**rule.broken_by))
    assert rule.answer in str(refused.value)
