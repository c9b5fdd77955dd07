"""Which findings are one: told apart by the smallest set of classes, and by how far the effect goes."""

import pytest

from conformance.verdict import KINDS, ONCE, SCOPE, Finding, smaller, told_apart

CLAUSE, RULE = "effect.nothing-else", "more than asked for"
FURTHER = ["another of its server"]
NEAR = ["another of its address"]


def finding(*classes: str, scope: list[str] | None = None, rule: str = RULE) -> Finding:
    """One of the clause, with the classes that its request had."""
    details = {SCOPE: scope} if scope else {}
    return Finding(CLAUSE, rule, "s", "e", "o", classes=classes, details=details)


def test_what_a_plain_request_shows_is_of_no_class() -> None:
    """A field is not what makes the difference where a request without it does the same."""
    (one,) = told_apart([finding("field: If-Match", scope=NEAR), finding(scope=NEAR)], plainly=True)
    assert (one.classes, one.seen) == ((), 2)


def test_a_wider_effect_is_another_finding() -> None:
    """A waiver for the plain one does not cover what only the query takes along."""
    found = told_apart([finding(scope=NEAR), finding("query: cascade", scope=FURTHER)], plainly=True)
    assert [one.classes for one in found] == [(), ("query: cascade",)]


def test_an_effect_that_is_told_is_not_within_one_that_is_not() -> None:
    """What the plain one changed is not known, so that it may be something else."""
    assert len(told_apart([finding(), finding("query: cascade", scope=FURTHER)], plainly=True)) == 2
    assert len(told_apart([finding(scope=NEAR), finding("query: cascade")], plainly=True)) == 2


def test_the_effect_of_a_plain_request_is_all_that_was_seen_of_it() -> None:
    """Two cases of it showed an effect each; a request of a class that shows both shows nothing new."""
    several = [finding(scope=NEAR), finding("query: cascade", scope=[*NEAR, *FURTHER]), finding(scope=FURTHER)]
    (one,) = told_apart(several, plainly=True)
    assert (one.seen, one.details[SCOPE]) == (3, [*NEAR, *FURTHER])


def test_another_rule_is_another_finding() -> None:
    """By what it is judged tells them apart, whatever the classes."""
    assert len(told_apart([finding(), finding("query: cascade", rule="other")], plainly=True)) == 2


def test_where_requests_are_refused_none_is_the_plain_one() -> None:
    """A finding without classes may be of any kind there: it stands beside the others."""
    assert len(told_apart([finding(), finding("query: cascade")])) == 2


@pytest.mark.parametrize("turn", [1, -1])
def test_the_one_that_is_easier_to_read_says_what_both_showed(turn: int) -> None:
    """Whichever stands for both: what became of what is kept, and a certain one makes both certain."""
    long = Finding(CLAUSE, RULE, "", "", "", case="a longer case", details={KINDS: ["an association goes"]})
    short = Finding(CLAUSE, RULE, "", "", "", details={ONCE: True})
    one = smaller(*(long, short)[::turn])
    assert (one.case, one.details) == ("", {KINDS: ["an association goes"]})


def test_two_that_were_seen_once_are_no_more_certain_than_one() -> None:
    """Neither was done again."""
    seen = Finding(CLAUSE, RULE, "", "", "", details={ONCE: True})
    assert smaller(seen, seen).details == {ONCE: True}
