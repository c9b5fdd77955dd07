"""How long tests take, beside each other: in which order workers get them, and how much of a run is left.

The figures are requests to the reference deployment with two servers, measured; a test that is not named is short.
What they are used for survives that another target costs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHORT = (5, 12, 12)
REQUESTS: dict[str, tuple[int, int, int]] = {
    "test_effect.py::test_at_most_what_is_named_goes": (206, 815, 1904),
    "test_body.py::test_a_removal_with_a_body_is_refused": (42, 630, 1456),
    "test_concurrency.py::test_some_order_explains_overlapping_operations": (67, 529, 2095),
    "test_lifecycle.py::test_any_sequence_agrees_with_the_model": (57, 468, 1525),
    "test_codes.py::test_a_removal_may_wear_what_clients_send": (41, 367, 456),
    "test_deallocation.py::test_the_refusal_holds_until_the_last_association_is_removed": (48, 343, 343),
    "test_method.py::test_no_override_makes_another_method_remove": (19, 327, 524),
    "test_identifier.py::test_what_is_no_uuid_is_refused": (12, 315, 883),
    "test_identifier.py::test_other_spellings_of_the_id_are_refused": (17, 306, 764),
    "test_identifier.py::test_the_address_does_not_stand_for_its_id": (19, 297, 685),
    "test_access.py::test_a_caller_of_another_tenant_is_refused": (42, 286, 785),
    "test_access.py::test_a_caller_without_the_right_to_delete_is_answered_403": (42, 283, 799),
    "test_access.py::test_a_caller_without_a_valid_token_is_answered_401": (34, 242, 629),
    "test_method.py::test_an_undocumented_method_is_answered_405": (19, 161, 761),
    "test_deallocation.py::test_put_without_ports_of_an_associated_address_is_refused": (36, 144, 144),
    "test_deallocation.py::test_delete_of_an_associated_address_is_refused": (34, 127, 130),
    "test_effect.py::test_repeating_a_removal_changes_nothing_more": (16, 75, 75),
    "test_effect.py::test_a_removal_removes_one_association_and_nothing_else": (15, 71, 71),
    "test_deallocation.py::test_the_refusal_holds_however_an_association_was_made": (13, 57, 57),
    "test_effect.py::test_a_removed_association_stays_removed": (12, 49, 49),
    "test_deallocation.py::test_put_without_ports_of_an_address_without_associations_succeeds": (21, 48, 48),
    "test_deallocation.py::test_delete_of_an_address_without_associations_answers_204": (17, 46, 46),
    "test_codes.py::test_generated_requests_are_answered_with_documented_codes": (21, 38, 120),
    "test_faults.py::test_a_mistake_is_not_answered_with_a_server_fault": (9, 27, 27),
    "test_access.py::test_another_tenant_does_not_deallocate_the_address": (13, 23, 23),
    "test_identifier.py::test_the_id_in_upper_case_is_the_same": (3, 20, 20),
}
"""Test -> requests at the depths quick, standard and deep; of a test with parameters, for one of them."""

WAITS: dict[str, tuple[int, int, int]] = {}
"""Test -> how often it waits out the settling time, to see that nothing shows late."""

DEPTHS = ("quick", "standard", "deep")
WAIT_IN_REQUESTS = 50
"""What a wait weighs beside requests when tests are put in order: the default settling time at 100 ms a request."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a test takes."""

    requests: int
    waits: int

    @property
    def weight(self) -> int:
        """One number to put tests in order."""
        return self.requests + WAIT_IN_REQUESTS * self.waits


def of(test: str, depth: str) -> Effort:
    """The effort of a test, named as :mod:`conformance.run.suite` names tests."""
    column = DEPTHS.index(depth)
    return Effort(REQUESTS.get(test, SHORT)[column], WAITS.get(test, (0, 0, 0))[column])


def spread(tests: Sequence[str], depth: str, workers: int) -> list[int]:
    """The order in which ``workers`` should be given the tests, as indexes: the longest first.

    A worker is given two tests at the start and one whenever it ends one, so behind each of the longest comes one of
    the shortest: it waits until the long one has ended.
    """
    ranked = sorted(range(len(tests)), key=lambda index: -of(tests[index], depth).weight)
    if len(ranked) < 2 * workers:
        return ranked
    longest, middle, shortest = ranked[:workers], ranked[workers:-workers], ranked[-workers:]
    pairs = zip(longest, reversed(shortest), strict=True)
    return [*(index for pair in pairs for index in pair), *middle]


def left_seconds(
    done: Effort, remaining: Effort, longest: Effort, *, elapsed: float, workers: int, settle: float
) -> float:
    """How long the remaining tests will take, judged by those that are done.

    Args:
        longest: of the remaining ones; workers cannot share it.
        elapsed: seconds since the first test began.
        settle: what a wait takes.
    """
    each = max(0.0, elapsed * workers - done.waits * settle) / max(1, done.requests)
    shared = (remaining.requests * each + remaining.waits * settle) / workers
    return max(shared, longest.requests * each + longest.waits * settle)
