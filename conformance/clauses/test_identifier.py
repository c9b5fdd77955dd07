"""``identifier.*``: an address is named by the UUID of its ID and by nothing else."""

from __future__ import annotations

import pytest

from conformance import generate, judge
from conformance.generate import Segment, identifiers


@pytest.mark.clause("identifier.not-the-address")
def test_the_address_does_not_stand_for_its_id(api, neighbourhood):
    """The literal address of the association, and of a neighbour on the same server, in every spelling."""
    for pair in {one.address: one for one in reversed(neighbourhood)}.values():
        for segment in api.some(identifiers.address_spellings(api.address(pair).literal)):
            trial = api.attempt(pair, f"{segment.words} in place of its ID", raw=True, address=segment.encoded)
            api.judge(judge.refusal.refused("identifier.not-the-address", trial), trial=trial, case=str(segment))


@pytest.mark.clause("identifier.uuid")
def test_what_is_no_uuid_is_refused(api, association):
    """Near misses of an existing ID and words far from any are refused and remove nothing."""

    def judge_one(segment: Segment) -> None:
        trial = api.attempt(association, f"{segment.words} in place of an ID", raw=True, address=segment.encoded)
        api.judge(judge.refusal.refused("identifier.uuid", trial), trial=trial)

    rows = [{"segment": segment} for segment in identifiers.no_uuids(association.address)]
    generated = identifiers.generated_no_uuids(association.address)
    generate.for_all(judge_one, api, api.some(rows), segment=generated, share=0.5)


@pytest.mark.clause("identifier.canonical")
def test_other_spellings_of_the_id_are_refused(api, association):
    """Braces, no hyphens, a URN, blanks: the same UUID to a lenient parser, and no name of the address."""
    for segment in api.some(identifiers.uuid_spellings(association.address)):
        trial = api.attempt(association, segment.words, raw=True, address=segment.encoded)
        api.judge(judge.refusal.refused("identifier.canonical", trial), trial=trial, case=str(segment))


@pytest.mark.clause("identifier.canonical")
def test_the_id_in_upper_case_is_the_same(api, association):
    """Hex digits have no case (RFC 9562, section 4): the association is removed."""
    control = again = None
    trial = api.attempt(association, "the ID in upper case", address=association.address.upper())
    if not trial.removed:
        control = api.attempt(association, mistake=False)
        again = api.attempt(association, "the ID in upper case", address=association.address.upper())
    api.judge(judge.effect.same_in_upper_case(trial, control, again), trial=trial)
