"""A dated promise to live with a finding, and what became of it in a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from conformance.verdict.terms import type_of_json


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated promise to live with a finding for a while (``spec/waivers.schema.json``).

    Attributes:
        match: which findings of the clause; empty: all of them.
        expires: the last day on which it holds, YYYY-MM-DD.
    """

    clause: str
    reason: str
    owner: str
    ticket: str
    expires: str
    match: str = ""

    def in_words(self) -> str:
        """Who promised what until when."""
        return f"waived until {self.expires} by {self.owner} ({self.ticket}): {self.reason}"


class Standing(StrEnum):
    """What became of a waiver in a run: the first and the last are in order, the others fail the gate."""

    APPLIED = "applied"
    EXPIRED = "expired"
    UNMATCHED = "unmatched"
    OBSOLETE = "obsolete"
    UNDECIDED = "undecided"


STALE = {
    Standing.EXPIRED: "has expired",
    Standing.UNMATCHED: "matches no finding",
    Standing.OBSOLETE: "is not needed any more, since the clause passes",
}
"""Standings that fail the gate, in words."""


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver and what became of it; ``findings`` are the fingerprints of those that it waived."""

    waiver: Waiver
    standing: Standing
    findings: tuple[str, ...] = ()

    def to_json(self) -> type_of_json:
        """The waiver as the run document holds it."""
        return {"waiver": asdict(self.waiver), "standing": self.standing.value, "findings": list(self.findings)}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The use that :meth:`to_json` described."""
        findings = tuple(document.get("findings", ()))
        return cls(Waiver(**document["waiver"]), Standing(document["standing"]), findings)

    def in_words(self) -> str:
        """The clause, the pattern if there is one, and what became of the waiver."""
        narrowed = f" for findings like {self.waiver.match!r}" if self.waiver.match else ""
        became = STALE.get(self.standing, "was applied" if self.findings else "waits: its clause was not judged")
        if self.standing is Standing.EXPIRED:
            became += f" on {self.waiver.expires}"
        return f"the waiver of {self.waiver.clause}{narrowed} ({self.waiver.ticket}) {became}"
