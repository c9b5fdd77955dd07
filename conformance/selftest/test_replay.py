"""Overlapping requests sent again: judged by the model, whoever was first this time, and with patience."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import reproductions

from conformance.client import retried
from conformance.driver.context import Process
from conformance.driver.observer import Observer, Views
from conformance.evidence import Exchange
from conformance.judge import Pair
from conformance.reproduction.replay import Record, Replay

pytestmark = pytest.mark.once

TIMES = 12
"""Two callers that a busy machine keeps apart now and then meet in one of so many rounds."""


class Two:
    """Two addresses that are associated with one server, and what is sent about them."""

    def __init__(self, process: Process, addresses: list[str]) -> None:
        self.client = process.client
        self.server = process.target.servers[0]
        self.pairs = [Pair(one, self.server) for one in addresses]
        observer = Observer(process.client, Views())
        self.replay = Replay(observer, process.client, addresses, [self.server], self.send)

    def send(self, step: Record) -> Exchange:
        """A removal, or a de-allocation."""
        if step["f"] == "deallocate":
            return self.client.deallocate_address(step["address"])
        return self.client.remove(self.server, step["address"])

    def round(self, *fs: str, spread: bool) -> str:
        """What no order explains in a round, one operation an address."""
        arranged = [retried(lambda pair=pair: self.client.associate(pair.server, pair.address)) for pair in self.pairs]  # type: ignore[misc]
        steps = [{"f": f, "address": pair.address, "at": 0.0} for f, pair in zip(fs, self.pairs, strict=True)]
        played = self.replay.play([steps], spread=spread)
        return self.replay.unexplained(arranged, [one for answers in played for one in answers])


@pytest.fixture
def two(request: pytest.FixtureRequest) -> Iterator[Two]:
    """On a deployment with the fault of that name; without one on a conforming one."""
    with reproductions.deployed(*request.param) as (_, process), process.provisioner.lease(2) as held:
        made = Two(process, [one.id for one in held])
        with closing(made.replay):
            yield made


@pytest.mark.parametrize("two", [("the-list-of-the-server-is-written-back",)], indirect=True)
@pytest.mark.parametrize("spread", [True, False])
def test_what_one_caller_undoes_of_another_is_not_explained(two: Two, *, spread: bool) -> None:
    """Whoever of the two loses: the answers need not be those of the run."""
    told = next(filter(None, (two.round("remove", "remove", spread=spread) for _ in range(TIMES))), "")
    assert "no order explains" in told


@pytest.mark.parametrize("two", [()], indirect=True)
def test_a_conforming_target_is_explained_whoever_is_first(two: Two) -> None:
    """Also where what is held is asked for."""
    assert [two.round(*fs, spread=False) for fs in (("remove", "remove"), ("deallocate", "remove"))] == ["", ""]


@pytest.mark.parametrize(
    ("two", "told", "left"),
    [
        pytest.param((), "", 404, id="late"),
        pytest.param(("delete-never-forgives",), "no order explains the answers: 204 No Content", 200, id="for ever"),
    ],
    indirect=["two"],
)
def test_a_refusal_is_explained_if_it_was_only_late(two: Two, told: str, left: int) -> None:
    """A guard may still count what was removed right before (decision 14): it is asked once more."""
    pair = two.pairs[0]
    arranged = [two.client.associate(pair.server, pair.address)]
    refused = two.client.deallocate_address(pair.address)
    removed = two.client.remove(pair.server, pair.address)
    assert (refused.status, removed.status) == (409, 204)
    late = replace(refused, started=removed.finished + 0.001, finished=removed.finished + 0.002)
    assert two.replay.unexplained(arranged, [removed, late]).startswith(told)
    assert two.client.show_address(pair.address).status == left
