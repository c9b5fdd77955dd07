"""What gates a run besides broken must-clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from conformance.verdict.terms import type_of_json


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier run whose findings are known and therefore do not gate again.

    Attributes:
        target: what was judged then.
        started: when that run began.
        findings: fingerprints of its findings, but those that were waived: a promise that ended is no news, but a debt.
        fingerprints: the rule by which it tells findings apart (:data:`conformance.verdict.FINGERPRINTS`).
    """

    target: str
    started: str
    findings: tuple[str, ...] = ()
    fingerprints: int = 1


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What gates a run besides broken must-clauses.

    Attributes:
        strict: should-clauses gate like must-clauses.
        require_all: a clause that is untested gates, whatever its reason.
        baseline: only findings that are not among its own gate; what was left open always does.
    """

    strict: bool = False
    require_all: bool = False
    baseline: Baseline | None = None

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The policy as the run document holds it."""
        known = dict(document)
        if earlier := known.get("baseline"):
            known["baseline"] = Baseline(**earlier | {"findings": tuple(earlier.get("findings", ()))})
        return cls(**known)


DEFAULT_POLICY = GatePolicy()
