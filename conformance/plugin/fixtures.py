"""What a clause test may ask for.

What acts on the target is imported by the first test that does: the first look at a target waits for none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from conformance import contract
from conformance.driver.ruling_log import RulingLog
from conformance.errors import Untested
from conformance.judge import Pair
from conformance.plugin.keys import PROCESS, RULING_LOG
from conformance.verdict import Absence

if TYPE_CHECKING:
    from conformance.driver import rounds, sequences
    from conformance.driver.api import TargetApi


@pytest.fixture
def api(request: pytest.FixtureRequest) -> Iterator[TargetApi]:
    """What acts on the target: sets up, sends, reads back, enters rulings, and cleans up after the test."""
    from conformance.driver.api import TargetApi  # noqa: PLC0415

    operation = contract.of(request.path).operation
    acting = TargetApi(request.config.stash[PROCESS], request.node.stash[RULING_LOG], operation)
    yield acting
    acting.close()


@pytest.fixture
def association(api: TargetApi) -> Pair:
    """An association of a leased address; each attempt sees to it that it stands."""
    return api.leases.association()


@pytest.fixture
def neighbourhood(api: TargetApi) -> tuple[Pair, ...]:
    """Associations that share an address or a server, so that a removal could hit the wrong one."""
    return api.leases.neighbourhood()


@pytest.fixture
def two_addresses(api: TargetApi, neighbourhood: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """The same, with two addresses of one server for certain."""
    api.leases.require_two()
    return neighbourhood


@pytest.fixture
def associations(api: TargetApi) -> tuple[Pair, ...]:
    """One address with each of the servers, not associated yet."""
    return api.bare()


@pytest.fixture
def scene(api: TargetApi) -> tuple[Pair, ...]:
    """As many addresses as are granted, each associated with every server."""
    return api.scene()


@pytest.fixture
def walker(request: pytest.FixtureRequest) -> Iterator[sequences.Walker]:
    """Sequences of operations on bare addresses, walked on the target and in the model."""
    from conformance.driver import sequences  # noqa: PLC0415
    from conformance.driver.named import Topology  # noqa: PLC0415

    process = request.config.stash[PROCESS]
    ground = Topology(process, renewals=sequences.RENEWALS[process.depth])
    try:
        yield sequences.Walker(ground, depth=process.depth, seed=process.seed)
    finally:
        ground.close()


@pytest.fixture
def callers(request: pytest.FixtureRequest) -> Iterator[rounds.Overlap]:
    """Rounds of overlapping operations from parallel connections; how many overlapped is noted for the operator."""
    from conformance.driver import rounds  # noqa: PLC0415
    from conformance.driver.named import Topology  # noqa: PLC0415

    process = request.config.stash[PROCESS]
    ground = Topology(process, renewals=rounds.RENEWALS[process.depth])
    try:
        made = rounds.Overlap(ground, depth=process.depth, seed=process.seed)
        yield made
        process.notes.append(f"concurrency: {made.tally}")
        made.close()
    finally:
        ground.close()


@pytest.fixture
def ruling_log(request: pytest.FixtureRequest) -> RulingLog:
    """Where a test that needs nothing of the target enters its rulings."""
    held: RulingLog = request.node.stash[RULING_LOG]
    return held


@pytest.fixture
def token(request: pytest.FixtureRequest) -> Callable[[], str]:
    """The valid token, at the moment of the call: it may be renewed in the course of a test."""
    keyring = request.config.stash[PROCESS].client.keyring
    return lambda: keyring.tokens["full"]


@pytest.fixture
def restricted(api: TargetApi) -> str:
    """The credential of a caller of the tenant who may not delete."""
    return _credential(api, "restricted", "auth.restricted_token and no auth.restricted_cloud")


@pytest.fixture
def foreign(api: TargetApi) -> str:
    """The credential of a caller of another tenant."""
    return _credential(api, "foreign", "auth.foreign_token and no auth.foreign_cloud")


def _credential(api: TargetApi, name: str, key: str) -> str:
    if name not in api.target.tokens:
        raise Untested(f"the target description gives no {key}", Absence.CREDENTIAL)
    return name
