"""What follows from an answer to a request of the space: rulings by the one oracle, less what the company explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.driver.probe_target import ProbeTarget
from conformance.driver.probed import Answered, Asked, Judged
from conformance.evidence import Exchange
from conformance.generate.space.servers import MADE_UP
from conformance.judge import Attempt, ObservedState, faults, limits, methods, oracle
from conformance.judge.expect import kept
from conformance.judge.oracle import Expected
from conformance.verdict import Ruling


class Assessing:
    """Judges answers, and keeps what it found.

    Attributes:
        judged: everything so far.
    """

    def __init__(self, target: ProbeTarget) -> None:
        self._target = target
        self.judged: list[Judged] = []
        self._of_holders: dict[str, Attempt] = {}
        self._grants_nothing: bool | None = None

    def attempt(self, one: Answered, before: ObservedState, after: ObservedState) -> Attempt:
        """The answer between what stood before and what stands after it."""
        return Attempt(
            pair=one.asked.pair,
            exchange=one.exchange,
            before=before,
            after=after,
            reached=bool(before.listed.get(one.asked.pair)),
            names=one.asked.value.names and one.exchange.request.method == "DELETE",
            words=one.asked.words,
            setup=self._target.evidence(one.asked.pair),
        )

    def judge(self, one: Answered, attempt: Attempt) -> None:
        """Take note of all that follows from it."""
        rulings = tuple(self._rulings(one, attempt))
        left_open = rulings[0] is None and not (one.asked.rule.optional and not attempt.outcome_unknown)
        self.judged.append(self._excused(Judged(one, attempt, rulings, left_open)))
        if not left_open:
            self._target.met(one.asked, attempt.before)

    def _excused(self, judged: Judged) -> Judged:
        """The same, less the blame for what everybody gets who wears the same: the credential is not why.

        Nor is a removal to blame that names nothing, of a target that grants to remove nothing (decision 19).
        """
        attempt, asked = judged.attempt, judged.answered.asked
        if not judged.breaks_its_own or attempt.status is None or (attempt.changes and not attempt.refused):
            return judged
        if asked.value.worn is None:
            in_vain = self._may_name_nothing(asked) and attempt.status == 204 and self._removes_nothing(asked)
            return replace(judged, rulings=(None, *judged.rulings[1:])) if in_vain else judged
        holder = self._of_the_holder(asked, asked.value.worn)
        if attempt.changes and not holder.changes:
            return judged
        done = granted(attempt.exchange) and bool(holder.changes)
        if done or (attempt.status != holder.status and not (attempt.refused and holder.refused)):
            return judged
        own = None if attempt.changes else kept(asked.value.clause, reached=attempt.exposed)
        return replace(judged, rulings=(own, *judged.rulings[1:]), left_open=own is None)

    def _may_name_nothing(self, asked: Asked) -> bool:
        """It is spelt otherwise than what the target shows, and may be another server's."""
        return asked.value.dimension == "server" and asked.value.expected is Expected.EITHER

    def _removes_nothing(self, asked: Asked) -> bool:
        """The same is granted of a server that nobody has; asked once."""
        if self._grants_nothing is None:
            words = "a removal with a server that is made up"
            trial = self._target.solo(asked.pair, words, {"segment": MADE_UP[0]}, named=False)
            self._grants_nothing = trial.status == 204 and not trial.changes
        return self._grants_nothing

    def _of_the_holder(self, asked: Asked, worn: Mapping[str, Any]) -> Attempt:
        """What the holder of every right is answered in the same; asked once a kind."""
        kind = asked.value.kind.partition(", ")[2]
        if kind not in self._of_holders:
            self._of_holders[kind] = self._target.solo(asked.pair, asked.words, worn)
        return self._of_holders[kind]

    def _rulings(self, one: Answered, attempt: Attempt) -> Iterator[Ruling | None]:
        mistake = one.asked.value.mistake
        if one.persisted:
            yield from oracle.persistent(one.asked.rule, attempt, one.persisted)
            if mistake:
                yield faults.client_input(one.asked.words, list(one.persisted), confirmed=True)
            return
        yield from oracle.rulings(one.asked.rule, attempt)
        yield limits.over_limit(attempt)
        if one.asked.value.clause == "method.refused":
            yield methods.allow(attempt.exchange)
        if mistake and attempt.status is not None:
            yield faults.client_input(one.asked.words, [attempt.exchange], confirmed=False)

    def breaks_its_own(self, one: Answered, attempt: Attempt) -> bool:
        """It breaks the clause that it was sent for."""
        own = next(iter(self._rulings(one, attempt)))
        return own is not None and own.violation is not None


def granted(exchange: Exchange) -> bool:
    """A 2xx."""
    return exchange.status is not None and 200 <= exchange.status < 300
