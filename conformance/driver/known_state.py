"""What a test believes to stand on the target, from what it did and saw: so that every look says who is to blame.

A request changes what is believed only by what is seen after it. What was not looked at since the last removal is
*suspect*: if it turns out to be gone, that removal took it along, not the refusal after which it was noticed. What
was removed and shows again is the fault of the removal that did not last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from conformance.judge import Held, ObservedState, Pair, effect
from conformance.judge.state import Entry
from conformance.verdict import Ruling


@dataclass(slots=True)
class KnownState:
    """The state of the leased addresses as one test knows it.

    Attributes:
        stands: association -> whether it stands.
        ports: address -> what its single read shows; None when it is gone.
        tabled: address -> what the list of addresses shows of it.
        literals: view and association -> the address that the view shows with it.
    """

    stands: dict[Pair, bool] = field(default_factory=dict)
    ports: dict[str, Held | None] = field(default_factory=dict)
    tabled: dict[str, Held | None] = field(default_factory=dict)
    literals: dict[Entry, str] = field(default_factory=dict)
    _removed: dict[Pair, str] = field(default_factory=dict)
    _gone: set[Pair] = field(default_factory=set)
    """Of what was removed that which was seen to be gone since then."""
    _lingering: set[Pair] = field(default_factory=set)
    _suspects: dict[Pair | str, str] = field(default_factory=dict)
    _doubtful: set[Pair] = field(default_factory=set)
    """Of which two views say different things: that was ruled on, and nothing is held against either from then on."""

    def standing(self, address: str | None = None) -> tuple[Pair, ...]:
        """The associations that stand, of one address or of all."""
        return tuple(pair for pair, stands in self.stands.items() if stands and address in {None, pair.address})

    def alive(self) -> list[str]:
        """The addresses that are not gone."""
        return [address for address, ports in self.ports.items() if ports is not None]

    def gone(self, address: str) -> list[Pair]:
        """The associations of the address that were removed, and seen to be gone: they have to stay so."""
        return [pair for pair in self._gone - self._lingering if pair.address == address]

    def lingers(self, address: str) -> bool:
        """A removal from this address was answered 204, and some view still shows the association."""
        return any(pair.address == address for pair in self._lingering)

    @property
    def removed_in_vain(self) -> bool:
        """What a 204 said to be removed is still shown, or shown again."""
        return bool(self._lingering)

    def suspect(self, what: Pair | str) -> bool:
        """The association, or the address, was not looked at since the last removal."""
        return what in self._suspects

    def forget(self, address: str) -> None:
        """It is taken back: what becomes of it and of its associations is the suite's own doing."""
        for pair in [one for one in self.stands if one.address == address]:
            del self.stands[pair]
            self._removed.pop(pair, None)
            self._gone.discard(pair)
            self._suspects.pop(pair, None)
            self._doubtful.discard(pair)
        self._suspects.pop(address, None)
        self._lingering = {pair for pair in self._lingering if pair.address != address}
        self.literals = {entry: told for entry, told in self.literals.items() if entry[1].address != address}
        self.ports.pop(address, None)
        self.tabled.pop(address, None)

    def inherited(self, pair: Pair) -> None:
        """An earlier test left it standing; what other tests removed since then may have taken it along."""
        self.stands[pair] = True
        self._suspects[pair] = ""

    def rely(self) -> None:
        """What earlier tests left standing has to be there: from now on its absence is somebody's doing."""
        for what in [what for what, removal in self._suspects.items() if not removal]:
            del self._suspects[what]

    def found(self, seen: ObservedState, pairs: Iterable[Pair]) -> None:
        """Nobody knows what an earlier test left: what is seen is what stands, and what comes of it accuses nobody."""
        for pair in pairs:
            self.stands[pair] = self._is_shown(pair, seen)
            self._suspects[pair] = ""

    def _is_shown(self, pair: Pair, seen: ObservedState) -> bool:
        """Whether all views that were read show it; where they do not agree nothing is known until they do."""
        views = [view[pair] for view in (seen.listed, seen.shown) if view.get(pair) is not None]
        if len(views) > 1:
            (self._doubtful.discard if views[0] is views[1] else self._doubtful.add)(pair)
        return bool(views) and all(views)

    def established(self, pairs: Iterable[Pair], seen: ObservedState) -> None:
        """These were associated, and seen to be; a look between two requests says what stands before the next."""
        for pair in pairs:
            self.stands[pair] = True
            self._removed.pop(pair, None)
            self._gone.discard(pair)
            self._lingering.discard(pair)
            self._suspects.pop(pair, None)
            self._doubtful.discard(pair)
        self._adopt({entry: told for entry, told in seen.literals.items() if entry[1] not in self._suspects})

    def _adopt(self, literals: Mapping[Entry, str]) -> None:
        """Take what views show; of an address that one of them shows otherwise than before the others are not known."""
        for (_, pair), told in [(entry, told) for entry, told in literals.items() if self.literals.get(entry) != told]:
            known = [entry for entry in self.literals if entry[1].address == pair.address]
            for entry in [entry for entry in known if self.literals[entry] != told and entry not in literals]:
                del self.literals[entry]
        self.literals.update({entry: told for entry, told in literals.items() if entry[1] in self.stands})

    def _literals(self, pairs: Collection[Pair]) -> dict[Entry, str]:
        return {entry: told for entry, told in self.literals.items() if entry[1] in pairs and self.stands[entry[1]]}

    def expected(self) -> ObservedState:
        """What a refusal has to leave as it is: all that is known for sure."""
        known = {
            pair: stands
            for pair, stands in self.stands.items()
            if pair not in self._removed and pair not in self._suspects and pair not in self._doubtful
        }
        ports = {address: ports for address, ports in self.ports.items() if address not in self._suspects}
        return ObservedState(
            listed=known, shown=known, ports=ports, tabled=self._tabled(), literals=self._literals(known)
        )

    def _tabled(self) -> dict[str, Held | None]:
        sure = {address for address in self.alive() if address not in self._suspects}
        return {address: held for address, held in self.tabled.items() if address in sure}

    def expected_everywhere(self) -> ObservedState:
        """The same with what was removed and seen to be gone: neither may a refusal bring that back."""
        gone = dict.fromkeys(self._gone - self._lingering, False)
        return self.expected() | ObservedState(listed=gone, shown=gone)

    def returned(self, seen: ObservedState) -> dict[Pair, str]:
        """What was seen to be gone and shows again, with the exchange that had removed it.

        From now on it is known to stand, so that it can be removed once more; who brought it back is for the caller
        to find out, and else that removal did not last.
        """
        back = {pair for pair in self._gone - self._lingering if seen.listed.get(pair) or seen.shown.get(pair)}
        removals = {pair: self._removed.pop(pair) for pair in sorted(back)}
        self._gone -= back
        self.stands.update(dict.fromkeys(back, True))
        self._doubtful |= back
        return removals

    def expected_again(self, removed: Pair) -> ObservedState:
        """The same before a repetition: what was seen to be removed has to stay so."""
        if removed not in self._removed or removed in self._lingering:
            return self.expected()
        return self.expected() | ObservedState(listed={removed: False}, shown={removed: False})

    def awaited(self) -> ObservedState:
        """The same with what was removed gone and what is suspect as it was: what reads should come to show."""
        gone = dict.fromkeys(self._removed.keys() - self._lingering, False)
        held = {pair: self.stands[pair] for pair in self._suspects if isinstance(pair, Pair)}
        return self.expected() | ObservedState(
            listed={**gone, **held},
            shown={**gone, **held},
            ports={address: ports for address, ports in self.ports.items() if address in self._suspects},
            literals=self._literals(held),
        )

    def of(self, address: str) -> ObservedState:
        """What is known for sure of one address, its standing associations and those that were seen to go."""
        gone = dict.fromkeys(self.gone(address), False)
        known = gone | {pair: True for pair in self.standing(address) if pair not in self._suspects}
        return ObservedState(
            listed=known, shown=known, ports={address: self.ports[address]}, literals=self._literals(known)
        )

    def tabled_of(self, address: str) -> dict[str, Held | None]:
        """What the list of addresses shows of one address, if it shows any."""
        return {address: self.tabled[address]} if address in self.tabled else {}

    def removal(self, pair: Pair, exchange: str) -> None:
        """A 204 said that ``pair`` was removed; whatever else stands is suspect until it is looked at."""
        for other in self.standing():
            if other != pair:
                self._suspects[other] = exchange
        for address in self.alive():
            self._suspects[address] = exchange
        self.stands[pair] = False
        self._removed[pair] = exchange
        self._gone.discard(pair)

    def removed_before(self, pair: Pair, exchange: str) -> None:
        """An earlier test removed it; if it shows again, that removal did not last."""
        self._removed[pair] = exchange

    def seen(
        self, seen: ObservedState, just_removed: Pair | None = None, subjects: Iterable[Pair | str] = ()
    ) -> list[Ruling]:
        """Believe what a look shows, and say which earlier removal it accuses.

        Args:
            just_removed: a 204 said so a moment ago; the attempt itself is judged for it.
            subjects: what the request was about: if it changed, the request is judged for it, not an earlier one.
        """
        about = set(subjects)
        for subject in about:
            self._suspects.pop(subject, None)
        accused: list[Ruling] = []
        for pair in {*seen.listed, *seen.shown} & self.stands.keys():
            if pair in self._removed:
                shows = bool(seen.listed.get(pair) or seen.shown.get(pair))
                accused += self._removed_is(pair, seen, shows=shows, just_now=pair == just_removed or pair in about)
                continue
            if pair in self._suspects:
                stood = {pair: self.stands[pair]}
                before = ObservedState(listed=stood, shown=stood, literals=self._literals([pair]))
                accused += self._suspect_is(pair, seen, unchanged=not before.differences(seen))
            self.stands[pair] = self._is_shown(pair, seen)
        for address, ports in seen.ports.items():
            accused += self._address_is(address, ports, seen)
        for address in seen.tabled.keys() & self.tabled.keys():
            self._row_is(address, seen)
        self._adopt(seen.literals)
        return accused

    def _address_is(self, address: str, ports: Held | None, seen: ObservedState) -> list[Ruling]:
        before = ObservedState(ports={address: self.ports.get(address)})
        same = not before.differences(ObservedState(ports={address: ports}))
        accused = self._suspect_is(address, seen, unchanged=same) if address in self._suspects else []
        self.ports[address] = ports
        if not same and address not in seen.tabled:
            self.tabled.pop(address, None)  # the list shows what is new of it as well, or should
        return accused

    def _row_is(self, address: str, seen: ObservedState) -> None:
        before = ObservedState(tabled={address: self.tabled[address]})
        after = ObservedState(tabled={address: seen.tabled[address]})
        if before.differences(after) and address not in seen.ports:
            self._suspects[address] = ""  # found by this view; the single read will show it, and accuse nobody
        if seen.tabled[address] is None:
            del self.tabled[address]  # said once; what does not show it any more is not relied on
        else:
            self.tabled[address] = seen.tabled[address]

    def _removed_is(self, pair: Pair, seen: ObservedState, *, shows: bool, just_now: bool) -> list[Ruling]:
        if not shows:
            self._gone.add(pair)
            return []
        if just_now or pair in self._lingering:
            self._lingering.add(pair)  # the removal itself is judged for it
            return []
        self._lingering.add(pair)  # said once; from now on the views of it are not relied on
        ruling = effect.absent(pair, seen, self._removed[pair], rule=effect.SHOWN_AGAIN)
        return [ruling] if ruling else []

    def _suspect_is(self, what: Pair | str, seen: ObservedState, *, unchanged: bool) -> list[Ruling]:
        removal = self._suspects.pop(what)
        if unchanged or not removal:  # what became of another test's associations is not this one's to judge
            return []
        before = ObservedState(
            listed={what: True} if isinstance(what, Pair) else {},
            shown={what: True} if isinstance(what, Pair) else {},
            ports={what: self.ports[what]} if isinstance(what, str) else {},
            literals=self._literals([what]) if isinstance(what, Pair) else {},
        )
        return [effect.taken_along(before.differences(seen), removal, seen)]
