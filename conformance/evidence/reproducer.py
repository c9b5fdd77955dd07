"""Writes programs that try a finding again without the suite: one in Python, and a script for bash where one can tell.

What a run created is gone when it ends, so each allocates an address in the place of each that the finding is about,
associates what stood, and takes it back. Whatever a target said stands in a program as an ASCII literal or a comment.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from conformance.evidence import Exchange, allocated, setting, standalone
from conformance.evidence.setting import READS, FindingSetup
from conformance.verdict import Violation

PAUSES_SECONDS = (0.2, 10.0)
"""Shorter and longer pauses between two requests are the suite's own work and are left out."""

MOST_EXCHANGES = 200
"""A longer sequence has no program: nobody would read it, and it would be most of the report."""

LONGEST_COMMENT = 300
LONGEST_PERIOD = 64

TRIES, RACES, PERSISTENT = 4, 12, 3
"""How often it is tried: alone, then beside what stood, made in one order and another; as often as chance may ask for;
so often a fault has to come."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """How an address is had: the exchange that allocated it, or one like it, and what was shown of it."""

    exchange: Exchange
    literal: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a program needs of a finding.

    Attributes:
        observed: what was seen, in words that name no ID.
        allocations: how each address that is no step's own is had, by its ID.
        named: the addresses that the finding is about; the others stood beside them.
        standing, removed: URLs of associations.
        gone: addresses that had been de-allocated.
        groups: the requests, those that overlapped together, each with the pause before it in seconds.
        telling: IDs of the exchanges whose answers have to come again; those before them are the run-up.
        lasting: of these the looks, whose answers have to last.
        tries: how often it is tried; ``persists`` says that it has to show each time.
    """

    violation: Violation
    observed: str
    allocations: Mapping[str, Allocation]
    named: tuple[str, ...]
    standing: tuple[str, ...]
    removed: tuple[str, ...]
    gone: tuple[str, ...]
    groups: tuple[tuple[float, tuple[Exchange, ...]], ...]
    telling: frozenset[str]
    lasting: frozenset[str]
    tries: int
    persists: bool

    @property
    def known(self) -> dict[str, Mapping[str, Any]]:
        """The addresses that answers are asked about -> what was shown of each, in the order of allocating."""
        steps = (one for _, group in self.groups for one in group if one.operation == "allocateAddress")
        here = {address: how.members for address, how in self.allocations.items() if address in self.named}
        return {**here, **{made: _allocation(one).members for one in steps if (made := allocated(one))}}

    def facts(self, one: Exchange) -> list[Any]:
        """What of the answer has to come again."""
        return standalone.facts(one.request.method, answer_of(one), self.known)


def planned(
    violation: Violation,
    cited: Sequence[Exchange],
    needed: FindingSetup,
    origins: Mapping[str, Exchange],
    *,
    persists: bool = False,
) -> Plan | None:
    """The plan for trying the violation again; None where the exchanges do not hold what it takes.

    Args:
        cited: the exchanges that show it, in order.
        origins: the exchange that allocated an address, by its ID.
        persists: a fault is the violation, so that it has to come each time.
    """
    sequence = setting.is_sequence(violation.details)
    told = "" if sequence else _told_of(violation, cited, needed)
    named = tuple((needed if sequence else needed.narrowed(told)).addresses)
    steps = list(cited) if sequence else [*_sent(cited, needed), *_looks(cited, needed, named, told)]
    base = next((one.request.url.partition("/servers/")[0] for one in cited if "/servers/" in one.request.url), "")
    if not steps or len(cited) > MOST_EXCHANGES or ((needed.standing or needed.removed) and not base):
        return None
    ids = [one.id for one in steps]
    decisive = 0 if sequence else ids.index(needed.decisive) if needed.decisive in ids else 0
    telling = steps[decisive:]
    allocations = _allocations(needed, steps, origins)
    if allocations is None or any(one.response and one.response.dropped for one in telling):
        return None
    race = violation.details.get("kind") == "timeline"
    return Plan(
        violation,
        needed.in_words(violation.observed),
        allocations,
        named,
        tuple(f"{base}/servers/{server}/ip_associations/{address}" for server, address in needed.standing),
        tuple(f"{base}/servers/{server}/ip_associations/{address}" for server, address in needed.removed),
        needed.gone,
        tuple(_groups(steps, overlapping=sequence)),
        frozenset(one.id for one in telling),
        frozenset() if sequence else frozenset(one.id for one in telling if one.operation in READS),
        PERSISTENT if persists else RACES if race else 1 if sequence else TRIES,
        persists,
    )


def _told_of(violation: Violation, cited: Sequence[Exchange], needed: FindingSetup) -> str:
    """What names the things that the finding is about: what was seen, and the request that broke the clause."""
    decisive = (one.request for one in cited if one.id == needed.decisive)
    asked = [f"{unquote(one.url)}\n{one.body.decode('latin-1')}" for one in decisive]
    return "\n".join([violation.observed, *asked]).lower()


def _sent(cited: Sequence[Exchange], needed: FindingSetup) -> list[Exchange]:
    return [one for one in cited if one.id in needed.steps]


def _looks(cited: Sequence[Exchange], needed: FindingSetup, named: Sequence[str], told: str) -> Iterator[Exchange]:
    """The looks after the request that broke the clause, at what the finding is about."""
    ids = [one.id for one in cited]
    after = cited[ids.index(needed.decisive) + 1 :] if needed.decisive in ids else ()
    for one in after:
        server, address = setting.place(one.request.url)
        ours = bool(named) and server.lower() in told and (not address or address in named)
        if one.operation in READS and one.id not in needed.steps and ours:
            yield one


def _allocations(
    needed: FindingSetup, steps: Sequence[Exchange], origins: Mapping[str, Exchange]
) -> dict[str, Allocation] | None:
    """Of the addresses that no step allocates; one that no answer named is allocated like another of its version."""
    by_steps = {allocated(one) for one in steps if one.operation == "allocateAddress"}
    found: dict[str, Allocation] = {}
    for address, literal in needed.addresses.items():
        if address in by_steps:
            continue
        alike = next((one for one in origins.values() if (":" in _literal(one)) == (":" in literal)), None)
        if address in origins:
            found[address] = _allocation(origins[address], literal)
        elif alike:
            found[address] = Allocation(alike, literal, {})
        else:
            return None
    return found


def _allocation(exchange: Exchange, literal: str = "") -> Allocation:
    row = _row(exchange)
    members = {name: row[name] for name in standalone.MEMBERS if name in row}
    return Allocation(exchange, literal or _literal(exchange), members)


def program(plan: Plan) -> str:
    """The program in Python: what the violation is as a comment, what sends the requests, and these as data."""
    return "\n".join([*_head(plan.violation), inspect.getsource(standalone), "", *_data(plan), "", "main(PLAN)\n"])


def _head(violation: Violation) -> Iterator[str]:
    yield "#!/usr/bin/env python3"
    yield "# -*- coding: utf-8 -*-"  # or a comment below that speaks of an "encoding: x" would say so (PEP 263)
    yield from about(violation, violation.observed)


def about(violation: Violation, observed: str) -> Iterator[str]:
    """What is tried again, as comments."""
    yield f"# {violation.clause}: {comment(violation.summary)}"
    yield f"# Expected: {comment(violation.expected)}"
    yield f"# Observed: {comment(observed)}"


def comment(text: str) -> str:
    """The text in one line of ASCII."""
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= LONGEST_COMMENT else f"{shown[:LONGEST_COMMENT]} ..."


def _data(plan: Plan) -> Iterator[str]:
    yield "PLAN = dict("
    yield f"    observed={comment(plan.observed)!a},"
    yield f"    tries={plan.tries},"
    yield f"    persists={plan.persists},"
    yield '    headers=[("X-Auth-Token", "$CONFORMANCE_TOKEN"), ("Accept", "application/json")],'
    yield f"    members={ {one: sorted(members) for one, members in plan.known.items()}!a},"
    yield "    allocations=["
    for address, how in plan.allocations.items():
        yield f"        dict({', '.join(_arguments(how.exchange, (address, how.literal)))}),"
    yield "    ],"
    yield f"    standing={list(plan.standing)!a},"
    yield f"    removed={list(plan.removed)!a},"
    yield f"    gone={list(plan.gone)!a},"
    yield "    steps=["
    for pause, group in plan.groups:
        yield f"        ({pause}, ["
        for one in group:
            makes = (made, _literal(one)) if (made := allocated(one)) and one.operation == "allocateAddress" else None
            yield f"            dict({', '.join([*_arguments(one, makes), *_told(plan, one, group[0])])}),"
        yield "        ]),"
    yield "    ],"
    yield ")"


def _told(plan: Plan, one: Exchange, first: Exchange) -> Iterator[str]:
    after = round(one.started - first.started, 4)
    if after:
        yield f"after={after}"
    if one.id in plan.telling:
        yield f"facts={plan.facts(one)!a}"
    if one.id in plan.lasting:
        yield "lasts=True"


def answer_of(one: Exchange) -> standalone.Reply:
    """What was answered, as a program knows it."""
    if one.response is None:
        return standalone.Reply(reason=one.failure)
    return standalone.Reply(one.response.status, one.response.headers, one.response.body, one.response.reason)


def _groups(exchanges: Iterable[Exchange], *, overlapping: bool) -> Iterator[tuple[float, tuple[Exchange, ...]]]:
    """Requests that overlapped stand together where that may matter; others follow each other."""
    groups: list[list[Exchange]] = []
    pauses: list[float] = []
    end = None
    for one in exchanges:
        first = groups[-1][0] if overlapping and groups else None
        if first and end is not None and first.started <= one.started < end and _alike(first, one):
            groups[-1].append(one)
            end = max(end, one.finished)
        else:
            pauses.append(_pause(end, one))
            groups.append([one])
            end = one.finished
        if one.operation == "allocateAddress":
            end = None
    yield from zip(pauses, map(tuple, groups), strict=True)


def _alike(one: Exchange, other: Exchange) -> bool:
    """Both are requests of the question itself: what is allocated has to stand before."""
    return "allocateAddress" not in {one.operation, other.operation}


def _pause(end: float | None, one: Exchange) -> float:
    waited = one.started - end if end is not None else 0.0
    shortest, longest = PAUSES_SECONDS
    return round(waited, 1) if shortest <= waited <= longest else 0.0


def _arguments(exchange: Exchange, makes: tuple[str, str] | None = None) -> Iterator[str]:
    request = exchange.request
    yield f"method={request.method!a}"
    yield f"url={request.url!a}"
    yield f"headers={[tuple(pair) for pair in request.headers]!a}"
    if request.framing != "none":
        yield f"body={_body(request.body)}"
        yield f"framing={request.framing!a}"
    if makes:
        yield f"makes={makes!a}"
    yield f"answered={exchange.outcome[:LONGEST_COMMENT]!a}"


def _body(body: bytes) -> str:
    """A bytes literal; a body that repeats itself is not written out."""
    for period in range(1, min(LONGEST_PERIOD, len(body) // 2)):
        if body[period:] == body[:-period]:
            return f"({body[:period]!r} * {len(body) // period + 1})[:{len(body)}]"
    return repr(body)


def _row(exchange: Exchange) -> Mapping[str, Any]:
    """What the answer to an allocation shows of its address."""
    document: Any = exchange.response.json() if exchange.response else None
    row = document.get("ip_address") if isinstance(document, dict) else None
    return row if isinstance(row, dict) else {}


def _literal(exchange: Exchange) -> str:
    found = _row(exchange).get("address")
    return found if isinstance(found, str) else ""
