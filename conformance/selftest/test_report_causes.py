"""Findings by cause: one mistake is one entry, the worst first, told in plain words and as a difference of states."""

from dataclasses import replace
from typing import Any

import pytest
from report_pages import Page
from report_runs import clause, exchange, finding, run, waiver

from conformance import catalogue
from conformance.report import causes, changes, html, issue, pictures, plain
from conformance.report.plain import Harm
from conformance.verdict import Absence, ClauseResult, Finding, Level, Requests, Verdict, WaiverStatus, WaiverUse

pytestmark = pytest.mark.once

A, S = "0b9a1c1e-6a4a-4f0e-9d29-000000000001", "892bee63-e285-4b6f-a5cf-ea81274148d1"
GONE = f"204 No Content, the list does not show address {A} with server {S}"
STAYS = f"the list and the single read shows address {A} with server {S}"


def met(clause_id: str, observed: str = GONE, status: int | None = 204, **more: Any) -> Finding:
    """A finding whose only exchange decides it."""
    sent: dict[str, Any] = {"credential": more.pop("credential", "full"), "body": more.pop("body", b"")}
    operation = more.pop("operation", "removeAssociation")
    one = exchange(1, status, sent=sent["body"])
    request = replace(one.request, url=f"https://compute.example/v2/servers/{S}/ip_associations/{A}")
    one = replace(one, credential=sent["credential"], operation=operation, request=request)
    told = {"servers": [S], "addresses": {A: ""}, "standing": [[S, A]], "removed": [], "steps": ["w0-1"]}
    return replace(
        finding(clause_id, one), **{"observed": observed, "setting": {**told, "decisive": "w0-1"}, "rule": "r"} | more
    )


def broken(*findings: Finding, level: Level = Level.MUST) -> ClauseResult:
    """The clause of these findings, which was judged in seven cases."""
    return clause(findings[0].clause, Verdict.FAIL, *findings, level=level)


def told(*clauses: ClauseResult) -> list[tuple[str, list[str]]]:
    """The worst clause and the other ones of each cause, in order."""
    return [(one.first.clause.id, [also.id for also in one.also]) for one in causes.causes(run(*clauses))]


def test_forms_of_one_mistake_are_one_cause() -> None:
    """Each class of a made-up token is a finding of its own, and all of them are one mistake."""
    forms = [met("access.authenticated", credential="made up", classes=(f"credential: {one}",)) for one in "abc"]
    (cause,) = causes.causes(run(broken(*forms)))
    assert cause.seen == 9
    assert cause.parts[0].forms == ["a", "b", "c"]


def test_rules_of_one_clause_are_forms_of_one_mistake() -> None:
    """What tells them apart is told in a row each, with its fingerprint."""
    forms = [met("effect.removed", STAYS, rule=one, summary=f"summary {one}") for one in "ab"]
    (cause,) = causes.causes(run(broken(*forms)))
    said = Page(html.render(run(broken(*forms)))).said(f"f-{cause.first.finding.fingerprint}")
    assert "2 forms of this mistake broke the clause; 1 other case of it did not" in said
    for one in forms:
        assert one.summary in said
        assert one.fingerprint in said


def test_what_another_clause_says_of_it_is_no_other_cause() -> None:
    """The same kind of request, answered alike, with the same effect: one entry that also breaks the others."""
    foreign = [met(one, credential="foreign") for one in ("effect.nothing-else", "access.foreign")]
    assert told(*map(broken, foreign)) == [("access.foreign", ["effect.nothing-else"])]


def test_an_undocumented_code_is_one_cause_wherever_it_comes() -> None:
    """Whoever asked, and whichever clause says so."""
    codes = [
        met("codes.documented", "404 Not Found", 404, rule="code 404", credential="made up"),
        met("effect.repeat", "404 Not Found", 404, rule="code 404"),
    ]
    assert told(*map(broken, codes)) == [("codes.documented", ["effect.repeat"])]


@pytest.mark.parametrize(
    "other",
    [
        met("effect.removed", STAYS),
        met("access.foreign", credential="foreign"),
        met("body.refused", body=b"{}"),
        met("effect.nothing-else", status=200),
        met("deallocation.delete-refused", operation="deallocateAddress"),
    ],
    ids=lambda one: one.clause,
)
def test_another_mistake_is_another_cause(other: Finding) -> None:
    """What stays is not what goes, and who asked, for what, with what, and the answer tell mistakes apart."""
    assert len(told(broken(met("effect.nothing-else")), broken(replace(other, rule="other")))) == 2


def test_a_model_joins_who_says_how() -> None:
    """A sequence that no model explains is no other cause where a clause explains it."""
    model = met("lifecycle.model", "204 No Content")
    assert told(broken(model), broken(met("effect.nothing-else"))) == [("effect.nothing-else", ["lifecycle.model"])]
    assert told(broken(model)) == [("lifecycle.model", [])]


def test_the_worst_is_first() -> None:
    """Access, then data, then answers, then advice, however often each was seen."""
    worse = [
        met("access.forbidden", credential="restricted"),
        met("effect.removed", STAYS),
        replace(met("access.foreign", "404 Not Found", 404, credential="foreign", rule="refusal: code 404"), seen=900),
        met("method.allow", "405 without Allow", 405),
    ]
    clauses = [broken(one, level=Level.SHOULD if one.clause == "method.allow" else Level.MUST) for one in worse]
    found = causes.causes(run(*reversed(clauses)))
    assert [one.first.harm for one in found] == list(Harm)
    said = Page(html.render(run(*clauses))).said()
    assert "May we release? No: a caller who may not delete can remove associations, and 2 more." in said


def test_every_clause_has_a_plain_sentence() -> None:
    """With an effect and without one; without ID, code of the project or full stop."""
    assert set(plain.PLAIN) == {one.id for one in catalogue.load()}
    for sentence in (one for pair in plain.PLAIN.values() for one in pair):
        assert not sentence.endswith(".")
        assert not [one.id for one in catalogue.load() if one.id in sentence]


def test_what_was_seen_is_a_difference_of_states() -> None:
    """A row for each view, with names in place of IDs."""
    member = causes.CauseMember(broken(met("effect.removed", STAYS)), met("effect.removed", STAYS))
    rows = changes.of(member)
    assert [one.view for one in rows] == ["the list", "the single read"]
    assert {(one.thing, one.expected, one.seen) for one in rows} == {("address A on server 1", "not shown", "shown")}
    said = Page(html.render(run(broken(member.finding)))).said(f"f-{member.finding.fingerprint}")
    assert "the listaddress A on server 1not shownshown" in said


def test_words_of_another_form_are_no_difference_of_states() -> None:
    """They stand as they are."""
    assert (
        changes.of(causes.CauseMember(broken(met("codes.success", "400 Bad")), met("codes.success", "400 Bad"))) == []
    )


def test_an_issue_can_be_copied() -> None:
    """What is wrong, what was expected and seen, the command that tries it again; no ID in its sentences."""
    one = broken(met("access.authenticated", credential="made up", classes=("credential: token empty",)))
    judged = run(one)
    text = issue.text(judged, causes.causes(judged)[0])
    assert text.startswith("# Anyone can remove associations without a valid token\n")
    assert f"conformance reproduce report.json {one.findings[0].fingerprint}" in text
    assert "does not show address A with server 1" in text
    assert "token empty" in text
    assert A not in text.partition("```")[0]
    assert text.splitlines()[2] in Page(html.render(judged)).said()


def test_a_waiver_stands_in_the_answer_and_its_finding_in_a_section() -> None:
    """Whose promise it is, and until when; the finding is neither wrong nor unjudged."""
    excused = replace(met("body.refused", body=b"{}"), waiver=waiver())
    use = WaiverUse(waiver(), WaiverStatus.APPLIED, (excused.fingerprint,))
    judged = run(clause("codes.success"), clause("body.refused", Verdict.WAIVED, excused), waivers=(use,))
    page = Page(html.render(judged))
    assert "May we release? Yes, with 1 waiver: an owner, T-1, until 2099-12-31." in page.said()
    assert "A removal that carries content is carried out" in page.said("waived")
    assert "No clause was found broken beyond what is waived." in page.said("wrong")
    assert "body.refused" not in page.said("not-judged")


def test_nothing_judged_is_one_card() -> None:
    """The cause and the next command, and the clauses folded."""
    left = [replace(clause(f"effect.n{one}", Verdict.INCONCLUSIVE), reason="it never answered") for one in range(9)]
    lacking = clause("access.foreign", Verdict.UNTESTED, absence=Absence.CREDENTIAL)
    text = html.render(run(*left, lacking))
    said = Page(text).said("not-judged")
    assert said.startswith("What was not judged, and why Nothing was judged it never answered. What to do next")
    assert "conformance doctor --target target.yaml" in said
    assert "10 clauses without a judgement" in said
    assert '<details class="held"><summary>10 clauses' in text


@pytest.mark.parametrize(
    ("observed", "answered", "views"),
    [
        (GONE, "204 No Content", 1),
        (STAYS, "", 2),
        (f"the list does not show address {A} with server {S}; the single read does not show address {A}", "", 2),
        (f"409 Conflict, and address {A} is gone", "409 Conflict", 1),
        ("404 Not Found", "404 Not Found", 0),
    ],
)
def test_what_was_seen_is_told_once(observed: str, answered: str, views: int) -> None:
    """The answer in words, and the differences in rows beside it."""
    found = met("effect.removed", observed)
    one = causes.CauseMember(broken(found), found)
    assert changes.answer(one) == answered
    assert len(changes.of(one)) == views


def test_an_answer_that_broke_a_clause_is_marked_where_it_came() -> None:
    """A 204 to a body leads to the finding; one to what stood is what was asked for, whatever became of it."""
    found = [met("effect.removed", STAYS), met("body.refused", body=b"{}")]
    told = {"standing": {"204": 9}, "body": {"204": 3, "400": 2}, "foreign": {"204": 1}}
    judged = replace(run(*map(broken, found)), requests=Requests(removals_by_kind=told))
    (row,) = [cells for seen, cells in pictures.matrix(judged).rows if seen.code == "204"]
    assert [cell.blamed for cell in row if cell.count] == ["", found[1].fingerprint, ""]
    page = html.render(judged)
    assert page.count('class="kind unlawful"') == 1
    assert f'<a href="#f-{found[1].fingerprint}">3<' in page
