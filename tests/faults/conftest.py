"""The one lab of all tests on deaths: the operator, and a database behind a Service."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.cluster import Lab, LabError
from lab.deaths.catalogue import Death
from lab.deaths.dying import die
from lab.deaths.outcome import Outcome
from lab.deaths.rows import Row, kept
from lab.deaths.scene import played, staged
from lab.demo.load import Server
from lab.demo.stage import Database


@dataclass
class Stage:
    """The stage of all deaths; the database's pod is another one after some of them."""

    lab: Lab
    database: Database
    server: Server

    def play(self, death: Death) -> Outcome:
        """Bring one death about, with writers of its own."""
        with played(self.lab, self.database, self.server, files=death.database_lives) as scene:
            outcome = die(scene, death)
        self.database = outcome.database
        kept(self.lab.layout).keep(Row.of(outcome))  # for the page of the documentation
        return outcome


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    try:
        lab = Lab.running()
    except LabError as error:
        # A failure, never a skip: a test that did not run has shown nothing.
        pytest.fail(str(error), pytrace=False)
    with staged(lab) as (database, server):
        yield Stage(lab, database, server)
