"""Groups of requests: every guilty one is found, no innocent one is blamed, and nothing hides another."""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.driver.answering import Answering
from conformance.driver.grouping import batch
from conformance.driver.lateness import Lateness
from conformance.driver.leases import Blame, on_nobody
from conformance.driver.probed import PLAIN, Asked
from conformance.driver.probes import Prober
from conformance.driver.scene import _in_turn
from conformance.errors import Unjudgeable
from conformance.evidence import Exchange, Request, Response
from conformance.generate.dress import Wardrobe
from conformance.generate.settings import Between, Setting, absent, dealt
from conformance.generate.space import Value
from conformance.judge import Attempt, Held, ObservedState, Pair
from conformance.judge.oracle import Expected
from conformance.verdict import ONCE, Ruling

pytestmark = pytest.mark.once

HELD = Held(frozenset({"p1", "p2"}), "192.0.2.1", (("type", "shared"),))
MARKED = HELD._replace(members=(("type", "fixed"),))
SCENE = [Pair(address, server) for address in ("#1", "#2") for server in ("s1", "s2")]


def value(name: str, expected: Expected = Expected.REFUSED, clause: str = "identifier.uuid") -> Value:
    """A value that the target below knows by its name."""
    return Value("address", name, name, "the test", clause, expected, {"name": name})


def name_of(variation: Mapping[str, Any]) -> str:
    """By what the targets below know a request."""
    return str(variation.get("name", "stranger" if "credential" in variation else "plain"))


class Pretended:
    """A target in memory: ``answers`` maps names to codes (400 for others), ``removes`` are carried out."""

    def __init__(self, answers: Mapping[str, int | None] | None = None, removes: Iterable[str] = ()) -> None:
        self.answers, self.removes = answers or {}, set(removes)
        self.stands = dict.fromkeys(SCENE, False)
        self.also: Callable[[str], Iterable[Pair]] = lambda _: ()
        self.marks: frozenset[str] = frozenset()
        self.restores: dict[str, Pair] = {}
        self.restores_once = False
        self.table = dict.fromkeys(("#1", "#2"), HELD)
        self.believed_table = dict(self.table)
        self.rulings: list[tuple[Ruling, tuple[str, ...]]] = []
        self.open: list[str] = []
        self.sent_names: list[str] = []
        self.content_is_turned_away = False
        self.wardrobe = Wardrobe()
        self.lateness = Lateness()
        self.failing: set[Pair] = set()
        self.under_way: list[Pair] = []
        self.keeps: set[str] = set()
        """Removals after which the single read goes on showing what it showed when it was read."""
        self.left_out: list[str] = []
        self.read: set[Pair] = set()
        self.stale: set[Pair] = set()

    def establish(self, *pairs: Pair) -> None:
        """Let these stand."""
        self.stands.update(dict.fromkeys(pairs, True))
        self.believed = dict(self.stands)

    def clear(self, *pairs: Pair) -> None:
        """Let these be absent."""
        self.stands.update(dict.fromkeys(pairs, False))

    def known(self) -> ObservedState:
        """What was seen last."""
        return ObservedState(listed=dict(self.believed), shown=dict(self.believed), tabled=dict(self.believed_table))

    def quiet(self, blame: Blame = on_nobody) -> bool:
        """What is under way has its effect."""
        before = self.known()
        self.stands.update(dict.fromkeys(self.under_way, False))
        late, self.under_way = bool(self.under_way), []
        self.believed = dict(self.stands)
        if late:
            self.enter([blame(before, self.overview())])
        self.lateness.rested(in_vain=not late)
        return self.lateness.seen

    def overview(self) -> ObservedState:
        """What stands."""
        return ObservedState(listed=dict(self.stands), exchanges=("look",), tabled=dict(self.table))

    def awaited(self, expected: ObservedState, singly: Collection[Pair] = ()) -> ObservedState:
        """What stands: nothing here is late."""
        assert expected.listed
        shown = {pair: self.stands[pair] or pair in self.stale for pair in singly}
        return self.overview() | ObservedState(shown=shown)

    def read_singly(self, pairs: Collection[Pair]) -> None:
        """Read each by itself."""
        self.read.update(pair for pair in pairs if self.stands[pair])

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """Answer, and carry out what is to be carried out."""
        name = name_of(variation)
        self.sent_names.append(name)
        status = self.answers.get(name, {"plain": 204, "stranger": 401}.get(name, 400))
        if name in self.removes or name == "plain":
            self.stands[pair] = False
            self.stale.update({pair} & self.read if name in self.keeps else ())
        if variation.get("method") == "PUT":
            self.stands[pair] = True
        self.stands.update(dict.fromkeys(self.also(name), False))
        if name in self.restores:
            self.stands[self.restores.pop(name) if self.restores_once else self.restores[name]] = True
        if name in self.marks:
            self.table[pair.address] = MARKED
        response = None if status is None else Response(status, "", (), b"")
        request = Request("DELETE", "http://127.0.0.1/", (), b"", "none")
        return Exchange(
            str(len(self.sent_names)),
            "removeAssociation",
            "full",
            request,
            0.0,
            0.0,
            0.0,
            response,
            "" if response else "lost",
        )

    def sent_at_once(self, requests: Sequence[tuple[Pair, Mapping[str, Any]]]) -> list[Exchange]:
        """In their order."""
        return [self.sent(*one) for one in requests]

    def meanwhile(self, pair: Pair, what: Between, variation: Mapping[str, Any]) -> Exchange | None:
        """Something harmless, or the same once more."""
        self.sent_names.append(f"{what} of {pair}")
        return self.sent(pair, variation) if what is Between.AGAIN else None

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
        """The same on a restored scene."""
        if standing:
            self.establish(pair)
        else:
            self.clear(pair)
        self.believed = dict(self.stands)
        before = self.known()
        for what in run_up:
            self.meanwhile(pair, what, variation)
        self.read_singly([pair])
        exchange = self.sent(pair, variation)
        after = self.awaited(before, [pair])
        self.believed = dict(self.stands)
        self.believed_table = dict(self.table)
        reached = bool(before.listed[pair])
        return Attempt(
            exchange=exchange, before=before, after=after, pair=pair, reached=reached, words=words, names=named
        )

    def learnt(self, seen: ObservedState, removed: Mapping[Pair, Exchange]) -> Mapping[Pair, str]:
        """Believe what stands."""
        assert seen.exchanges
        assert isinstance(removed, Mapping)
        back = [pair for pair, stands in self.stands.items() if stands and not self.believed[pair]]
        self.believed = dict(self.stands)
        self.believed_table = dict(self.table)
        return dict.fromkeys(back, "earlier")

    def enter(
        self,
        rulings: Iterable[Ruling | None],
        exchange: str = "",
        words: str = "",
        reason: str = "",
        kind: tuple[str, ...] = (),
    ) -> None:
        """Keep them, with the classes that tell findings apart."""
        assert not exchange or words
        self.rulings += [(ruling, kind) for ruling in rulings if ruling]
        self.open += [reason] if reason else []

    def leave_out(self, case: str, reason: str) -> None:
        """Keep it."""
        assert reason
        self.left_out.append(case)

    def halfway(self, asked: Asked, exchange: Exchange) -> None:
        """Judged by :func:`conformance.judge.effect.halfway`."""

    def met(self, asked: Asked, before: ObservedState) -> None:
        """Counted by :class:`conformance.driver.met.MetClasses`."""

    def fault_share(self) -> float:
        """Faults are rare."""
        return 0.01

    def evidence(self, pair: Pair) -> tuple[str, ...]:
        """Nothing made them."""
        assert pair in SCENE
        return ()

    def broken(self, clause: str = "identifier.uuid") -> set[tuple[str, str]]:
        """The classes and the rule of each way in which the clause is broken."""
        found = ((one.violation, kind) for one, kind in self.rulings if one.clause == clause)
        return {("".join(kind), violation.rule) for violation, kind in found if violation}


def probed(target: Pretended, values: Iterable[Value], siblings: Iterable[Value] = ()) -> Pretended:
    """All of them, in turn over the scene."""
    Prober(target, SCENE).run(in_turn(values), lambda: in_turn(siblings))
    return target


def in_turn(values: Iterable[Value]) -> list[Asked]:
    """Each worn by the next association."""
    return [Asked(SCENE[place % len(SCENE)], one) for place, one in enumerate(values)]


NAMES = [f"kind {chr(97 + place)}" for place in range(20)]


def test_a_batch_of_one_is_called_by_its_name() -> None:
    """Only several are told from the first to the last."""
    assert batch("wordings", ["DELETE"]) == "DELETE"
    assert batch("wordings", ["DELETE", "PUT", "PATCH"]) == "one of 3 wordings, from DELETE to PATCH"


def test_where_nearly_all_is_guilty_not_all_are_sought_out() -> None:
    """What is granted is judged by its answer all the same; what is refused is said to be left out."""
    answers = dict.fromkeys(NAMES[10:], 204)
    target = Pretended(answers, NAMES)
    Prober(target, SCENE, most_guilty=3).run(in_turn(map(value, NAMES)))
    sought = [name for name in NAMES if target.sent_names.count(name) > 1]
    assert len(sought) == 3
    assert len(target.left_out) == 10 - len([name for name in sought if name in NAMES[:10]])
    assert len([one for one, _ in target.rulings if one.violation and one.clause == "identifier.uuid"]) >= 10


def test_a_group_that_changes_nothing_is_judged_by_its_answers() -> None:
    """Each request is a case, and goes out once."""
    target = probed(Pretended(), map(value, NAMES))
    assert sum(one.clause == "identifier.uuid" for one, _ in target.rulings) == len(NAMES)
    assert target.sent_names == NAMES
    assert not target.broken()


@pytest.mark.parametrize("guilty", [{NAMES[0]}, {NAMES[7]}, {NAMES[3], NAMES[4], NAMES[19]}])
@pytest.mark.parametrize("code", [204, 400])
def test_every_guilty_request_of_a_group_is_found(guilty: set[str], code: int) -> None:
    """Whatever it was answered, and whichever stands before or behind it; no innocent one is blamed."""
    target = probed(Pretended(dict.fromkeys(guilty, code), guilty), map(value, NAMES))
    rule = "refusal" if code == 204 else "refusal: effect"
    assert target.broken() == {(f"address: {name}", rule) for name in guilty}


def test_a_request_that_hits_another_association_is_found() -> None:
    """What it removes is not what it names."""
    target = Pretended()
    target.also = lambda name: [SCENE[3]] if name == NAMES[8] else []
    probed(target, map(value, NAMES))
    assert target.broken() == {(f"address: {NAMES[8]}", "refusal: effect")}


def test_what_a_removal_hid_is_tried_again() -> None:
    """A request that met nothing, since one before it removed its association, is sent once more."""
    target = probed(Pretended({NAMES[0]: 204}, {NAMES[0]}), map(value, NAMES))
    assert target.sent_names.count(NAMES[4]) == 2, "it names the association that the first one removed"
    assert target.sent_names.count(NAMES[1]) == 1


def test_what_never_repeats_is_reported_all_the_same() -> None:
    """A change of our own things that nothing lawful explains is never dropped."""
    target = Pretended()
    target.also = lambda name: [SCENE[0]] if name == NAMES[2] and target.sent_names.count(name) == 1 else []
    probed(target, map(value, NAMES))
    assert target.broken("effect.refusal-is-inert") == {("", "late")}


def granted(pair: Pair) -> Asked:
    """A plain removal."""
    return Asked(pair, value("plain", Expected.GRANTED, "codes.success"))


class Noting(Pretended):
    """Notes what stands when a request comes."""

    def __init__(self) -> None:
        super().__init__()
        self.believed = dict(self.stands)
        self.stood: dict[str, list[Pair]] = {}

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """As ever."""
        standing = [one for one, stands in self.stands.items() if stands]
        name = name_of(variation)
        if name not in {"plain", "stranger"} and self.stands[pair]:
            self.stood.setdefault(name, standing)
        return super().sent(pair, variation)


def in_settings(target: Pretended) -> Pretended:
    """Probe in two settings, where nothing but removals of these takes anything along."""
    target.establish(*SCENE)
    asked = [Asked(SCENE[place % len(SCENE)], value(name)) for place, name in enumerate(NAMES * 4)]
    Prober(target, SCENE, [Setting.ALONE, Setting.ANEW], [granted(pair) for pair in SCENE]).run(asked)
    return target


def test_groups_meet_their_settings_in_turn() -> None:
    """Alone, or made anew right before; between them come reads, associations and removals of what does not stand."""
    target = Noting()
    in_settings(target)
    assert set(target.stood) == set(NAMES), "what is asked for stands"
    assert {len(stood) for stood in target.stood.values()} == {2, 4}
    assert [name for name in target.sent_names if " of " in name]
    assert target.sent_names.count("plain") > 2
    assert not [one for one, _ in target.rulings if one.violation]
    assert {one.clause for one, _ in target.rulings} >= {"identifier.uuid", "codes.success", "effect.repeat"}


def test_a_repetition_that_takes_something_along_is_found() -> None:
    """Though it came between requests of another kind."""
    target = Noting()
    target.also = lambda name: [SCENE[0], SCENE[3]] if target.sent_names.count("plain") > 2 and name == "plain" else []
    in_settings(target)
    assert [one for one, _ in target.rulings if one.violation]


def test_what_names_other_things_of_ours_meets_them_all() -> None:
    """Else it could choose nothing."""
    target = Noting()
    choosing = replace(value("choosing"), variation={"name": "choosing", "body": f"{{'id': '{SCENE[3].address}'}}"})
    asked = [Asked(SCENE[0], value("kind a")), Asked(SCENE[0], choosing)]
    Prober(target, SCENE, [Setting.ALONE, Setting.ALONE], [granted(pair) for pair in SCENE]).run(asked)
    assert len(target.stood["choosing"]) == len(SCENE)
    assert target.stood["kind a"] == [SCENE[0]]
    assert target.stood["choosing"] != target.stood["kind a"]


def test_every_association_is_in_one_share_with_one_of_an_address_and_of_a_server() -> None:
    """So that in a share each may stand alone."""
    shares = dealt(SCENE)
    assert sorted(map(sorted, shares)) == sorted(map(sorted, [[SCENE[0], SCENE[3]], [SCENE[1], SCENE[2]]]))
    assert absent(Setting.ALONE, SCENE, shares[0], random.Random(0)) == [one for one in SCENE if one not in shares[0]]
    assert len(absent(Setting.SOME, SCENE, shares[0], random.Random(0))) == 1
    assert absent(Setting.ANEW, SCENE, shares[0], random.Random(0)) == []


def test_what_every_kind_breaks_in_one_way_is_one_finding() -> None:
    """Findings are told apart by the smallest set of classes without which they do not occur."""
    target = probed(Pretended(dict.fromkeys(NAMES, 204), NAMES), map(value, NAMES))
    assert target.broken() == {("address", "refusal")}


def test_requests_that_may_remove_are_judged_by_what_they_name() -> None:
    """A granted one is gone and its neighbours stand; a refused one is a finding where nothing may refuse it."""
    dresses = [value(name, Expected.GRANTED, "codes.success") for name in NAMES[:6]]
    answers = {name: 204 for name in NAMES[:6] if name != NAMES[2]}
    target = probed(Pretended(answers, answers), dresses)
    assert target.broken("codes.success") == {(f"address: {NAMES[2]}", "code 400")}
    assert not target.broken("effect.nothing-else")


def test_a_removal_that_takes_a_neighbour_along_is_found_among_others() -> None:
    """Each is sent alone once something beyond what was named has gone."""
    dresses = [value(name, Expected.GRANTED, "codes.success") for name in NAMES[:3]]
    target = Pretended(dict.fromkeys(NAMES[:3], 204), NAMES[:3])
    target.also = lambda name: [SCENE[3]] if name == NAMES[1] else []
    probed(target, dresses)
    assert target.broken("effect.nothing-else") == {(f"address: {NAMES[1]}", "more than asked for")}


@pytest.mark.parametrize("status", [503, None])
def test_a_fault_that_persists_breaks_what_demands_an_answer(
    status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two tries a plain removal succeeds; a client's mistake is no server's fault."""
    monkeypatch.setattr("conformance.driver.persistence.SECONDS", 0.01)
    monkeypatch.setattr("conformance.driver.answering.again_after", lambda *_: 0.0)
    target = probed(Pretended({NAMES[0]: status}), [value(NAMES[0], Expected.REFUSED, "body.refused")])
    assert target.broken("body.refused") == {(f"address: {NAMES[0]}", f"persists: {status or 'no answer'}")}
    assert target.sent_names.count("plain") >= 2
    assert bool(target.broken("faults.client-input")) is (status is not None)


def test_a_fault_that_everything_meets_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain removal fails as well: the case stays open, and nothing is blamed."""
    monkeypatch.setattr("conformance.driver.answering.again_after", lambda *_: 0.0)
    target = probed(Pretended({NAMES[0]: 503, "plain": 503}), [value(NAMES[0], Expected.REFUSED, "body.refused")])
    assert not target.broken("body.refused")
    assert target.open


WORN = replace(value("worn", Expected.FORBIDDEN, "access.forbidden"), kind="lesser, worn", worn={"name": "bare"})


@pytest.mark.parametrize(
    ("worn", "bare", "blamed"),
    [
        (400, 400, set()),
        (400, 403, set()),
        (302, 302, set()),
        (400, 204, {("address: lesser, worn", "refusal: code 400")}),
        (302, 204, {("address: lesser, worn", "refusal")}),
        (302, 400, {("address: lesser, worn", "refusal")}),
        (204, 204, {("address: lesser, worn", "refusal")}),
    ],
)
def test_a_credential_is_not_blamed_for_what_everybody_is_answered(
    worn: int, bare: int, blamed: set[tuple[str, str]]
) -> None:
    """The holder of every right asks the same: what he is refused, or answered, is not for want of rights."""
    removes = {"bare"} if bare == 204 else ()
    target = probed(Pretended({"worn": worn, "bare": bare}, removes), [WORN])
    assert target.broken("access.forbidden") == blamed


def test_a_credential_is_not_blamed_for_what_everybody_is_granted_in_vain() -> None:
    """Whether that may be is a matter of the clauses about the holder's removals."""
    assert not probed(Pretended({"worn": 204, "bare": 204}), [WORN]).broken("access.forbidden")


def test_what_was_judged_before_the_target_broke_is_entered() -> None:
    """Asking what everybody is refused cannot be answered any more; what was found until then is kept."""
    target = Pretended({NAMES[0]: 302, "worn": 400})
    target.solo = broken_off  # type: ignore[method-assign]
    with pytest.raises(Unjudgeable):
        probed(target, [value(NAMES[0]), WORN])
    assert target.broken()


def broken_off(*_: object, **__: object) -> Attempt:
    """Nothing is answered any more."""
    raise Unjudgeable("it does not answer")


def test_what_a_refused_request_changes_for_good_is_blamed_on_its_batch() -> None:
    """No request does it again to an address that is changed already, so that trying again clears nobody."""
    target = Pretended()
    target.marks = frozenset({NAMES[4]})
    probed(target, map(value, NAMES))
    assert target.broken() == {("", "refusal: effect, once")}
    assert target.broken("effect.refusal-is-inert")
    assert not target.broken("effect.nothing-else")


def test_what_a_removal_changes_for_good_is_blamed_on_its_batch() -> None:
    """It is more than was asked for, and neither hidden by another try nor blamed on what comes after."""
    granted = [value(name, Expected.GRANTED, "codes.success") for name in NAMES[:2]]
    target = Pretended(dict.fromkeys(NAMES[:2], 204), NAMES[:2])
    target.marks = frozenset({NAMES[0]})
    probed(target, granted)
    assert target.broken("effect.nothing-else") == {("", "more than asked for")}
    assert not target.broken("codes.success")


def test_every_kind_is_met_whatever_is_derived_of_which_association() -> None:
    """What one association lacks does not shift the others' turns, so that nothing is left out or met twice."""
    mine = [value(name) for name in NAMES]
    fewer = [one for one in mine if one.kind not in {NAMES[2], NAMES[7]}]
    met = list(_in_turn({SCENE[0]: fewer, SCENE[1]: mine, SCENE[2]: fewer}))
    assert sorted(one.kind for _, one in met) == sorted(NAMES)
    assert {pair for pair, _ in met} == set(SCENE[:3])


FAMILY = [f"more after it, {chr(97 + place)}" for place in range(4)]


def test_a_family_of_kinds_is_the_class_where_it_alone_breaks_the_clause() -> None:
    """Though they are most of what was tried of the dimension: what they have in common is narrower."""
    answers = dict.fromkeys(FAMILY, 204)
    target = probed(Pretended(answers, FAMILY), map(value, [*FAMILY, *NAMES[:2]]))
    assert {kind for kind, _ in target.broken()} == {"address: more after it"}


def test_siblings_tell_what_the_class_is() -> None:
    """One kind was tried and broke it: whether it is its family or the dimension is found out from the others."""
    answers = dict.fromkeys(FAMILY, 204)
    target = probed(
        Pretended(answers, FAMILY), map(value, [FAMILY[0], NAMES[0]]), map(value, [*FAMILY[1:], *NAMES[1:]])
    )
    assert {kind for kind, _ in target.broken()} == {"address: more after it"}
    assert {*FAMILY, *NAMES} <= set(target.sent_names)


@pytest.mark.parametrize("guilty", [[], NAMES[:5]])
def test_siblings_are_left_alone_where_it_is_clear(guilty: list[str]) -> None:
    """Nothing is broken, or so many families are that it is the dimension."""
    answers = dict.fromkeys(guilty, 204)
    target = probed(Pretended(answers, guilty), map(value, NAMES[:6]), map(value, NAMES[6:]))
    assert not {*NAMES[6:]} & set(target.sent_names)
    assert {kind for kind, _ in target.broken()} == ({"address"} if guilty else set())


def test_few_that_break_it_are_no_dimension_yet() -> None:
    """All that was tried broke it, but that was two kinds; the siblings do not, so each is a class of its own."""
    guilty = NAMES[:2]
    target = probed(Pretended(dict.fromkeys(guilty, 204), guilty), map(value, guilty), map(value, NAMES[2:8]))
    assert {kind for kind, _ in target.broken()} == {f"address: {name}" for name in guilty}


def test_a_plain_removal_has_no_class_and_no_siblings() -> None:
    """What it breaks it breaks without wearing anything, so no other dress can say more of it."""
    target = probed(
        Pretended({"plain": 200}), [PLAIN], [granted(SCENE[0]).value, replace(PLAIN, kind="x", variation={"name": "x"})]
    )
    assert {kind for kind, _ in target.broken("codes.success")} == {""}
    assert "x" not in target.sent_names


def test_what_associates_comes_before_what_may_remove() -> None:
    """A PUT of the same association would repair a loss before anybody looked."""
    pair, guilty = SCENE[0], NAMES[3]
    makers = [replace(value(name), variation={"name": name, "method": "PUT"}) for name in NAMES[:3]]
    target = Pretended({guilty: 405}, [guilty])
    others = [Asked(pair, value(name)) for name in NAMES[3:6]]
    Prober(target, SCENE).run([*others, *(Asked(pair, one) for one in makers)])
    assert {kind for kind, _ in target.broken("effect.refusal-is-inert")} == {f"address: {guilty}"}


class Between204(Pretended):
    """Each value is refused, but for what ``opens`` says of what came right before it."""

    opens: Callable[[str, str], bool] = staticmethod(lambda _before, _name: False)

    def establish(self, *pairs: Pair) -> None:
        """Requests come in between."""
        super().establish(*pairs)
        self.sent_names.append("established")

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """What opens a door lets the request after it through, and that one only."""
        name, before = name_of(variation), (self.sent_names or [""])[-1]
        if self.opens(before, name):
            self.answers, self.removes = {name: 204}, {name}
        exchange = super().sent(pair, variation)
        self.answers, self.removes = {}, set()
        return exchange


def varied(target: Pretended, asked: Sequence[Asked]) -> Pretended:
    """Probe where everything stands, and one thing or two come right before some of the requests."""
    target.establish(*SCENE)
    Prober(target, SCENE, [Setting.ALL, Setting.ALL], [granted(pair) for pair in SCENE]).run(asked)
    return target


@pytest.mark.parametrize("what", [Between.ADDRESSES, Between.LIST, Between.ADDRESS])
def test_what_comes_right_before_is_part_of_the_class(what: Between) -> None:
    """A request that does no harm alone is tried right after what came before it, the least that it takes."""
    target = Between204()
    target.opens = lambda before, name: name in NAMES and before.startswith(f"{what} of ")
    varied(target, in_turn(map(value, NAMES * 4)))
    kinds = {kind for kind, rule in target.broken() if rule == "refusal"}
    assert kinds
    assert all(kind.endswith(f" right after {what}") for kind in kinds)


class BroughtBack(Pretended):
    """A read brings back all that was removed."""

    def meanwhile(self, pair: Pair, what: Between, variation: Mapping[str, Any]) -> Exchange | None:
        """Whatever is asked next."""
        exchange = super().meanwhile(pair, what, variation)
        if what is Between.ADDRESS:
            self.stands.update(dict.fromkeys(SCENE, True))
        return exchange


def test_what_comes_before_a_request_and_brings_back_is_held_against_the_removal() -> None:
    """What was removed did not stay so; the request right after the read did nothing."""
    target = varied(BroughtBack(), in_turn(map(value, NAMES * 16)))
    assert target.broken("effect.removed")
    assert not {one.clause for one, _ in target.rulings if one.violation} - {"effect.removed"}


def test_the_same_once_more_is_what_comes_before_it() -> None:
    """The second of two in a row goes through."""
    target = Between204()
    target.opens = lambda before, name: name in NAMES and before == name
    varied(target, in_turn(map(value, NAMES * 4)))
    assert target.broken()
    assert all("right after the same request" in kind for kind, _ in target.broken())


def test_a_removal_that_is_refused_right_after_something_is_a_class_of_its_own() -> None:
    """The same removal goes through without it, so the dress that it wears is not to blame."""
    target = Between204()
    target.sent = refusing_after(target, Between.ADDRESS)  # type: ignore[method-assign]
    dresses = [value(name, Expected.GRANTED, "codes.success") for name in ["plain"] * 40]
    varied(target, in_turn(dresses))
    assert target.broken("codes.success") == {(f"address: plain right after {Between.ADDRESS}", "code 400")}


def refusing_after(target: Pretended, what: Between) -> Callable[..., Exchange]:
    """Refuses what comes right after a read."""
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        refused = target.sent_names and target.sent_names[-1].startswith(f"{what} of ")
        return real(pair, {"name": "refused"} if refused else variation)

    return sent


def test_a_removal_without_a_token_that_comes_before_is_judged() -> None:
    """It is to blame for what it removes, and the request after it is not."""
    target = Pretended({"stranger": 204}, ["stranger"])
    varied(target, in_turn(map(value, NAMES * 4)))
    assert not target.broken()
    assert target.broken("access.authenticated")


def test_what_was_granted_once_and_never_again_is_blamed_for_it() -> None:
    """It said that it removed what it names, and that was gone: no other request of the group did it."""
    target = Pretended()
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        first = name_of(variation) == NAMES[5] and NAMES[5] not in target.sent_names
        target.answers, target.removes = ({NAMES[5]: 204}, {NAMES[5]}) if first else ({}, set())
        return real(pair, variation)

    target.sent = sent  # type: ignore[method-assign]
    probed(target, map(value, NAMES))
    assert target.broken() == {(f"address: {NAMES[5]}", "refusal")}
    assert not target.broken("effect.refusal-is-inert")


def test_a_repetition_wears_what_the_removal_wore() -> None:
    """A second removal in the same dress meets nothing, and takes nothing along."""
    target = Pretended(dict.fromkeys(NAMES[:2], 204), NAMES[:2])
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        if name_of(variation) == NAMES[1] and not target.stands[pair]:
            target.stands[SCENE[3]] = False
        return real(pair, variation)

    target.sent = sent  # type: ignore[method-assign]
    varied(target, in_turn(value(name, Expected.GRANTED, "codes.success") for name in NAMES[:2]))
    assert target.broken("effect.repeat")
    assert not target.broken("effect.nothing-else")


def test_a_refused_request_that_brings_back_what_was_removed_is_found() -> None:
    """It is to blame, not the removal that was undone."""
    target = Pretended()
    target.restores = {NAMES[4]: SCENE[3]}
    probe_around(target)
    assert target.broken() == {(f"address: {NAMES[4]}", "refusal: effect")}
    assert not target.broken("effect.removed")


def test_what_nobody_brings_back_did_not_stay_removed() -> None:
    """It shows again whatever is asked: the removal is to blame."""
    target = Pretended()
    target.restores = {NAMES[4]: SCENE[3]}
    target.restores_once = True
    probe_around(target)
    assert not target.broken()
    assert target.broken("effect.removed") == {("", "shown again by the list")}


def probe_around(target: Pretended) -> None:
    """Probe the others while the last association is absent."""
    target.establish(*SCENE[:3])
    asked = [Asked(SCENE[place % 3], value(name)) for place, name in enumerate(NAMES)]
    Prober(target, SCENE[:3]).run(asked)


def test_what_is_refused_is_asked_of_what_does_not_stand_too() -> None:
    """What makes an association there is found, though it does nothing to one that stands."""
    target = Pretended()
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        if name_of(variation) == NAMES[0]:
            target.stands[pair] = True
        return real(pair, variation)

    target.sent = sent  # type: ignore[method-assign]
    varied(target, in_turn(map(value, NAMES)))
    assert target.broken() == {(f"address: {NAMES[0]} of what does not stand", "effect")}
    assert not target.broken("effect.removed")


def test_a_door_that_two_fields_open_together_is_found_with_both() -> None:
    """Alone each is refused, and what else the request wore is left out of the class."""
    target = Pretended()
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        both = {"Accept", "Connection"} <= (variation.get("headers") or {}).keys() and name_of(variation) in NAMES
        target.answers, target.removes = ({name_of(variation): 204}, {name_of(variation)}) if both else ({}, set())
        return real(pair, variation)

    target.sent = sent  # type: ignore[method-assign]
    harmless = [
        Value("field", name, name, "a client", "codes.success", Expected.GRANTED, {"headers": {name: "x"}})
        for name in ("Accept", "Connection", "User-Agent", "Cache-Control")
    ]
    target.establish(*SCENE)
    removals = [Asked(pair, one) for pair in SCENE for one in harmless]
    Prober(target, SCENE, [Setting.ALL, Setting.ALL], removals).run(in_turn(map(value, NAMES * 4)))
    found = {kind.removeprefix("address: ")[len(NAMES[0]) :] for kind, _ in target.broken()}
    assert found == {" with Accept with Connection"}


def test_what_is_refused_for_its_dress_is_no_matter_of_what_wore_it() -> None:
    """The removal that is granted is refused in the same dress: it breaks its own clause, and the other does not."""
    target = Pretended()
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        worn = "Connection" in (variation.get("headers") or {})
        return real(pair, {"name": "turned away"} if worn else variation)

    target.sent = sent  # type: ignore[method-assign]
    target.answers = dict.fromkeys(NAMES, 405) | {"turned away": 400}
    harmless = Value(
        "field", "closes", "closes", "a client", "codes.success", Expected.GRANTED, {"headers": {"Connection": "x"}}
    )
    removals = [Asked(pair, harmless) for pair in SCENE]
    target.establish(*SCENE)
    methods = in_turn(value(name, Expected.NOT_ALLOWED, "method.refused") for name in NAMES)
    Prober(target, SCENE, [Setting.ALL, Setting.ALL], removals).run(methods)
    assert target.broken("codes.success") == {("field: closes", "code 400")}
    assert not target.broken("method.refused")


def test_a_control_leaves_what_did_not_stand_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in between is no reason for an association to appear."""
    monkeypatch.setattr("conformance.driver.persistence.SECONDS", 0.01)
    monkeypatch.setattr("conformance.driver.answering.again_after", lambda *_: 0.0)
    target = Pretended()
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        fails = name_of(variation) == NAMES[0] and not target.stands[pair] and target.sent_names.count(NAMES[0]) % 2
        target.answers = {NAMES[0]: 503} if fails else {}
        return real(pair, variation)

    target.sent = sent  # type: ignore[method-assign]
    varied(target, in_turn([value(NAMES[0])]))
    assert "plain" in target.sent_names
    assert not [one for one, _ in target.rulings if one.violation]


@pytest.mark.parametrize("expected", [Expected.GRANTED, Expected.EITHER])
def test_a_fault_that_goes_with_the_association_is_told_by_the_removal_of_another(
    expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one address no removal is answered, which is an answer; the others are tried as ever, and it no more."""
    monkeypatch.setattr("conformance.driver.persistence.SECONDS", 0.01)
    monkeypatch.setattr("conformance.driver.answering.again_after", lambda *_: 0.0)
    target = Pretended()
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        target.answers = {"plain": 500, "accepted": 500} if pair.address == "#1" else {"accepted": 204}
        target.removes = {"accepted"}
        return real(pair, variation)

    target.sent = sent  # type: ignore[method-assign]
    target.establish(*SCENE)
    accepted = replace(value("accepted", expected, "codes.documented"), mistake=False)
    Prober(target, SCENE).run(in_turn([accepted] * 4))
    assert {one.clause for one, _ in target.rulings if one.violation} == {"codes.success"}
    assert {one.address for one in target.failing} == {"#1"}


def late(target: Pretended, name: str) -> None:
    """What this request names goes while nothing is sent."""
    real = target.sent

    def sent(pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        stood = dict(target.stands)
        answer = real(pair, variation)
        if name_of(variation) == name:
            target.under_way.append(next(one for one in SCENE if one != pair and stood[one]))
        return answer

    target.sent = sent  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("name", "clause", "rule"),
    [("plain", "effect.nothing-else", "more than asked for"), (NAMES[1], "effect.refusal-is-inert", "late")],
)
def test_whose_late_effects_are_is_tried_with_nothing_else_under_way(name: str, clause: str, rule: str) -> None:
    """Once something changed while nothing was sent, the removal and the refused requests are tried in quiet."""
    target = Pretended()
    late(target, name)
    target.under_way.append(SCENE[0])
    target.also = lambda sent: [SCENE[1]] if sent == NAMES[2] and target.sent_names.count(sent) == 1 else []
    varied(target, in_turn(map(value, NAMES)))
    certain = {
        (one.clause, one.violation.rule)
        for one, _ in target.rulings
        if one.violation and ONCE not in one.violation.details
    }
    assert certain == {(clause, rule)}


def test_what_changes_while_a_request_is_tried_alone_is_not_blamed_on_it() -> None:
    """An earlier one did it, and late: the request is refused once more, and nothing goes."""
    target = Pretended()
    target.also = lambda name: [SCENE[0]] if name == NAMES[2] and target.sent_names.count(name) < 3 else []
    probed(target, map(value, NAMES))
    assert not target.broken()
    assert target.broken("effect.refusal-is-inert") == {("", "late")}


def test_a_mistake_that_is_carried_out_and_answered_with_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lawful removes there: whatever the answer leaves open, the association is gone."""
    monkeypatch.setattr("conformance.driver.persistence.SECONDS", 0.01)
    monkeypatch.setattr("conformance.driver.answering.again_after", lambda *_: 0.0)
    target = Pretended({NAMES[0]: 500}, removes={NAMES[0]})
    probed(target, map(value, NAMES))
    assert {kind for kind, _ in target.broken()} == {f"address: {NAMES[0]}"}


def test_a_single_read_that_goes_on_showing_what_was_removed_is_found() -> None:
    """The lists are right: only who reads the association by itself, before the removal and after it, notices."""
    granted = replace(value("spelt", Expected.GRANTED, "codes.success"), names=True)
    target = Pretended({"spelt": 204}, removes=["spelt"])
    target.keeps = {"spelt"}
    Prober(target, SCENE).run([Asked(SCENE[0], granted)])
    assert {ruling.clause for ruling, _ in target.rulings if ruling.violation} == {"effect.removed"}


class Holding(Pretended):
    """Lets nothing go again."""

    def sent(self, pair: Pair, variation: Mapping[str, Any]) -> Exchange:
        """Whatever is answered, what stood stands."""
        stood = dict(self.stands)
        exchange = super().sent(pair, variation)
        self.stands.update(stood)
        return exchange

    def clear(self, *pairs: Pair) -> None:
        """In vain."""


@pytest.mark.parametrize(("target", "left"), [(Pretended, set()), (Holding, {SCENE[0]})])
def test_what_a_control_cannot_undo_is_told(target: type[Pretended], left: set[Pair]) -> None:
    """It associates what the group takes to be absent, to see whether a plain removal is answered."""
    pretended = target({"kind a": 503, "plain": 429})
    answering = Answering(pretended)
    answering.answered(Asked(SCENE[0], value("kind a")).of_the_absent())
    assert answering.unrestored == left
