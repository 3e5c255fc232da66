"""What the API server refuses to store: by the definition's rules, or for want of a right."""

from typing import Final

from lab.refusals.case import FREEZE, Denial, asking, at, claims, command, mysql

_PLAIN: Final = claims("data-shelf")

RULES: Final = (
    Denial(
        "spec-no-steps",
        "a hold without steps",
        asking("data-shelf"),
        "should have at least 1 items",
    ),
    Denial(
        "spec-empty-sync",
        "a step of which nothing is left, since the API server drops an empty `sync:`",
        asking("data-shelf", mysql(), {"sync": None}),
        "write `sync: {}`",
    ),
    Denial(
        "spec-two-kinds",
        "a lock and a freeze in one step",
        asking("data-shelf", mysql() | FREEZE),
        "write them as two steps",
    ),
    Denial(
        "spec-freeze-first",
        "a lock on a frozen file system",
        asking("data-shelf", FREEZE, mysql()),
        "freeze must be the last step",
    ),
    Denial(
        "spec-two-freezes",
        "two freezes",
        asking("data-shelf", FREEZE, FREEZE),
        "at most one freeze step",
    ),
    Denial(
        "spec-two-databases",
        "two locks",
        asking("data-shelf", mysql(), mysql()),
        "at most one mysql step",
    ),
    Denial(
        "spec-no-method",
        "a freeze that doesn't say how",
        asking("data-shelf", {"freeze": {}}),
        "method: Required value",
    ),
    Denial(
        "spec-target-of-agent",
        "a target for what the node's agent does",
        asking("data-shelf", {"freeze": {"method": "Agent"} | at("shelf")}),
        "freeze.target is for method Exec",
    ),
    Denial(
        "spec-empty-target",
        "a target that chooses nothing",
        asking("data-orders", mysql(target={})),
        "target needs podSelector, container or both",
    ),
    Denial(
        "spec-bound-too-short",
        "commands that could take longer than the bound",
        asking("data-shelf", command("true", timeoutSeconds=5), FREEZE, maxHoldSeconds=10),
        "maxHoldSeconds is too short for these steps",
    ),
    Denial(
        "spec-bound-too-long",
        "a hold of more than a minute",
        asking("data-shelf", FREEZE, maxHoldSeconds=61),
        "should be less than or equal to 60",
    ),
    Denial(
        "spec-expires-soon",
        "an end after an hour",
        _PLAIN | {"expireAfterSeconds": 3600},
        "should be greater than or equal to 86400",
    ),
    Denial(
        "spec-claim-twice",
        "one claim twice",
        claims("data-shelf", "data-shelf"),
        "Duplicate value",
    ),
    Denial(
        "spec-many-claims",
        "17 claims",
        claims(*(f"data-{number}" for number in range(17))),
        "must have at most 16 items",
    ),
    Denial(
        "spec-tag-of-ours",
        "a tag that is the operator's own",
        _PLAIN | {"tags": {"disksnapshot.io/uid": "x"}},
        "operator's own",
    ),
    Denial(
        "spec-unknown-field",
        "a field that there isn't",
        _PLAIN | {"quiesces": {}},
        'unknown field "spec.quiesces"',
    ),
    Denial(
        "spec-changed",
        "another claim, after it was created",
        claims("nowhere"),
        "spec can't be changed",
        change={"spec": claims("data-shelf")},
    ),
)

RIGHTS: Final = (
    Denial(
        "user-without-exec",
        "a freeze, asked for by somebody who may not exec in pods",
        asking("data-shelf", FREEZE),
        "may not create pods/exec",
        user="asker",
    ),
    Denial(
        "user-without-secret",
        "a lock, asked for by somebody who may exec but not read the Secret",
        asking("data-orders", mysql()),
        "may not get secrets/orders-snapshot",
        user="runner",
    ),
    Denial(
        "user-forges-status",
        "a status written by somebody else than the operator",
        claims("nowhere"),
        "written by the operator alone",
        user="forger",
        change={"status": {"snapshotID": "snap-abcdefgh"}},
        subresource="status",
    ),
)

DENIALS: Final = (*RULES, *RIGHTS)
