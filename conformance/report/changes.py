"""A finding's observation as a difference of states: where one looked, what should be shown there, what is.

Pure: the words of the judge in, rows out; words of another form make no rows, and the view shows them as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.report.causes import CauseMember

_SHOWS = re.compile(
    r"(?P<views>(?:the (?:list|single read|list of addresses)(?: and )?)+) (?P<verb>shows|does not show) "
    r"(?P<thing>(?:address \S+ with server \S+|address \S+|the address))"
)
_THERE = re.compile(r"(?P<views>in the list of addresses )?(?P<thing>address \S+) (?P<verb>is gone|still exists)")
_DIFFERENCE = re.compile(
    r"(?:^|[,;]? )(?:and |yet )?(?=the (?:list|single read) |address \S+ (?:is gone|still exists))"
)


@dataclass(frozen=True, slots=True)
class StateChange:
    """One difference: ``expected`` and ``seen`` are what ``view`` says of ``thing``."""

    view: str
    thing: str
    expected: str
    seen: str


def of(member: CauseMember) -> list[StateChange]:
    """The differences that a finding tells, with the names that its readers know."""
    told = member.setting.in_words(member.finding.observed)
    shown = {(one.view, one.thing): one for one in (*_shown(told), *_there(told))}
    return list(shown.values())


def answer(member: CauseMember) -> str:
    """What was observed besides the differences: the answer, or all of it where there are none."""
    told = member.setting.in_words(member.finding.observed)
    return _DIFFERENCE.split(told)[0].rstrip(";,: ") if of(member) else told


def _shown(told: str) -> Iterator[StateChange]:
    for met in _SHOWS.finditer(told):
        shows = met["verb"] == "shows"
        thing = _clean(met["thing"]).replace(" with ", " on ")
        for view in met["views"].split(" and "):
            yield StateChange(view.strip(), thing, "not shown" if shows else "shown", "shown" if shows else "not shown")


def _there(told: str) -> Iterator[StateChange]:
    for met in _THERE.finditer(told):
        gone = met["verb"] == "is gone"
        view = "the list of addresses" if met["views"] else "the read of the address"
        yield StateChange(view, _clean(met["thing"]), "there" if gone else "gone", "gone" if gone else "there")


def _clean(thing: str) -> str:
    return thing.rstrip(";,.")
