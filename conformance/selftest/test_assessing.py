"""Whom an answer is blamed on: not the credential for what everybody gets, nor a removal for what names nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from test_judge import BOTH_GONE, HOLDS, NONE, OWN, REMOVED, STANDING, exchange, outcome, tried
from test_probes import value

from conformance.driver.assessing import Assessing
from conformance.driver.probe_target import ProbeTarget
from conformance.driver.probed import Answered, Asked
from conformance.driver.scene import lesser
from conformance.generate.space import Expected, Value
from conformance.judge import Attempt, ObservedState

IN_OTHER_CASE = replace(value("in the other case", Expected.EITHER, "effect.nothing-else"), dimension="server")
Answer = tuple[int, ObservedState]
BLAMED = "is broken"


class OthersAreAnswered:
    """A target where whoever asks by himself gets this; it counts how often that is."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def evidence(self, _pair: object) -> tuple[str, ...]:
        """Nothing came before."""
        return ()

    def met(self, _asked: object, _before: object) -> None:
        """Nobody counts."""

    def solo(self, _pair: object, words: str, _variation: object, **_how: Any) -> Attempt:
        """The request of the comparison."""
        self.asked.append(words)
        return tried(*self.answer)


def outcomes(asked: Value, answer: Answer, others: Answer) -> list[str]:
    """What is said of it: of its own clause, and of those that come upon everything."""
    assessing = Assessing(cast("ProbeTarget", OthersAreAnswered(others)))
    status, after = answer
    one = Answered(Asked(OWN, asked), exchange(status))
    assessing.judge(one, assessing.attempt(one, STANDING, after))
    return [outcome(ruling) for ruling in assessing.judged[0].rulings]


def said(outcome: str) -> str:
    """Whichever the rule that is broken."""
    return outcome if outcome in {HOLDS, NONE} else BLAMED


@pytest.mark.parametrize(
    ("answer", "holder", "own"),
    [
        pytest.param((204, STANDING), (204, STANDING), HOLDS, id="in vain, as for the holder"),
        pytest.param((204, STANDING), (204, REMOVED), BLAMED, id="in vain, where the holder removes"),
        pytest.param((204, REMOVED), (204, REMOVED), BLAMED, id="removed"),
        pytest.param((204, REMOVED), (204, STANDING), BLAMED, id="removed, what the holder may not"),
        pytest.param((404, BOTH_GONE), (404, BOTH_GONE), NONE, id="refused with an effect, as the holder is"),
        pytest.param((404, BOTH_GONE), (404, STANDING), BLAMED, id="refused with an effect of his own"),
        pytest.param((404, BOTH_GONE), (204, REMOVED), BLAMED, id="refused, where the holder removes"),
    ],
)
def test_a_caller_is_blamed_for_what_the_holder_of_every_right_does_not_get(
    answer: Answer, holder: Answer, own: str
) -> None:
    """What a refusal changed is a fault all the same, of the clause that speaks of it."""
    foreign = lesser("foreign", "access.foreign", IN_OTHER_CASE, strict=False)
    told = outcomes(foreign, answer, holder)
    assert said(told[0]) == own
    assert ("refused" in told) == (answer == (404, BOTH_GONE))


@pytest.mark.parametrize(
    ("answer", "made_up", "own"),
    [
        pytest.param((204, STANDING), (204, STANDING), NONE, id="nothing is granted to be removed"),
        pytest.param((204, STANDING), (404, STANDING), BLAMED, id="what names nothing is refused"),
        pytest.param((204, STANDING), (204, REMOVED), BLAMED, id="what names nothing removes"),
        pytest.param((204, REMOVED), (404, STANDING), HOLDS, id="it names the association"),
        pytest.param((404, STANDING), (204, STANDING), NONE, id="it names nothing"),
    ],
)
def test_a_removal_that_may_name_nothing_may_be_granted_in_vain(answer: Answer, made_up: Answer, own: str) -> None:
    """If the target grants as much of a server that nobody has."""
    assert said(outcomes(IN_OTHER_CASE, answer, made_up)[0]) == own


def test_what_is_granted_of_nothing_is_asked_once() -> None:
    """However many requests are excused by it."""
    target = OthersAreAnswered((204, STANDING))
    assessing = Assessing(cast("ProbeTarget", target))
    for _ in range(3):
        one = Answered(Asked(OWN, IN_OTHER_CASE), exchange(204))
        assessing.judge(one, assessing.attempt(one, STANDING, STANDING))
    assert len(target.asked) == 1
