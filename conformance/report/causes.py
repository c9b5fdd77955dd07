"""Findings by cause: what is one mistake of the target is one entry, however many clauses and forms show it.

Two findings have one cause if the requests that decide them are of one kind (who asked, for what, with what), were
answered alike and left the same kind of wrong state; an undocumented code is one cause wherever it comes. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.evidence import setting
from conformance.report import plain
from conformance.report.outline import DOCUMENTED, LOST
from conformance.report.plain import Harm
from conformance.verdict import ClauseResult, Finding, Level, Run, Verdict

Record = Mapping[str, Any]
Key = tuple[str, ...]

CREDENTIALS = {"none": "no valid token", "made up": "no valid token"}
DEALLOCATIONS = {"deallocateAddress", "updateAddress"}
BROKEN = frozenset({Verdict.FAIL, Verdict.WAIVED, Verdict.ERROR})
MODELS = {"lifecycle", "concurrency"}
"""Families that see every fault again, from afar: never the finding to begin with if there is another."""


@dataclass(frozen=True)
class CauseMember:
    """A finding with its clause."""

    clause: ClauseResult
    finding: Finding

    @property
    def harm(self) -> Harm:
        """What is at stake."""
        return plain.harm(self.clause, self.finding)

    @property
    def sentence(self) -> str:
        """What it means."""
        return plain.sentence(self.finding)

    @cached_property
    def setting(self) -> setting.FindingSetup:
        """What stood before, and which exchange decides."""
        return setting.of(self.finding.to_json())

    @cached_property
    def decisive(self) -> Record | None:
        """The exchange that breaks the clause."""
        known = {str(one["id"]): one for one in self.finding.exchanges}
        return known.get(self.setting.decisive)

    @property
    def named(self) -> dict[str, str]:
        """ID -> its name, of those that its words or its decisive request name."""
        finding, decided = self.finding, self.decisive
        url = decided["request"]["url"] if decided else ""
        told = f"{finding.summary} {finding.expected} {finding.observed} {finding.case} {url}".lower()
        return {one: name for one, name in self.setting.names().items() if one.lower() in told}

    @property
    def forms(self) -> tuple[str, ...]:
        """The classes of the request, without the dimension that they are of."""
        return tuple(one.rpartition(": ")[2] for one in self.finding.classes)


@dataclass(frozen=True)
class ClausePart:
    """What one clause says of a cause: a finding to begin with, and other forms of it."""

    first: CauseMember
    others: tuple[CauseMember, ...]

    @property
    def members(self) -> tuple[CauseMember, ...]:
        """All of them."""
        return (self.first, *self.others)

    @property
    def seen(self) -> int:
        """In how many cases."""
        return sum(one.finding.seen for one in self.members)

    @property
    def forms(self) -> list[str]:
        """The forms of the mistake that were met, each once."""
        return list(dict.fromkeys(form for one in self.members for form in one.forms))


@dataclass(frozen=True)
class Cause:
    """One mistake of the target: the worst that it breaks, and what else it breaks."""

    parts: tuple[ClausePart, ...]

    @property
    def first(self) -> CauseMember:
        """The finding to begin with."""
        return self.parts[0].first

    @property
    def members(self) -> tuple[CauseMember, ...]:
        """Every finding of it."""
        return tuple(one for part in self.parts for one in part.members)

    @property
    def seen(self) -> int:
        """In how many cases the worst was seen."""
        return self.parts[0].seen

    @property
    def also(self) -> list[ClauseResult]:
        """The other clauses that it breaks."""
        return [part.first.clause for part in self.parts[1:]]

    @property
    def level(self) -> Level:
        """That of the worst clause."""
        return self.first.clause.level

    @property
    def clauses(self) -> list[str]:
        """All that it breaks, the worst first."""
        return [self.first.clause.id, *(clause.id for clause in self.also)]


def causes(run: Run, *, waived: bool = False) -> list[Cause]:
    """The causes of what is broken, or of what is broken and waived, the worst first."""
    members = [
        CauseMember(clause, one)
        for clause in run.clauses
        for one in clause.findings
        if clause.verdict in BROKEN and (bool(one.waiver) or clause.verdict is Verdict.WAIVED) is waived
    ]
    order = {clause.id: number for number, clause in enumerate(run.clauses)}
    found = [Cause(tuple(_parts(one))) for one in _grouped(members)]
    return sorted(found, key=lambda cause: _badness(cause, order[cause.first.clause.id]))


def _grouped(members: Iterable[CauseMember]) -> Iterable[list[CauseMember]]:
    """The findings by cause; a model sees that a state is wrong, not how, so it joins who says how."""
    grouped: dict[Key, list[CauseMember]] = {}
    for one in members:
        grouped.setdefault(_key(one), []).append(one)
    for key in [key for key, group in grouped.items() if all(one.clause.family in MODELS for one in group)]:
        alike = [other for other in grouped if other != key and other[:-1] == key[:-1]]
        if alike:
            grouped[max(alike, key=lambda other: len(grouped[other]))] += grouped.pop(key)
    return grouped.values()


def _badness(cause: Cause, place: int) -> tuple[int, bool, int, int]:
    """The worst first; whom the gate lets in in the order of the clauses, anything else by how often it was seen."""
    harm = cause.first.harm
    return harm, cause.first.clause.family in MODELS, place if harm is Harm.ACCESS else 0, -cause.seen


def _parts(members: Iterable[CauseMember]) -> Iterator[ClausePart]:
    grouped: dict[str, list[CauseMember]] = {}
    for one in sorted(members, key=_order):
        grouped.setdefault(one.finding.clause, []).append(one)
    yield from (ClausePart(group[0], tuple(group[1:])) for group in grouped.values())


def _order(member: CauseMember) -> tuple[int, bool, int, int]:
    """The worst first; of one clause what is shown by the fewest exchanges, of many forms the plainest."""
    finding = member.finding
    return member.harm, member.clause.family in MODELS, len(finding.classes), len(finding.exchanges)


def _key(member: CauseMember) -> Key:
    decided = member.decisive
    if decided is None:
        return (member.finding.clause, member.finding.rule)
    status = str(decided["response"]["status"]) if decided["response"] else LOST
    if not plain.has_effect(member.finding) and status not in {*DOCUMENTED, LOST}:
        return ("code", status)
    return (*_kind(member, decided), status, _direction(member))


def _kind(member: CauseMember, decided: Record) -> Key:
    """Who asked for what: the first thing about the request that is out of the ordinary."""
    request = decided["request"]
    asked_by = str(decided["credential"])
    who = CREDENTIALS.get(asked_by, asked_by)
    if who != "full":
        return ("credential", who)
    if decided["operation"] in DEALLOCATIONS:
        return ("deallocation", request["method"])
    if request["method"] != "DELETE":
        return ("method", member.finding.clause)
    if request["framing"] != "none":
        return ("content",)
    dimension = next(iter(member.finding.classes), "").partition(":")[0]
    return (dimension, member.finding.clause) if dimension else ("removal",)


def _direction(member: CauseMember) -> str:
    """What is wrong with the state: something is gone that should stay, or stays that should be gone."""
    finding = member.finding
    if not plain.has_effect(finding):
        return f"answer to {finding.clause}"
    seen = f"{finding.observed} {finding.case}"
    return "goes" if "does not show" in seen or "is gone" in seen else "stays"


def headline(found: Sequence[Cause]) -> str:
    """The worst in a sentence, and how many more there are."""
    if not found:
        return ""
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].first.sentence}{more}"
