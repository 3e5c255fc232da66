"""Whatever the cloud loses or delays, whenever we die: One, Ours, Tracked, Converge."""

from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from disksnapshot.snapshot import steps
from rules.model import AttemptFate, Fate, World
from rules.schema import faults
from rules.situations import DISKS

# Within the promise: a request acts in its five minutes or never, and is listed a minute later.
VALID, LAG = 300, 60
FATES = st.builds(
    Fate,
    kind=st.sampled_from(["replied", "replied", "lost", "late", "never", "refused"]),
    late=st.sampled_from([0, 1, 150, 299, 300]).map(lambda seconds: timedelta(seconds=seconds)),
    visible_after=st.sampled_from([0, 1, 30, 59]).map(lambda seconds: timedelta(seconds=seconds)),
    creation=st.integers(LAG, 600).map(lambda seconds: timedelta(seconds=seconds)),
    tagged=st.sampled_from([True, True, True, False]),
)


@st.composite
def attempt_fates(draw: st.DrawFn, disks: int) -> AttemptFate:
    return AttemptFate(
        disks=tuple(draw(FATES) for _ in range(disks)),
        refused_before=draw(st.sampled_from([False, False, True])),
        proven=draw(st.booleans()),
        crash_after=draw(st.booleans()),
    )


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
@given(data=st.data(), disks=st.sampled_from([1, 2]), policy=st.sampled_from(["Retain", "Delete"]))
def test_every_walk_keeps_the_promises_and_ends(
    data: st.DataObject, disks: int, policy: str
) -> None:
    world = World(DISKS[:disks], policy)
    deleted_at = data.draw(st.integers(0, 40) | st.just(1000), label="deleted at step")
    captures = 0
    for number in range(3000):
        if number == deleted_at:
            world.delete()
        if world.gone:
            return
        step = world.step()
        if isinstance(step, steps.Rest) and number > deleted_at:
            break
        if isinstance(step, steps.Rest):
            world.delete()  # so that every walk is also one of deletion
            continue
        fate = NONE
        if isinstance(step, steps.Capture):
            captures += 1
            assert step.attempt == captures
            fate = data.draw(attempt_fates(disks), label="attempt")
        pause = world.perform(step, fate)
        assert list(faults(world.said)) == []
        early = data.draw(st.sampled_from([1.0, 1.0, 0.3]), label="woken early")
        world.pass_time(max(pause * early, 0.01))
        if number < 60 and data.draw(st.integers(0, 9), label="crash") == 0:
            world.crash()
    raise AssertionError(f"Converge: still {world.done.reason}: {world.done.message}")


NONE = AttemptFate(disks=())
