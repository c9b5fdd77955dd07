"""One finding, tried again on addresses of its own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from conformance import contract, preflight
from conformance.client import Client, Pacer, halting, passing, retried
from conformance.client.operations import ON_THE_ADDRESS
from conformance.driver.observer import Observer, Views
from conformance.errors import ConformanceError, ProvisioningError
from conformance.evidence import Exchange, Recorder, setting
from conformance.evidence.setting import FindingSetup
from conformance.generate.space import Subject, respelt
from conformance.judge import Attempt, Deallocation, ObservedState, Pair, deallocation, oracle
from conformance.provision import Address, Ledger, Provisioner, Sweep, ledger, state_directory, sweep_run
from conformance.reproduction import orphans, rules, sequences
from conformance.reproduction.outcome import ReproductionAnswer, ReproductionOutcome
from conformance.reproduction.renaming import Renaming, body_of
from conformance.reproduction.replay import Replay, ports_named
from conformance.target import Target
from conformance.verdict import Finding, Ruling, Run

TRIES = 12
"""So often what stood before is arranged and the requests are sent: a fault may show every eighth time only."""

LEFT_ALONE_SECONDS = 10.0
"""So long nothing is sent before the last try: what a target does to what is older shows only then."""

PERSISTENT = 3
"""So often a fault has to be the answer."""

RACES = 40
"""So often requests that overlapped are sent again: who wins is chance."""

FRESH, ORDERS = 12, 5
"""So often a race, and anything else, is tried on fresh addresses where it ends with a de-allocated one."""

NOBODYS = "6d0e9d2c-5b1f-4c47-9a53-1f6e3b7a2c11"
"""The ID of nothing."""

AS_TOLD = frozenset({"effect.repeat"})
"""Clauses that are judged by what had been removed before: nothing else may stand than what the run tells."""

Scene = tuple[list[Pair], list[Pair]]
"""What is associated, in this order, and what of it stands in the end."""

GENTLE = frozenset({413, 500, 503})
DEALLOCATIONS = frozenset({"deallocateAddress", "updateAddress"})


@contextmanager
def reproducer(run: Run, chosen: Target, root: Path | None = None) -> Iterator[Reproducer]:
    """Everything that trying the run's findings on a target takes.

    Args:
        root: where the ledgers are kept, if not where they usually are.

    Raises:
        ConformanceError: there is no getting in at the target.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as shared:
        here = preflight.signed_in(chosen)
        client = Client(here, Recorder(), Pacer(Path(shared) / "pace", here.limits.requests_per_second))
        client.target = preflight.with_servers(here, client) if not here.servers else here
        yield Reproducer(client, run, state_directory(client.target, root), Path(shared))


class Reproducer:
    """Tries the findings of a run against a target; what it creates is written down first and taken back.

    Args:
        directory: of the target's ledgers.
        shared: a directory for the slots of addresses.
    """

    def __init__(self, client: Client, run: Run, directory: Path, shared: Path) -> None:
        self._client = client
        self._target = client.target
        self._directory = directory
        self._shared = shared
        told = run.target
        here = {str(told.get(name, "")).rstrip("/"): getattr(client.target, name) for name in ("compute", "network")}
        self._bases = {old: new for old, new in here.items() if old}
        self._servers = [str(one) for one in told.get("servers", ())]
        self.left: list[str] = []

    def reproduce(self, finding: Finding) -> ReproductionOutcome:
        """Try it; nothing of it stays at the target, or :attr:`left` names what does."""
        needed = self._needed(finding)
        outcome = ReproductionOutcome(ReproductionAnswer.NOT_TRIED, "")
        try:
            for number in range(FRESH if sequences.is_race(finding) else ORDERS):
                with self._borrowed(len(needed.addresses)) as held:
                    renaming, addresses = self._renaming(needed, held)
                    with closing(_Trial(self._client, finding, needed, renaming, addresses)) as trial:
                        outcome = trial.outcome(number)
                if outcome.answer is ReproductionAnswer.REPRODUCED or not trial.spent:
                    break
        except ConformanceError as error:
            return ReproductionOutcome(
                ReproductionAnswer.NOT_TRIED, f"{error.message}{f' ({error.hint})' if error.hint else ''}"
            )
        return outcome

    def _needed(self, finding: Finding) -> FindingSetup:
        """What it takes; without what stood beside it where that are more addresses than are to be had at once."""
        needed = setting.of(finding.to_json())
        if len(needed.addresses) <= self._target.limits.max_addresses or setting.is_sequence(finding.details):
            return needed
        asked = (one["request"]["url"] for one in finding.exchanges if str(one["id"]) in needed.steps)
        return needed.narrowed("\n".join([finding.observed, *map(unquote, asked)]))

    @contextmanager
    def _borrowed(self, count: int) -> Iterator[list[Address]]:
        path = self._directory / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}{ledger.SUFFIX}"
        own, borrowed = Ledger(path), list[Address]()
        try:
            if count:
                with Provisioner(self._client, own, self._shared).lease(max(count, 2)) as held:
                    borrowed += held
                    yield held
            else:
                yield []
        finally:
            swept = Sweep()
            try:
                sweep_run(self._client, path, swept)
            finally:
                own.close()
                for note in self._shared.glob("slot*.json"):
                    note.unlink()
            self.left += [*swept.left, *orphans.left(self._client, [one.id for one in borrowed])]

    def _renaming(self, needed: FindingSetup, held: Sequence[Address]) -> tuple[Renaming, list[Address]]:
        if len(held) < len(needed.addresses):
            raise ProvisioningError(f"it takes {len(needed.addresses)} addresses, and {len(held)} are to be had")
        free, chosen = list(held), []
        for literal in needed.addresses.values():
            alike = [one for one in free if (one.version == 6) == (":" in literal)]
            chosen.append((alike or free)[0])
            free.remove(chosen[-1])
        names = dict(self._servers_here(needed))
        segments: dict[str, str] = {}
        servers = [(one, names.get(one, one)) for one in needed.servers or self._target.servers[:1]]
        for (old, literal), new in zip(needed.addresses.items(), chosen, strict=True):
            for there, here in servers:
                segments |= respelt(Subject(old, literal, there), Subject(new.id, new.literal or "", here))
            names |= {old: new.id} | ({literal: new.literal} if literal and new.literal else {})
        return Renaming(names, self._bases, self._client.keyring.tokens, segments), chosen

    def _servers_here(self, needed: FindingSetup) -> Iterator[tuple[str, str]]:
        """The same server if it is lent here, too, else the one in its place; one that never was lent stays."""
        known = [one for one in needed.servers if not self._servers or one in self._servers]
        free = [one for one in self._target.servers if one not in known]
        for old in known:
            if old not in self._target.servers:
                if not free:
                    raise ProvisioningError(f"it takes {len(known)} servers, and {len(self._target.servers)} are lent")
                yield old, free.pop(0)


class _Trial:
    """The requests of one finding on addresses that are had."""

    def __init__(
        self, client: Client, finding: Finding, needed: FindingSetup, renaming: Renaming, addresses: list[Address]
    ) -> None:
        self._client = client
        self._finding = finding
        self._renaming = renaming
        self._needed = needed
        self._observer = Observer(client, Views())
        self._addresses = [one.id for one in addresses]
        self._standing = [self._pair(*one) for one in needed.standing]
        self._removed = [self._pair(*one) for one in needed.removed]
        self._gone = [renaming.text(one) for one in needed.gone]
        self._servers = [one for one in map(renaming.text, needed.servers) if one in client.target.servers]
        self._sent: list[str] = []
        self.spent = False
        by_id = {str(one["id"]): one for one in finding.exchanges}
        self._steps = [by_id[one] for one in needed.steps if one in by_id]
        self._sequence = setting.is_sequence(finding.details)
        self._arranged: list[Exchange] = []
        self._replay = Replay(self._observer, client, self._addresses, self._servers, self._send)

    def close(self) -> None:
        """Let the callers of overlapping requests go."""
        self._replay.close()

    def _pair(self, server: str, address: str) -> Pair:
        return Pair(self._renaming.text(address), self._renaming.text(server))

    def outcome(self, first: int = 0) -> ReproductionOutcome:
        """Tried until it shows, or often enough; ``first`` is the scene to begin with."""
        if not self._steps:
            raise ProvisioningError("the finding holds no exchange that could be sent again")
        if self._finding.rule.startswith(oracle.PERSISTS):
            return self._persists()
        tries = RACES if sequences.is_race(self._finding) else 1 if self._sequence else TRIES + 1
        judged, seen, scenes = 0, "", self._scenes()
        for number in range(tries):
            self._sent = []
            try:
                old = number == TRIES and not self._sequence
                after_a_refusal = number // len(scenes) % 2 == 1
                scene = scenes[0 if old else (first + number) % len(scenes)]
                spread = number % 2 == 0
                broken, seen = self._tried(scene, old=old, after_a_refusal=after_a_refusal, spread=spread)
            except ProvisioningError:
                if not judged and number + 1 < len(scenes):
                    self._clear()  # what stood may be what the target refuses to make; another scene may do
                    continue
                if not judged:
                    raise
                self.spent = True  # what an earlier try left, a de-allocated address perhaps, cannot be arranged again
                break
            judged += bool(seen)
            if broken:
                return ReproductionOutcome(ReproductionAnswer.REPRODUCED, broken, tuple(self._sent))
        if not judged:
            raise ProvisioningError(f"no answer that could be judged: {self._sent[-1] if self._sent else 'none'}")
        return ReproductionOutcome(ReproductionAnswer.NOT_REPRODUCED, seen, tuple(self._sent))

    def _persists(self) -> ReproductionOutcome:
        """A fault that persists is the answer: it comes every time, and to no plain removal between (decision 13)."""
        order, self._standing = self._scenes()[0]
        step = self._steps[-1]
        for _ in range(PERSISTENT):
            self._arrange(order)
            exchange = self._send(step)
            said = exchange.outcome if not passing(exchange) else self._refused_plainly(step)
            if said:
                return ReproductionOutcome(ReproductionAnswer.NOT_REPRODUCED, said, tuple(self._sent))
        seen = f"{exchange.outcome}, {PERSISTENT} times"
        return ReproductionOutcome(ReproductionAnswer.REPRODUCED, seen, tuple(self._sent))

    def _refused_plainly(self, step: Mapping[str, Any]) -> str:
        """What every plain removal is answered in place of 204; nothing if one succeeds.

        Where the fault is the answer to a plain removal itself, another association has to go, if there is one.
        """
        known = list(dict.fromkeys([*self._standing, *self._removed]))
        path = self._renaming.text(step["request"]["url"]).partition("?")[0]
        others = [pair for pair in known if not _is_at(path, pair)] if _is_plain(step) else known
        said = ""
        for pair in others:
            self._put(pair)
            control = self._take(pair)
            if control.status == 204:
                return ""
            said = f"a plain removal is answered {control.outcome}, too"
        return said

    def _scenes(self) -> list[Scene]:
        """What is arranged, in turn: what had been removed, then what stands; this alone, for a fault may count.

        Then what stands is the older, or was removed once and made again, or what had been removed was so twice. And
        what had been removed stands: what the request names, and all of it. A target that answers 204 without removing
        made the run believe that it was gone. The judge's rules hold in each of them.
        """
        orders = (
            [*self._removed, *self._standing],
            self._standing,
            [*self._standing, *self._removed],
            [*self._removed, *self._standing, *self._standing],
            [*self._removed, *self._removed, *self._standing],
        )
        told: list[Scene] = [(order, self._standing) for order in orders]
        step, gone = self._steps[-1], [pair for pair in self._removed if pair not in self._standing]
        if self._sequence or _is_deallocation(step) or self._finding.clause in AS_TOLD or not gone:
            return told
        path = self._renaming.text(step["request"]["url"]).partition("?")[0]
        named = [pair for pair in gone if _is_at(path, pair)]
        supposed = [[*self._standing, *pairs] for pairs in (named, gone) if pairs]
        return told + [(stand, stand) for stand in supposed]

    def _tried(self, scene: Scene, *, old: bool, after_a_refusal: bool, spread: bool) -> tuple[str, str]:
        """What broke the clause, if it did; and what was seen.

        Args:
            old: what stands has been left alone for a while.
            after_a_refusal: something was refused right before, which some targets keep in mind.
            spread: overlapping requests begin as far apart as in the run, else at once.
        """
        order, self._standing = scene
        self._arrange(order)
        if old:
            halting.pause(LEFT_ALONE_SECONDS)
        if self._sequence:
            return self._again(spread=spread)
        *before, last = self._steps
        run_up = list(_without_effect(before))
        for step in before[: len(before) - len(run_up)]:
            self._send(step)
        ruling, exchange, changes = self._judged(last, run_up, after_a_refusal=after_a_refusal)
        said = "; ".join([exchange.outcome, *changes])
        if ruling and ruling.violation:
            return f"{ruling.violation.observed}", said
        definite = exchange.status and exchange.status not in GENTLE
        occasion = definite and not _is_deallocation(last)
        return "", said if ruling or occasion else ""

    # -- what stood before -----------------------------------------------------------------------------------------

    def _arrange(self, order: Sequence[Pair]) -> None:
        """Associate in that order, one that comes again removed before; then let stand what stands and nothing else."""
        wanted = set(self._standing)
        self._arranged = []
        for number, pair in enumerate(order):
            if pair in order[:number]:
                self._take(pair)
            self._put(pair)
        seen = self._look()
        if None in seen.ports.values():
            raise ProvisioningError("an address of this reproduction is gone already")
        others = [pair for pair, stands in seen.listed.items() if stands and pair not in wanted]
        for pair in others:
            self._take(pair)
        expected = dict.fromkeys(wanted, True) | dict.fromkeys(others, False)
        self._observer.settled(self._look, ObservedState(listed=expected))
        for address in self._gone:
            self._let_go(address)

    def _let_go(self, address: str) -> None:
        """De-allocate what had been; a guard may learn late that nothing is associated any more (decision 14)."""
        answer = self._observer.awaited(
            lambda: retried(lambda: self._client.deallocate_address(address)),
            lambda heard: heard.status is not None and 200 <= heard.status < 300,
        )
        if answer.status is None or not 200 <= answer.status < 300:
            raise ProvisioningError(f"an address could not be de-allocated: DELETE answered {answer.outcome}")

    def _clear(self) -> None:
        for pair in [pair for pair, stands in self._look().listed.items() if stands]:
            self._take(pair)

    def _put(self, pair: Pair) -> None:
        answer = retried(lambda: self._client.associate(pair.server, pair.address))
        self._arranged.append(answer)
        if answer.status is None or not 200 <= answer.status < 300:
            raise ProvisioningError(f"an association could not be made: PUT answered {answer.outcome}")

    def _take(self, pair: Pair) -> Exchange:
        answer = retried(lambda: self._client.remove(pair.server, pair.address))
        self._arranged.append(answer)
        return answer

    def _look(self) -> ObservedState:
        if not self._addresses:
            return ObservedState()
        servers = dict.fromkeys([*(pair.server for pair in (*self._standing, *self._removed)), *self._servers])
        held = self._observer.addresses(self._addresses) | self._observer.table(self._addresses)
        return self._observer.associations(servers, self._addresses, self._standing) | held

    # -- one request, judged ---------------------------------------------------------------------------------------

    def _judged(
        self, step: Mapping[str, Any], run_up: Sequence[Mapping[str, Any]], *, after_a_refusal: bool
    ) -> tuple[Ruling | None, Exchange, tuple[str, ...]]:
        before = replace(self._look(), exchanges=())
        if after_a_refusal:
            self._be_refused(step)
        for one in run_up:  # nothing comes between them and the request, not even a look
            self._send(one)
        exchange = self._send(step)
        if _is_deallocation(step):
            trial = self._deallocation(step, exchange, before)
            told = self._finding
            alone = bool(told.classes) and told.rule.endswith(deallocation.EFFECT)
            return rules.of_deallocation(told.clause, trial, effect_alone=alone), exchange, trial.changes
        attempt = self._attempt(exchange, before)
        ruling = rules.of_request(self._finding.clause, self._finding.rule, attempt)
        return ruling, exchange, attempt.changes

    def _be_refused(self, step: Mapping[str, Any]) -> None:
        """Something that has to be: the removal of nothing; before a de-allocation its other way, while it is held."""
        held = dict.fromkeys(pair.address for pair in self._standing)
        if not _is_deallocation(step):
            self._client.remove(next(iter(self._client.target.servers), NOBODYS), NOBODYS)
        for address in held if _is_deallocation(step) else ():
            if step["request"]["method"] == "DELETE":
                self._client.update_address(address, ())
            else:
                self._client.deallocate_address(address)

    def _attempt(self, exchange: Exchange, before: ObservedState) -> Attempt:
        pair = self._named(exchange)
        operation = contract.stating(self._finding.clause).operation
        names = exchange.request.method == operation.method and _ends(exchange, pair)
        after = self._observer.settled(self._look, *operation.explained(exchange, pair, before, named=names))
        reached = bool(operation.reached(before, pair) or before.shown.get(pair))
        return Attempt(
            exchange=exchange, before=before, after=after, pair=pair, reached=reached, names=names, words="the request"
        )

    def _named(self, exchange: Exchange) -> Pair:
        """The association that the request is about: the one in its path, else one of those that are known."""
        known = [*self._standing, *self._removed]
        never = [Pair(address, server) for address in self._addresses for server in self._servers]
        named = [pair for pair in (*known, *never) if _ends(exchange, pair)]
        at_the_server = [pair for pair in known if f"/servers/{pair.server}/" in exchange.request.url]
        return next(iter([*named, *at_the_server, *known, Pair("", "")]))

    def _deallocation(self, step: Mapping[str, Any], exchange: Exchange, before: ObservedState) -> Deallocation:
        url = unquote(exchange.request.url).lower()
        address = next((one for one in self._addresses if one.lower() in url), "")
        standing = tuple(pair for pair in self._standing if pair.address.lower() == address.lower())
        granted = exchange.status is not None and 200 <= exchange.status < 300
        gone = before | ObservedState(ports={address: None}, tabled={address: None} if before.tabled else {})
        due = gone if granted and not standing and step["credential"] == "full" else before
        after = self._observer.settled(self._look, due)
        how = exchange.request.method
        return Deallocation(
            exchange=exchange,
            before=before,
            after=after,
            address=address,
            how=how,
            method=exchange.request.method,
            standing=standing,
            words=how,
            replaces=bool(ports_named(exchange)),
        )

    # -- a sequence, seen again ------------------------------------------------------------------------------------

    def _again(self, *, spread: bool) -> tuple[str, str]:
        """The same answers and facts as in the run, which no lawful target gives, or others that no order explains."""
        groups = sequences.overlapping(self._steps)
        played = self._replay.play(groups, spread=spread)
        told = [sorted(map(self._told, group)) for group in groups]
        met = [sorted(sequences.facts(one.to_json(), self._addresses) for one in answers) for answers in played]
        if told == met:
            return f"the same answers as in the run: {self._finding.observed}", "as in the run"
        everything = [one for answers in played for one in answers]
        return self._replay.unexplained(self._arranged, everything), " / ".join(one.outcome for one in everything)

    def _told(self, old: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        answer = old["response"]
        if answer is None:
            return "lost", ()
        text = {"body": {"text": self._renaming.text(answer["body"].get("text", ""))}, "status": answer["status"]}
        return sequences.facts({**old, "response": text}, self._addresses)

    def _headers(self, request: Mapping[str, Any]) -> dict[str, str | None]:
        """As they were sent; the suite's name is left out where the run left it out."""
        headers = {name: self._renaming.text(value) for name, value in request["headers"]}
        named = any(name.lower() == "user-agent" for name in headers)
        return {**headers} if named else {**headers, "User-Agent": None}

    def _send(self, step: Mapping[str, Any]) -> Exchange:
        request = step["request"]
        path = unquote(self._renaming.url(request["url"])).lower()
        if _is_deallocation(step) and not any(one.lower() in path for one in self._addresses):
            raise ProvisioningError("the finding does not tell which of the run's addresses it is about")
        body = None if request["framing"] == "none" else body_of(request["body"])
        exchange = self._client.again(
            operation=step["operation"],
            method=request["method"],
            url=self._renaming.filled(self._renaming.url(request["url"])),
            shown_url=self._renaming.url(request["url"]),
            credential=step["credential"],
            headers=self._headers(request),
            fill=self._renaming.filled,
            body=body if body is None else self._renaming.text(body.decode("latin-1")).encode("latin-1"),
            framing=request["framing"],
        )
        was = step["response"]["status"] if step["response"] else "no answer"
        self._sent.append(f"{exchange.request.method} {exchange.request.url}: {exchange.outcome} (in the run: {was})")
        return exchange


def _is_plain(step: Mapping[str, Any]) -> bool:
    """It asks as the page does: by the holder of every right, without content and query, of the ID as it is shown."""
    request = step["request"]
    unlike = "?" in request["url"] or "%" in request["url"] or request["url"] != request["url"].lower()
    return (request["method"], request["framing"], step["credential"]) == ("DELETE", "none", "full") and not unlike


def _is_deallocation(step: Mapping[str, Any]) -> bool:
    """It is sent to an address, whichever its method."""
    return step["operation"] in DEALLOCATIONS or step["operation"].endswith(ON_THE_ADDRESS)


def _without_effect(steps: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Of the steps those at the end that changed nothing in the run: reads, refusals, associations of what stood."""
    kept = len(steps)
    while kept:
        step = steps[kept - 1]
        status = step["response"]["status"] if step["response"] else 0
        if step["operation"] not in setting.READS | {"associate"} and not 400 <= status < 500:
            break
        kept -= 1
    return steps[kept:]


def _ends(exchange: Exchange, pair: Pair) -> bool:
    return _is_at(exchange.request.url.partition("?")[0], pair)


def _is_at(path: str, pair: Pair) -> bool:
    """The path names the association, in whichever case and encoding."""
    return unquote(path).lower().endswith(f"/servers/{pair.server}/ip_associations/{pair.address}".lower())
