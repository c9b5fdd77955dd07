"""What is known to stand: what a look shows is what stood before the next request."""

import json

from conformance.driver.known_state import KnownState
from conformance.evidence import Exchange, Request, Response
from conformance.judge import Held, ObservedState, Pair
from conformance.judge.state import LIST, READ, from_list, from_show

ONE, OTHER = Pair("a", "s"), Pair("b", "s")
HELD = Held.of(["p1", "p2"], "192.0.2.1")
CHANGED = HELD._replace(members=(("type", "fixed"),))
AS_MADE = {(LIST, ONE): "192.0.2.1", (LIST, OTHER): "192.0.2.2", (READ, ONE): "192.0.2.1"}


def known() -> KnownState:
    """Two associations on one server, seen to stand, and one address."""
    known_state = KnownState(ports={"a": HELD}, tabled={"a": HELD})
    known_state.established([ONE, OTHER], ObservedState(literals=AS_MADE))
    return known_state


def answered(document: object) -> Exchange:
    """A read of the target."""
    content = json.dumps(document).encode()
    return Exchange("7", "read", "full", Request("GET", "http://t/"), 0.0, 0.0, 0.0, Response(200, "OK", (), content))


def test_an_association_stands_with_its_literal_in_either_view() -> None:
    """The list and the single read tell the address of each entry, in one spelling."""
    rows = [{"id": "A", "address": "2001:DB8:0::1"}, {"id": "b"}]
    listed = from_list(answered({"ip_associations": rows}), "s", ["a", "b"])
    shown = from_show(answered({"ip_association": rows[0]}), ONE)
    assert listed.literals == {(LIST, ONE): "2001:db8::1", (LIST, OTHER): ""}
    assert shown.literals == {(READ, ONE): "2001:db8::1"}


def test_another_literal_is_a_change_and_none_before_is_not_compared() -> None:
    """Each is compared within its view; what was removed is not compared."""
    before = known().expected()
    wrong = ObservedState(literals={(LIST, OTHER): "192.0.2.1", (READ, ONE): ""})
    assert before.differences(wrong) == (
        f"the list shows {OTHER} as 192.0.2.1 instead of 192.0.2.2",
        f"the single read shows {ONE} without its address instead of 192.0.2.1",
    )
    assert before.without(ONE, OTHER).differences(wrong) == ()
    assert ObservedState(literals={(LIST, ONE): ""}).differences(ObservedState(literals=AS_MADE)) == ()


def test_a_removal_that_changes_another_literal_is_accused_once() -> None:
    """What is suspect is compared with its literals; then what is shown is what stands."""
    known_state = known()
    known_state.removal(ONE, "7")
    seen = ObservedState(listed={ONE: False, OTHER: True}, literals={(LIST, OTHER): "192.0.2.1"})
    (ruling,) = known_state.seen(seen, just_removed=ONE)
    assert ruling.violation is not None
    assert ruling.clause == "effect.nothing-else"
    assert known_state.seen(seen) == []
    assert known_state.expected().differences(seen) == ()


def test_a_change_that_was_found_stood_before_the_next_request() -> None:
    """Whatever changed in the list of addresses is not blamed on the next request too."""
    known_state = known()
    seen = ObservedState(ports={"a": CHANGED}, tabled={"a": CHANGED})
    assert len(known_state.expected().differences(seen)) == 0  # members that were not shown before
    known_state.seen(seen)
    back = ObservedState(ports={"a": HELD}, tabled={"a": HELD})
    assert len(known_state.expected().differences(back)) == 2
    known_state.seen(back)
    assert known_state.expected().differences(back) == ()


def test_an_address_that_left_the_list_is_not_relied_on_there() -> None:
    """It is said once; whether it comes back says nothing of the next request."""
    known_state = known()
    known_state.seen(ObservedState(tabled={"a": None}))
    assert known_state.expected().differences(ObservedState(tabled={"a": HELD})) == ()


def test_what_the_list_showed_to_change_is_not_blamed_on_an_earlier_removal() -> None:
    """The single read shows it later: no removal since the address was last looked at is accused of it."""
    held = HELD._replace(members=(("type", "shared"),))
    known_state = KnownState(ports={"a": held}, tabled={"a": held})
    known_state.established([ONE], ObservedState())
    known_state.removal(ONE, "7")
    known_state.seen(ObservedState(tabled={"a": CHANGED}))
    assert known_state.seen(ObservedState(ports={"a": CHANGED})) == []
    assert known_state.expected().differences(ObservedState(ports={"a": CHANGED}, tabled={"a": CHANGED})) == ()


def test_what_an_earlier_test_left_standing_is_expected_once_it_is_relied_on() -> None:
    """Until then what became of it is not held against anybody; what a removal made suspect stays so."""
    known_state = KnownState(ports={"a": HELD})
    known_state.inherited(ONE)
    gone = ObservedState(listed={ONE: False})
    assert known_state.expected().differences(gone) == ()
    known_state.rely()
    assert known_state.expected().differences(gone) != ()
    known_state.stands[OTHER] = True
    known_state.removal(ONE, "7")
    known_state.rely()
    assert known_state.suspect(OTHER)


def test_what_becomes_of_an_address_that_is_taken_back_accuses_nobody() -> None:
    """The suite itself removed it, with all that was associated."""
    believed = known()
    believed.removal(ONE, "7")
    believed.forget("a")
    gone = ObservedState(listed={ONE: False, OTHER: True}, ports={"a": None}, tabled={"a": None})
    assert believed.seen(gone) == []
    assert ONE not in believed.expected().listed


def test_what_nobody_knows_is_as_it_is_found() -> None:
    """What an earlier test left, and could not take down, is neither absent nor to be blamed on what comes."""
    believed = KnownState(ports={"a": HELD})
    believed.found(ObservedState(listed={ONE: True, OTHER: False}), [ONE, OTHER])
    assert believed.stands == {ONE: True, OTHER: False}
    assert believed.seen(ObservedState(listed={ONE: False, OTHER: True})) == []


def test_what_two_views_do_not_agree_about_is_held_against_nobody() -> None:
    """Until it is made again, or they agree: reading one of them does not settle it."""
    known_state = known()
    known_state.seen(ObservedState(listed={ONE: False}, shown={ONE: True}))
    assert ONE not in known_state.expected().listed
    known_state.seen(ObservedState(listed={ONE: False}))
    assert ONE not in known_state.expected().listed
    assert not known_state.stands[ONE]
    known_state.seen(ObservedState(listed={ONE: False}, shown={ONE: False}))
    assert known_state.expected().listed[ONE] is False


def test_what_an_earlier_test_removed_and_shows_again_is_that_removals_fault() -> None:
    """It is no change that the request before the look made."""
    known_state = KnownState(stands={ONE: False})
    known_state.removed_before(ONE, "5")
    assert ONE not in known_state.expected().listed
    (ruling,) = known_state.seen(ObservedState(listed={ONE: True}))
    assert ruling.violation is not None
    assert (ruling.clause, ruling.violation.exchanges[0]) == ("effect.removed", "5")
    assert known_state.removed_in_vain


def test_what_is_new_of_an_address_is_no_change_in_the_other_views_of_it() -> None:
    """A removal gave it another literal, which one view was read for: the others are not held to the old one."""
    known_state = known()
    new = HELD._replace(literal="192.0.2.9")
    known_state.seen(ObservedState(ports={"a": new}, listed={ONE: True}, literals={(LIST, ONE): "192.0.2.9"}))
    expected = known_state.expected()
    assert not expected.tabled
    assert not expected.differences(ObservedState(tabled={"a": new}, literals={(READ, ONE): "192.0.2.9"}))
    assert expected.differences(ObservedState(literals={(LIST, ONE): "192.0.2.1"}))


def test_the_list_says_nothing_of_an_address_that_is_suspect() -> None:
    """What the last removal did to it is not held against the request after it."""
    known_state = known()
    assert known_state.expected().tabled
    known_state.removal(ONE, "7")
    assert not known_state.expected().tabled


def test_what_was_removed_is_expected_to_stay_away_once_it_was_seen_to_be_gone() -> None:
    """Until then the removal may not show yet."""
    known_state = known()
    known_state.removal(ONE, "7")
    back = ObservedState(listed={ONE: True})
    assert known_state.expected_everywhere().differences(back) == ()
    known_state.seen(ObservedState(listed={ONE: False}), just_removed=ONE)
    assert known_state.expected_everywhere().differences(back) != ()
    known_state.established([ONE], back)
    assert known_state.expected_everywhere().differences(back) == ()


def test_what_returns_stands_again_and_tells_which_removal_did_not_last() -> None:
    """What still lingers after its removal does not return; what returns is said once, and can be removed again."""
    known_state = known()
    known_state.removal(ONE, "7")
    back = ObservedState(listed={ONE: True})
    assert known_state.returned(back) == {}
    known_state.seen(ObservedState(listed={ONE: False}), just_removed=ONE)
    assert known_state.returned(back) == {ONE: "7"}
    assert known_state.returned(back) == {}
    assert known_state.seen(back) == []
    assert known_state.stands[ONE]
    assert not known_state.removed_in_vain
