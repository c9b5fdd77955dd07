"""``method.*``: methods that are not documented on the path, and requests that ask for another one."""

from __future__ import annotations

from conformance import openapi
from conformance.evidence import Exchange
from conformance.judge.attempt import Attempt
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling


def allow(exchange: Exchange) -> Ruling | None:
    """``method.allow``: a 405 names the documented methods (RFC 9110, 15.5.6 and 10.2.1); None when it was no 405."""
    if exchange.response is None or exchange.response.status != 405:
        return None
    named = exchange.response.header("Allow")
    documented = openapi.methods_documented_on_the_path()
    missing = documented - {one.strip() for one in (named or "").split(",")}
    if not missing:
        return kept("method.allow")
    return broken(
        "method.allow",
        "no Allow" if named is None else "methods missing",
        summary="a 405 carries no Allow header" if named is None else "the Allow header of a 405 leaves methods out",
        expected=f"an Allow header that names {', '.join(sorted(documented))}",
        observed=f"{exchange.outcome} {'without Allow' if named is None else f'with Allow: {named}'}",
        exchanges=[exchange],
    )


def override(attempt: Attempt, control: Attempt | None = None) -> Ruling | None:
    """``method.override``: whatever is answered, the association stays; None when there was none to remove.

    ``control`` is the method without the override, sent after one with it had an effect: if it has one, too, the
    override is not to blame.
    """
    return None if control is not None and control.changes else without_effect("method.override", attempt)


def without_effect(clause: str, attempt: Attempt) -> Ruling | None:
    """Whatever is answered, nothing changed; None when nothing changed, and there was nothing to change."""
    if not attempt.changes:
        return kept(clause, reached=attempt.exposed) if attempt.reached else None
    return broken(
        clause,
        "effect",
        summary=f"{attempt.words} {'removes' if attempt.reached else 'changes something'}",
        expected="nothing removed" if attempt.reached else "nothing changed",
        observed=f"{attempt.exchange.outcome}, and {'; '.join(attempt.changes)}",
        exchanges=attempt.evidence,
    )
