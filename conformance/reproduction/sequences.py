"""Sequences and overlapping requests of a finding: what of their answers must come again, and what overlapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from conformance.verdict import Finding


def is_race(finding: Finding) -> bool:
    """Whether its requests overlapped, so that who wins is chance."""
    return finding.details.get("kind") == "timeline"


def facts(one: Mapping[str, Any], addresses: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The code, and which of our addresses the answer of a list shows."""
    if one["response"] is None:
        return "lost", ()
    listed = one["response"]["body"].get("text", "").lower() if one["operation"] == "listAssociations" else ""
    return str(one["response"]["status"]), tuple(sorted(known for known in addresses if known.lower() in listed))


def overlapping(steps: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Requests that were under way at the same time stand together."""
    groups: list[list[Mapping[str, Any]]] = []
    end = 0.0
    for one in sorted(steps, key=lambda step: float(step["at"])):
        if groups and float(one["at"]) < end:
            groups[-1].append(one)
        else:
            groups.append([one])
            end = 0.0
        end = max(end, float(one["at"]) + float(one["seconds"]))
    return groups
