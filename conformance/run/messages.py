"""What the processes of a run tell each other: typed at both ends, plain data on the way.

Messages travel through the pipes of pytest-xdist, which carry plain types alone, and never on a command line. What a
single process says to itself is the same. What a test says at its end stands in :mod:`conformance.run.item_record`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from conformance.driver.context import Process
from conformance.driver.met import MetClasses
from conformance.evidence import Recorder, statistics
from conformance.run.item_record import ItemRecord
from conformance.verdict import GeneratedReach, Requests, SpaceMet

COUNTS = ("by_code", "by_operation", "removals_by_code")
"""What a recorder counts of exchanges, and the run document holds."""

ONLY = "main"
"""The process that runs tests where there are no workers."""


@dataclass(frozen=True, slots=True)
class JoinMessage:
    """What a process needs to join the run.

    Attributes:
        target: as :func:`conformance.target.packed` gives it, secrets included.
        shared: the directory that all processes of the run share.
        seconds: how long the run may still last.
        process: its name in the ledger; :data:`ONLY` where there is no other.
        stopped: why no test is to run; empty if they are.
    """

    target: dict[str, Any]
    shared: Path
    seconds: float
    ledger: Path
    process: str
    stopped: str
    depth: str
    seed: int
    probe_limits: bool

    def to_json(self) -> dict[str, Any]:
        """In plain types."""
        return {**asdict(self), "shared": str(self.shared), "ledger": str(self.ledger)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> JoinMessage:
        """The message that :meth:`to_json` told."""
        return cls(**{**said, "shared": Path(said["shared"]), "ledger": Path(said["ledger"])})


@dataclass(frozen=True, slots=True)
class ProcessCounts:
    """What a process counted.

    Attributes:
        counters: :data:`COUNTS` -> what is counted -> how often.
        tally: the counts by kind and the times, as :func:`conformance.evidence.statistics.added` takes them.
        met: the classes of the request space, as :class:`conformance.driver.met.MetClasses` tells them.
        generated: of the requests that a specification generated, how many, which reached, by code; empty for none.
    """

    total: int = 0
    counters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tally: Mapping[str, Any] = field(default_factory=dict)
    met: Mapping[str, Any] = field(default_factory=lambda: MetClasses().to_json())
    generated: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, recorder: Recorder, process: Process | None = None) -> ProcessCounts:
        """What was counted until now, by a process that runs tests or by the controller."""
        counters = {name: dict(getattr(recorder, name)) for name in COUNTS}
        counted = cls(recorder.total, counters, recorder.tally.to_json())
        return replace(counted, met=process.met.to_json(), generated=process.generated) if process else counted

    def as_standing(self) -> ProcessCounts:
        """The controller's: what its clean-up removed had stood, though another process had made it."""
        kinds = {kind: Counter(codes) for kind, codes in self.tally["removals_by_kind"].items()}
        removed = kinds.get(statistics.RemovalKind.ABSENT.value, Counter()).pop("204", 0)
        if removed:
            kinds.setdefault(statistics.RemovalKind.STANDING.value, Counter())["204"] += removed
        told = {kind: dict(codes) for kind, codes in kinds.items() if codes}
        return replace(self, tally={**self.tally, "removals_by_kind": told})


def requests(counts: Iterable[ProcessCounts]) -> Requests:
    """The counts of all processes as the run document holds them."""
    every = list(counts)
    added: dict[str, Counter[str]] = {name: Counter() for name in COUNTS}
    for one in every:
        for name in COUNTS:
            added[name].update(one.counters[name])
    return Requests.from_json(
        {
            "total": sum(one.total for one in every),
            **{name: dict(sorted(added[name].items())) for name in COUNTS},
            **statistics.added(dict(one.tally) for one in every),
        }
    )


def generated(counts: Iterable[ProcessCounts]) -> GeneratedReach:
    """What the requests that a specification generated reached, in all processes."""
    parts = [one.generated for one in counts if one.generated]
    codes: Counter[str] = Counter()
    for part in parts:
        codes.update(part["by_code"])
    return GeneratedReach(
        sum(part["total"] for part in parts), sum(part["reached"] for part in parts), dict(sorted(codes.items()))
    )


def space(counts: Iterable[ProcessCounts]) -> SpaceMet:
    """Which classes of the request space all processes met, of those that it has."""
    from conformance.driver.request_classes import known  # noqa: PLC0415  # nothing before the end needs the space

    met = MetClasses()
    for one in counts:
        met.add(one.met)
    return met.space(known())


@dataclass(frozen=True, slots=True)
class LastWord:
    """What a process tells the controller when its tests are over.

    Attributes:
        doubts: why the run is no pass, whatever was judged.
        remembered: the entries that it wrote into the ledger.
        closing: its look at the end; None if it took none.
    """

    counts: ProcessCounts
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    remembered: tuple[Mapping[str, Any], ...]
    closing: ItemRecord | None

    def to_json(self) -> dict[str, Any]:
        """In plain types."""
        closing = self.closing.to_json() if self.closing else None
        return {
            "counts": asdict(self.counts),
            "notes": list(self.notes),
            "doubts": list(self.doubts),
            "remembered": [dict(entry) for entry in self.remembered],
            "closing": closing,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> LastWord:
        """The message that :meth:`to_json` told."""
        return cls(
            counts=ProcessCounts(**said["counts"]),
            notes=tuple(said["notes"]),
            doubts=tuple(said["doubts"]),
            remembered=tuple(said["remembered"]),
            closing=ItemRecord.from_json(said["closing"]) if said["closing"] else None,
        )
