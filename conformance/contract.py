"""The contracts that a target is judged by: each an operation, as one object that the engine is given.

The removal is always judged; a supporting contract is asked for by name (``--contract``). What belongs to one stands in
a folder of its own under ``contracts`` (clauses, tests, the operation, faults), and :data:`SUPPORTING` has a line for
it. This module refuses to know how anything is sent or judged: what it names is imported by whoever needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from conformance import SPEC

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Contract:
    """One operation that is judged.

    Attributes:
        name: as it is typed after ``--contract``.
        families: of its clauses, in the order of reports; each has a file of its name in ``clauses``.
        clauses: the folder of its clause files.
        tests: the folder of the tests that judge them, without symbolic links: pytest names what it collects so.
        operation_at: where its :class:`conformance.driver.operation.JudgedOperation` is: what a request to it is, how
            to arrange what it needs, and what its answers explain.
        rules_at: where the rules are by which one request that is sent again is judged, clause by clause.
        faults_at: where its faults of the reference deployment are, by name; empty where the catalogue has them.
    """

    name: str
    families: tuple[str, ...]
    clauses: Path
    tests: Path
    operation_at: str
    rules_at: str
    faults_at: str = ""

    @property
    def operation(self) -> Any:
        """What the engine tries; imported when it is asked for."""
        return resolve_name(self.operation_at)

    @property
    def rules(self) -> Mapping[str, Callable[[Any], Any]]:
        """Clause -> its ruling on an :class:`conformance.judge.Attempt`, None where that gave no occasion."""
        rules: Mapping[str, Callable[[Any], Any]] = resolve_name(self.rules_at)
        return rules

    @property
    def faults(self) -> tuple[Any, ...]:
        """Deployments that break it."""
        return tuple(resolve_name(self.faults_at)) if self.faults_at else ()


def _supporting(name: str) -> Contract:
    """The contract of a folder beside this module, which is laid out as all of them are."""
    folder, module = PACKAGE / "contracts" / name, f"conformance.contracts.{name}"
    return Contract(
        name=name,
        families=tuple(sorted(path.stem for path in (folder / "clauses").glob("*.yaml"))),
        clauses=folder / "clauses",
        tests=folder / "tests",
        operation_at=f"{module}.operation:OPERATION",
        rules_at=f"{module}.judging:RULES",
        faults_at=f"{module}.faults:FAULTS",
    )


REMOVAL = Contract(
    name="removal",
    families=(
        "codes",
        "response",
        "effect",
        "identifier",
        "body",
        "access",
        "method",
        "deallocation",
        "limits",
        "faults",
        "lifecycle",
        "concurrency",
    ),
    clauses=SPEC / "clauses",
    tests=PACKAGE / "clauses",
    operation_at="conformance.driver.operation:REMOVAL",
    rules_at="conformance.reproduction.rules:OF_REMOVALS",
)
"""The operation that the suite is about; its families from one answer over one removal to many at once."""

SUPPORTING = {contract.name: contract for contract in (_supporting("associate"),)}
"""Name -> the contracts that are judged besides where somebody asks for them."""


def chosen(names: Iterable[str] = ()) -> tuple[Contract, ...]:
    """The removal, and the supporting contracts of these names in their order."""
    return REMOVAL, *(contract for contract in SUPPORTING.values() if contract.name in set(names))


def of(test: Path) -> Contract:
    """The contract that a test of this file belongs to."""
    return next((one for one in SUPPORTING.values() if one.tests == test.parent), REMOVAL)


def stating(clause: str) -> Contract:
    """The contract that a clause of this ID belongs to."""
    family = clause.partition(".")[0]
    return next((one for one in SUPPORTING.values() if family in one.families), REMOVAL)
