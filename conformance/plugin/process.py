"""What the tests of one process share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.client import Client
from conformance.evidence import Exchange, Recorder
from conformance.judge import Held, Pair
from conformance.plugin.sight import Views
from conformance.provision import Ledger, Provisioner
from conformance.target import Target


@dataclass(slots=True)
class Process:
    """What the tests of one process share."""

    target: Target
    client: Client
    recorder: Recorder
    ledger: Ledger
    provisioner: Provisioner
    views: Views = field(default_factory=Views)
    depth: str = "standard"
    seed: int = 0
    probe_limits: bool = False
    baselines: dict[str, Held] = field(default_factory=dict)
    made: dict[Pair, Exchange] = field(default_factory=dict)
    """Association -> the exchange that made it last."""

    doubted: set[str] = field(default_factory=set)
    """Addresses that went through sequences or overlapping rounds: they are looked at before they are lent again."""
    generated: dict[str, Any] = field(default_factory=lambda: {"total": 0, "reached": 0, "by_code": {}})
    notes: list[str] = field(default_factory=list)
