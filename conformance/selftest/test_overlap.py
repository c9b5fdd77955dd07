"""Rounds of overlapping operations: recorded from parallel connections, searched for an order, and honest about it."""

import random
import re
from collections import Counter

import in_process
import pytest

from conformance import generate, judge
from conformance.driver.rounds import RENEWALS, Overlap
from conformance.generate import Call, Field, Scene, Step
from conformance.judge.order import Round
from conformance.reference import Reference, catalogue

pytestmark = pytest.mark.once

RACES = [fault.name for fault in catalogue() if fault.breaks == ("concurrency.linearizable",) and fault.certain]
FREEDOMS = ["repetition-is-204", "sporadic-500", "sporadic-503", "slow-answers", "lagging-reads", "quota-of-two"]
LEARN_LATE = ["the-guard-learns-late", "compute-learns-late"]
AT_ONCE = {"lost-update-30-ms", "deallocation-race-30-ms"}
"""Races that show soon."""

MEETINGS = 5
"""Two callers that a busy machine keeps apart now and then meet in one of so many rounds."""

SEEDS = range(1, 6)
"""Which of two callers comes first differs with the seed; a race that only one of them loses needs several."""

IN_SEQUENCE = ["removal-does-nothing", "twice-associated-needs-two-removals", "delete-leaves-orphans"]


def played(
    reference: Reference, *, depth: str = "standard", seed: int = 0, per_second: float | None = None
) -> tuple[list[Round], str]:
    """Every round on the deployment, and the tally."""
    shared = in_process.process(reference, depth=depth, seed=seed, per_second=per_second)
    with shared as process, in_process.topology(process, renewals=RENEWALS[depth]) as topology:
        overlap = Overlap(topology, depth=depth, seed=seed)
        try:
            return list(overlap.rounds()), overlap.tally
        finally:
            overlap.close()


def unexplained(rounds: list[Round]) -> Round:
    """The first round that no order explains."""
    return next(one for one in rounds if one.explained is False)


def _slow_unless(value: str | None, *, soon: bool) -> object:
    return pytest.param(value, marks=() if soon else pytest.mark.slow)


@pytest.mark.parametrize("fault", [_slow_unless(fault, soon=fault in AT_ONCE) for fault in RACES])
def test_a_race_is_found(fault: str) -> None:
    """Each race with a window of ten milliseconds or more is found, and is no matter of sequence."""
    with in_process.served(fault) as reference:
        rounds, _ = played(reference, seed=7)
    found = unexplained(rounds)
    ruling = judge.order.linearizable(found)
    assert ruling is not None
    assert ruling.violation is not None
    assert ruling.violation.exchanges
    assert judge.order.in_sequence(found) is None


def test_the_counterexample_of_two_winners_is_the_smallest() -> None:
    """An association and two removals that both succeed: three operations, one of them without a place."""
    with in_process.served("two-winners-30-ms") as reference:
        rounds, _ = played(reference)
    found = unexplained(rounds)
    told = found.details
    assert found.words.startswith("remove x remove")
    assert len(found.story) == len(told["words"]) == len(told["answers"]) == 3
    assert told["timeline"]["stuck"] is not None
    assert found.stuck.endswith("204 No Content")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lost-update-30-ms", "late-resurrection", "resurrection-30-ms"])
def test_the_counterexample_shows_who_met_whom(fault: str) -> None:
    """Where a removal is undone by another caller of its address, that caller is in the picture."""
    for seed in SEEDS:
        with in_process.served(fault) as reference:
            rounds, _ = played(reference, seed=seed)
        of_one = [one for one in rounds if "another address" not in one.words and one.explained is False]
        if of_one:
            break
    lanes = {lane["process"] for lane in unexplained(of_one).details["timeline"]["lanes"]}
    assert {"caller 1", "caller 2"} <= lanes


def test_a_caller_of_another_address_is_in_the_picture() -> None:
    """Who undid the removal, and the associations that both need: nobody could do the round again without."""
    with in_process.served("the-list-of-the-server-is-written-back") as reference:
        rounds, _ = played(reference)
    found = next(one for one in rounds if "another address" in one.words and one.explained is False)
    told = found.details
    lanes = {lane["process"] for lane in told["timeline"]["lanes"]}
    assert {"caller 1", "caller 2"} <= lanes
    assert len(found.exchanges) == len(told["words"]) == len(told["answers"])
    removed, associated = (
        {name for words in told["words"] if words.startswith(f) for name in re.findall(r"\b[A-Z]\b", words)}
        for f in ("remove", "associate")
    )
    assert removed <= associated
    assert len(removed | associated) == 2


@pytest.mark.parametrize("variant", [None, *(_slow_unless(one, soon=one == "quota-of-two") for one in FREEDOMS)])
def test_a_freedom_is_explained(variant: str | None) -> None:
    """Every round on a lawful deployment has an order that explains it."""
    with in_process.served(variant=variant) as reference:
        rounds, _ = played(reference, seed=11)
    assert len(rounds) > 20
    assert all(round_.explained for round_ in rounds)


@pytest.mark.parametrize("variant", LEARN_LATE)
def test_a_refusal_that_was_only_late_is_explained(variant: str) -> None:
    """A guard, or compute, may learn of the other service's doings a while after: what it refused is granted then."""
    with in_process.served(variant=variant) as reference:
        rounds, _ = played(reference, seed=11)
    assert len(rounds) > 20
    assert all(round_.explained for round_ in rounds)


def test_a_refusal_that_stays_is_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that never learns that the last association is gone is no late one."""
    monkeypatch.setattr("conformance.reference.freedoms.LAG", 1e6)
    with in_process.served(variant="the-guard-learns-late") as reference:
        rounds, _ = played(reference, seed=11)
    assert "de-allocate" in unexplained(rounds).stuck


@pytest.mark.parametrize("fault", [_slow_unless(fault, soon=fault == IN_SEQUENCE[-1]) for fault in IN_SEQUENCE])
def test_what_fails_in_sequence_is_no_matter_of_overlap(fault: str) -> None:
    """A fault that shows without overlap is blamed on the life-cycle, and the clause stays open."""
    with in_process.served(fault) as reference:
        rounds, _ = played(reference)
    last = unexplained(rounds)
    assert last.in_sequence
    assert judge.order.linearizable(last) is None
    ruling = judge.order.in_sequence(last)
    assert ruling is not None
    assert ruling.clause == "lifecycle.model"
    assert ruling.violation is not None


@pytest.mark.slow
def test_one_kind_of_round_that_no_order_explains_hides_no_other() -> None:
    """Other kinds are played after it."""
    with in_process.served("two-winners-30-ms") as reference:
        rounds, _ = played(reference)
    first = unexplained(rounds)
    later = {one.words for one in rounds[rounds.index(first) + 1 :]}
    assert later - {first.words}


def test_rounds_overlap_and_are_counted() -> None:
    """Most rounds on a quick deployment overlap, and the tally says how many."""
    with in_process.served() as reference:
        rounds, tally = played(reference)
    overlapped = sum(round_.overlapped for round_ in rounds)
    assert tally == f"{overlapped} of {len(rounds)} rounds overlapped"
    assert overlapped > len(rounds) // 4


@pytest.mark.slow
def test_without_overlap_nothing_is_judged() -> None:
    """A ceiling on requests a second keeps callers apart; such rounds are open, never passes."""
    with in_process.served() as reference:
        rounds, tally = played(reference, depth="quick", per_second=20)
    assert tally.startswith("0 of ")
    assert all(judge.order.linearizable(round_) is None for round_ in rounds)
    assert all("did not overlap" in round_.open for round_ in rounds)


@pytest.mark.parametrize(("depth", "most"), [("quick", 8), ("standard", 65)])
def test_rounds_keep_to_their_budget(depth: str, most: int) -> None:
    """Rounds, requests of a round and allocations of a depth are bounded, whoever comes first in each."""
    with in_process.served() as reference, in_process.process(reference, depth=depth) as process:
        with in_process.topology(process, renewals=RENEWALS[depth]) as topology:
            overlap = Overlap(topology, depth=depth, seed=0)
            played = len(list(overlap.rounds()))
            overlap.close()
        assert played <= most
        assert process.recorder.total <= 10 * played
        assert process.recorder.by_operation["allocateAddress"] <= 2 + RENEWALS[depth]


@pytest.mark.parametrize(("faults", "certain"), [((), {"DELETE", "PUT"}), (("delete-keeps-the-address",), {"PUT"})])
def test_what_was_deallocated_in_vain_is_not_looked_for_at_the_end(faults: tuple[str, ...], certain: set[str]) -> None:
    """That it stays is found at once, and would be found again as something that comes back."""
    with in_process.served(*faults) as reference, in_process.process(reference) as process:
        with in_process.topology(process, renewals=RENEWALS["standard"]) as topology:
            overlap = Overlap(topology, depth="standard", seed=0)
            list(overlap.rounds())
            overlap.close()
        assert {one.exchange.request.method for one in process.deallocated} >= certain
        assert not [one for one in process.deallocated if one.address in reference.store.state.addresses]


def test_addresses_come_back_in_a_known_state() -> None:
    """What is left when the rounds are over is what the ledger and the slots say."""
    with in_process.served() as reference, in_process.process(reference) as process:
        with in_process.topology(process, renewals=3) as topology:
            overlap = Overlap(topology, depth="standard", seed=2)
            list(overlap.rounds())
            overlap.close()
            known = {
                (topology.names[name], topology.names[server])
                for name, servers in topology.associated.items()
                for server in servers
            }
        standing = {(one.address, one.server) for one in reference.store.state.associations}
        assert standing == known
        assert set(reference.store.state.addresses) == set(process.ledger.read().addresses)


@pytest.mark.parametrize("choice", [None, "repetition-is-204"])
def test_the_choice_made_in_sequence_binds(choice: str | None) -> None:
    """Two removals that both answer 204 are two winners only on a target that refuses a repeated removal."""
    scene = Scene("remove x remove", ((0, 0),), (Call(Step("remove")), Call(Step("remove"), 0.1)))
    with (
        in_process.served("two-winners-30-ms", variant=choice) as reference,
        in_process.process(reference) as process,
        in_process.topology(process) as topology,
    ):
        overlap = Overlap(topology, depth="quick", seed=0)
        played = [next(overlap.rounds()), *(overlap.play(scene) for _ in range(MEETINGS))]
        overlap.close()
    assert any(one.explained is False for one in played) is (choice is None)


@pytest.mark.parametrize("depth", ["quick", "standard", "deep"])
def test_what_meets_what(depth: str) -> None:
    """Every depth has its kinds of rounds, the dear ones last; a seed gives the same rounds again."""
    made = list(generate.scenes(depth, 1, Field(2, 4)))
    assert made == list(generate.scenes(depth, 1, Field(2, 4)))
    assert [scene.mortal for scene in made] == sorted(scene.mortal for scene in made)
    kinds = Counter(scene.words for scene in made)
    assert {"remove x remove", "associate x de-allocate", "de-allocate x associate"} <= kinds.keys()
    assert max(len(scene.calls) for scene in made) <= generate.MOST_CALLERS


@pytest.mark.parametrize(("slots", "servers"), [(1, 1), (2, 1), (1, 2)])
def test_rounds_fit_a_small_field(slots: int, servers: int) -> None:
    """With one server or one address only what exists is named, and what needs more is left out."""
    for scene in generate.scenes("standard", 3, Field(slots, servers)):
        named = [*((step.slot, step.server) for step in scene.steps), *scene.standing]
        assert all(slot < slots and server < servers for slot, server in named)


def test_one_association_protects_each_address_of_a_mixture() -> None:
    """No removal of a mixture names the association that keeps the address from being de-allocated."""
    dice = random.Random(5)
    for _ in range(50):
        scene = generate.rounds.mixture(dice, Field(2, 3))
        assert {(0, 0), (1, 0)} <= set(scene.standing)
        assert all(step.server for step in scene.steps if step.f == "remove")


def test_a_search_that_is_given_up_is_no_pass() -> None:
    """The verdict unknown leaves the round open."""
    round_ = Round("a mixture", explained=None, overlapped=True)
    assert judge.order.linearizable(round_) is None
    assert "given up" in round_.open
