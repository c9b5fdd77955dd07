"""What was found by a clause that another one has said already: by a narrower one, or of a plainer request.

Decided at the end, over what all processes found. A body, or time, is not to blame for what a plain removal does. A
sequence or a round that the model accepts once it may deviate in a certain way (:mod:`conformance.model.deviation`) is
explained if a clause of its own was found broken in just that way: by the same operation, answered alike. The outcome
of the wide clause rests on what remains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from conformance.evidence.setting import READS
from conformance.judge import effect, lifecycle, order, state
from conformance.model.deviation import Deviation
from conformance.run.item_record import AT_THE_END, ItemRecord, SetAside
from conformance.verdict import KINDS, ONCE, SCOPE, Finding

WIDE = frozenset({lifecycle.CLAUSE, order.CLAUSE})

MORE, INERT, BODY = "effect.nothing-else", effect.INERT, "body.inert"

REFUSED = frozenset({INERT, "limits.over-limit"})
GUARD = "deallocation.until-the-last"
REMOVED = "effect.removed"

LOSSES = frozenset({Deviation.REMOVAL_REFUSED, Deviation.REFUSAL_CHANGES})
"""How the model takes it that an association went without being removed."""

SHOWN_BY: Mapping[Deviation, frozenset[str]] = {
    Deviation.DELETE_GRANTED: frozenset({"deallocation.delete-refused", GUARD}),
    Deviation.PUT_GRANTED: frozenset({"deallocation.put-refused", GUARD}),
    Deviation.DELETE_IN_VAIN: frozenset({"deallocation.delete-after"}),
    Deviation.PUT_IN_VAIN: frozenset({"deallocation.put-after"}),
    Deviation.REMOVAL_REFUSED: frozenset({"codes.success"}),
    Deviation.REMOVAL_IN_VAIN: frozenset({"effect.removed", "codes.success"}),
    Deviation.REMOVAL_TAKES_MORE: frozenset({"effect.nothing-else"}),
    Deviation.REFUSAL_CHANGES: REFUSED | {"deallocation.delete-refused", "deallocation.put-refused", GUARD},
    Deviation.REPETITION_CHANGES: frozenset({"effect.repeat"}),
}
"""Deviation -> the clauses that are about it."""

Act = tuple[str, int | None]
"""An operation that changes something, and the status of its answer."""


def set_aside(heard: Iterable[ItemRecord]) -> SetAside:
    """The records without what is explained."""
    records = list(heard)
    left = SetAside([])
    for record in records:
        kept, cases = [], Counter(record.cases)
        for one in record.findings:
            narrower = _narrower(one, records)
            certain = by(one, narrower)
            clauses = certain or perhaps_by(one, narrower, at_the_end=record.test == AT_THE_END)
            if not clauses:
                kept.append(one)
                continue
            (left.saying if certain else left.doubted).setdefault(one.clause, set()).update(clauses)
            cases[one.clause] -= one.seen
        left.records.append(replace(record, findings=tuple(kept), cases=cases))
    return left


def by(finding: Finding, narrower: Sequence[Finding]) -> tuple[str, ...]:
    """The clauses that say already what a finding says; none if it is new."""
    if finding.clause in WIDE:
        return _by_deviation(finding, narrower)
    if finding.clause == BODY:
        return _by_the_plain(finding, narrower, SCOPE)
    if finding.rule == effect.LATE:
        return _by_the_plain(finding, narrower, KINDS)
    return ()


def perhaps_by(finding: Finding, narrower: Sequence[Finding], *, at_the_end: bool = False) -> tuple[str, ...]:
    """The clauses that may say already what no request was seen to do again, or what a round or the end came upon."""
    if finding.clause == order.CLAUSE:
        return _by_a_late_loss(finding, narrower)
    if at_the_end and finding.clause == INERT:
        return _by_what_befalls_all(finding, narrower)
    if ONCE not in finding.details:
        return ()
    return _by_what_is_late(finding, narrower) or _by_what_does_not_last(finding, narrower)


def _narrower(finding: Finding, records: Iterable[ItemRecord]) -> list[Finding]:
    """What may explain it; of an overlap nothing that only overlap may have brought about."""
    apart = finding.clause == order.CLAUSE
    tests = (one for one in records if not (apart and (order.CLAUSE in one.clauses or one.test == AT_THE_END)))
    return [found for one in tests for found in one.findings if found.clause not in WIDE]


def _by_the_plain(finding: Finding, narrower: Iterable[Finding], extent: str) -> tuple[str, ...]:
    """A removal that wears nothing does as much: neither what this one wore nor time is to blame."""
    done = set(finding.details.get(extent, ()))
    plain = (one for one in narrower if one.clause == MORE and not one.classes and _is_certain(one))
    return (MORE,) if done and any(done <= set(one.details.get(extent, ())) for one in plain) else ()


def _by_what_does_not_last(finding: Finding, narrower: Iterable[Finding]) -> tuple[str, ...]:
    """What appears where removals are seen not to last may have been removed before."""
    returns = any(one.clause == REMOVED and one.rule.startswith(effect.SHOWN_AGAIN) for one in narrower)
    return (REMOVED,) if returns and finding.details.get(KINDS) == [state.ASSOCIATION_APPEARS] else ()


def _by_what_befalls_all(finding: Finding, narrower: Iterable[Finding]) -> tuple[str, ...]:
    """What went of that which nothing was asked about, too, needs no refusal to explain it."""
    done = set(finding.details.get(KINDS, ()))
    late = (one for one in narrower if one.clause == MORE and one.rule == effect.LATE)
    return (MORE,) if done and any(done <= set(one.details.get(KINDS, ())) for one in late) else ()


def _is_certain(finding: Finding) -> bool:
    """The request that is blamed was seen to do it, by itself."""
    return finding.rule != effect.LATE and ONCE not in finding.details


def _by_a_late_loss(finding: Finding, narrower: Iterable[Finding]) -> tuple[str, ...]:
    """Where effects come late, what a round missed may have gone by itself, and overlap is not to blame."""
    late = {one.clause for one in narrower if one.rule == effect.LATE and ONCE not in one.details}
    told = [{Deviation(one) for one in set_} for set_ in finding.details.get(lifecycle.DEVIATIONS, ())]
    return tuple(sorted(late)) if any(set_ and set_ <= LOSSES for set_ in told) else ()


def _by_what_is_late(finding: Finding, narrower: Iterable[Finding]) -> tuple[str, ...]:
    """What no request does again is the doing of those whose effects come late: a look at the end says whose they are.

    A clause that is broken for certain besides explains its own.
    """
    said = [one for one in narrower if one.clause in {MORE, INERT} and ONCE not in one.details]
    own = any(one.clause == finding.clause for one in said)
    return () if own else tuple(sorted({one.clause for one in said if one.rule == effect.LATE}))


def _by_deviation(finding: Finding, narrower: Iterable[Finding]) -> tuple[str, ...]:
    acts = frozenset(_acts(finding))
    known = [one for one in narrower if acts & {_decisive(one)}]
    for deviations in finding.details.get(lifecycle.DEVIATIONS, ()):
        clauses = [_shown(Deviation(one), known) for one in deviations]
        if clauses and all(clauses):
            return tuple(sorted(set(clauses)))
    return ()


def _shown(deviation: Deviation, known: Iterable[Finding]) -> str:
    return next((one.clause for one in known if one.clause in SHOWN_BY[deviation]), "")


def _acts(finding: Finding) -> Iterable[Act]:
    """What was done in it, whether it is needed to show what is wrong or not."""
    besides = (tuple(one) for one in finding.details.get(order.ACTS, ()))
    return (*(_act(one) for one in finding.exchanges if one["operation"] not in READS), *besides)


def _act(exchange: Mapping[str, object]) -> Act:
    response = exchange["response"]
    return str(exchange["operation"]), response["status"] if isinstance(response, Mapping) else None


def _decisive(finding: Finding) -> Act | None:
    """The request that broke the clause; what only a look at the end showed has the last that changes something."""
    named = finding.setting.get("decisive", "")
    acts = [one for one in finding.exchanges if one["operation"] not in READS]
    chosen = next((one for one in acts if one["id"] == named), acts[-1] if acts else None)
    return _act(chosen) if chosen else None
