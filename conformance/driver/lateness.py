"""Whether effects come late on a target: what changes while nothing is sent was asked for a while ago."""

from __future__ import annotations

from dataclasses import dataclass

MOST_RESTS, MOST_IN_VAIN = 8, 4
"""Of a process: rests cost the settling time each, and one in which nothing changes says that nothing is under way."""


@dataclass(slots=True)
class Lateness:
    """What a process knows of it.

    Attributes:
        seen: something changed while nothing was sent.
        suspected: something changed that no request does again.
        told: whose such effects are was tried.
    """

    seen: bool = False
    suspected: bool = False
    told: bool = False
    _rests: int = 0
    _in_vain: int = 0

    @property
    def is_worth_a_rest(self) -> bool:
        """Another rest may tell what is under way."""
        return self._rests < MOST_RESTS and (self.seen or self._in_vain < MOST_IN_VAIN)

    @property
    def is_to_be_told(self) -> bool:
        """Effects may come late, and nobody has tried yet whose they are."""
        return (self.seen or self.suspected) and not self.told

    @property
    def is_beyond_telling(self) -> bool:
        """Effects come late, and whose they are is not to be told by trying each request again."""
        return self.seen and self._rests >= MOST_RESTS

    def rested(self, *, in_vain: bool) -> None:
        """A rest is over; ``in_vain``: nothing changed meanwhile."""
        self._rests += 1
        self._in_vain += in_vain
        self.seen |= not in_vain
