"""The log of one test's rulings: nothing is raised, nothing is counted twice, and findings are told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_runs import exchange

from conformance.driver.ruling_log import RulingLog
from conformance.evidence import Recorder
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

OWN, OTHER = "body.refused", "codes.documented"


@pytest.fixture
def log() -> RulingLog:
    """A log of a test of ``body.refused``, whose recorder holds two exchanges."""
    recorder = Recorder()
    for number in (1, 2):
        recorder.record(exchange(number), removal=True)
    return RulingLog(frozenset({OWN}), recorder)


def violated(rule: str = "refusal", clause: str = OWN, *, cited: tuple[str, ...] = (), said: str = "204") -> Ruling:
    """A violation."""
    return broken(clause, rule, summary="it is not refused", expected="a 4xx", observed=said, exchanges=cited)


def test_a_violation_is_entered_and_nothing_is_raised(log: RulingLog) -> None:
    """Own clauses and others alike; only the own ones are what the search makes smaller."""
    log.judge(violated(), violated("code 404", OTHER), kept("codes.success"), case="x")
    assert dict(log.cases) == {OWN: 1, OTHER: 1, "codes.success": 1}
    assert log.violated == [(OWN, "refusal", ())]
    assert log.breaks(OWN)
    assert log.breaks(OTHER)
    assert not log.breaks("codes.success")
    assert [finding.clause for finding in log.broken] == [OWN]


def test_an_exchange_is_one_case_of_a_clause(log: RulingLog) -> None:
    """However often it is ruled on: at every exchange, after the trial and by the test."""
    for _ in range(3):
        log.judge(kept(OWN), exchange="1")
        log.judge(violated("code", OTHER), exchange="1")
    log.judge(kept(OWN), exchange="2")
    assert dict(log.cases) == {OWN: 2, OTHER: 1}
    assert [finding.seen for finding in log.findings.values()] == [1]


def test_a_later_look_breaks_what_held(log: RulingLog) -> None:
    """An effect that shows again is a finding, though the case was counted when it held."""
    log.judge(kept(OWN), exchange="1")
    log.judge(violated(), exchange="1")
    log.judge(kept(OWN), exchange="1")
    assert dict(log.cases) == {OWN: 1}
    assert log.breaks(OWN)


def test_what_held_with_nothing_to_break_is_no_case(log: RulingLog) -> None:
    """Of no clause; the own ones say so. A violation is one however little was seen."""
    log.judge(kept(OWN, reached=False), kept(OTHER, reached=False), exchange="1")
    assert (dict(log.cases), dict(log.vacuous)) == ({}, {OWN: 1})
    log.judge(kept(OWN), kept(OWN, reached=False), exchange="1")
    assert (dict(log.cases), dict(log.vacuous)) == ({OWN: 1}, {OWN: 1})
    log.judge(replace(violated(), reached=False), exchange="2")
    assert log.breaks(OWN)
    assert dict(log.vacuous) == {OWN: 1}


def test_what_is_about_no_one_exchange_is_a_case_each(log: RulingLog) -> None:
    """Sequences and rounds."""
    for _ in range(3):
        log.judge(kept(OWN))
    assert log.cases[OWN] == 3


def test_findings_are_told_apart_by_rule_and_classes(log: RulingLog) -> None:
    """The order in which classes are given is none of them; several cases of one are counted."""
    log.judge(violated(), exchange="1", kind=("chunked", "json"))
    log.judge(violated(), exchange="2", kind=("json", "chunked"))
    log.judge(violated(), exchange="3", kind=("chunked",))
    log.judge(violated("effect"), exchange="3", kind=("chunked",))
    assert {key: finding.seen for key, finding in log.findings.items()} == {
        (OWN, "refusal", ("chunked", "json")): 2,
        (OWN, "refusal", ("chunked",)): 1,
        (OWN, "effect", ("chunked",)): 1,
    }
    assert len({finding.fingerprint for finding in log.findings.values()}) == 3


def test_the_smallest_counterexample_is_kept(log: RulingLog) -> None:
    """The one with the fewest exchanges, then the shortest in words; the first one is remembered."""
    log.judge(violated(cited=("w0-1", "w0-2")), case="a long one", exchange="1")
    log.judge(violated(cited=("w0-2",)), case="short", exchange="2")
    log.judge(violated(cited=("w0-1", "w0-2")), case="a longer one", exchange="3")
    (finding,) = log.findings.values()
    assert (finding.case, finding.first_case, finding.seen) == ("short", "a long one", 3)
    assert [one["id"] for one in finding.exchanges] == ["w0-2"]


def test_what_could_not_be_judged_is_the_own_clauses(log: RulingLog) -> None:
    """With the first reason; a clause that was ruled on in the case is not among them."""
    log.judge(None, kept(OTHER), unjudged="answered 503")
    log.judge(None, unjudged="lost")
    log.judge(kept(OWN), None, unjudged="lost")
    assert dict(log.unjudged) == {OWN: 2}
    assert log.reasons == {OWN: "answered 503"}


def test_a_lawful_gap_is_no_case(log: RulingLog) -> None:
    """No ruling and no reason: nothing is counted."""
    log.judge(None)
    log.note(None, "1")
    assert not log.cases
    assert not log.unjudged


def test_what_is_left_out_is_said_case_by_case(log: RulingLog) -> None:
    """For the test's own clauses."""
    log.leave_out("a body of 1 MiB", "the budget was spent")
    log.leave_out("a chunked body", "the budget was spent")
    said = ["a body of 1 MiB: the budget was spent", "a chunked body: the budget was spent"]
    assert dict(log.untried) == {OWN: said}


def test_what_an_earlier_run_of_the_test_found_stays_found(log: RulingLog) -> None:
    """It is not counted again where it is found again."""
    log.judge(violated(), case="x", exchange="1")
    again = RulingLog(log.own, log.recorder, earlier=log.found)
    again.judge(kept(OWN), exchange="2")
    assert [(one.rule, one.seen) for one in again.broken] == [("refusal", 1)]
    again.judge(violated(), case="x", exchange="3")
    again.judge(violated("effect"), case="x", exchange="3")
    assert [(one.rule, one.seen) for one in again.found.values()] == [("refusal", 1), ("effect", 1)]
    assert dict(again.cases) == {OWN: 2}
