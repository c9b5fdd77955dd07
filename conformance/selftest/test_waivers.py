"""Waivers: what the file may say, which finding one is about, and what becomes of it on a given day."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from report_runs import broken, clause, finding, waiver

from conformance import catalogue
from conformance.errors import UsageError
from conformance.verdict import Absence, Verdict, Waiver, WaiverStatus, WaiverUse, waivers

LAST_DAY = date(2027, 1, 31)
CLAUSES = tuple(one.id for one in catalogue.load())
ENTRY = {
    "clause": "body.refused",
    "match": "lost",
    "reason": "the proxy drops bodies until it is replaced",
    "owner": "network team",
    "ticket": "NET-123",
    "expires": "2027-01-31",
}


def written(folder: Path, *entries: dict[str, str]) -> Path:
    """A waiver file of these entries."""
    lines = ["waivers:" if entries else "waivers: []"]
    for entry in entries:
        lines += ["  -", *(f"    {key}: {value}" for key, value in entry.items())]
    path = folder / "waivers.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_is_read_with_its_dates_as_text(tmp_path: Path) -> None:
    """Unquoted dates are YAML's own type; here they are what was written."""
    path = written(tmp_path, ENTRY, {key: ENTRY[key] for key in ENTRY if key != "match"})
    assert waivers.load(path, CLAUSES) == (Waiver(**ENTRY), replace(Waiver(**ENTRY), match=""))


def test_the_last_waiver_may_go(tmp_path: Path) -> None:
    """An empty list is a file in order."""
    assert waivers.load(written(tmp_path), CLAUSES) == ()


WRONG = {
    "unknown clause": ({"clause": "body.refuesd"}, r"waivers\[0\].clause: .* did you mean body.refused"),
    "far clause": ({"clause": "x.y"}, r"waivers\[0\].clause: there is no clause x.y; expected one of codes.documented"),
    "no clause": ({"clause": "Body"}, r"waivers\[0\].clause: expected the ID of a clause"),
    "unknown key": ({"until": "x"}, r"waivers\[0\]: .*until.*; expected a mapping with clause, reason"),
    "no date": ({"expires": "soon"}, r"waivers\[0\].expires: expected the last day .* as YYYY-MM-DD"),
    "no such day": ({"expires": "2027-02-30"}, r"waivers\[0\].expires: expected the last day"),
    "a moment": ({"expires": "2027-01-31T10:00:00Z"}, r"waivers\[0\].expires: expected the last day"),
    "empty reason": ({"reason": "''"}, r"waivers\[0\].reason: expected why it is bearable"),
    "no text": ({"owner": "7"}, r"waivers\[0\].owner: expected who answers for it"),
    "a list": ({"match": "[]"}, r"waivers\[0\].match: expected a text that rule, summary"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named_with_its_place(change: dict[str, str], words: str, tmp_path: Path) -> None:
    """File, place and what is expected there."""
    path = written(tmp_path, ENTRY | change)
    with pytest.raises(UsageError, match=rf"waivers.yaml: {words}"):
        waivers.load(path, CLAUSES)


@pytest.mark.parametrize("name", ["clause", "reason", "owner", "ticket", "expires"])
def test_what_is_missing_is_named(name: str, tmp_path: Path) -> None:
    """Nothing but the match may be left out."""
    path = written(tmp_path, {key: value for key, value in ENTRY.items() if key != name})
    with pytest.raises(UsageError, match=rf"waivers\[0\]: .*{name}.*required"):
        waivers.load(path, CLAUSES)


def test_all_mistakes_are_in_one_message(tmp_path: Path) -> None:
    """One line each."""
    path = written(tmp_path, ENTRY | {"expires": "soon"}, ENTRY | {"clause": "Body", "colour": "red"})
    with pytest.raises(UsageError) as caught:
        waivers.load(path, CLAUSES)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{path}: waivers[") for line in lines)


def test_the_same_promise_twice_is_a_mistake(tmp_path: Path) -> None:
    """Which of two dates holds would be anyone's guess."""
    path = written(tmp_path, ENTRY, ENTRY | {"expires": "2028-01-01"}, ENTRY | {"match": "other"})
    with pytest.raises(UsageError, match=r"waivers\[1\]: the same clause and match as waivers\[0\]") as caught:
        waivers.load(path, CLAUSES)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"waivers", b"- clause", b"waivers: [", b"\xff\xfe", b"waivers: []\nwaivers: []\n", b"1: 2", b"? [a]\n: b\n"],
)
def test_what_is_no_waiver_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """One message that names the file, whatever stands in it."""
    (tmp_path / "waivers.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=r"waivers.yaml.*(expected|is not a waiver file)"):
        waivers.load(tmp_path / "waivers.yaml", CLAUSES)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """No traceback."""
    with pytest.raises(UsageError, match=r"absent.yaml: cannot be read \(No such file"):
        waivers.load(tmp_path / "absent.yaml", CLAUSES)


FINDING = replace(
    finding("body.refused", rule="refusal-chunked"), summary="a body of 3 bytes [x]", observed="204 No Content"
)
MATCHES = {
    "": True,
    "refusal-chunked": True,
    "chunked": True,
    "3 bytes": True,
    "204": True,
    "Chunked": False,
    "lost": False,
    "refusal-*": False,
    "[x]": True,
}
PATTERNS = {
    "refusal-*": True,
    "*chunked": True,
    "chunk*": False,
    "204 ?o Content": True,
    "a body of [0-9] bytes *": True,
    "*[[]x]": True,
    "expected by*": False,
}


@pytest.mark.parametrize(("match", "expected"), MATCHES.items())
def test_a_match_is_a_part_or_a_pattern_of_the_whole(match: str, expected: bool) -> None:  # noqa: FBT001
    """Held against rule, summary and observation, with case; what a pattern would mean stands for itself."""
    assert waivers.matches(waiver(match=match), FINDING) is expected


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS.items())
def test_a_pattern_is_marked_as_one(pattern: str, expected: bool) -> None:  # noqa: FBT001
    """It follows a whole text."""
    assert waivers.matches(replace(waiver(match=""), pattern=pattern), FINDING) is expected


def test_all_mistakes_are_told_in_one_go(tmp_path: Path) -> None:
    """What the schema says, clauses that are none, and keys that were misspelled, each once and with what was meant."""
    misspelled = {"expire" if key == "expires" else key: value for key, value in ENTRY.items()}
    path = written(tmp_path, ENTRY | {"clause": "body.refusd"}, misspelled)
    with pytest.raises(UsageError) as caught:
        waivers.load(path, CLAUSES)
    lines = [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]
    assert lines == [
        "waivers[1]: 'expire' was unexpected; did you mean expires?",
        "waivers[0].clause: there is no clause body.refusd; did you mean body.refused or method.refused?",
    ]


def test_who_meant_a_pattern_is_told(tmp_path: Path) -> None:
    """Where it matched nothing."""
    use = WaiverUse(waiver(match="refusal-*"), WaiverStatus.UNMATCHED)
    assert "a shell pattern is given as pattern" in use.in_words()
    path = written(tmp_path, ENTRY | {"pattern": "x*"})
    with pytest.raises(UsageError, match="match or pattern"):
        waivers.load(path, CLAUSES)


def test_a_waiver_is_about_its_own_clause() -> None:
    """However well the texts fit."""
    assert not waivers.matches(waiver("body.inert"), FINDING)


BROKEN = broken("body.refused")
STANDINGS = {
    "met": (BROKEN, waiver(), WaiverStatus.APPLIED),
    "not met": (BROKEN, waiver(match="no such text"), WaiverStatus.UNMATCHED),
    "passes": (clause("body.refused"), waiver(), WaiverStatus.OBSOLETE),
    "open": (clause("body.refused", Verdict.INCONCLUSIVE), waiver(), WaiverStatus.UNDECIDED),
    "untested": (
        clause("body.refused", Verdict.UNTESTED, absence=Absence.DESELECTED),
        waiver(),
        WaiverStatus.UNDECIDED,
    ),
    "not there": (clause("body.inert"), waiver(), WaiverStatus.UNDECIDED),
    "last day": (BROKEN, waiver(expires="2027-01-31"), WaiverStatus.APPLIED),
    "day after": (BROKEN, waiver(expires="2027-01-30"), WaiverStatus.EXPIRED),
    "expired and passing": (clause("body.refused"), waiver(expires="2027-01-30"), WaiverStatus.EXPIRED),
}


@pytest.mark.parametrize(("result", "given", "standing"), STANDINGS.values(), ids=STANDINGS)
def test_what_becomes_of_a_waiver(result: object, given: Waiver, standing: WaiverStatus) -> None:
    """It depends on the clause's findings and on the day that the caller names."""
    (after,), (use,) = waivers.apply((result,), (given,), LAST_DAY)  # type: ignore[arg-type]  # a table of results
    assert use.standing is standing
    assert (after.verdict is Verdict.WAIVED) == (standing is WaiverStatus.APPLIED)
    assert bool(use.findings) == (standing is WaiverStatus.APPLIED)
    assert bool(waivers.notes((use,))) == (standing is not WaiverStatus.APPLIED)


def test_a_clause_is_waived_only_if_all_its_findings_are() -> None:
    """One promise excuses no other finding; what it excuses still shows by whom."""
    both = replace(BROKEN, findings=(*BROKEN.findings, finding("body.refused", rule="another")))
    promise = waiver(match="another")
    (after,), _ = waivers.apply((both,), (promise,), LAST_DAY)
    assert after.verdict is Verdict.FAIL
    assert [one.waiver for one in after.findings] == [None, promise]
    (after,), _ = waivers.apply((both,), (promise, waiver(match="rule")), LAST_DAY)
    assert after.verdict is Verdict.WAIVED
    assert after.reason == "waived until 2099-12-31 by an owner (T-1): a reason"


def test_an_error_is_never_waived() -> None:
    """The suite broke: a promise about the target says nothing about that."""
    (after,), _ = waivers.apply((replace(BROKEN, verdict=Verdict.ERROR),), (waiver(),), LAST_DAY)
    assert after.verdict is Verdict.ERROR
