"""What many exchanges come to in numbers: codes by kind of request, and times by operation.

The size is bounded by the operations, kinds and buckets, not by how much was sent. Pure: texts and numbers in; the
counts of several processes are added up.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""Upper bounds of the buckets, seconds, each included; what took longer is in one more. Part of the run document."""

_IDENTIFIER = re.compile(r"/ip_associations/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)


class RemovalKind(StrEnum):
    """What a request to the operation under test asks for; the first that holds."""

    UNAUTHENTICATED = "unauthenticated"
    RESTRICTED = "restricted"
    FOREIGN = "foreign"
    MALFORMED = "malformed"
    BODY = "body"
    STANDING = "standing"
    ABSENT = "absent"


@dataclass(slots=True)
class Times:
    """How long the answers to one operation took: how many fell into each bucket, and the slowest, seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    slowest: float = 0.0

    def add(self, seconds: float) -> None:
        """Count an answer."""
        self.counts[bisect.bisect_left(BOUNDS, seconds)] += 1
        self.slowest = max(self.slowest, round(seconds, 6))

    def to_json(self) -> dict[str, Any]:
        """The times as the run document holds them."""
        return {"counts": self.counts, "slowest": self.slowest}


@dataclass(slots=True)
class Tally:
    """The counts of one process. An association stands from the answer that made it to the one that removed it."""

    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    times: dict[str, Times] = field(default_factory=dict)
    _standing: set[str] = field(default_factory=set)

    def answered(self, operation: str, seconds: float) -> None:
        """Count the time of an answer; one that was lost took none."""
        self.times.setdefault(operation, Times()).add(seconds)

    def associated(self, url: str) -> None:
        """An association was made, or confirmed."""
        self._standing.add(_association(url))

    def removal(self, url: str, credential: str, framing: str, code: str) -> None:
        """Count a request to the operation under test by its kind and the code of its answer."""
        path = _association(url)
        kind = kind_of(path, credential, framing, stands=path in self._standing)
        self.kinds.setdefault(kind.value, Counter())[code] += 1
        if code == "204":
            self._standing.discard(path)

    def to_json(self) -> dict[str, Any]:
        """What a process tells of its exchanges, as members of the run document's ``requests``."""
        return {
            "removals_by_kind": {kind: dict(codes) for kind, codes in self.kinds.items()},
            "times": {operation: times.to_json() for operation, times in self.times.items()},
        }


def _association(url: str) -> str:
    """The path of an association, its ID in lower case: hexadecimal digits have none (RFC 9562, 4)."""
    server, slash, identifier = url.partition("?")[0].rpartition("/")
    return f"{server}{slash}{identifier.lower()}"


def added(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The counts of several processes as those of one."""
    whole = Tally()
    for part in parts:
        for kind, codes in part["removals_by_kind"].items():
            whole.kinds.setdefault(kind, Counter()).update(codes)
        for operation, told in part["times"].items():
            times = whole.times.setdefault(operation, Times())
            times.counts = [one + other for one, other in zip(times.counts, told["counts"], strict=True)]
            times.slowest = max(times.slowest, told["slowest"])
    whole.kinds = {kind.value: whole.kinds[kind] for kind in RemovalKind if kind in whole.kinds}
    return whole.to_json()


def kind_of(path: str, credential: str, framing: str, *, stands: bool) -> RemovalKind:
    """What a request to the operation under test asks for; ``path`` is its URL without a query."""
    rules = (
        (credential in {"none", "made up"}, RemovalKind.UNAUTHENTICATED),
        (credential == "restricted", RemovalKind.RESTRICTED),
        (credential == "foreign", RemovalKind.FOREIGN),
        (not _IDENTIFIER.search(path), RemovalKind.MALFORMED),
        (framing != "none", RemovalKind.BODY),
        (stands, RemovalKind.STANDING),
    )
    return next((kind for holds, kind in rules if holds), RemovalKind.ABSENT)
