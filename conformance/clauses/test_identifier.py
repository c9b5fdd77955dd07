"""``identifier.*``: an address is named by the UUID of its ID and by nothing else."""

from __future__ import annotations

import pytest

from conformance import generate, judge
from conformance.generate import Segment, identifiers


@pytest.mark.clause("identifier.not-the-address")
def test_the_address_does_not_stand_for_its_id(api):
    """The literal address, of either IP version, in every text form that a parser takes."""
    api.probe(lambda value: value.clause == "identifier.not-the-address")


@pytest.mark.clause("identifier.uuid")
def test_what_is_no_uuid_is_refused(api):
    """Near misses of an existing ID, other encodings, words and numbers are refused and remove nothing."""
    api.probe(lambda value: value.clause == "identifier.uuid")


@pytest.mark.clause("identifier.uuid")
def test_what_is_generated_and_is_no_uuid_is_refused(api, association):
    """The ID after a few edits, and short words."""

    def judge_one(segment: Segment) -> None:
        trial = api.attempt(association, f"{segment.words} in place of an ID", raw=True, address=segment.encoded)
        api.judge(judge.refusal.refused("identifier.uuid", trial), trial=trial, kind=["address: generated"])

    generated = identifiers.generated_no_uuids(association.address)
    generate.for_all(judge_one, api, segment=generated, share=0.25)


@pytest.mark.clause("identifier.canonical")
def test_other_spellings_of_the_id_are_refused(api):
    """Every text form of 128 bits: the same UUID to a lenient parser, and no name of the address."""
    api.probe(lambda value: value.clause == "identifier.canonical")


@pytest.mark.clause("identifier.canonical")
def test_the_id_in_upper_case_is_the_same(api, neighbourhood):
    """Hex digits have no case (RFC 9562, section 4): the association is removed, from whichever server."""
    for pair in api.some(neighbourhood):
        control = again = None
        trial = api.attempt(pair, "the ID in upper case", address=pair.address.upper())
        if not trial.removed:
            control = api.attempt(pair, mistake=False)
            again = api.attempt(pair, "the ID in upper case", address=pair.address.upper())
        api.judge(judge.effect.same_in_upper_case(trial, control, again), trial=trial)
