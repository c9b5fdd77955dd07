"""What a test gets when addresses are short: it goes on, is untested, or is inconclusive, by the reason."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import in_process
import pytest
from filelock import FileLock

from conformance.client.callers import Callers
from conformance.driver.context import Deallocated, Process
from conformance.driver.leases import Leases
from conformance.driver.ruling_log import RulingLog
from conformance.driver.scene import StandingScene
from conformance.errors import ProvisioningError, Untested
from conformance.evidence import Exchange
from conformance.generate.settings import Between
from conformance.judge import Held, ObservedState
from conformance.provision import Address, provisioner

pytestmark = pytest.mark.once


@pytest.fixture
def process() -> Iterator[Process]:
    """A process with room for two addresses."""
    with in_process.served() as reference, in_process.process(reference) as shared:
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


def test_addresses_are_counted_round_and_what_is_gone_has_another_in_its_place(process: Process) -> None:
    """Two that are leased at once are of either IP version."""
    with leases(process) as held:
        first, second = held.lease(2)
        assert (held.one(), held.one(1), held.one(2)) == (first, second, first)
        assert {first.version, second.version} == {4, 6}
        assert process.client.deallocate_address(first.id).status == 204
        held.known_state.ports[first.id] = None
        assert held.one(1) == second
        assert held.one(0) not in {first, second}


def test_an_address_may_lack_a_port_on_the_last_server(process: Process) -> None:
    """For one test: the next one has an address on all ports again, and nothing is left of the other."""
    ports = len(process.target.servers)
    with leases(process) as held:
        pair = held.without_a_port()
        assert pair is not None
        assert pair.server == process.target.servers[-1]
        assert len(held.address(pair).ports) == ports - 1
    with leases(process) as held:
        assert {len(one.ports) for one in held.lease(2)} == {ports}
        assert pair.address not in held.addresses
        assert len(process.ledger.read().addresses) == 2


@pytest.mark.parametrize("few", [1, 2])
def test_of_few_servers_none_is_without_a_port(process: Process, few: int) -> None:
    """An address on one port is not shared."""
    process.client.target = process.target = replace(process.target, servers=process.target.servers[:few])
    with leases(process) as held:
        assert held.without_a_port() is None


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


def test_a_scene_is_made_of_addresses_that_are_there(process: Process) -> None:
    """One that went in an earlier case has another in its place."""
    with leases(process) as held:
        gone = held.scene(2)[0].address
        for pair in held.known_state.standing(gone):
            held.remove(pair)
        process.client.change_address(gone, "DELETE")
        held.recheck(lambda: held.observer.addresses([gone]))
        held.believe(held.observer.addresses([gone]))
        scene = held.scene(2)
        assert gone not in {pair.address for pair in scene}
        assert len({pair.address for pair in scene}) == 2


def test_what_is_taken_down_for_a_set_up_must_not_come_back(process: Process) -> None:
    """The removal was asked for and granted, whatever it was for."""
    log = RulingLog(frozenset({"effect.removed"}), process.recorder)
    with Leases(process, log) as held:
        first, *_ = held.scene(1)
        held.remove(first)
        process.client.associate(first.server, first.address)
        held.recheck(lambda: held.look([first]))
    assert log.breaks("effect.removed")


def test_nothing_is_repaired_before_its_loss_is_seen(process: Process) -> None:
    """What is not shown any more is not associated once more between two requests; what is shown is."""
    log = RulingLog(frozenset(), process.recorder)
    with Leases(process, log) as held:
        lost, kept, *_ = held.scene(1)
        process.client.remove(lost.server, lost.address)
        scene = StandingScene(process, held, log)
        for pair in (lost, kept):
            scene.meanwhile(pair, Between.ASSOCIATE, {})
        asked = [one.request for one in process.recorder.exchanges.values() if one.operation == "associate"]
        assert not held.look([lost]).listed[lost]
        assert sum(kept.server in one.url for one in asked) == 2


def test_what_a_look_shows_besides_what_it_was_for_may_be_late_too(process: Process) -> None:
    """It is believed as well, and would accuse an earlier removal: so it has its time to settle."""
    with leases(process) as held:
        removed, other = held.scene(1)[:2]
        held.known_state.removal(removed, process.client.remove(removed.server, removed.address).id)
        shown = iter([False, True])
        seen = held.settled(
            lambda: ObservedState(listed={removed: False, other: next(shown)}),
            ObservedState(listed={removed: False}),
        )
    assert seen.listed[other]


def test_what_was_said_of_an_id_is_void_once_it_is_given_again(process: Process) -> None:
    """What it was, what was made and doubted of it, and that it was de-allocated."""
    first = Address("a", "192.0.2.1", 4, ("p", "q"), "1")
    process.meet(first)
    process.baselines["a"], process.doubted = Held.of(["p"], "192.0.2.1"), {"a"}
    process.deallocated = [Deallocated("a", "deallocation.put-after", process.client.list_addresses())]
    process.meet(first)
    assert process.baselines
    process.meet(replace(first, allocation="2"))
    assert [process.baselines, process.doubted, process.deallocated] == [{}, set(), []]


def test_looks_go_out_at_once_where_the_target_takes_its_time(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists of the servers, whose order is no matter: each is under way while the others are."""
    read = process.client.list_associations
    with leases(process) as held:
        pairs = held.scene(1)
        all_of_them = threading.Barrier(len({pair.server for pair in pairs}))

        def meeting(server: str) -> Exchange:
            all_of_them.wait(20)
            return read(server)

        monkeypatch.setattr(process.client, "at_once", Callers(lambda: 1.0, None, 30.0, 8).each)
        monkeypatch.setattr(process.client, "list_associations", meeting)
        seen = held.look(pairs)
    assert all(seen.listed[pair] for pair in pairs)
