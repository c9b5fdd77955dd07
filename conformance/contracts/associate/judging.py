"""``associate.*``: what an answer to PUT says, what stands afterwards, and what must not have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conformance.contracts.associate.operation import SUCCESS, with_association
from conformance.judge import Attempt, ObservedState
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

DOCUMENTED = frozenset({200, 201, 400, 401, 403, 405, 413, 500, 503})
UNAUTHORIZED = frozenset({401})


def success(trial: Attempt) -> Ruling | None:
    """``associate.success``: 201 or 200, and both views show it; None where the answer leaves the outcome open."""
    if trial.outcome_unknown or trial.status == 413:
        return None
    shown = {view for view in ("listed", "shown") if getattr(trial.after, view).get(trial.pair)}
    told = {view for view in ("listed", "shown") if trial.pair in getattr(trial.after, view)}
    if trial.status in SUCCESS and shown == told:
        return kept("associate.success", reached=bool(told))
    return broken(
        "associate.success",
        "not shown" if trial.status in SUCCESS else f"code {trial.status}",
        summary=f"{trial.words} {'is not shown' if trial.status in SUCCESS else f'answers {trial.status}'}",
        expected="201 or 200, and the list and the single read show it",
        observed=f"{trial.exchange.outcome}, shown by {len(shown)} of {len(told)} views",
        exchanges=trial.evidence,
    )


def repeated(trial: Attempt) -> Ruling | None:
    """``associate.repeat``: once more succeeds, and changes nothing; None where it did not stand."""
    if trial.outcome_unknown or trial.status == 413 or not trial.before.listed.get(trial.pair):
        return None
    if trial.status in SUCCESS and not trial.changes:
        return kept("associate.repeat", reached=trial.told)
    return broken(
        "associate.repeat",
        "effect" if trial.changes else f"code {trial.status}",
        summary="associating once more changes something" if trial.changes else f"once more answers {trial.status}",
        expected="201 or 200, and everything as it was",
        observed="; ".join([trial.exchange.outcome, *trial.changes]),
        exchanges=trial.evidence,
    )


def nothing_else(trial: Attempt) -> Ruling | None:
    """``associate.nothing-else``: beside the association nothing changed; None where nothing could be compared."""
    changes = _beside(trial).differences(trial.after)
    if not changes:
        return kept("associate.nothing-else", reached=trial.told) if trial.status in SUCCESS else None
    return broken(
        "associate.nothing-else",
        "more than asked for",
        summary="making an association changes more than that",
        expected="nothing else changed",
        observed="; ".join(changes),
        exchanges=trial.evidence,
    )


def refused(clause: str, trial: Attempt, codes: frozenset[int] | None = None) -> Ruling | None:
    """A 4xx, one of ``codes`` if given, and nothing appears; None where the answer leaves the outcome open."""
    if trial.outcome_unknown or trial.status == 413:
        return None
    answered = trial.refused and (codes is None or trial.status in codes)
    if answered and not trial.changes:
        return kept(clause, reached=trial.told)
    wanted = " or ".join(map(str, sorted(codes))) if codes else "a 4xx"
    return broken(
        clause,
        "effect" if trial.changes else f"code {trial.status}",
        summary=f"{trial.words} {'makes an association' if trial.changes else f'is answered {trial.status}'}",
        expected=f"{wanted}, and nothing associated",
        observed="; ".join([trial.exchange.outcome, *trial.changes]),
        exchanges=trial.evidence,
    )


def documented(trial: Attempt) -> Ruling | None:
    """``associate.codes``: the code is one that the documentation names; None where none was read."""
    if trial.status is None:
        return None
    if trial.status in DOCUMENTED:
        return kept("associate.codes")
    return broken(
        "associate.codes",
        f"code {trial.status}",
        summary=f"{trial.words} is answered {trial.status}, which is not documented",
        expected=f"one of {', '.join(map(str, sorted(DOCUMENTED)))}",
        observed=trial.exchange.outcome,
        exchanges=[trial.exchange],
    )


RULES: Mapping[str, Callable[[Attempt], Ruling | None]] = {
    "associate.success": success,
    "associate.repeat": repeated,
    "associate.nothing-else": nothing_else,
    "associate.authenticated": lambda trial: refused("associate.authenticated", trial, UNAUTHORIZED),
    "associate.unknown": lambda trial: refused("associate.unknown", trial),
    "associate.codes": documented,
}
"""Clause -> its ruling on one request."""


def _beside(trial: Attempt) -> ObservedState:
    """What was known before, with the association as it is now: its own clause judges that."""
    return with_association(trial.before, trial.pair, stands=bool(trial.after.listed.get(trial.pair)))
