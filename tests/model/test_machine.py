"""Whatever befalls the operator's code, it keeps the guarantees, and goes a way of the model."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from disksnapshot.snapshot import plan
from model.following import Follower, Shown, object_of
from model.memory import Cloud, Server
from model.protocol import Protocol
from model.real import Machine
from model.state import UNKNOWN

FATES = ["proven", "seen", "lost", "unsent", "refused", "silent", "killed", "flies", "paused"]
NOTHING, ANOTHER, DELETED = "nothing", "another looks", "it is deleted"
ENOUGH = 60  # looks, after which everything must have come to an end


class Operators(RuleBasedStateMachine):
    """One or two operators, one object, its cloud, and a user."""

    @initialize(policy=st.sampled_from(["Delete", "Retain"]), operators=st.sampled_from([1, 2]))
    def begin(self, policy: str, operators: int) -> None:
        self.policy = policy
        self.was_ready = False
        self.cloud = Cloud(self.see)
        self.server = Server(self.see, policy)
        self.machines = [Machine(self.server, self.cloud) for _ in range(operators)]
        self.follower = Follower(
            Protocol(
                operators=operators,
                deletes=policy == "Delete",
                max_attempts=plan.MAX_ATTEMPTS,
            )
        )

    def see(self) -> None:
        """After each effect: the model must have had a move to where things stand now."""
        known = sorted(
            (int(one.snapshot.tags["disksnapshot.io/attempt"]), one.listed, one.snapshot.complete)
            for one in self.cloud.made
        )
        self.follower.see(Shown(object_of(self.server.stored), tuple(known)))

    @rule(
        who=st.sampled_from([0, -1]),
        fate=st.sampled_from(FATES),
        fails=st.sampled_from(["", "", "", "", "before", "after"]),
        meanwhile=st.sampled_from([NOTHING, NOTHING, NOTHING, ANOTHER, ANOTHER, DELETED]),
        spared=st.integers(0, 2),
        pause=st.sampled_from([1, 10, 61, 61, 361]),
        cloud=st.sampled_from(["", "", "list", "complete", "act"]),
    )
    def look(
        self, who: int, fate: str, fails: str, meanwhile: str, spared: int, pause: int, cloud: str,
    ) -> None:  # fmt: skip
        self.server.fails, self.server.spared = fails, spared
        if meanwhile == DELETED:
            self.server.first = self.server.delete
        if meanwhile == ANOTHER and len(self.machines) > 1:
            self.server.first = lambda: self.machines[-1 - who].look(fate)
        self.machines[who].look(fate)
        self.server.fails, self.server.first = "", None
        self.happen(cloud)
        self.cloud.pass_time(pause)

    def happen(self, cloud: str) -> None:
        if cloud == "list":
            self.cloud.list_one()
        if cloud == "complete":
            self.cloud.list_one()
            self.cloud.complete_one()
        if cloud == "act" and self.cloud.flying:
            self.cloud.act(self.cloud.flying.pop())

    @rule(who=st.sampled_from([0, -1]), deleted=st.sampled_from([False, False, True]))
    def restart(self, who: int, deleted: bool) -> None:
        self.machines[who] = Machine(self.server, self.cloud)
        if deleted:
            self.server.delete()

    @invariant()
    def one(self) -> None:
        if hasattr(self, "cloud"):
            assert len(self.cloud.made) <= 1, "One"

    @invariant()
    def tracked(self) -> None:
        if hasattr(self, "cloud") and self.server.stored is None and self.policy == "Delete":
            assert self.cloud.made == [], "Tracked"

    @invariant()
    def ready_stays(self) -> None:
        if hasattr(self, "cloud") and self.server.stored is not None:
            ready = object_of(self.server.stored).ready
            going = "deletionTimestamp" in self.server.stored["metadata"]
            assert ready or going or not self.was_ready, "Converge"
            self.was_ready = ready

    def teardown(self) -> None:
        """Converge: with no more faults, everything comes to an end."""
        if not hasattr(self, "cloud"):
            return
        for _ in range(ENOUGH):
            self.happen("act")
            self.machines[0].look("proven")
            self.happen("complete")
            self.cloud.pass_time(61)
            self.one()
        done = object_of(self.server.stored)
        assert not done.exists or (done.finished and not done.deleting), "Converge"


TestOperators = Operators.TestCase
TestOperators.settings = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


@pytest.mark.parametrize("fate", ["seen", "lost"])
def test_a_result_that_comes_after_another_has_adopted_it_changes_nothing(fate: str) -> None:
    life = Operators()
    life.begin(policy="Delete", operators=2)
    life.look(0, fate, fails="", meanwhile=ANOTHER, spared=2, pause=61, cloud="complete")
    life.teardown()


@pytest.mark.parametrize("deleted", [False, True])
def test_a_late_cut_is_waited_for(deleted: bool) -> None:
    life = Operators()
    life.begin(policy="Delete", operators=1)
    life.look(0, "paused", fails="", meanwhile=NOTHING, spared=0, pause=1, cloud="")
    if deleted:
        life.server.delete()
    life.look(0, "seen", fails="", meanwhile=NOTHING, spared=0, pause=61, cloud="")
    life.teardown()


def test_a_lost_request_that_acts_late_is_adopted() -> None:
    life = Operators()
    life.begin(policy="Retain", operators=1)
    life.look(0, "flies", fails="", meanwhile=NOTHING, spared=0, pause=240, cloud="act")
    life.teardown()
    assert object_of(life.server.stored).claim == UNKNOWN
