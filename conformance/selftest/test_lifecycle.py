"""Sequences of operations: what the machine plans, how they are walked, judged and shortened."""

import in_process
import pytest

from conformance import generate, judge
from conformance.driver.sequences import Walker
from conformance.errors import ProvisioningError
from conformance.generate import Plan, Size, Step, lives
from conformance.judge.lifecycle import PlayedSequence, Taken
from conformance.provision import LedgerRecord
from conformance.reference import Reference, catalogue

pytestmark = pytest.mark.once

FAULTS = [fault.name for fault in catalogue() if fault.breaks[0] == "lifecycle.model"]
RACES = ["two-winners-30-ms", "deallocation-race-30-ms", "resurrection-30-ms", "double-deallocation"]
FREEDOMS = [
    *("repetition-is-204", "sporadic-500", "sporadic-503", "lagging-reads", "quota-of-two", "upper-case-answers"),
    "the-cloud-adds-a-port",
]


def walked(reference: Reference, depth: str = "standard", seed: int = 0) -> list[PlayedSequence]:
    """Every walk on the deployment; its addresses stay, with the process that knows them."""
    with in_process.process(reference, depth=depth) as process, in_process.topology(process) as topology:
        return list(Walker(topology, depth=depth, seed=seed).walks())


class Agreeing:
    """Plays plans of which every walk agrees."""

    def __init__(self) -> None:
        self.met: list[Plan] = []

    def take(self, plan: Plan) -> PlayedSequence:
        """The walk of a plan that was not sent."""
        self.met.append(plan)
        return PlayedSequence((), len(plan))

    def go_on(self, _walk: PlayedSequence) -> bool:
        """It is never asked."""
        raise AssertionError


def planned(size: Size, seed: int = 0) -> list[Plan]:
    """The plans of a search in which every walk agrees."""
    player = Agreeing()
    list(generate.walks(player, seed, size, slots=2, servers=3))
    return player.met


def failing(plan: Plan, when: int) -> PlayedSequence:
    """A walk that disagrees with its step number ``when``."""
    taken = tuple(
        Taken(step.f, step.f, ("204",), "400", agrees=number != when, exchange=str(number), step=number)
        for number, step in enumerate(plan[: when + 1])
    )
    return PlayedSequence(taken, when + 1)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("depth", ["quick", pytest.param("standard", marks=pytest.mark.slow)])
def test_a_fault_of_sequences_is_found(fault: str, depth: str) -> None:
    """Each fault that only a longer sequence shows is found at every depth, and cites what shows it."""
    with in_process.served(fault) as reference:
        broken = next(walk for walk in walked(reference, depth) if walk.broken)
    ruling = judge.lifecycle.agrees(broken)
    assert ruling is not None
    assert ruling.violation is not None
    assert ruling.violation.exchanges == tuple(dict.fromkeys(one.exchange for one in broken.taken))
    assert ruling.violation.details["steps"][-1]["agrees"] is False


def sequence(*steps: tuple[str, str, bool], gone_at: str = "204 No Content") -> PlayedSequence:
    """A walk that ends with a DELETE of A that the model does not allow: operation, address, whether it changed."""
    stands = ({"A": ["s1"], "B": []},)
    taken = tuple(
        Taken(f, f, (), "201", agrees=True, exchange=str(number), changed=changed, states=stands, address=address)
        for number, (f, address, changed) in enumerate(steps)
    )
    granted = gone_at.startswith("2")
    last = Taken("deallocate", "", (), gone_at, False, "9", changed=granted, states=stands, address="A", by="DELETE")
    return PlayedSequence((*taken, last), len(taken) + 1)


MADE = ("associate", "A", True)


@pytest.mark.parametrize(
    ("before", "blamed"),
    [
        ([MADE], True),
        ([("remove", "A", True), MADE, ("list", "", False), ("associate", "B", True)], True),
        ([MADE, ("remove", "A", True)], False),
        ([MADE, ("remove", "B", True)], False),
        ([MADE, ("deallocate", "B", False)], False),
        ([("associate", "B", True)], False),
    ],
)
def test_a_sequence_accuses_the_guard_where_nothing_else_can_be_to_blame(
    before: list[tuple[str, str, bool]], *, blamed: bool
) -> None:
    """What came after the association was made may have taken it along."""
    ruling = judge.lifecycle.unguarded(sequence(*before))
    assert (ruling.clause if ruling else None) == ("deallocation.delete-refused" if blamed else None)
    assert judge.lifecycle.unguarded(sequence(*before, gone_at="409 Conflict")) is None


def test_a_guard_that_an_id_escapes_is_accused_by_a_sequence() -> None:
    """The narrower clause says it, with the same rule as its own tests."""
    with in_process.served("again-associated-does-not-hold") as reference:
        rulings = [judge.lifecycle.unguarded(walk) for walk in walked(reference)]
    found = {(one.clause, one.violation.rule) for one in rulings if one and one.violation}
    assert found <= {
        ("deallocation.delete-refused", "DELETE: effect"),
        ("deallocation.put-refused", "PUT of an empty list: effect"),
    }
    assert found


def test_a_failing_sequence_is_shortened() -> None:
    """Of the twelve steps that met the fault, those that do not matter are left out."""
    with in_process.served("deallocation-frees-the-neighbours") as reference:
        broken = next(walk for walk in walked(reference) if walk.broken)
    assert len(broken.taken) <= 5
    assert [one.f for one in broken.taken][-2:] == ["deallocate", "list"]


@pytest.mark.parametrize("name", ["", *(pytest.param(race, marks=pytest.mark.slow) for race in RACES)])
def test_no_sequence_blames_what_is_correct_in_sequence(name: str) -> None:
    """The conforming deployment and those with races agree with the model, one operation at a time."""
    with in_process.served(name) as reference:
        rulings = [judge.lifecycle.agrees(walk) for walk in walked(reference, seed=3)]
    assert rulings
    assert all(ruling is not None and ruling.violation is None for ruling in rulings)


@pytest.mark.slow
@pytest.mark.parametrize("variant", FREEDOMS)
def test_a_freedom_is_not_blamed(variant: str) -> None:
    """Lawful variants agree with the model, also where reads lag or answers are lost."""
    with in_process.served(variant=variant) as reference:
        assert not [walk for walk in walked(reference) if walk.broken]


def test_what_a_walk_deallocates_is_looked_at_once_more_at_the_end() -> None:
    """Whatever was granted there has to stay so, by the clause of its wording."""
    with in_process.served() as reference, in_process.process(reference) as process:
        with in_process.topology(process) as topology:
            list(Walker(topology, depth="standard", seed=0).walks())
        gone = process.deallocated
        assert gone
        assert not {one.address for one in gone} & set(reference.store.state.addresses)
        ways = {(one.exchange.request.method, one.clause) for one in gone}
    assert ways <= {("DELETE", "deallocation.delete-after"), ("PUT", "deallocation.put-after")}


def test_nothing_is_left_of_a_walk() -> None:
    """The ledger knows of every address that stands when the walks are over, so a sweep finds them all."""
    with (
        in_process.served() as reference,
        in_process.process(reference) as process,
    ):
        with in_process.topology(process) as topology:
            list(Walker(topology, depth="standard", seed=0).walks())
        record: LedgerRecord = process.ledger.read()
        assert set(reference.store.state.addresses) == set(record.addresses)
        standing = {(one.address, one.server) for one in reference.store.state.associations}
        assert standing <= {(address, server) for address, servers in record.addresses.items() for server in servers}


def test_an_association_that_cannot_be_removed_is_not_taken_for_gone() -> None:
    """What every later step would disagree about is a set-up that failed, and says so."""
    with (
        in_process.served("with-three-none-can-be-removed") as reference,
        in_process.process(reference) as process,
        in_process.topology(process) as topology,
    ):
        (name,) = topology.lease(1)
        for server in topology.servers:
            topology.perform({"f": "associate", "address": name, "server": server})
            topology.associated[name].add(server)
        with pytest.raises(ProvisioningError, match="cannot be removed: DELETE answered 400"):
            topology.bare(name)


def test_what_an_address_lost_is_not_met_again_without_its_cause() -> None:
    """The shortest sequence has the request in it that took the ports, not only the read that shows it."""
    with in_process.served("refused-put-takes-the-ports") as reference:
        broken = [walk for walk in walked(reference) if walk.broken]
    assert broken
    assert all("deallocate" in {one.f for one in walk.taken} for walk in broken)


def test_what_deviates_in_a_known_way_ends_no_search() -> None:
    """The sequences after the first one that shows it are walked to their end."""
    with in_process.served("put-never-forgives") as reference:
        walks = walked(reference)
    (broken,) = (walk for walk in walks if walk.broken)
    assert ("a PUT without ports does not de-allocate an address without associations",) in broken.deviations
    assert len(walks) - walks.index(broken) > 5


def test_no_distinct_plan_is_sent_twice() -> None:
    """Every plan that is handed out is a new one."""
    plans = planned(Size(20, 5, 6))
    assert len(plans) == len(set(plans)) > 20


def test_the_seed_decides_the_plans() -> None:
    """The same seed plans the same, another seed something else."""
    size = Size(5, 2, 8)
    assert planned(size, 1) == planned(size, 1) != planned(size, 2)


def test_a_plan_ends_one_life_at_most() -> None:
    """Plans without a death never de-allocate a free address; the others do it once."""
    deaths = [_deaths(plan) for plan in planned(Size(15, 10, 12))]
    assert set(deaths) == {0, 1}
    assert sum(deaths) == 11  # ten generated ones and a fixed one


def _deaths(plan: Plan) -> int:
    """De-allocations that a conforming target grants."""
    associated: dict[int, set[int]] = {0: set(), 1: set()}
    gone: set[int] = set()
    count = 0
    for step in plan:
        if step.f == "allocate":
            gone.discard(step.slot)
        elif step.f == "associate" and step.slot not in gone:
            associated[step.slot].add(step.server)
        elif step.f == "remove":
            associated[step.slot].discard(step.server)
        elif step.f == "deallocate" and not associated[step.slot] and step.slot not in gone:
            gone.add(step.slot)
            count += 1
    return count


def test_shortening_is_bounded_and_finds_the_steps_that_matter() -> None:
    """Of twelve steps the two that matter are left, in at most as many attempts as are allowed."""
    sent: list[Plan] = []

    def take(plan: Plan) -> PlayedSequence:
        sent.append(plan)
        matters = Step("associate") in plan and plan[-1] == Step("list")
        return failing(plan, len(plan) - 1) if matters else PlayedSequence((), len(plan))

    plan = (*[Step("show")] * 5, Step("associate"), *[Step("remove")] * 5, Step("list"))
    found = list(lives.shortened(plan, failing(plan, len(plan) - 1), take))
    assert [one.f for one in found[-1].taken] == ["associate", "list"]
    assert len(sent) <= lives.MOST_ATTEMPTS_TO_SHRINK


def test_what_did_nothing_is_no_evidence() -> None:
    """A sequence in which nothing took effect, or that was left open, is not judged."""
    refused = Taken("associate", "associate A with s1", ("4xx",), "400", agrees=True, exchange="1")
    assert judge.lifecycle.agrees(PlayedSequence((refused,), 1)) is None
    made = Taken("associate", "associate A with s1", ("2xx",), "201", agrees=True, exchange="1", changed=True)
    assert judge.lifecycle.agrees(PlayedSequence((made,), 1, open="it was answered 503")) is None
    ruling = judge.lifecycle.agrees(PlayedSequence((made,), 1))
    assert ruling is not None
    assert ruling.violation is None


def test_a_lost_answer_leaves_both_states_possible() -> None:
    """After a 500 that had its effect the repeated removal is refused, and nothing is blamed."""
    with in_process.served(variant="sporadic-500") as reference:
        walks = walked(reference, "standard")
    answers = [one.answered for walk in walks for one in walk.taken]
    assert any(answer.startswith("500") for answer in answers)
    assert not any(walk.broken for walk in walks)
