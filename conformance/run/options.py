"""What was asked for of one run, however it was said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from conformance import catalogue
from conformance.catalogue import Catalogue
from conformance.contract import REMOVAL, Contract


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for of one run. ``target`` is None for the embedded reference deployment."""

    target: str | None
    depth: str
    seed: int
    report_dir: Path
    formats: tuple[str, ...]
    state_dir: Path | None
    probe_limits: bool
    strict: bool
    require_all: bool
    waivers: Path | None
    baseline: Path | None
    compare: Path | None
    contracts: tuple[Contract, ...] = (REMOVAL,)

    @property
    def clauses(self) -> Catalogue:
        """What is judged."""
        return catalogue.load(chosen=self.contracts)

    def of(
        self, target: str, report_dir: Path, waivers: Path | None, baseline: Path | None, compare: Path | None
    ) -> Options:
        """The same of the run of one target among several."""
        own = replace(self, target=target, report_dir=report_dir)
        return replace(own, waivers=waivers, baseline=baseline, compare=compare)

    def compared_with(self, baseline: Path | None, compare: Path | None) -> Options:
        """The same with these saved runs."""
        return replace(self, baseline=baseline, compare=compare)
