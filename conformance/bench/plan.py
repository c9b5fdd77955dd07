"""What the bench is asked to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """How much is measured.

    Attributes:
        repetitions: of each measurement.
        of_latencies: the same of what takes minutes and is made of waiting, where noise hardly counts.
        short: fewer and smaller measurements, to see that all of them work.
        latencies: seconds before each answer.
        proof: a saved ``proof.json`` with the faults that the suite found, if there is one.
        faults: of the catalogue that Schemathesis is tried on.
        folder: for what the measured commands write; nobody needs it afterwards.
    """

    repetitions: int
    of_latencies: int
    short: bool
    latencies: tuple[float, ...]
    proof: Path | None
    faults: int
    folder: Path
