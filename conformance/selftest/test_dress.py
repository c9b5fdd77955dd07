"""What requests wear besides: harmless fields only, in every combination, and the least of it in a finding."""

import random
from itertools import combinations

from conformance.driver.probed import Asked
from conformance.generate.dress import Wardrobe, is_harmless
from conformance.generate.settings import Between
from conformance.generate.space import Expected, Subject, Value, values
from conformance.judge import Pair

SUBJECT = Subject(
    "5e1c0a5e-0b7e-4c11-9a53-1f6e3b7a2c11",
    "192.0.2.9",
    "s1",
    others=("0d0e9d2c-5b1f-4c47-9a53-1f6e3b7a2c11",),
    token="t",
)
EVERY = values(SUBJECT, "deep", 0)
HARMLESS = [one for one in EVERY if is_harmless(one)]
PLAIN = Value("field", "none", "nothing", "the page", "codes.success", Expected.GRANTED, {})


def worn(value: Value, seed: int) -> tuple[Value, ...]:
    """What it wears besides, with this seed."""
    return Wardrobe().dress(value, HARMLESS, random.Random(seed))


def test_nothing_but_harmless_fields_is_worn_besides() -> None:
    """Each may be worn by whatever is granted (decision 17)."""
    assert {one.expected for seed in range(40) for one in worn(PLAIN, seed)} == {Expected.GRANTED}
    assert {one.dimension for one in HARMLESS} == {"field"}


def test_any_three_principal_fields_come_together() -> None:
    """A check that looks at several of them is met in a run that dresses some hundred requests."""
    kinds = ("Content-Length: 0", "Content-Type without content", "Accept: */*", "Connection: close", "no User-Agent")
    draw, wardrobe = random.Random(0), Wardrobe()
    met = [{one.kind for one in wardrobe.dress(PLAIN, HARMLESS, draw)} for _ in range(100)]
    assert all(any(set(three) <= one for one in met) for three in combinations(kinds, 3))
    assert {frozenset(three) for three in combinations(kinds, 3)} <= wardrobe.together


def test_what_made_a_difference_is_worn_no_more() -> None:
    """It is a finding of its own, and would hide what else there is."""
    draw, wardrobe = random.Random(0), Wardrobe(aside={"Connection: close"})
    assert all(one.kind != "Connection: close" for _ in range(50) for one in wardrobe.dress(PLAIN, HARMLESS, draw))


def test_its_own_fields_are_what_a_request_is_sent_for() -> None:
    """A field is worn once, and content comes with its own length and type."""
    for value in EVERY:
        own = {name.lower() for name in value.variation.get("headers") or {}}
        besides = [name.lower() for one in worn(value, 7) for name in one.variation["headers"]]
        assert len(besides) == len(set(besides))
        assert not own & set(besides)
        if value.dimension == "content":
            assert not [name for name in besides if name.startswith("content-")]


def test_a_request_with_less_is_every_part_of_it_left_out_once() -> None:
    """Also the value itself, where it is as harmless as the rest."""
    one, two, three = HARMLESS[:3]
    asked = Asked(Pair("a", "s"), one, dress=(two, three), after=(Between.LIST,))
    fewer = list(asked.lesser)
    assert [(f.value, f.dress, f.after) for f in fewer] == [
        (one, (two, three), ()),
        (one, (three,), (Between.LIST,)),
        (one, (two,), (Between.LIST,)),
        (two, (three,), (Between.LIST,)),
    ]
    refused = next(value for value in EVERY if value.expected is Expected.REFUSED)
    assert [f.value for f in Asked(Pair("a", "s"), refused, dress=(two,)).lesser] == [refused]


def test_the_class_does_not_tell_which_of_several_harmless_fields_came_first() -> None:
    """So that two seeds give one fingerprint."""
    one, two = HARMLESS[:2]
    pair = Pair("a", "s")
    assert Asked(pair, one, dress=(two,)).kind == Asked(pair, two, dress=(one,)).kind
    assert Asked(pair, one, after=(Between.LIST,)).kind == f"{one.kind} right after {Between.LIST}"


def test_a_request_goes_out_with_all_that_it_wears() -> None:
    """Its own value of a field wins."""
    own = next(value for value in HARMLESS if value.kind == "Accept: */*")
    other = next(value for value in HARMLESS if value.kind == "Content-Length: 0")
    headers = Asked(Pair("a", "s"), own, dress=(other,)).variation["headers"]
    assert headers == {"Accept": "*/*", "Content-Length": "0"}
