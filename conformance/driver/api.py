"""The fixture that clause tests work with: it sets up, sends, reads back and enters rulings.

Here a request becomes a trial: what is believed to stand before, the exchange, what stands after. The same mechanism
serves every family, so every refusal is read back and compared, whichever test sent it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar
from urllib.parse import quote

from conformance.client import again_after, halting
from conformance.driver import persistence
from conformance.driver.context import Deallocated, Process
from conformance.driver.deallocating import Deallocator
from conformance.driver.leases import Leases
from conformance.driver.operation import REMOVAL, JudgedOperation
from conformance.driver.probed import Asked
from conformance.driver.probes import MOST_GUILTY, Prober
from conformance.driver.ruling_log import FindingKey, RulingLog
from conformance.driver.scene import StandingScene, in_the_wake
from conformance.errors import ProvisioningError, Unjudgeable, Untested
from conformance.evidence import Exchange
from conformance.generate import GeneratedRequest
from conformance.generate.deallocations import Wording
from conformance.generate.settings import settings
from conformance.generate.space import Value
from conformance.judge import Attempt, Deallocation, ObservedState, Pair, deallocation, effect, faults
from conformance.provision import Address
from conformance.target import Target
from conformance.verdict import Absence, Ruling

TRIES = 4
CONFIRMATIONS = 8
"""So often a mistake must be answered with a server fault in a row before it is held against the target."""

MOST_OPEN_CASES_IN_A_ROW = 3

BURST_REQUESTS = 150
BURST_CALLERS = 8

T = TypeVar("T")


class TargetApi:
    """What one test needs of the target; leased addresses come back clean when it is closed.

    Args:
        operation: what its attempts are requests to.
    """

    def __init__(self, process: Process, ruling_log: RulingLog, operation: JudgedOperation = REMOVAL) -> None:
        self._process = process
        self._operation = operation
        self._client = process.client
        self._open_in_a_row = 0
        self.ruling_log = ruling_log
        self.leases = Leases(process, ruling_log)
        self._known_state = self.leases.known_state
        self._observer = self.leases.observer
        self.seed = process.seed
        self.case = ""

    # -- what there is -------------------------------------------------------------------------------------------

    @property
    def target(self) -> Target:
        """The target's description."""
        return self._process.target

    @property
    def depth(self) -> str:
        """quick, standard or deep."""
        return self._process.depth

    def some(self, rows: Iterable[T]) -> list[T]:
        """All rows of a table, or at the quick depth every fifth, the first one always."""
        return list(rows)[:: 5 if self.depth == "quick" else 1]

    def bare(self, place: int = 0) -> tuple[Pair, ...]:
        """One of the leased addresses with each of the servers, associated with none of them.

        Raises:
            ProvisioningError: no address is to be had, or it cannot be rid of its associations.
        """
        address = self.leases.one(place)
        for pair in self._known_state.standing(address.id):
            self.remove(pair)
            if self._known_state.stands[pair]:
                raise ProvisioningError(f"an association of an earlier test could not be removed: {pair}")
        return tuple(Pair(address.id, server) for server in self.leases.servers)

    def scene(self) -> tuple[Pair, ...]:
        """As many addresses as are granted, each associated with every server.

        Raises:
            ProvisioningError: not one address is to be had, or an association cannot be made.
        """
        return self.leases.scene(2 if self.depth == "quick" else self.target.limits.max_addresses)

    def by_address(self, scene: Iterable[Pair]) -> list[tuple[Pair, ...]]:
        """The associations of each address."""
        pairs = list(scene)
        addresses = dict.fromkeys(pair.address for pair in pairs)
        return [tuple(pair for pair in pairs if pair.address == address) for address in addresses]

    def remove(self, *pairs: Pair) -> None:
        """Remove these, as part of the set-up of a case."""
        for pair in pairs:
            if self._known_state.stands.get(pair):
                self._attempt(REMOVAL, pair, REMOVAL.words, mistake=False, full=False, arranged=False, variation={})

    def associate_as(self, pair: Pair, **variation: Any) -> bool:
        """Associate in another wording; whether the target granted it, and shows it.

        Raises:
            ProvisioningError: the address is made up.
        """
        self.address(pair)
        return self.leases.associate_as(pair, variation)

    def associated_without_a_port(self) -> Pair | None:
        """An association with a server that has no port on the address; None where the target makes none."""
        try:
            pair = self.leases.without_a_port()
        except ProvisioningError as error:
            self.ruling_log.leave_out("an association with a server without a port on the address", error.message)
            return None
        if not pair or not self.associate_as(pair):
            return None
        self.leases.learn_anew(pair.address)
        return pair

    def address(self, pair: Pair) -> Address:
        """The leased address of an association.

        Raises:
            ProvisioningError: it is made up.
        """
        return self.leases.address(pair)

    # -- associations --------------------------------------------------------------------------------------------

    def establish(self, *pairs: Pair) -> None:
        """Let these associations stand, and be seen to stand.

        Raises:
            ProvisioningError: the target does not associate, or does not show it.
        """
        self.leases.establish(*pairs)

    def attempt(
        self,
        pair: Pair,
        words: str = "",
        *,
        mistake: bool = True,
        full: bool = False,
        standing: bool = True,
        **variation: Any,
    ) -> Attempt:
        """Send a request that might have the operation's effect on ``pair``, until it is more than put off.

        Args:
            words: what is odd about it; a plain one unless stated.
            mistake: it is a client's mistake, which is no server's fault (``faults.client-input``).
            full: read all lists, what stands by itself, and the addresses afterwards, not only the list of the server.
            standing: see to it that it has something to have its effect on.
            variation: as :meth:`conformance.client.Client.remove`; ``address`` stands in for the ID in the path.

        Raises:
            Unjudgeable: several cases in a row could not be judged.
        """
        asked = words or self._operation.words
        return self._attempt(
            self._operation, pair, asked, mistake=mistake, full=full, arranged=standing, variation=variation
        )

    def _attempt(
        self,
        operation: JudgedOperation,
        pair: Pair,
        words: str,
        *,
        mistake: bool,
        full: bool,
        arranged: bool,
        variation: dict[str, Any],
    ) -> Attempt:
        answers: list[Exchange] = []
        blamed = mistake and self._knows(faults.CLAUSE)
        for number in range(1 if blamed else TRIES):
            trial = self._try(operation, pair, words, full=full, arranged=arranged, variation=variation)
            if arranged and _changes_too_much(operation, trial) and self.leases.quiet():
                again = self._try(operation, pair, words, full=full, arranged=arranged, variation=variation)
                if not _changes_too_much(operation, again):  # it was another request's doing, and late
                    self.ruling_log.note(effect.stayed(trial.before, trial.after, trial.evidence, once=True))
                    trial = again
            answers.append(trial.exchange)
            for ruling in operation.besides(trial, mistake=mistake):
                self.ruling_log.note(ruling, trial.exchange.id)
            self._note_what_is_halfway(operation, trial)
            if not self._is_plea(trial.exchange) or self._turns_content_away(trial):
                self._open_in_a_row = 0
                if mistake and trial.status is not None:
                    self.ruling_log.note(faults.client_input(words, answers, confirmed=False))
                return trial
            if trial.exchange.failure.startswith("timed out"):
                break
            halting.pause(again_after(trial.exchange, number))
        if mistake and not self.leases.phantom and not blamed:
            self._blame_the_server(pair, words, answers, variation)
        if not (mistake and self._knows(faults.CLAUSE)):
            self._give_up_after(trial)
        return trial

    def _note_what_is_halfway(self, operation: JudgedOperation, trial: Attempt) -> None:
        if trial.outcome_unknown and trial.names and operation is REMOVAL:
            ruling = self.leases.halfway(trial.pair, trial.exchange, trial.words)
            self.ruling_log.note(ruling, trial.exchange.id)

    def _try(
        self,
        operation: JudgedOperation,
        pair: Pair,
        words: str,
        *,
        full: bool,
        arranged: bool,
        variation: dict[str, Any],
    ) -> Attempt:
        if arranged:
            operation.arrange(self.leases, pair)
        before = operation.before(self._known_state, pair, arranged=arranged)
        exchange = operation.send(self._client, pair, variation)
        after = self._after(operation, pair, exchange, full=full)
        return Attempt(
            pair=pair,
            exchange=exchange,
            before=before,
            after=after,
            reached=not self.leases.phantom and operation.reached(before, pair),
            names=operation.names(exchange, pair),
            words=words,
            setup=tuple(self.leases.set_up[one] for one in (pair,) if one in self.leases.set_up),
        )

    def _try_plainly(self, pair: Pair) -> Attempt:
        """The removal as the page has it, of what stands: the control."""
        return self._try(REMOVAL, pair, REMOVAL.words, full=False, arranged=True, variation={})

    def _after(self, operation: JudgedOperation, pair: Pair, exchange: Exchange, *, full: bool) -> ObservedState:
        if self.leases.phantom:
            return ObservedState()
        pairs = list(self._known_state.stands) if full else [pair]
        singly = [pair] if self.depth == "quick" else [pair, *self._known_state.standing()]

        def look() -> ObservedState:
            return self.leases.everything(pairs, singly) if full else self.leases.look(pairs)

        named = operation.names(exchange, pair)
        due = operation.explained(exchange, pair, self._known_state.awaited(), named=named)
        seen = self._observer.settled(look, *due)
        done = operation.learn(self.leases, pair, exchange)
        self.leases.believe(seen, just_removed=pair if done else None, subjects=(pair,))
        return seen

    def _is_plea(self, exchange: Exchange) -> bool:
        return persistence.is_plea(exchange, content_is_turned_away=self._process.content_is_turned_away)

    def _turns_content_away(self, trial: Attempt) -> bool:
        """The 413 is no limit: the same removal without content goes through meanwhile (decision 18)."""
        if not persistence.speaks_of_content(trial.exchange) or self.leases.phantom:
            return False
        plain = self._try_plainly(trial.pair)
        self._process.content_is_turned_away = plain.status == 204
        return self._process.content_is_turned_away

    def _blame_the_server(self, pair: Pair, words: str, answers: list[Exchange], variation: dict[str, Any]) -> None:
        """Server faults for a mistake count only if they persist while requests without the mistake succeed."""
        if not all(answer.status in {500, 503} for answer in answers):
            return
        for number in range(CONFIRMATIONS - len(answers)):
            control = self._client.list_associations(pair.server)
            answers.append(REMOVAL.send(self._client, pair, variation))
            if control.status != 200 or answers[-1].status not in {500, 503}:
                return
            halting.pause(min(1.0, again_after(answers[-1], number)))
        plain = self._try_plainly(pair)
        self.ruling_log.note(faults.client_input(words, answers, confirmed=plain.status == 204))

    def _knows(self, clause: str) -> bool:
        return self.ruling_log.breaks(clause)

    def _give_up_after(self, trial: Attempt | Deallocation) -> None:
        self._open_in_a_row += 1
        if self._open_in_a_row >= MOST_OPEN_CASES_IN_A_ROW:
            raise Unjudgeable(
                f"{MOST_OPEN_CASES_IN_A_ROW} cases in a row could not be judged; the last: "
                f"{trial.words} was answered {trial.exchange.outcome}"
            )

    def look(self, removed: Pair, *, later: bool = False) -> ObservedState:
        """Look again at a removed association; ``later``: after the time that effects have to settle."""
        if later:
            self._observer.rest(self._observer.patience)
        gone = ObservedState(listed={removed: False}, shown={removed: False})
        return self._observer.settled(lambda: self.leases.look([removed], [removed]), gone)

    def attempt_generated(self, pair: Pair, request: GeneratedRequest) -> Attempt:
        """Send a request that Schemathesis made, and count what it reached."""
        places = {
            "server": quote(pair.server, safe="") if request.server is None else request.server,
            "address": quote(pair.address, safe="") if request.address is None else request.address,
        }
        where: dict[str, Any] = {} if request.reaches else {"raw": True, **places}
        trial = self.attempt(
            pair,
            f"a generated request ({request})",
            mistake=not request.plain,
            headers=dict(request.headers),
            query=request.query,
            **where,
        )
        counts = self._process.generated
        counts["total"] += 1
        counts["reached"] += request.reaches and trial.reached
        counts["by_code"][trial.exchange.code] = counts["by_code"].get(trial.exchange.code, 0) + 1
        return trial

    def require_reached(self, fewest: int) -> None:
        """Without generated requests that reached an association and removed it nothing was really tried.

        Raises:
            Unjudgeable: fewer than ``fewest`` did.
        """
        removed = min(self._process.generated["reached"], self._process.generated["by_code"].get("204", 0))
        if removed < fewest:
            raise Unjudgeable(f"only {removed} generated requests removed an association, {fewest} are needed")

    def attempt_over_the_limit(self, pair: Pair) -> Attempt:
        """Provoke the rate limit with a bounded burst of reads, then try to remove ``pair`` while it holds.

        Raises:
            Untested: ``--probe-limits`` was not given, or the burst met no limit.
        """
        if not self._process.probe_limits:
            raise Untested("no 413 was met, and --probe-limits was not given", Absence.OPTION)
        self.leases.establish(pair)
        with ThreadPoolExecutor(BURST_CALLERS) as callers:
            burst = [callers.submit(self._client.list_associations, pair.server) for _ in range(BURST_REQUESTS)]
            met = any(answer.result().status == 413 for answer in as_completed(burst))
            # The rest of the burst is still under way: a limit by the second holds no longer than it.
            words = "a removal over the limit"
            trial = self._try(REMOVAL, pair, words, full=False, arranged=False, variation={})
        if trial.status != 413:
            said = "was met, but let the removal through" if met else f"was met in {BURST_REQUESTS} requests at once"
            raise Untested(f"{'a' if met else 'no'} limit {said}", Absence.OCCASION)
        return trial

    # -- requests of the space -----------------------------------------------------------------------------------

    def probe(self, chosen: Callable[[Value], bool]) -> None:
        """Try the chosen values of the request space on a scene of as many associations as are granted.

        Without an address a made-up association is asked for: that can show that a check is missing, but never that
        it is there.

        Raises:
            Unjudgeable: what was asked for of a made-up association was not answered.
        """
        target = StandingScene(self._process, self.leases, self.ruling_log)
        try:
            scene = self.scene()
        except ProvisioningError as error:
            target.ask_of_nothing(self.leases.made_up(error.message), chosen)
            return
        asked = target.asked(scene, chosen)
        asked += target.turned_down(scene, asked, random.Random(f"{self.seed} {self._process.probed}"))
        self._prober(target, scene).run(asked, lambda: target.siblings(scene, asked, chosen))

    def probe_as(self, credential: str, clause: str) -> None:
        """Let a lesser caller try what the full one is granted: everywhere, twice, and right after him (decision 19).

        Raises:
            ProvisioningError: not one address is to be had, or an association cannot be made.
        """
        scene = self.scene()
        target = StandingScene(self._process, self.leases, self.ruling_log)
        self._prober(target, scene).run(target.asked_as(scene, credential, clause))
        for pair in self.some(scene)[:3]:
            self.attempt(pair, mistake=False)
            self.establish(pair)
            Prober(target, scene).run([Asked(pair, in_the_wake(credential, clause))])

    def _prober(self, target: StandingScene, scene: Sequence[Pair]) -> Prober:
        """One whose groups meet what the depth asks for, each test's in another order."""
        self._process.probed += 1
        seed = self._process.seed * 1000 + self._process.probed
        met = settings(self.depth, random.Random(seed))
        return Prober(target, scene, met, target.removals(scene), seed, MOST_GUILTY[self.depth])

    # -- de-allocation -------------------------------------------------------------------------------------------

    def deallocate(self, address: str, wording: Wording, credential: str = "full") -> Deallocation:
        """Ask for the address to be de-allocated.

        A refusal that no association explains is repeated until effects have had their time (decision 14).

        Raises:
            Unjudgeable: several cases in a row could not be judged.
        """
        self._require_an_address()
        for number in range(1 if wording.method in self._process.persisting else TRIES):
            trial = self._try_deallocation(address, wording, credential)
            if not self._is_plea(trial.exchange) or trial.changes:
                self._open_in_a_row = 0
                break
            halting.pause(again_after(trial.exchange, number))
        else:
            self._give_up_after(trial)
        if not trial.standing and trial.refused and credential == "full":
            trial = self._observer.awaited(
                lambda: self._try_deallocation(address, wording, credential),
                lambda later: not later.refused,
            )
        if not trial.standing and trial.after.ports.get(address, ()) is None:
            after = deallocation.after(wording.method)
            self._process.deallocated.append(Deallocated(address, after, trial.exchange))
        return trial

    def withstand(self, pairs: Sequence[Pair], wordings: Sequence[Wording]) -> bool:
        """Ask in each wording for the address of standing associations: it stays.

        Returns whether the page's own wording, the first, was judged.

        Raises:
            ProvisioningError: there is no address, or an association cannot be made.
        """
        self._require_an_address()
        return Deallocator(self._process, self.leases).withstand(pairs, wordings, self.ruling_log)

    def demand(self, *, judged: bool, reason: str) -> None:
        """What a clause is about first of all was judged in one case at least.

        Raises:
            Unjudgeable: it was not; ``reason`` says what.
        """
        if not judged:
            raise Unjudgeable(reason)

    def _require_an_address(self) -> None:
        if self.leases.phantom:
            raise ProvisioningError(self.leases.phantom)

    def _try_deallocation(self, address: str, wording: Wording, credential: str) -> Deallocation:
        trial = Deallocator(self._process, self.leases).try_once(address, wording, credential)
        self.ruling_log.note(effect.inert_deallocation(trial), trial.exchange.id)
        return trial

    # -- rulings -------------------------------------------------------------------------------------------------

    def judge(
        self,
        *rulings: Ruling | None,
        trial: Attempt | Deallocation | None = None,
        case: str = "",
        optional: bool = False,
        kind: Iterable[str] = (),
    ) -> None:
        """Enter rulings of the running case.

        Args:
            trial: what they judge; it explains a case that could not be judged.
            case: the example in words.
            optional: the trial's answer lawfully gave no occasion to judge.
            kind: the classes of the request, which tell findings of one rule apart.
        """
        reason = self.leases.phantom or (f"{trial.words} was answered {trial.exchange.outcome}" if trial else "")
        left_open = not optional and any(ruling is None for ruling in rulings)
        self.ruling_log.judge(
            *rulings,
            case=case or self.case,
            unjudged=reason if left_open else "",
            exchange=trial.exchange.id if trial else "",
            kind=kind,
        )

    @property
    def violated(self) -> list[FindingKey]:
        """The violations of the test's own clauses so far, in order."""
        return self.ruling_log.violated

    def note(self, ruling: Ruling | None) -> None:
        """Enter a ruling on a clause that the running test is not about."""
        self.ruling_log.note(ruling)

    # -- the end of a test ---------------------------------------------------------------------------------------

    def close(self) -> None:
        """Look once more at what stands, remove the test's associations and give the addresses back."""
        with self.leases:
            try:
                if self.depth != "quick":
                    self.leases.recheck_addresses()
                self._look_once_more()
            except Unjudgeable:
                pass

    def _look_once_more(self) -> None:
        """Where reads lag, what was read after a refusal may have been old: look again when that time is over."""
        standing = self._known_state.standing()
        lag = self._process.views.lag_seconds
        if standing and lag:
            self.ruling_log.note(self._stayed(standing, min(self._observer.patience, 1.5 * lag)))

    def _stayed(self, standing: Iterable[Pair], wait: float) -> Ruling | None:
        self._observer.rest(wait)
        expected = self._known_state.expected()
        seen = self._observer.settled(lambda: self.leases.everything(standing), self._known_state.awaited())
        self.leases.believe(seen)
        return effect.stayed(expected, seen)


def _changes_too_much(operation: JudgedOperation, trial: Attempt) -> bool:
    """Something changed, and to no state that the answer explains."""
    due = operation.explained(trial.exchange, trial.pair, trial.before, named=trial.names)
    return bool(trial.changes) and all(state.differences(trial.after) for state in due)
