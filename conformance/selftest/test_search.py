"""The search for counterexamples: every fault is made smaller within bounds, and hides none after it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st

from conformance import generate
from conformance.errors import Unjudgeable
from conformance.generate import search
from conformance.generate.examples import EXAMPLES

MADE = EXAMPLES["deep"]


@dataclass
class Judged:
    """A stand-in for ``api``: numbers are sent, and each may be a violation."""

    seed: int = 1
    depth: str = "deep"
    case: str = ""
    violated: list[Hashable] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def send(self, number: int) -> None:
        """No number is a violation."""
        self.sent.append(number)

    def one(self, number: int) -> None:
        """Large numbers break one rule, and even large ones another."""
        self.sent.append(number)
        if number > 100:
            self.violated.append("large")
        if number > 100 and number % 2 == 0:
            self.violated.append("even")


def test_the_search_goes_on_after_a_violation() -> None:
    """A fault that every second example shows takes nothing from the others: as many are sent as on a kept clause."""
    kept, broken = Judged(), Judged()
    generate.for_all(kept.send, kept, number=st.integers(0, 10_000))
    generate.for_all(broken.one, broken, number=st.integers(0, 10_000))
    assert set(kept.sent) <= set(broken.sent)
    assert {"large", "even"} == set(broken.violated)


def test_each_fault_is_made_smaller() -> None:
    """Of both faults an example near the smallest one is sent."""
    judged = Judged()
    generate.for_all(judged.one, judged, number=st.integers(0, 10_000))
    assert 101 in judged.sent
    assert 102 in judged.sent


def test_making_smaller_is_bounded() -> None:
    """No example is sent twice, and a fault costs a bounded number of further ones."""
    judged = Judged()
    generate.for_all(judged.one, judged, number=st.integers(0, 10**18))
    assert len(judged.sent) == len(set(judged.sent))
    assert len(judged.sent) <= MADE + 2 * search.MOST_ATTEMPTS_TO_SHRINK


def test_faults_without_end_do_not_end_the_search() -> None:
    """Past the bound the examples stand as they were met, and the rest is sent all the same."""
    judged = Judged()

    def one(number: int) -> None:
        judged.sent.append(number)
        judged.violated.append(number)

    generate.for_all(one, judged, number=st.integers(0, 10**18))
    assert MADE <= len(judged.sent) <= MADE + search.MOST_FAULTS_MADE_SMALLER * search.MOST_ATTEMPTS_TO_SHRINK


def test_every_row_is_sent_after_a_violation() -> None:
    """A row that breaks the clause does not keep the next ones from being tried."""
    judged = Judged()
    generate.for_all(judged.one, judged, [{"number": 200}, {"number": 300}, {"number": 3}], number=st.just(3))
    assert judged.sent == [200, 300, 3]


def test_what_stands_in_the_way_ends_the_search() -> None:
    """A target that cannot be judged is said once, and no example is sent after it."""
    judged = Judged()

    def one(number: int) -> None:
        judged.sent.append(number)
        raise Unjudgeable("nothing is answered")

    with pytest.raises(Unjudgeable, match="nothing is answered"):
        generate.for_all(one, judged, number=st.integers(0, 10_000))
    assert len(judged.sent) == 1
