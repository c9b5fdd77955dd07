"""The words of a verdict: levels, verdicts and why a clause is untested."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

type_of_json = dict[str, Any]


class Level(StrEnum):
    """How much a clause weighs: a *must* gates a release, a *should* warns."""

    MUST = "must"
    SHOULD = "should"


class Verdict(StrEnum):
    """What is concluded about a clause; the overall verdict uses four of them."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    UNTESTED = "untested"
    WAIVED = "waived"
    ERROR = "error"


WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.WAIVED,
    Verdict.INCONCLUSIVE,
    Verdict.UNTESTED,
    Verdict.PASS,
)

EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 1, Verdict.ERROR: 3}
"""What a command exits with that ends with this verdict; 3 is pytest's own code for an internal error."""


class Absence(StrEnum):
    """Why a clause is *untested*: the first four are lawful gaps, the last is a gap that must not pass."""

    CREDENTIAL = "credential"
    OPTION = "option"
    OCCASION = "occasion"
    DESELECTED = "deselected"
    UNEXERCISED = "unexercised"
