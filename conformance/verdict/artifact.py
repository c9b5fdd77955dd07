"""Where the description of a target lies, for views that mark lines of a checkout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from conformance.verdict.terms import type_of_json


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file in the checkout of its authors.

    Attributes:
        uri: relative to the root of the checkout, with ``/``, percent-encoded.
        lines: its keys, those within keys with dots -> the line on which each stands, counted from 1.
    """

    uri: str
    lines: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> type_of_json:
        """The file as the run document holds it."""
        return {"uri": self.uri, "lines": self.lines}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The file that :meth:`to_json` described."""
        return cls(document["uri"], document.get("lines", {}))
