"""What a target may do against the contract, as the model takes it; and which findings that leaves without news."""

from collections.abc import Sequence
from typing import Any

import pytest
from test_results import collector, record, result

from conformance.judge.lifecycle import DEVIATIONS
from conformance.model.deviation import Deviation, explaining, possible, relaxed
from conformance.model.history import Completion, Operation
from conformance.model.linearize import SearchResult, check
from conformance.model.sequential import AddressState, Stage, State, address_model
from conformance.run import explained
from conformance.run.item_record import AT_THE_END, ItemRecord
from conformance.verdict import KINDS, ONCE, SCOPE, Finding, Verdict

PORTS = frozenset({"p1", "p2"})
START = State((("a", AddressState(Stage.LIVE, PORTS)), ("b", AddressState(Stage.LIVE, PORTS))))
SEQUENCE, ROUND = "lifecycle.model", "concurrency.linearizable"
LIFE = "test_lifecycle.py::test_any_sequence_agrees_with_the_model"
OVERLAP = "test_concurrency.py::test_some_order_explains_overlapping_operations"
RULE = "test_deallocation.py::test_a_put"

Step = tuple[dict[str, Any], dict[str, Any]]


def associate(address: str = "a", server: str = "s", status: int = 201) -> Step:
    """An association that is granted."""
    return {"f": "associate", "server": server, "address": address}, {"status": status}


def remove(status: int, address: str = "a", server: str = "s") -> Step:
    """A removal."""
    return {"f": "remove", "server": server, "address": address}, {"status": status}


def deallocate(by: str, status: int, address: str = "a") -> Step:
    """A de-allocation."""
    return {"f": "deallocate", "address": address, "by": by}, {"status": status}


def listed(*addresses: str, server: str = "s") -> Step:
    """A list of associations."""
    return {"f": "list", "server": server}, {"status": 200, "addresses": list(addresses)}


def shown(status: int, address: str = "a") -> Step:
    """A single read of an address."""
    return {"f": "show_address", "address": address}, {"status": status}


D = Deviation


@pytest.mark.parametrize(
    ("steps", "by"),
    [
        ([deallocate("PUT", 409)], {D.PUT_IN_VAIN, D.REMOVAL_IN_VAIN}),
        ([deallocate("DELETE", 204), shown(200)], {D.DELETE_IN_VAIN}),
        ([associate(), deallocate("DELETE", 204), shown(404)], {D.DELETE_GRANTED}),
        ([associate(), deallocate("PUT", 200), shown(200), listed("a")], {D.PUT_GRANTED}),
        ([associate(), deallocate("DELETE", 204), shown(404), listed("a")], {D.DELETE_GRANTED}),
        ([associate(), remove(404)], {D.REMOVAL_REFUSED}),
        ([associate(), remove(204), listed("a")], {D.REMOVAL_IN_VAIN, D.REPETITION_CHANGES}),
        ([associate(), associate("b"), remove(204), listed()], {D.REMOVAL_TAKES_MORE}),
        ([associate(), associate(server="t"), remove(204), listed(server="t")], {D.REMOVAL_TAKES_MORE}),
        ([associate(), deallocate("PUT", 409), listed()], {D.REFUSAL_CHANGES}),
        ([associate(server="t"), remove(204), listed(server="t")], {D.REPETITION_CHANGES}),
    ],
)
def test_a_deviation_explains_what_it_leads_to(steps: Sequence[Step], by: set[Deviation]) -> None:
    """It is accepted with each of these alone, and those of a loss by what may have caused it."""
    alone = {one for found in explaining(lambda allowed: _accepts(steps, allowed)) for one in found}
    assert by <= alone
    losses = {D.REMOVAL_TAKES_MORE, D.REFUSAL_CHANGES, D.REPETITION_CHANGES}
    assert alone - by <= losses


@pytest.mark.parametrize(
    "steps",
    [
        [associate(), deallocate("DELETE", 409), remove(204), listed(), deallocate("DELETE", 204), shown(404)],
        [associate(), associate("b"), remove(204), listed("b")],
    ],
)
def test_what_the_model_accepts_needs_no_deviation(steps: Sequence[Step]) -> None:
    """And a deviation takes nothing away from what is lawful."""
    assert _accepts(steps, frozenset())
    assert all(_accepts(steps, frozenset({one})) for one in Deviation)


def test_what_no_deviation_leads_to_is_explained_by_none() -> None:
    """A second address under one ID has no clause of its own."""
    again = ({"f": "allocate", "ports": []}, {"status": 201, "address": "a"})
    assert explaining(lambda allowed: _accepts([again], allowed)) == ()


def test_two_faults_in_one_sequence_are_explained_by_both() -> None:
    """Neither alone, and nothing that is not needed is named."""
    steps = [associate(), remove(404), deallocate("PUT", 200), shown(200), remove(204), deallocate("DELETE", 409)]
    (both,) = explaining(lambda allowed: _accepts(steps, allowed))
    assert len(both) > 1
    assert _accepts(steps, both)
    assert not any(_accepts(steps, both - {one}) for one in both)


def _accepts(steps: Sequence[Step], deviations: frozenset[Deviation]) -> bool:
    states = frozenset({START})
    for asked, told in steps:
        states = possible(states, asked, told, deviations)
    return bool(states)


def test_an_order_may_need_a_deviation() -> None:
    """The model of one address is relaxed alike: a removal that answers 204 and leaves what it names."""
    asked = [associate(), remove(204), ({"f": "show", "server": "s", "address": "a"}, {"status": 200})]
    history = [
        Operation("one", call, told, Completion.OK, float(number), number + 0.5)
        for number, (call, told) in enumerate(asked)
    ]
    lawful = address_model()
    assert check(lawful, history).verdict is SearchResult.ILLEGAL
    assert check(relaxed(lawful, frozenset({D.REMOVAL_IN_VAIN})), history).verdict is SearchResult.LINEARIZABLE
    assert check(relaxed(lawful, frozenset({D.PUT_GRANTED})), history).verdict is SearchResult.ILLEGAL


# What narrower clauses explain.


def _exchange(number: str, operation: str, status: int) -> dict[str, Any]:
    return {"id": number, "operation": operation, "response": {"status": status}}


def _found(clause: str, *exchanges: dict[str, Any], deviations: Sequence[Sequence[str]] = ()) -> Finding:
    told = {DEVIATIONS: [list(one) for one in deviations]} if deviations else {}
    return Finding(clause, "rule", "it is broken", "204", "409", exchanges=exchanges, details=told)


VAIN = _found("deallocation.put-after", _exchange("1", "updateAddress", 409))
IN_VAIN = _found(SEQUENCE, _exchange("2", "updateAddress", 409), deviations=[[str(D.PUT_IN_VAIN)]])


def _after(*said: ItemRecord, clause: str = SEQUENCE) -> tuple[Verdict, str, int]:
    found = result(collector(*said, collected=(LIFE, OVERLAP, RULE)), clause)
    return found.verdict, found.reason, len(found.findings)


def _of_rule(*found: Finding) -> ItemRecord:
    return record(RULE, *found, clauses=("deallocation.put-after",))


def test_what_a_narrower_clause_says_is_not_said_again() -> None:
    """The wide clause passes by what is left of it, and says who speaks of the rest."""
    verdict, reason, findings = _after(record(LIFE, IN_VAIN, clauses=(SEQUENCE,)), _of_rule(VAIN))
    assert (verdict, findings) == (Verdict.PASS, 0)
    assert reason == "holds in 3 cases; where the target deviates, deallocation.put-after says so"


def test_what_nobody_else_says_is_a_finding() -> None:
    """The same sequence, where the clause that is about it found nothing."""
    assert _after(record(LIFE, IN_VAIN, clauses=(SEQUENCE,)), _of_rule())[0] is Verdict.FAIL


@pytest.mark.parametrize("other", [("updateAddress", 400), ("deallocateAddress", 409)])
def test_another_answer_or_operation_explains_nothing(other: tuple[str, int]) -> None:
    """The narrower clause has to be broken in just that way."""
    vain = _found("deallocation.put-after", _exchange("1", *other))
    assert _after(record(LIFE, IN_VAIN, clauses=(SEQUENCE,)), _of_rule(vain))[0] is Verdict.FAIL


def test_nothing_left_of_it_is_no_pass() -> None:
    """A wide clause of which every case is explained was not tried."""
    verdict, _, findings = _after(record(LIFE, IN_VAIN, clauses=(SEQUENCE,), cases={SEQUENCE: 1}), _of_rule(VAIN))
    assert (verdict, findings) == (Verdict.INCONCLUSIVE, 0)


@pytest.mark.parametrize(("test", "due"), [(AT_THE_END, Verdict.FAIL), (RULE, Verdict.PASS)])
def test_overlap_is_explained_by_what_shows_without_it(test: str, due: Verdict) -> None:
    """A look at the end may have seen what only overlapping operations brought about."""
    back = [[str(D.REMOVAL_IN_VAIN)]]
    race = _found(ROUND, _exchange("3", "removeAssociation", 204), deviations=back)
    removed = _found("effect.removed", _exchange("4", "removeAssociation", 204))
    said = record(RULE, removed, clauses=("effect.removed",), test=test)
    assert _after(record(OVERLAP, race, clauses=(ROUND,)), said, clause=ROUND)[0] is due


def test_every_deviation_has_a_clause() -> None:
    """What nobody speaks of would explain nothing."""
    assert set(explained.SHOWN_BY) == set(Deviation)


@pytest.mark.parametrize(
    ("clause", "rule", "done"),
    [
        ("body.inert", "effect", {SCOPE: ["another of its server goes"]}),
        ("effect.refusal-is-inert", "late", {KINDS: ["an association goes"]}),
    ],
)
@pytest.mark.parametrize(("classes", "due"), [((), Verdict.PASS), (("field: Accept",), Verdict.FAIL)])
def test_neither_a_body_nor_time_is_to_blame_for_what_a_plain_removal_does(
    clause: str, rule: str, done: dict[str, list[str]], classes: tuple[str, ...], due: Verdict
) -> None:
    """As wide an effect of a request without classes explains it; that of one which wears something does not."""
    wide = {SCOPE: ["another of its server goes", "its address changes"], KINDS: ["an association goes"]}
    more = Finding("effect.nothing-else", "more than asked for", "", "", "", classes=classes, details=wide)
    found = Finding(clause, rule, "", "", "", details=done)
    said = record(RULE, more, found, clauses=(clause, "effect.nothing-else"))
    assert result(collector(said, collected=(RULE,)), clause).verdict is due


def test_what_a_plain_removal_does_not_do_is_a_finding() -> None:
    """Its effect has to be as wide."""
    more = Finding("effect.nothing-else", "more than asked for", "", "", "", details={SCOPE: ["its address changes"]})
    found = Finding("body.inert", "effect", "", "", "", details={SCOPE: ["another of its server goes"]})
    said = record(RULE, more, found, clauses=("body.inert", "effect.nothing-else"))
    assert result(collector(said, collected=(RULE,)), "body.inert").verdict is Verdict.FAIL


MORE, INERT = "effect.nothing-else", "effect.refusal-is-inert"


@pytest.mark.parametrize(
    ("lasting", "own", "due"),
    [
        (INERT, (), Verdict.INCONCLUSIVE),
        (MORE, (), Verdict.FAIL),
        ("", (), Verdict.FAIL),
        (INERT, (Finding(MORE, "more than asked for", "", "", ""),), Verdict.FAIL),
    ],
)
def test_what_no_request_does_again_is_the_doing_of_what_comes_late(
    lasting: str, own: tuple[Finding, ...], due: Verdict
) -> None:
    """The look at the end says whose late effects are; without it, or beside a certain finding, it stands as seen.

    It may be a fault of its own all the same, so that the clause does not hold: whatever speaks of it may be waived.
    """
    seen = Finding(MORE, "more than asked for", "", "", "", case="seen once", details={ONCE: True})
    late = [Finding(lasting, "late", "", "", "")] if lasting else []
    said = record(RULE, seen, *own, clauses=(MORE,))
    end = record(AT_THE_END, *late, clauses=(INERT, MORE))
    assert result(collector(said, end, collected=(RULE,)), MORE).verdict is due


@pytest.mark.parametrize(
    ("kinds", "rule", "due"),
    [
        (["an association appears"], "shown again by the list", Verdict.INCONCLUSIVE),
        (["an association appears"], "still shown by the list", Verdict.FAIL),
        (["an association appears", "an association goes"], "shown again by the list", Verdict.FAIL),
    ],
)
def test_what_appears_where_removals_do_not_last_is_their_doing(kinds: list[str], rule: str, due: Verdict) -> None:
    """No refusal is to blame for it; for what goes it may be."""
    late = Finding(INERT, "late", "", "", "", details={KINDS: kinds, ONCE: True})
    said = record(RULE, late, Finding("effect.removed", rule, "", "", ""), clauses=(INERT, "effect.removed"))
    assert result(collector(said, collected=(RULE,)), INERT).verdict is due


@pytest.mark.parametrize(
    ("deviations", "certain", "due"),
    [
        ([[D.REMOVAL_REFUSED]], True, Verdict.INCONCLUSIVE),
        ([[D.REMOVAL_REFUSED]], False, Verdict.FAIL),
        ([[D.REMOVAL_IN_VAIN]], True, Verdict.FAIL),
        ([], True, Verdict.FAIL),
    ],
)
def test_what_a_round_missed_may_have_gone_by_itself(
    deviations: list[list[Deviation]], *, certain: bool, due: Verdict
) -> None:
    """Where effects were seen to come late; two winners, or a removal undone, are a matter of overlap all the same."""
    details = {"deviations": [[one.value for one in each] for each in deviations]}
    race = Finding(ROUND, "remove x remove", "", "", "", details=details)
    late = Finding(INERT, "late", "", "", "", details={} if certain else {ONCE: True})
    told = collector(
        record(OVERLAP, race, clauses=(ROUND,)), record(RULE, late, clauses=(INERT,)), collected=(OVERLAP, RULE)
    )
    assert result(told, ROUND).verdict is due


@pytest.mark.parametrize(
    ("test", "untouched", "due"),
    [
        (AT_THE_END, ["an address goes", "an association goes"], Verdict.INCONCLUSIVE),
        (AT_THE_END, ["an address goes"], Verdict.FAIL),
        (RULE, ["an association goes"], Verdict.FAIL),
    ],
)
def test_what_befalls_what_nothing_was_asked_about_needs_no_refusal(
    test: str, untouched: list[str], due: Verdict
) -> None:
    """It may have come of one all the same, so that the clause does not hold; what was tried by itself is certain."""
    asked_about = Finding(INERT, "late", "", "", "", details={KINDS: ["an association goes"]})
    alone = Finding(MORE, "late", "", "", "", details={KINDS: untouched})
    at_the_end = [alone, asked_about] if test == AT_THE_END else [alone]
    said = [record(OVERLAP, *at_the_end, clauses=(MORE, INERT), test=AT_THE_END)]
    if test == RULE:
        said.append(record(RULE, asked_about, clauses=(INERT,)))
    told = collector(*said, collected=(OVERLAP, RULE))
    assert result(told, INERT).verdict is due
    assert result(told, MORE).verdict is Verdict.FAIL


def test_a_removal_that_was_seen_once_only_explains_nothing() -> None:
    """Two doubtful findings do not explain each other away."""
    seen = Finding(MORE, "more than asked for", "", "", "", details={ONCE: True, KINDS: ["an association goes"]})
    late = Finding(INERT, "late", "", "", "", details={ONCE: True, KINDS: ["an association goes"]})
    told = collector(record(RULE, seen, late, clauses=(MORE, INERT)), collected=(RULE,))
    assert {result(told, clause).verdict for clause in (MORE, INERT)} == {Verdict.FAIL}
