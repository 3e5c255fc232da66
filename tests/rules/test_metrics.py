"""The metrics: what is counted, and that nobody can make their number grow without end."""

from datetime import UTC, datetime, timedelta

from prometheus_client import generate_latest

from disksnapshot.metrics import CODES, Metrics, Standing
from rules.outcomes import cut, facts, lock, refused, silent

NOW = datetime.now(UTC)
HELD = {
    "steps": [{"kind": "mysql"}, {"kind": "freeze"}],
    "proven": True,
    "startedTime": "t",
    "resumedTime": "t",
    "holdMilliseconds": 12.5,
}


def page(metrics: Metrics) -> dict[str, float]:
    """Scrape, and return each sample by its name and labels."""
    lines = generate_latest(metrics.registry).decode().splitlines()
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.removeprefix("disksnapshot_"): float(value) for name, _, value in samples}


def standing(minutes: int = 0, **more: object) -> Standing:
    known = {"namespace": "shop", "claims": ("data",), "since": NOW - timedelta(minutes=minutes)}
    return Standing(**(known | more))  # type: ignore[arg-type]  # a test's short form


def test_a_hold_is_measured_by_its_method_and_its_requests_by_what_came_back() -> None:
    metrics = Metrics()
    metrics.attempted(facts(cut(), refused("ResourceBusy"), silent(), steps=[lock()]), HELD)
    seen = page(metrics)
    assert seen['quiesce_duration_seconds_sum{method="mysql+freeze"}'] == 0.0125
    calls = 'tencent_api_requests_total{{action="CreateSnapshot",code="{}"}}'
    assert [seen[calls.format(code)] for code in ("OK", "ResourceBusy", "NoAnswer")] == [1, 1, 1]
    assert not [name for name in seen if name.startswith("unproven_holds_total")]


def test_a_hold_of_many_steps_is_counted_by_their_kinds() -> None:
    metrics, kinds = Metrics(), ("exec", "sync", "exec", "sync", "freeze")
    many = HELD | {"steps": [{"kind": kind} for kind in kinds]}
    metrics.attempted(facts(cut(), steps=[lock()]), many)
    assert 'quiesce_duration_seconds_sum{method="exec+sync+freeze"}' in page(metrics)


def test_a_step_is_measured_as_it_takes_hold_and_lets_go_and_is_counted_by_its_proof() -> None:
    metrics = Metrics()
    steps = [
        {"kind": "exec", "proven": True, "acquireMilliseconds": 20.0, "releaseMilliseconds": 5.0},
        {"kind": "freeze", "proven": False, "acquireMilliseconds": 0, "releaseMilliseconds": 0},
    ]
    metrics.attempted(facts(cut(), steps=[lock()]), HELD | {"steps": steps})
    seen = page(metrics)
    assert seen['step_duration_seconds_sum{kind="exec",phase="acquire"}'] == 0.02
    assert seen['step_duration_seconds_sum{kind="exec",phase="release"}'] == 0.005
    assert seen['steps_total{kind="exec",result="proven"}'] == 1
    assert seen['steps_total{kind="freeze",result="unproven"}'] == 1
    assert not [name for name in seen if "step_duration" in name and "freeze" in name]


def test_a_hold_whose_end_was_not_seen_is_counted_apart() -> None:
    metrics = Metrics()
    unseen = {k: v for k, v in HELD.items() if k not in {"resumedTime", "holdMilliseconds"}}
    metrics.attempted(facts(cut(), steps=[lock()]), unseen | {"proven": False})
    seen = page(metrics)
    assert seen['unquiesce_failures_total{method="mysql+freeze"}'] == 1
    assert seen['unproven_holds_total{method="mysql+freeze"}'] == 1


def test_objects_are_counted_where_they_stand_and_no_longer_when_they_are_gone() -> None:
    metrics = Metrics()
    metrics.census.note("a", standing(minutes=10, pending=True))
    metrics.census.note("b", standing(minutes=1, pending=True))
    metrics.census.note("c", standing(ready=NOW))
    metrics.census.note("d", standing(ready=NOW - timedelta(hours=1)))
    seen = page(metrics)
    assert seen["snapshots_pending"] == 2
    assert seen["oldest_pending_seconds"] >= 600  # NOW was when the tests were read
    success = 'last_success_timestamp_seconds{namespace="shop",pvc="data"}'
    assert seen[success] == NOW.timestamp()
    for key in "acd":
        metrics.census.gone(key)
    seen = page(metrics)
    assert seen["snapshots_pending"] == 1
    assert success not in seen


def test_a_cloud_that_invents_codes_cannot_flood_the_page() -> None:
    metrics = Metrics()
    for number in range(CODES + 50):
        metrics.called("DescribeSnapshots", f"Odd.Code{number}", 0.1)
    codes = [name for name in page(metrics) if name.startswith("tencent_api_requests_total")]
    assert len(codes) == CODES + 1


def test_what_others_know_is_asked_at_each_scrape() -> None:
    metrics, leading = Metrics(), [0.0]
    metrics.show("leader", "1 while at work.", lambda: leading[0])
    assert page(metrics)["leader"] == 0
    leading[0] = 1
    assert page(metrics)["leader"] == 1
