"""Whose an address is (spec/README.md, decision 21): from what is known of an allocation, and from nothing else.

Pure. The lender, the sweep of dead runs and the clean-up by hand all go by it. When in doubt an address is somebody
else's: what only looks like ours is reported, and neither used nor changed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from conformance.provision.record import Intent, Made
from conformance.target import in_words, is_uuid

SHARED = "shared"


class AllocationAnswer(Enum):
    """What an allocation was answered."""

    GRANTED = "a 2xx"
    REFUSED = "a definite refusal"
    LOST = "nothing, or a server fault"
    OPEN = "nobody knows what: it is looked for later"


@dataclass(frozen=True, slots=True)
class Look:
    """The tenant's addresses as a list showed them; ``whole``: all of them, as far as is known."""

    rows: tuple[Mapping[str, Any], ...]
    whole: bool = True

    @property
    def ids(self) -> frozenset[str]:
        """Their IDs in lower case."""
        return frozenset(str(row["id"]).lower() for row in self.rows)

    def row(self, address: str) -> Mapping[str, Any] | None:
        """The row of an address."""
        return next((row for row in self.rows if str(row["id"]).lower() == address.lower()), None)


@dataclass(frozen=True, slots=True)
class Known:
    """What else bears on the question.

    Attributes:
        own: addresses that are known to be the suite's, of this run or another; in lower case.
        released: those that the suite de-allocated: an answer may name them again.
        others: something points to somebody else on the ports that are asked for.
        rivals: addresses that a live run may have made.
        exclusive: nobody else uses the tenant, says the description.
    """

    own: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()
    others: bool = False
    rivals: frozenset[str] = frozenset()
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The address that is ours, if any, and those that only look like it; as the target spells them."""

    ours: str = ""
    reported: tuple[str, ...] = ()


def answered(intent: Intent, named: object, known: Known) -> str:
    """The address that a 2xx made ours by naming it; empty if it named none, or one that was there before."""
    if not isinstance(named, str) or not is_uuid(named):
        return ""
    stood = named.lower() in intent.before and named.lower() not in known.released
    return "" if stood or named.lower() in known.own - known.released else named


def found(intent: Intent, answer: AllocationAnswer, look: Look, known: Known) -> Claim:
    """What a look says of an allocation that no answer settled: the very first one after it, unless it is open."""
    among = candidates(intent, look, known.own)
    exact = [row for row in among if ports_of(row) == intent.ports]
    usable = [str(row["id"]) for row in (among if known.exclusive else exact) if is_uuid(row["id"])]
    sure = len(among) == 1 and len(usable) == 1 and look.whole and intent.whole
    if known.exclusive:
        ours = sure and usable[0].lower() not in known.rivals
    else:
        ours = sure and answer is AllocationAnswer.LOST and not known.others
    return Claim(ours=usable[0]) if ours else Claim(reported=tuple(str(row["id"]) for row in among))


def candidates(intent: Intent, look: Look, own: frozenset[str]) -> list[Mapping[str, Any]]:
    """What is new since the allocation was asked for and has the ports that it asked for, or more, and is nobody's."""
    apart = intent.before | own
    return [
        row
        for row in look.rows
        if str(row["id"]).lower() not in apart
        and intent.ports <= ports_of(row)
        and (intent.suspects is None or str(row["id"]).lower() in intent.suspects)
    ]


def rivals(look: Look, intents: Iterable[Intent]) -> frozenset[str]:
    """What the open allocations of others may have made, in lower case."""
    return frozenset(str(row["id"]).lower() for one in intents for row in candidates(one, look, frozenset()))


def strangers(look: Look, apart: Iterable[str]) -> list[tuple[str, frozenset[str]]]:
    """Addresses of others that have several ports, apart from these (in lower case), and their ports."""
    without = frozenset(apart)
    shared = [row for row in look.rows if row.get("type") == SHARED or len(ports_of(row)) > 1]
    return [(str(row["id"]), ports_of(row)) for row in shared if str(row["id"]).lower() not in without]


def misfit(made: Made, shown: Mapping[str, Any], *, exclusive: bool) -> str:
    """Why what is shown is not the address that the ledger says was allocated; empty if it is. More ports are none."""
    if made.intent is None:
        return "the ledger tells of no allocation that made it"
    if made.id.lower() in made.intent.before:
        return "it existed before it was allocated"
    if not made.intent.ports or not made.intent.ports <= ports_of(shown):
        return "it does not have the ports that were asked for"
    there = str(shown.get("address") or "")
    if not made.literal and not exclusive:
        return "the ledger does not tell which address it was"
    if made.literal and _canonical(there) != _canonical(made.literal):
        return f"it is {in_words(there)} and not {in_words(made.literal)} any more"
    return ""


def ports_of(row: Mapping[str, Any]) -> frozenset[str]:
    """The ports of an address, in lower case."""
    ports = row.get("port_ids")
    return frozenset(str(port).lower() for port in ports) if isinstance(ports, list) else frozenset()


def _canonical(literal: str) -> str:
    try:
        return str(ipaddress.ip_address(literal))
    except ValueError:
        return literal
