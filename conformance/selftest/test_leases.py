"""What a test gets when addresses are short: it goes on, is untested, or is inconclusive, by the reason."""

from collections.abc import Iterator
from dataclasses import replace

import grounds
import pytest
from filelock import FileLock

from conformance.driver.context import Process
from conformance.driver.leases import Leases
from conformance.driver.ruling_log import RulingLog
from conformance.errors import ProvisioningError, Untested
from conformance.provision import provisioner


@pytest.fixture
def process() -> Iterator[Process]:
    """A process with room for two addresses."""
    with grounds.served() as reference, grounds.process(reference) as shared:
        limits = replace(shared.target.limits, max_addresses=2)
        shared.client.target = shared.target = replace(shared.target, limits=limits)
        yield shared


def leases(process: Process) -> Leases:
    """What one test holds; nothing yet."""
    return Leases(process, RulingLog(frozenset(), process.recorder))


def test_two_addresses_are_two(process: Process) -> None:
    """Of one server, and nothing is missing."""
    with leases(process) as held:
        pairs = held.neighbourhood()
        held.require_two()
        assert len({pair.address for pair in pairs if pair.server == pairs[0].server}) == 2


def test_what_the_description_does_not_allow_is_untested(process: Process) -> None:
    """A lawful gap, which names the key."""
    limits = replace(process.target.limits, max_addresses=1)
    process.client.target = process.target = replace(process.target, limits=limits)
    with leases(process) as held:
        held.neighbourhood()
        with pytest.raises(Untested, match=r"limits\.max_addresses is 1"):
            held.require_two()


def test_an_address_that_others_hold_on_to_leaves_the_case_open(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The target lends it, so nothing excuses that the case was not tried."""
    monkeypatch.setattr(provisioner, "LONGEST_WAIT_FOR_A_SLOT_SECONDS", 0.1)
    with leases(process) as held:
        with FileLock(process.ledger.directory / "slot1.lock"):
            held.neighbourhood()
        with pytest.raises(ProvisioningError, match="did not give one back in time"):
            held.require_two()
