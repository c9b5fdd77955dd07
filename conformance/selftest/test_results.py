"""Many tests into one result for each clause: what did not reach its end or its precondition passes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from conformance import catalogue
from conformance.run import suite
from conformance.run.item_record import AT_THE_END, VACUOUS, ItemRecord
from conformance.run.results import Collector
from conformance.verdict import Absence, ClauseResult, Finding, Spent, Verdict

CLAUSE, OTHER = "body.refused", "access.authenticated"
NODE = "conformance/clauses/test_body.py::test_a_removal_with_a_body_is_refused"
ONE, TWO = f"{NODE}[one]", f"{NODE}[two]"
LASTING = "test_effect.py::test_a_removed_association_stays_removed"


def finding(clause: str = CLAUSE, rule: str = "refusal", *, seen: int = 1, case: str = "x") -> Finding:
    """A violation as a record holds it."""
    return Finding(clause, rule, f"{rule} is broken", "a 4xx", "204", case=case, seen=seen)


def record(
    nodeid: str = ONE,
    *found: Finding,
    clauses: tuple[str, ...] = (CLAUSE,),
    outcome: tuple[Verdict, str, Absence | None] = (Verdict.PASS, "", None),
    cases: Mapping[str, int] | None = None,
    **said: Any,
) -> ItemRecord:
    """What a test says at its end; four cases of its clauses unless stated. It has been through a worker's pipe."""
    verdict, reason, absence = outcome
    told: dict[str, Any] = {
        "test": suite.name(nodeid),
        "item": suite.item(nodeid),
        "cases": Counter(dict.fromkeys(clauses, 4) if cases is None else cases),
        "reasons": {},
        "untried": {},
        "requests": 5,
        "spent": Spent(),
        "worker": "main",
        "at": 1.0,
        "seconds": 2.0,
    }
    told |= said
    told |= {name: Counter(said.get(name, {})) for name in ("unjudged", "vacuous")}
    made = ItemRecord(clauses=clauses, verdict=verdict, reason=reason, absence=absence, findings=found, **told)
    return ItemRecord.from_json(json.loads(json.dumps(made.to_json())))


def collector(*said: ItemRecord, collected: tuple[str, ...] = (ONE, TWO), **state: Any) -> Collector:
    """What was chosen and what was heard of it."""
    gathered = Collector(collected={suite.item(nodeid) for nodeid in collected}, **state)
    for one in said:
        gathered.add(one)
    return gathered


def result(gathered: Collector, clause: str = CLAUSE) -> ClauseResult:
    """The result of one clause."""
    return next(one for one in gathered.results(catalogue.load()) if one.id == clause)


def test_a_clause_passes_when_all_its_tests_came_to_their_end() -> None:
    """With the cases of all of them, and what they cost."""
    found = result(collector(record(ONE), record(TWO)))
    assert (found.verdict, found.reason, found.cases) == (Verdict.PASS, "holds in 8 cases", 8)
    assert (found.requests, found.untried) == (10, ())


def test_one_case_is_one_case() -> None:
    """In words."""
    found = result(collector(record(ONE, cases={CLAUSE: 1}), collected=(ONE,)))
    assert found.reason == "holds in 1 case"


@pytest.mark.parametrize("stopped", ["", "the run was interrupted", "stopped after the first failure"])
def test_no_clause_passes_while_one_of_its_tests_has_not_ended(stopped: str) -> None:
    """The parameters of one test are told apart: Ctrl-C between two of them, a failure, or for no known reason."""
    found = result(collector(record(ONE), stopped=stopped))
    why = stopped or "it did not run"
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, why)
    assert found.untried == (f"{suite.item(TWO)}: {why}",)


def test_what_was_found_before_the_end_is_found() -> None:
    """A broken clause is broken, and what was not tried of it is said."""
    found = result(collector(record(ONE, finding()), stopped="the run was interrupted"))
    assert (found.verdict, found.reason) == (Verdict.FAIL, "refusal is broken")
    assert found.untried == (f"{suite.item(TWO)}: the run was interrupted",)


def test_a_test_that_was_not_chosen_is_not_missed() -> None:
    """A selection runs what it selects."""
    assert result(collector(record(ONE), collected=(ONE,))).verdict is Verdict.PASS


def test_a_test_whose_process_died_is_an_error() -> None:
    """Whatever its namesake with other parameters said, and though something was found."""
    crashed = {suite.item(TWO): "the worker process died"}
    found = result(collector(record(ONE, finding()), crashed=crashed))
    assert (found.verdict, found.reason) == (Verdict.ERROR, "the worker process died")
    assert found.untried == (f"{suite.item(TWO)}: the worker process died",)
    assert result(collector(crashed=crashed, collected=(TWO,))).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("clause", "node", "verdict"),
    [("effect.removed", LASTING, Verdict.INCONCLUSIVE), (CLAUSE, ONE, Verdict.PASS)],
)
def test_a_look_at_the_end_that_was_not_taken_is_missed(clause: str, node: str, verdict: Verdict) -> None:
    """By the clauses that it speaks of, and by no other."""
    gathered = collector(record(node, clauses=(clause,)), collected=(node,), unlooked="worker gw1 ended before it")
    found = result(gathered, clause)
    assert found.verdict is verdict
    if verdict is Verdict.INCONCLUSIVE:
        assert found.untried == (f"{AT_THE_END}: worker gw1 ended before it",)
        assert found.reason == "worker gw1 ended before it"


def test_a_test_that_ran_again_is_heard_once() -> None:
    """The last time: neither cases nor requests nor findings are counted twice."""
    again = record(ONE, cases={CLAUSE: 3}, requests=7)
    gathered = collector(record(ONE, outcome=(Verdict.ERROR, "boom", None)), again, collected=(ONE,))
    found = result(gathered)
    assert (found.verdict, found.cases, found.requests) == (Verdict.PASS, 3, 7)
    assert len(gathered.spans()) == 1
    assert not gathered.add(again)
    assert gathered.add(record(TWO))


@pytest.mark.parametrize(
    ("said", "verdict", "reason"),
    [
        (record(ONE, outcome=(Verdict.ERROR, "boom", None)), Verdict.ERROR, "boom"),
        (record(ONE, outcome=(Verdict.INCONCLUSIVE, "lost", None)), Verdict.INCONCLUSIVE, "lost"),
        (
            record(ONE, outcome=(Verdict.UNTESTED, "no token", Absence.CREDENTIAL), cases={}),
            Verdict.UNTESTED,
            "no token",
        ),
        (record(ONE, cases={}), Verdict.INCONCLUSIVE, "no case could be judged"),
        (record(ONE, cases={}, reasons={CLAUSE: "503"}), Verdict.INCONCLUSIVE, "503"),
        (record(ONE, finding()), Verdict.FAIL, "refusal is broken"),
        (record(ONE, finding(), outcome=(Verdict.INCONCLUSIVE, "lost", None)), Verdict.FAIL, "refusal is broken"),
        (record(ONE, finding(), outcome=(Verdict.ERROR, "boom", None)), Verdict.ERROR, "boom"),
    ],
)
def test_the_worst_of_its_tests_decides(said: ItemRecord, verdict: Verdict, reason: str) -> None:
    """Beside one that held."""
    found = result(collector(said, record(TWO)))
    assert (found.verdict, found.reason) == (verdict, reason)


def test_a_clause_does_not_pass_where_it_only_held_with_nothing_to_break() -> None:
    """A test whose cases all lacked their precondition is inconclusive, and one that has some says how many did not."""
    vacuous = record(TWO, cases={}, vacuous={CLAUSE: 3})
    found = result(collector(record(ONE), vacuous))
    assert (found.verdict, found.reason, found.unjudged) == (Verdict.INCONCLUSIVE, VACUOUS, 3)
    found = result(collector(record(ONE, vacuous={CLAUSE: 3}), record(TWO)))
    assert (found.verdict, found.cases, found.unjudged) == (Verdict.PASS, 8, 3)


def test_a_test_that_did_not_end_by_itself_leaves_the_rest_untried() -> None:
    """Single cases, and what followed them."""
    left = record(ONE, outcome=(Verdict.INCONCLUSIVE, "lost", None), untried={CLAUSE: ["a body: no budget"]})
    found = result(collector(left, record(TWO)))
    assert found.untried == ("a body: no budget", f"the rest of {suite.name(ONE)}: lost")


def test_what_other_tests_gave_occasion_for_is_enough_where_the_own_lack_a_right() -> None:
    """A lawful gap, and cases by the way; without a case it stays untested, and a test that is missing is no gap."""
    lacking = record(ONE, outcome=(Verdict.UNTESTED, "no token", Absence.CREDENTIAL), cases={})
    by_the_way = record("test_access.py::test_x", clauses=(OTHER,), cases={CLAUSE: 2, OTHER: 1})
    found = result(collector(lacking, by_the_way, collected=(ONE,)))
    assert (found.verdict, found.reason) == (Verdict.PASS, "holds in 2 cases that other tests gave occasion for")
    assert result(collector(lacking, collected=(ONE,))).verdict is Verdict.UNTESTED
    assert result(collector(lacking, by_the_way)).verdict is Verdict.INCONCLUSIVE
    deselected = record(ONE, outcome=(Verdict.UNTESTED, "skipped", Absence.DESELECTED), cases={})
    assert result(collector(deselected, by_the_way, collected=(ONE,))).verdict is Verdict.UNTESTED


@pytest.mark.parametrize(
    ("state", "verdict", "absence"),
    [
        ({"collected": ()}, Verdict.UNTESTED, Absence.DESELECTED),
        ({"collected": (ONE,)}, Verdict.UNTESTED, Absence.UNEXERCISED),
        ({"collected": (), "stopped": "no case was tried"}, Verdict.INCONCLUSIVE, None),
    ],
)
def test_a_clause_of_which_nothing_is_heard(state: dict[str, Any], verdict: Verdict, absence: Absence | None) -> None:
    """Not chosen, chosen and not run, or nothing could be tried at all."""
    found = result(collector(**state))
    assert (found.verdict, found.absence) == (verdict, absence)


def test_findings_of_many_tests_are_one_by_fingerprint() -> None:
    """The smallest case is kept and all are counted; the most often seen comes first."""
    rare = finding(rule="effect")
    gathered = collector(record(ONE, finding(case="long one", seen=2), rare), record(TWO, finding(case="x")))
    assert [(one.rule, one.seen, one.case) for one in result(gathered).findings] == [
        ("refusal", 3, "x"),
        ("effect", 1, "x"),
    ]


def test_a_finding_of_another_tests_clause_is_found() -> None:
    """Though no test of the clause was chosen."""
    gathered = collector(record("test_access.py::test_x", finding(), clauses=(OTHER,)), collected=())
    assert result(gathered).verdict is Verdict.FAIL


def test_part_of_the_suite_is_partial() -> None:
    """By tests, whatever their parameters."""
    assert collector(collected=(ONE,)).partial
    assert not collector(collected=tuple(suite.tests())).partial


def test_spans_are_by_worker_and_beginning() -> None:
    """With the worst that the test concludes."""
    gathered = collector(
        record(TWO, worker="gw1", at=1.0),
        record(ONE, finding(), worker="gw0", at=2.0),
        record(LASTING, worker="gw0", at=1.5, clauses=("effect.removed",)),
    )
    spans = gathered.spans()
    assert [(span.worker, span.at) for span in spans] == [("gw0", 1.5), ("gw0", 2.0), ("gw1", 1.0)]
    assert [span.verdict for span in spans] == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
