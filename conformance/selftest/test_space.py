import base64
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

import pytest

from conformance.generate.space import DEPTHS, Expected, Subject, Value, credentials, selection, values
from conformance.generate.space.segments import addresses_the_operation

SUBJECT = Subject(
    address="3f0c9a1e-7b52-4d8a-9c4e-a1b2c3d4e5f6",
    literal="198.51.100.27",
    server="0b1f2c3d-aaaa-4bbb-8ccc-0d1e2f3a4b5c",
    others=("8d0c9a1e-7b52-4d8a-9c4e-a1b2c3d4e5f7",),
    servers=("0b1f2c3d-aaaa-4bbb-8ccc-0d1e2f3a4b5c", "1b1f2c3d-aaaa-4bbb-8ccc-0d1e2f3a4b5d"),
    ports=("5a1f2c3d-aaaa-4bbb-8ccc-0d1e2f3a4b5e",),
    networks=("00000000-0000-0000-0000-000000000000",),
    idle=("9d0c9a1e-7b52-4d8a-9c4e-a1b2c3d4e5f8",),
    strangers=("2b1f2c3d-aaaa-4bbb-8ccc-0d1e2f3a4b5d",),
    foreign=("4c1f2c3d-aaaa-4bbb-8ccc-0d1e2f3a4b5d",),
    token="gAAAABl0TheValidTokenOfThisTest",
)
SIXTH = Subject("11111111-2222-4333-8444-555555555555", "2001:db8::a:1b", "web 1", token="0123456789")
"""An ID without letters, an address of version 6, a server with a blank, and nothing else of ours."""

SUBJECTS = [pytest.param(SUBJECT, id="v4"), pytest.param(SIXTH, id="v6")]
NEVER_METHODS = {"HEAD", "OPTIONS", "TRACE", "CONNECT", "PRI"}
NEVER_FIELDS = {"host", "te", "trailer", "upgrade", "max-forwards", "transfer-encoding", "expect", "keep-alive"}


def _segments(found: Sequence[Value]) -> Iterator[str]:
    for value in found:
        yield from (value.variation[name] for name in ("address", "segment") if name in value.variation)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_segment_leaves_a_request_to_the_operation(subject: Subject) -> None:
    """Neither slash, nor dots, nor control characters, nor more than 255 bytes (decision 7)."""
    segments = list(_segments(values(subject, "deep", 0)))
    assert len(segments) > 150
    for segment in segments:
        text = unquote(unquote(segment))
        assert 0 < len(segment) <= 255
        assert text not in {".", ".."}
        assert not {"/", "\\"} & set(text)
        assert not any(unicodedata.category(one) == "Cc" for one in text), segment


@pytest.mark.parametrize("segment", ["", ".", "..", "%2E%2e", "a%2Fb", "a%252Fb", "a%00", "%0a", "a%5Cb", "a" * 256])
def test_a_segment_that_addresses_something_else_is_told(segment: str) -> None:
    """Decision 7, one by one."""
    assert not addresses_the_operation(segment)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_kind_has_one_clause_and_one_expectation(subject: Subject) -> None:
    """What is lawful is a matter of the kind."""
    kinds: dict[tuple[str, str], set[Any]] = defaultdict(set)
    for value in values(subject, "deep", 0):
        kinds[value.dimension, value.kind].add((value.clause, value.expected, value.also))
    assert not {kind: seen for kind, seen in kinds.items() if len(seen) > 1}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_kinds_hold_no_ids_and_values_have_sources(subject: Subject) -> None:
    """Kinds go into fingerprints, and sources say where a rule comes from."""
    ours = {subject.address, subject.server, subject.literal, subject.token, *subject.others, *subject.ports}
    for value in values(subject, "deep", 0):
        assert value.source
        assert value.words
        assert not any(one in value.kind for one in ours)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_refused_address_is_no_canonical_form_of_the_id(subject: Subject) -> None:
    """What decodes to the ID itself, in whatever case, is the same address."""
    for value in values(subject, "deep", 0):
        if value.dimension == "address" and value.expected in {Expected.REFUSED, Expected.INERT}:
            assert unquote(value.variation["address"]).lower() != subject.address


def test_no_address_names_what_stands() -> None:
    """What must change nothing names none of the suite's standing associations."""
    inert = [value for value in values(SUBJECT, "deep", 0) if value.expected is Expected.INERT]
    named = {unquote(segment).lower() for segment in _segments(inert)}
    assert not named & {*SUBJECT.others}
    assert {*SUBJECT.idle, *SUBJECT.strangers} <= named


def test_no_method_of_a_connection_is_sent() -> None:
    """HEAD, OPTIONS, TRACE and CONNECT are not judged, GET and PUT are documented."""
    found = [value for value in values(SUBJECT, "deep", 0) if value.expected is Expected.NOT_ALLOWED]
    methods = {value.variation["method"] for value in found}
    assert {"POST", "PATCH", "UNLINK", "PROPFIND"} <= methods
    assert not {method.upper() for method in methods} & (NEVER_METHODS | {"GET", "PUT", "DELETE"})


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_field_speaks_to_the_connection(subject: Subject) -> None:
    """Decision 17: these are never varied, and Connection says close at most."""
    for value in values(subject, "deep", 0):
        headers = {name.lower(): told for name, told in value.variation.get("headers", {}).items()}
        with_content = {"expect"} if value.variation.get("body") else set()
        assert not headers.keys() & NEVER_FIELDS - with_content
        assert headers.get("connection", "close") == "close"


def test_a_credential_that_is_refused_is_not_the_valid_one() -> None:
    """The field carries the token in no form that a parser must take for it."""
    found = [value for value in values(SUBJECT, "deep", 0) if value.clause == "access.authenticated"]
    for value in found:
        assert value.variation["credential"] is None
        assert value.variation["headers"].get("X-Auth-Token", "").strip() != SUBJECT.token
    assert any(SUBJECT.token in str(value.variation["headers"]) for value in found)


def test_401_is_due_only_where_nothing_but_the_token_can_be_the_reason() -> None:
    """A query, a field beside the token and a token that is no usual field value may be refused on another account."""
    found = [value for value in values(SUBJECT, "deep", 0) if value.clause == "access.authenticated"]
    for value in found:
        headers, token = value.variation["headers"], value.variation["headers"].get("X-Auth-Token", "")
        usual = token.isascii() and len(token) < 1024
        plain = not value.variation["query"] and not headers.keys() - {"X-Auth-Token"} and usual
        assert value.expected is (Expected.UNAUTHORISED if plain else Expected.REFUSED), value.words
    due = [value.kind for value in found if value.expected is Expected.UNAUTHORISED]
    assert {"token none", "token wrong, empty", "token wrong, unknown hex", "token wrong, cut in half"} <= {*due}


def test_what_evidence_shows_of_a_token_is_no_token() -> None:
    """A field made of the token is shown as an expression, and a value does not print what it sends."""
    for value in values(SUBJECT, "deep", 0):
        for name, told in value.variation.get("headers", {}).items():
            if told and SUBJECT.token[:8] in told:
                assert SUBJECT.token[:8] not in value.variation["shown"][name]
        assert SUBJECT.token not in repr(value)
        assert SUBJECT.token not in value.words


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_seed_gives_the_same_values(depth: str) -> None:
    """Values are a function of subject, depth and seed."""
    assert values(SUBJECT, depth, 3) == values(SUBJECT, depth, 3)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_standard_has_every_kind_within_its_budget(subject: Subject) -> None:
    """One value of every kind at least, and others with another seed."""
    every = {(value.dimension, value.kind) for value in values(subject, "deep", 0)}
    beyond = {kind for kind in every if "AWS" in kind[1] or "IIS" in kind[1]}
    runs = [values(subject, "standard", seed) for seed in range(3)]
    for run in runs:
        assert {(value.dimension, value.kind) for value in run} == every - beyond
        assert len(run) <= selection.MOST_AT_STANDARD
    assert runs[0] != runs[1]


def test_quick_seeds_cover_every_kind_together() -> None:
    """A share of the kinds at a time, and beside them what is plainest for each clause in each dimension."""
    standard = {(value.dimension, value.kind) for value in values(SUBJECT, "standard", 0)}
    seeds = range(selection.QUICK_SHARE)
    quick = [{(value.dimension, value.kind) for value in values(SUBJECT, "quick", seed)} for seed in seeds]
    assert set.union(*quick) == standard
    always = set.intersection(*quick)
    assert {
        ("address", "v4"),
        ("content", "JSON object, empty, content-length"),
        ("credential", "token none"),
    } <= always
    assert all(len(run - always) <= len(standard) // selection.QUICK_SHARE + 1 for run in quick)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_content_has_bytes_and_both_framings(subject: Subject) -> None:
    """What is refused as content is content, however its length is told."""
    found = [value for value in values(subject, "deep", 0) if value.clause == "body.refused"]
    assert all(value.variation["body"] for value in found)
    assert {value.variation["framing"] for value in found} == {"content-length", "chunked"}


def test_the_spellings_are_those_of_common_parsers() -> None:
    """Samples of each table, written out by hand."""
    sent = {quote(unquote(segment)) for segment in _segments(values(SUBJECT, "deep", 0))}
    bare = SUBJECT.address.replace("-", "")
    wanted = [f"{{{SUBJECT.address}}}", bare, f"{SUBJECT.address}.json", f"{SUBJECT.address} ", str(UUID(bare).int)]
    literals = [
        "3325256731",
        "0xc633641b",
        "0306.063.0144.033",
        "198.51.25627",
        "::ffff:198.51.100.27",
        "[198.51.100.27]",
    ]
    assert {quote(text) for text in wanted + literals} <= sent


def test_a_server_of_another_tenant_is_named_only_where_one_is_lent() -> None:
    """Decision 8: then a removal names nothing there, and changes nothing."""
    lent = [value for value in values(SUBJECT, "deep", 0) if SUBJECT.foreign[0] in value.variation.values()]
    assert {(value.kind, value.expected, value.names) for value in lent} == {
        ("another tenant's server", Expected.INERT, False)
    }
    assert not [value for value in values(SIXTH, "deep", 0) if value.kind == "another tenant's server"]


@pytest.mark.parametrize("seed", range(3))
def test_every_registered_preference_and_precondition_is_sent_at_standard(seed: int) -> None:
    """Each asks for something of its own, so that none stands for another."""
    sent = [value.variation.get("headers", {}) for value in values(SUBJECT, "standard", seed)]
    preferred = {headers["Prefer"].partition("=")[0].partition(",")[0] for headers in sent if "Prefer" in headers}
    assert preferred == {"respond-async", "return", "wait", "handling", "safe", "depth-noroot"}
    assert {"return=minimal", "return=representation"} <= {headers.get("Prefer") for headers in sent}
    conditions = {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}
    for condition in conditions:
        assert any(condition in headers for headers in sent), condition
    assert {"*", '"x"'} <= {headers.get("If-None-Match") for headers in sent}


def test_a_method_in_the_other_case_is_refused_with_whichever_4xx() -> None:
    """Some servers know no such method and say 400; the documented one may be read as itself, or not."""
    found = {value.kind: value.expected for value in values(SUBJECT, "deep", 0) if "other case" in value.kind}
    assert found["method POST in the other case"] is Expected.REFUSED
    assert found["method DELETE in the other case"] is Expected.INERT


@pytest.mark.parametrize("last", ["g", "h", "4", "A"])
def test_a_token_with_another_end_is_another_token(last: str) -> None:
    """Also of those that are base64 without padding, of which the last character may be another one."""
    token = f"gAAAAABmz8-secret-of-somebody-{last}"
    every = credentials.every(Subject("a", "192.0.2.1", "s", token=token))
    made = [one for one in every if one.kind.endswith(("another end", "another beginning"))]
    sent = {one.variation["headers"]["X-Auth-Token"] for one in made}
    assert len(sent) == 2
    for one in sent:
        assert len(one) == len(token)
        assert base64.urlsafe_b64decode(f"{one}==") != base64.urlsafe_b64decode(f"{token}==")


def test_what_a_lenient_decoder_ignores_makes_no_other_token() -> None:
    """Keystone takes its token in quotes, in brackets or with a dot after it; nobody is let in who should not be."""
    token = "gAAAAABmz8-secret_of-somebody"
    every = credentials.every(Subject("a", "192.0.2.1", "s", token=token))
    sent = {one.variation["headers"].get("X-Auth-Token") or "" for one in every if one.kind.startswith("token wrong")}
    assert f"{token}x" in sent
    assert not sent & {token, f'"{token}"', f"<{token}>", f"{token}.", f"{token},"}
