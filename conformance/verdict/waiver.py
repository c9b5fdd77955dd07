"""A dated promise to live with a finding, and what became of it in a run."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from conformance.verdict.terms import type_of_json


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated promise to live with a finding for a while (``spec/waivers.schema.json``).

    Attributes:
        match: which findings of the clause, by a text within them; empty: all of them.
        pattern: the same, by a shell pattern for a whole text.
        expires: the last day on which it holds, YYYY-MM-DD.
    """

    clause: str
    reason: str
    owner: str
    ticket: str
    expires: str
    match: str = ""
    pattern: str = ""

    def in_words(self) -> str:
        """Who promised what until when."""
        return f"waived until {self.expires} by {self.owner} ({self.ticket}): {self.reason}"


class WaiverStatus(StrEnum):
    """What became of a waiver in a run: the first and the last are in order, the others fail the gate."""

    APPLIED = "applied"
    EXPIRED = "expired"
    UNMATCHED = "unmatched"
    OBSOLETE = "obsolete"
    UNDECIDED = "undecided"


STALE = {
    WaiverStatus.EXPIRED: "has expired",
    WaiverStatus.UNMATCHED: "matches no finding",
    WaiverStatus.OBSOLETE: "is not needed any more, since the clause passes",
}
"""Standings that fail the gate, in words."""


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver and what became of it; ``findings`` are the fingerprints of those that it waived."""

    waiver: Waiver
    standing: WaiverStatus
    findings: tuple[str, ...] = ()

    def to_json(self) -> type_of_json:
        """The waiver as the run document holds it."""
        return {"waiver": self._promise(), "standing": self.standing.value, "findings": list(self.findings)}

    def _promise(self) -> type_of_json:
        """Without a pattern where there is none, as before there were any."""
        return {name: value for name, value in asdict(self.waiver).items() if value or name != "pattern"}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The use that :meth:`to_json` described."""
        findings = tuple(document.get("findings", ()))
        return cls(Waiver(**document["waiver"]), WaiverStatus(document["standing"]), findings)

    def in_words(self) -> str:
        """The clause, the pattern if there is one, and what became of the waiver."""
        like = self.waiver.pattern or self.waiver.match
        narrowed = f" for findings like {like!r}" if like else ""
        became = STALE.get(self.standing, "was applied" if self.findings else "waits: its clause was not judged")
        if self.standing is WaiverStatus.EXPIRED:
            became += f" on {self.waiver.expires}"
        if self.standing is WaiverStatus.UNMATCHED and re.search(r"[*?[]", self.waiver.match):
            became += " (a shell pattern is given as pattern, match is taken as it stands)"
        return f"the waiver of {self.waiver.clause}{narrowed} ({self.waiver.ticket}) {became}"
