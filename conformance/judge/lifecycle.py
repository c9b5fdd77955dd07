"""``lifecycle.model``: whether a sequence of operations agrees with the sequential model, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.judge import deallocation
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

CLAUSE = "lifecycle.model"

Deviations = tuple[tuple[str, ...], ...]
"""Sets of deviations of the model, in its words; each set explains what was seen."""

DEVIATIONS = "deviations"
"""Among a finding's details: what a narrower clause has to have found, for this one to say nothing new."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One step of a sequence.

    Attributes:
        f: the operation, as the model calls it.
        asked: the step in words, with the sequence's own names for addresses and servers.
        allowed: the answers that the model allows there, in words.
        answered: what the target answered, in words.
        agrees: the answer is one of those.
        exchange: the identifier of the exchange.
        step: the number of the plan's step, from 0; repetitions of a step have the same.
        changed: it is an operation that changes something, and it succeeded.
        states: those that the model may be in afterwards, each as address -> its servers, or None if it is gone.
        address, by: what it is about, and of a de-allocation its method.
    """

    f: str
    asked: str
    allowed: tuple[str, ...]
    answered: str
    agrees: bool
    exchange: str
    step: int = 0
    changed: bool = False
    states: tuple[Mapping[str, list[str] | None], ...] = ()
    address: str = ""
    by: str = ""

    @property
    def harmless(self) -> bool:
        """It reads or associates, which takes no association along."""
        return self.f in {"associate", "list", "show", "show_address"}


@dataclass(frozen=True, slots=True)
class PlayedSequence:
    """A sequence as it was walked, to its end or to the first step that does not agree.

    Attributes:
        steps: how many steps of the plan were reached; repetitions of one step count once.
        names: the sequence's names of addresses and servers -> their IDs.
        earlier: how many operations the addresses had been through before.
        open: why it could not be judged; empty when it could.
        initial: the states that the model may be in before the first step.
        deviations: sets of deviations in words, with each of which the model accepts the sequence; empty if none does.
    """

    taken: tuple[Taken, ...]
    steps: int
    names: Mapping[str, str] = field(default_factory=dict)
    earlier: int = 0
    open: str = ""
    initial: tuple[Mapping[str, list[str] | None], ...] = ()
    deviations: Deviations = ()

    @property
    def broken(self) -> bool:
        """Its last step does not agree with the model."""
        return bool(self.taken) and not self.taken[-1].agrees

    @property
    def effects(self) -> frozenset[int]:
        """The steps that changed something."""
        return frozenset(one.step for one in self.taken if one.changed)

    @property
    def rule(self) -> str:
        """What kind of disagreement it ends with."""
        return f"{self.taken[-1].f}, {self.taken[-1].answered.partition(',')[0]}" if self.broken else ""

    def details(self) -> dict[str, Any]:
        """What a report shows of it, step by step."""
        steps = [asdict(one) | {"allowed": list(one.allowed), "states": list(one.states)} for one in self.taken]
        told = {"names": dict(self.names), "earlier": self.earlier, "initial": list(self.initial)}
        return {"kind": "steps", "steps": steps, **told, DEVIATIONS: [list(one) for one in self.deviations]}

    def __str__(self) -> str:
        return "\n".join(f"{number}. {one.asked}: {one.answered}" for number, one in enumerate(self.taken, 1))


def agrees(walk: PlayedSequence) -> Ruling | None:
    """``lifecycle.model``: every answer of the sequence is one that the model allows.

    None when it was left open, or when nothing in it took effect: a target that refuses all has shown nothing.
    """
    if not walk.broken:
        return kept(CLAUSE) if walk.effects and not walk.open else None
    last = walk.taken[-1]
    return broken(
        CLAUSE,
        told_apart(walk.rule, walk.deviations),
        summary=f"a sequence ends with an answer that no model of it allows: {last.asked}",
        expected=" or ".join(last.allowed),
        observed=last.answered,
        exchanges=[one.exchange for one in walk.taken],
        details=walk.details(),
    )


def unguarded(walk: PlayedSequence) -> Ruling | None:
    """``deallocation.*-refused``: the sequence ends with the de-allocation of an address that has an association.

    None where anything but associating and reading came after the address was associated: that may have taken the
    association along, and the guard is not to blame.
    """
    last = walk.taken[-1] if walk.broken else None
    if last is None or not (last.by and last.changed and all(state.get(last.address) for state in last.states)):
        return None
    made = [number for number, one in enumerate(walk.taken) if one.f == "associate" and one.address == last.address]
    since = walk.taken[made[-1] : -1] if made else ()
    if not since or not all(one.harmless for one in since):
        return None
    clause = deallocation.refuses(last.by)
    servers = last.states[0][last.address] or ()
    return broken(
        clause,
        f"{deallocation.PAGES[clause]}{deallocation.EFFECT}",
        summary=f"{deallocation.PAGES[clause]} of an address with {deallocation.associations(len(servers))} is granted",
        expected="a 4xx, and address, ports and associations stay",
        observed=last.answered,
        exchanges=[one.exchange for one in walk.taken],
        details=walk.details(),
    )


def told_apart(rule: str, deviations: Deviations) -> str:
    """The rule, so that what a narrower clause may explain is never one finding with what none does."""
    return f"{rule}, deviating in one step" if deviations else rule


_WORDS: Mapping[str, str] = {
    "allocate": "allocate an address",
    "associate": "associate {address} with {server}",
    "remove": "remove {server} from {address}",
    "list": "list the associations of {server}",
    "listed": "list the associations of {server}",
    "show": "show the association of {address} with {server}",
    "show_address": "show {address}",
    "deallocate": "de-allocate {address} by {by}",
}


def in_words(asked: Mapping[str, Any]) -> str:
    """An operation of the sequential model as a reader of a finding wants it."""
    how = "PUT without ports" if asked.get("by") == "PUT" else asked.get("by")
    return _WORDS[asked["f"]].format(**{**asked, "by": how})
