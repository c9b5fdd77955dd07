"""What a look at the target found, as data: how it looks is for whoever shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What a check came to; only a problem stands in the way of a run."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is about, in a word or two.
        words: what was found.
        advice: what to do about it; empty when nothing is to be done.
    """

    name: str
    status: Status
    words: str
    advice: str = ""

    @property
    def sentence(self) -> str:
        """What was found and what to do, in one line of a report."""
        return f"{self.words} ({self.advice})" if self.advice else self.words


def ready(checks: Iterable[Check]) -> bool:
    """A run can be begun."""
    return all(one.status is not Status.PROBLEM for one in checks)


def notable(checks: Iterable[Check]) -> list[Check]:
    """What an operator has to know before all else: warnings and problems."""
    return [one for one in checks if one.status in {Status.WARNING, Status.PROBLEM}]
