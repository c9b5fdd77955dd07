"""The scene that requests of the space meet: every leased address associated with every server, and all of it known."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.client import again_after, halting, passing
from conformance.driver import persistence, request_classes
from conformance.driver.context import Process
from conformance.driver.folding import folded
from conformance.driver.lateness import Lateness
from conformance.driver.leases import Blame, Leases, on_nobody
from conformance.driver.operation import REMOVAL
from conformance.driver.probe_target import enter
from conformance.driver.probed import PLAIN, Answered, Asked, Judged
from conformance.driver.ruling_log import RulingLog
from conformance.errors import Unjudgeable
from conformance.evidence import Exchange
from conformance.generate import space
from conformance.generate.dress import Wardrobe, is_doubtful, may_wear
from conformance.generate.settings import Between
from conformance.generate.space import Expected, Subject, Value
from conformance.generate.space.fields import IMPERSONATING
from conformance.judge import Attempt, ObservedState, Pair, effect, oracle
from conformance.judge.attempt import SERVER_FAULTS
from conformance.verdict import Ruling

TRIES = 4
MADE_UP_LITERAL = "192.0.2.1"
"""Of the addresses that nobody has (RFC 5737)."""

MOST_UNANSWERED = 3
MOMENT_SECONDS = 0.1

NAMING = frozenset({"server", "address"})
"""Dimensions of what a path names."""

ELSEWHERE = 4
"""Of so many names of other things a lesser caller tries one."""

REFUSALS = frozenset({Expected.REFUSED, Expected.UNAUTHORISED, Expected.NOT_ALLOWED})
DOUBTFUL = {"quick": 0.1, "standard": 0.3, "deep": 1.0}
"""The share of what may be refused or not that the mistakes of one test meet."""

BY_VERSION = frozenset({"identifier.not-the-address"})
"""Clauses whose values differ with the IP version of the address."""


class StandingScene:
    """Arranges, sends and looks for the prober."""

    def __init__(self, process: Process, leases: Leases, log: RulingLog) -> None:
        self._process = process
        self._client = process.client
        self._leases = leases
        self._known = leases.known_state
        self._log = log

    @property
    def failing(self) -> set[Pair]:
        """Associations of which even a plain removal is answered with a fault, while those of others succeed."""
        return self._process.failing

    @property
    def wardrobe(self) -> Wardrobe:
        """What requests wear besides, whichever test they are sent for."""
        return Wardrobe(self._process.worn_together, self._process.worn_no_more)

    @property
    def content_is_turned_away(self) -> bool:
        """A 413 to content is no limit here, whatever its Retry-After says."""
        return self._process.content_is_turned_away

    @content_is_turned_away.setter
    def content_is_turned_away(self, seen: bool) -> None:
        self._process.content_is_turned_away = seen

    # -- what is asked -------------------------------------------------------------------------------------------------

    def siblings(self, scene: Sequence[Pair], asked: Sequence[Asked], chosen: Callable[[Value], bool]) -> list[Asked]:
        """What a quick look leaves out of the chosen values, and a standard one asks."""
        if self._process.depth != "quick":
            return []
        kinds = {(one.value.dimension, one.value.kind) for one in asked}
        every = self.asked(scene, chosen, "standard")
        return [one for one in every if (one.value.dimension, one.value.kind) not in kinds]

    def asked(self, scene: Sequence[Pair], chosen: Callable[[Value], bool], depth: str = "") -> list[Asked]:
        """The chosen values, each worn by a removal of one association of the scene, so that all are met in turn."""
        values = {pair: self._values(pair, chosen, depth or self._process.depth) for pair in scene}
        versions = {pair: self._leases.address(pair).version for pair in scene}
        found = list(_in_turn({pair: [v for v in mine if v.clause not in BY_VERSION] for pair, mine in values.items()}))
        for version in sorted(set(versions.values())):
            mine = {pair: values[pair] for pair in scene if versions[pair] == version}
            found += _in_turn({pair: [v for v in of if v.clause in BY_VERSION] for pair, of in mine.items()})
        return [Asked(pair, value, self._lawful_besides(value)) for pair, value in found]

    def turned_down(self, scene: Sequence[Pair], asked: Sequence[Asked], draw: random.Random) -> list[Asked]:
        """Mistakes of these, each beside something that may be refused or not: it is refused all the same."""
        mistakes = [one for one in asked if one.value.mistake and one.value.expected in REFUSALS]
        doubtful = self.asked(scene, is_doubtful) if mistakes else []
        pairs = [
            (draw.choice(mistakes), one.value) for one in doubtful if draw.random() < DOUBTFUL[self._process.depth]
        ]
        return [
            replace(one, value=replace(one.value, expected=Expected.TURNED_DOWN), dress=(other,))
            for one, other in pairs
            if may_wear(one.value, other)
        ]

    def asked_as(self, scene: Sequence[Pair], credential: str, clause: str) -> list[Asked]:
        """What a lesser caller asks for: every association plainly and twice, and in the dresses that are granted."""
        plain = [Asked(pair, lesser(credential, clause)) for pair in scene]
        granted = _one_of_a_kind(self.asked(scene, lambda value: value.expected is Expected.GRANTED))
        dressed = [Asked(one.pair, lesser(credential, clause, one.value)) for one in granted]
        either = self.asked(scene, self._may_open_a_door)
        queried = [Asked(one.pair, lesser(credential, clause, one.value, strict=False)) for one in either]
        inert = self.asked(scene, lambda value: value.expected is Expected.INERT and value.dimension in NAMING)
        named = _one_of_a_kind(inert)
        elsewhere = [Asked(one.pair, nothing_of(lesser(credential, clause, one.value))) for one in named]
        return [*plain, *dressed, *queried, *self._some(elsewhere), *plain]

    def _some(self, asked: Sequence[Asked]) -> list[Asked]:
        """One in so many, in turn with the seed, and all that names what is lent."""
        seed = self._process.seed
        return [
            one
            for place, one in enumerate(asked)
            if self._process.depth == "deep" or place % ELSEWHERE == seed % ELSEWHERE or "another" in one.value.kind
        ]

    def removals(self, scene: Sequence[Pair]) -> list[Asked]:
        """A plain removal of each association, and those in a dress that is granted."""
        plain = [Asked(pair, PLAIN) for pair in scene]
        return [*plain, *self.asked(scene, lambda value: value.expected is Expected.GRANTED)]

    def _may_open_a_door(self, value: Value) -> bool:
        """Whether a lesser caller tries it, of what may be granted or refused; of fields only a deep look tries all."""
        tried = value.dimension != "field" or value.kind in IMPERSONATING or self._process.depth == "deep"
        return value.expected is Expected.EITHER and tried

    def _values(self, pair: Pair, chosen: Callable[[Value], bool], depth: str) -> list[Value]:
        every = space.values(self._subject(pair), depth, self._process.seed)
        return [value for value in every if chosen(value)]

    def ask_of_nothing(self, pair: Pair, chosen: Callable[[Value], bool]) -> None:
        """Ask for a made-up association; whatever refuses it says nothing.

        Raises:
            Unjudgeable: several requests in a row were not answered.
        """
        token = self._client.keyring.tokens["full"]
        subject = Subject(pair.address, MADE_UP_LITERAL, pair.server, servers=(pair.server,), token=token)
        judged: list[Judged] = []
        unanswered = 0
        for value in filter(chosen, space.values(subject, "quick", self._process.seed)):
            exchange = self.sent(pair, value.variation)
            unanswered = unanswered + 1 if passing(exchange) else 0
            if unanswered == MOST_UNANSWERED:
                raise Unjudgeable(f"{self._leases.phantom}; a removal with {value.words}: {exchange.outcome}")
            asked = Asked(pair, value, self._lawful_besides(value))
            attempt = Attempt(
                exchange=exchange,
                before=ObservedState(),
                after=ObservedState(),
                pair=pair,
                reached=False,
                words=asked.words,
            )
            rulings = tuple(oracle.rulings(asked.rule, attempt))
            judged.append(Judged(Answered(asked, exchange), attempt, rulings, left_open=rulings[0] is None))
        for one in folded(judged):
            enter(self, one, self._leases.phantom)

    def _subject(self, pair: Pair) -> Subject:
        target, leases = self._process.target, self._leases
        return Subject(
            address=pair.address,
            literal=leases.address(pair).literal,
            server=pair.server,
            others=tuple(address for address in leases.addresses if address != pair.address),
            servers=target.servers,
            foreign=target.foreign_servers,
            ports=leases.address(pair).ports,
            networks=(target.network_id,),
            tenant=leases.tenant,
            token=self._client.keyring.tokens["full"],
        )

    def _lawful_besides(self, value: Value) -> frozenset[int]:
        """Codes that the target's policy grants beside a refusal (decision 5)."""
        ignores = self._process.target.policy.request_body == "ignore" and value.dimension == "content"
        return frozenset({204}) if ignores else frozenset()

    # -- arranging and looking -----------------------------------------------------------------------------------------

    def establish(self, *pairs: Pair) -> None:
        """Let these stand, and be seen to."""
        self._leases.establish(*pairs)

    def clear(self, *pairs: Pair) -> None:
        """Let these be absent."""
        for pair in pairs:
            self._leases.remove(pair)

    def known(self) -> ObservedState:
        """What is known to stand, and not to."""
        return self._known.expected_everywhere()

    def overview(self) -> ObservedState:
        """A look at all that is leased."""
        return self._leases.overview()

    def awaited(self, expected: ObservedState, singly: Collection[Pair] = ()) -> ObservedState:
        """What the overview and the single reads of ``singly`` show once it agrees, or when the patience is over."""
        return self._leases.settled(lambda: self.overview() | self._leases.singly(singly), expected)

    def read_singly(self, pairs: Collection[Pair]) -> None:
        """Read each by itself: what a target keeps of that is to be noticed after a removal."""
        with contextlib.suppress(Unjudgeable):  # nothing is judged by it
            self._leases.singly(pairs)

    @property
    def lateness(self) -> Lateness:
        """Whether effects come late here."""
        return self._process.lateness

    def quiet(self, blame: Blame = on_nobody) -> bool:
        """As :meth:`conformance.driver.leases.Leases.quiet`."""
        return self._leases.quiet(blame)

    def evidence(self, pair: Pair) -> tuple[str, ...]:
        """The exchange that made an association."""
        made = self._leases.set_up.get(pair)
        return (made,) if made else ()

    def learnt(self, seen: ObservedState, removed: Mapping[Pair, Exchange]) -> Mapping[Pair, str]:
        """Correct what is known; ``removed`` were answered 204 by these exchanges.

        Returns what was gone and shows again, with the exchange that had removed it.
        """
        for pair, exchange in removed.items():
            self._leases.removed(pair, exchange)
        back = self._known.returned(seen)
        self._leases.believe(seen, subjects=(*self._known.stands, *self._known.ports))
        return back

    # -- sending -------------------------------------------------------------------------------------------------------

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """One request, sent once."""
        return REMOVAL.send(self._client, pair, variation)

    def sent_at_once(self, requests: Sequence[tuple[Pair, Mapping[str, Any]]]) -> list[Exchange]:
        """The same for several, in whichever order they arrive."""
        return self._client.at_once([partial(self.sent, *one) for one in requests])

    def meanwhile(self, pair: Pair, what: Between, variation: Mapping[str, Any]) -> Exchange | None:
        """Something that comes before a request with this ``variation``; None where nothing is sent.

        Only what is seen to stand is associated again: that would repair a loss before anybody noticed it.
        """
        absent = [one for one, stands in self._known.stands.items() if not stands]
        stands = self._known.stands.get(pair)
        send: dict[Between, Callable[[], Exchange]] = {
            Between.LIST: lambda: self._client.list_associations(pair.server),
            Between.SINGLE: lambda: self._client.show_association(pair.server, pair.address),
            Between.ADDRESSES: self._client.list_addresses,
            Between.ADDRESS: lambda: self._client.show_address(pair.address),
            Between.AGAIN: lambda: self.sent(pair, variation),
        }
        if absent:
            send[Between.REPEAT] = lambda: self.sent(absent[0], {})
        if stands:
            send[Between.STRANGER] = lambda: self.sent(pair, {"credential": None})
        if what is Between.PAUSE:
            self._leases.observer.rest(MOMENT_SECONDS)
        elif what is Between.ASSOCIATE and stands and self._is_shown(pair):
            send[what] = lambda: self._client.associate(pair.server, pair.address)
        return send[what]() if what in send else None

    def _is_shown(self, pair: Pair) -> bool:
        seen = self._leases.look([pair])
        return bool(seen.listed.get(pair) or seen.shown.get(pair))

    def solo(
        self,
        pair: Pair,
        words: str,
        variation: Mapping[str, Any],
        *,
        named: bool = True,
        standing: bool = True,
        run_up: Sequence[Between] = (),
    ) -> Attempt:
        """One request on a restored scene, with a full look after it.

        Args:
            named: a DELETE names the association.
            standing: it stands when the request comes.
            run_up: what comes right before the request.
        """
        led_up: list[Exchange | None] = []
        for attempt in range(TRIES):
            if standing:
                self._leases.establish(pair)
            if attempt == 0:
                self._make_sure_of_what_is_gone()
            if standing:
                self.read_singly([pair])
            before = self.known()
            led_up = [self.meanwhile(pair, what, variation) for what in run_up]
            exchange = self.sent(pair, variation)
            if not passing(exchange) or exchange.failure.startswith("timed out"):
                break
            halting.pause(again_after(exchange, attempt))
            if standing:
                self.learnt(self.awaited(self.known()), {})  # a fault may have had its effect
        due = REMOVAL.explained(exchange, pair, self._known.awaited(), named=named)
        after = self._leases.observer.settled(self._everything, *due)
        trial = Attempt(
            pair=pair,
            exchange=exchange,
            before=before,
            after=after,
            reached=bool(before.listed.get(pair)),
            names=named and exchange.request.method == "DELETE",
            words=words,
            setup=(*self.evidence(pair), *(one.id for one in led_up if one)),
        )
        self.learnt(after, {pair: exchange} if trial.names and exchange.status == 204 and trial.removed else {})
        return trial

    def _make_sure_of_what_is_gone(self) -> None:
        """What the set-up brought back did not stay removed, and is not blamed on the request that comes next."""
        expected = self.known()
        gone = [pair for pair, stands in expected.listed.items() if not stands]
        if gone:
            seen = self.awaited(expected, gone)
            for pair, removal in self.learnt(seen, {}).items():
                self._log.note(effect.absent(pair, seen, removal, rule=effect.SHOWN_AGAIN))

    def _everything(self) -> ObservedState:
        return self._leases.everything(self._known.stands, self._known.stands) | self._leases.overview()

    # -- rulings -------------------------------------------------------------------------------------------------------

    def enter(
        self,
        rulings: Iterable[Ruling | None],
        exchange: str = "",
        words: str = "",
        reason: str = "",
        kind: tuple[str, ...] = (),
    ) -> None:
        """Enter what an exchange gives occasion for; ``reason`` says why its own clause is left open."""
        self._log.judge(*rulings, case=words, unjudged=reason, exchange=exchange, kind=kind)

    def met(self, asked: Asked, before: ObservedState) -> None:
        """An answer to this, where that stood, was judged."""
        version = self._leases.address(asked.pair).version
        self._process.met.note(
            [*request_classes.of_a_removal(asked, before), (request_classes.VERSION, f"IPv{version}")]
        )

    def leave_out(self, case: str, reason: str) -> None:
        """A case is not tried to its end."""
        self._log.leave_out(case, reason)

    def halfway(self, asked: Asked, exchange: Exchange) -> None:
        """The answer leaves open whether the removal was made: what is seen then has to be one or the other."""
        if (exchange.status is None or exchange.status in SERVER_FAULTS) and asked.value.names:
            self.enter([self._leases.halfway(asked.pair, exchange, asked.words)], exchange.id, asked.words)

    def fault_share(self) -> float:
        """An upper bound of the share of faults among plain requests."""
        return persistence.fault_share(self._process.recorder)


def _one_of_a_kind(asked: Sequence[Asked]) -> list[Asked]:
    return list({one.value.kind: one for one in reversed(asked)}.values())


def lesser(credential: str, clause: str, worn: Value | None = None, *, strict: bool = True) -> Value:
    """A removal by a lesser caller, in what it wears; ``strict``: the particular code is due (decision 19)."""
    forbidden = Expected.FORBIDDEN if clause == "access.forbidden" else Expected.REFUSED
    return Value(
        dimension="credential",
        kind=f"{credential}{f', {worn.dimension}: {worn.kind}' if worn else ''}",
        words=f"the {credential} credential{f' and {worn.words}' if worn else ''}",
        source="CONTRACT, decision 19",
        clause=clause,
        expected=forbidden if strict else Expected.REFUSED,
        variation={**(worn.variation if worn else {}), "credential": credential},
        names=worn.names if worn else True,
        worn=worn.variation if worn else None,
    )


def nothing_of(value: Value) -> Value:
    """The same where it names nothing that stands: whatever is answered, nothing may change (decision 19)."""
    return replace(value, expected=Expected.INERT)


def in_the_wake(credential: str, clause: str) -> Value:
    """The same right after the association was removed by one who may, and made anew."""
    plain = lesser(credential, clause)
    words = f"{plain.words}, right after one who may removed it and it was made anew"
    return replace(plain, kind=f"{credential}, in another's wake", words=words)


def _in_turn(values: Mapping[Pair, Sequence[Value]]) -> Iterator[tuple[Pair, Value]]:
    """Each value of a kind once, worn by the association whose turn it is, or by the next one that has such a value.

    What is derived of one association may be less than what is derived of another: an ID without letters has no case.
    """
    pairs = list(values)
    offered: dict[tuple[str, str, int], dict[Pair, Value]] = {}
    for pair, mine in values.items():
        met: Counter[tuple[str, str]] = Counter()
        for value in mine:
            kind = (value.dimension, value.kind)
            offered.setdefault((*kind, met[kind]), {})[pair] = value
            met[kind] += 1
    for place, having in enumerate(offered.values()):
        turn = place % len(pairs)
        pair = next(one for one in (*pairs[turn:], *pairs[:turn]) if one in having)
        yield pair, having[pair]
