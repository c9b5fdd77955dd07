"""What is lawful for a request of the space, by what was answered and what it changed."""

from dataclasses import replace

import pytest

from conformance.evidence import Exchange, Request, Response
from conformance.judge import Attempt, ObservedState, Pair, oracle
from conformance.judge.oracle import Expected, Rule

OWN, NEIGHBOUR = Pair("a", "s1"), Pair("a", "s2")
STANDING = ObservedState(dict.fromkeys((OWN, NEIGHBOUR), True), dict.fromkeys((OWN, NEIGHBOUR), True))
REMOVED, BOTH_GONE = STANDING.without(OWN), STANDING.without(OWN, NEIGHBOUR)


def exchange(status: int | None, method: str = "DELETE") -> Exchange:
    """A removal that was answered so."""
    response = None if status is None else Response(status, "", (), b"")
    request = Request(method, "http://127.0.0.1/v2/servers/s1/ip_associations/a", (), b"", "none")
    return Exchange("1", "removeAssociation", "full", request, 0.0, 0.1, 0.0, response, "" if response else "lost")


def attempt(
    status: int | None, after: ObservedState = STANDING, *, method: str = "DELETE", reached: bool = True
) -> Attempt:
    """A request that met a standing association."""
    return Attempt(exchange=exchange(status, method), before=STANDING, after=after, pair=OWN, reached=reached)


def broken(expected: Expected, tried: Attempt, clause: str = "the.clause") -> set[str]:
    """The clauses that it breaks."""
    found = oracle.rulings(Rule(clause, expected), tried)
    return {ruling.clause for ruling in found if ruling and ruling.violation}


@pytest.mark.parametrize(
    ("expected", "status", "after", "clauses"),
    [
        (Expected.GRANTED, 204, REMOVED, set()),
        (Expected.GRANTED, 400, STANDING, {"codes.success"}),
        (Expected.GRANTED, 204, STANDING, {"effect.removed"}),
        (Expected.GRANTED, 204, BOTH_GONE, {"effect.nothing-else"}),
        (Expected.REFUSED, 400, STANDING, set()),
        (Expected.REFUSED, 404, STANDING, set()),
        (Expected.REFUSED, 204, REMOVED, {"the.clause"}),
        (Expected.REFUSED, 204, STANDING, {"the.clause"}),
        (Expected.REFUSED, 400, REMOVED, {"the.clause", "effect.refusal-is-inert"}),
        (Expected.REFUSED, 301, STANDING, {"the.clause"}),
        (Expected.UNAUTHORISED, 401, STANDING, set()),
        (Expected.UNAUTHORISED, 403, STANDING, {"the.clause"}),
        (Expected.FORBIDDEN, 403, STANDING, set()),
        (Expected.FORBIDDEN, 401, STANDING, {"the.clause"}),
        (Expected.NOT_ALLOWED, 405, STANDING, set()),
        (Expected.NOT_ALLOWED, 400, STANDING, {"the.clause"}),
        (Expected.EITHER, 204, REMOVED, set()),
        (Expected.EITHER, 400, STANDING, set()),
        (Expected.EITHER, 204, STANDING, {"effect.removed"}),
        (Expected.EITHER, 204, BOTH_GONE, {"effect.nothing-else"}),
        (Expected.EITHER, 400, REMOVED, {"effect.refusal-is-inert"}),
        (Expected.INERT, 204, STANDING, set()),
        (Expected.INERT, 500, STANDING, set()),
        (Expected.INERT, 204, REMOVED, {"the.clause"}),
    ],
)
def test_what_an_answer_and_its_effect_break(
    expected: Expected, status: int, after: ObservedState, clauses: set[str]
) -> None:
    """Each expectation admits certain codes with certain effects, and nothing else."""
    assert broken(expected, attempt(status, after)) == clauses


@pytest.mark.parametrize(("after", "more"), [(REMOVED, set()), (BOTH_GONE, {"effect.nothing-else"})])
def test_another_spelling_that_removes_what_it_spells_breaks_its_own_clause(
    after: ObservedState, more: set[str]
) -> None:
    """It names nothing, but a clause that only warns does not gate because another one says the same again."""
    tried = replace(attempt(204, after), names=False)
    assert broken(Expected.REFUSED, tried, "identifier.canonical") == {"identifier.canonical", *more}


@pytest.mark.parametrize("clause", ["body.refused", "access.foreign"])
def test_some_clauses_ask_for_a_documented_refusal(clause: str) -> None:
    """404 refuses an identifier; content and another tenant are refused with a code of the page."""
    assert broken(Expected.REFUSED, attempt(404), clause) == {clause}
    assert broken(Expected.REFUSED, attempt(404), "identifier.uuid") == set()


@pytest.mark.parametrize("expected", [Expected.REFUSED, Expected.UNAUTHORISED, Expected.INERT, Expected.NOT_ALLOWED])
@pytest.mark.parametrize("status", [None, 503])
def test_a_lost_answer_decides_nothing_by_itself(expected: Expected, status: int | None) -> None:
    """Neither kept nor broken where nothing changed; an inert request is kept, since only its effect counts."""
    own = next(iter(oracle.rulings(Rule("the.clause", expected), attempt(status))))
    assert own is None or expected is Expected.INERT


def test_a_refusal_that_met_nothing_shows_nothing() -> None:
    """No vacuous pass: without a standing association a lost check has nothing to remove."""
    own = next(iter(oracle.rulings(Rule("identifier.uuid", Expected.REFUSED), attempt(400, reached=False))))
    assert own is None


def test_content_chooses_nothing() -> None:
    """Whatever becomes of a removal with content, it takes at most the association of the path."""
    rule = Rule("body.refused", Expected.REFUSED, content=True)
    verdicts = {one.clause: one.violation is None for one in oracle.rulings(rule, attempt(204, REMOVED)) if one}
    assert verdicts["body.inert"]
    verdicts = {one.clause: one.violation is None for one in oracle.rulings(rule, attempt(204, BOTH_GONE)) if one}
    assert not verdicts["body.inert"]


def test_what_the_policy_grants_is_kept() -> None:
    """A target may declare that it ignores content (decision 5)."""
    rule = Rule("body.refused", Expected.REFUSED, frozenset({204}), content=True)
    assert not [one for one in oracle.rulings(rule, attempt(204, REMOVED)) if one and one.violation]


@pytest.mark.parametrize(
    ("clause", "expected", "kept"),
    [
        ("body.refused", Expected.REFUSED, False),
        ("access.authenticated", Expected.UNAUTHORISED, False),
        ("codes.success", Expected.GRANTED, False),
        ("method.refused", Expected.NOT_ALLOWED, False),
        ("identifier.uuid", Expected.REFUSED, True),
        ("effect.nothing-else", Expected.EITHER, True),
    ],
)
def test_a_fault_that_persists_is_an_answer(clause: str, expected: Expected, *, kept: bool) -> None:
    """A clause that demands an answer is broken; an identifier's is kept if nothing was removed (decision 13)."""
    (own,) = oracle.persistent(Rule(clause, expected), attempt(503), (exchange(503),) * 3)
    assert own is not None
    assert (own.violation is None) is kept


@pytest.mark.parametrize("expected", [Expected.INERT, Expected.ABSENT])
def test_what_a_refusal_changes_is_not_blamed_on_what_a_removal_may_take(expected: Expected) -> None:
    """What goes beside what is named speaks of a 204; a refusal has a clause of its own."""
    assert broken(expected, attempt(400, REMOVED), "effect.nothing-else") == {"effect.refusal-is-inert"}
    assert broken(expected, attempt(204, REMOVED), "effect.nothing-else") == {"effect.nothing-else"}
