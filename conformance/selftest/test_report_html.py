"""The page: answers first, shows all that did not pass, loads nothing, and runs nothing that a target said."""

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache

import pytest
from report_pages import Page
from report_runs import (
    EMPTY,
    ERRING,
    FAILING,
    HOSTILE_RUN,
    INCONCLUSIVE,
    INTERRUPTED,
    PARTIAL,
    PASSING,
    RUNS,
    clause,
    exchange,
    finding,
    run,
)

from conformance.evidence import setting
from conformance.report import html
from conformance.report.visible import visible
from conformance.verdict import ClauseResult, GeneratedReach, Run, Verdict

pytestmark = pytest.mark.once


@cache
def page(name: str) -> Page:
    """The page of one of the runs."""
    return Page(html.render(RUNS[name]))


everywhere = pytest.mark.parametrize("name", RUNS)


@everywhere
def test_only_the_script_and_style_of_the_suite_are_admitted(name: str) -> None:
    """The policy forbids everything but one script and one style, named by their hashes."""
    shown = page(name)
    (policy,) = [a["content"] for tag, a in shown.elements if a.get("http-equiv") == "Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives == {
        "default-src": "'none'",
        "style-src": _hash(shown.raw["style"]),
        "script-src": _hash(shown.raw["script"]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    tags = [tag for tag, _ in shown.elements]
    assert (tags.count("script"), tags.count("style")) == (1, 1)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_script_and_style_do_not_depend_on_the_run() -> None:
    """Nothing of a target can be within what the hashes admit."""
    assert page("hostile").raw == page("passing").raw == page("empty").raw


@everywhere
def test_nothing_is_loaded_or_followed(name: str) -> None:
    """Every link leads to a place on the page, and nothing refers beyond it."""
    shown = page(name)
    ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in shown.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "video", "audio", "use"}
        assert not {"src", "srcset", "action", "formaction", "data", "xlink:href", "ping"} & set(attributes)
        if "href" in attributes:
            assert attributes["href"].startswith("#")
            assert attributes["href"][1:] in ids
    assert not re.search(r"url\(|@import|https?:", shown.raw["style"] + shown.raw["script"])


@everywhere
def test_no_attribute_runs_or_styles(name: str) -> None:
    """Handlers and styles in attributes would be forbidden by the policy, and are not there."""
    names = {attribute for _, attributes in page(name).elements for attribute in attributes}
    assert not [one for one in names if one.startswith("on") or one == "style"]


@everywhere
def test_nothing_of_the_target_acts_on_the_page(name: str) -> None:
    """No control, bidirectional or invisible character is on it."""
    text = html.render(RUNS[name])
    assert visible(text) == text


def test_what_a_target_said_is_text() -> None:
    """Markup, template syntax and escapes are shown as they were sent."""
    said = page("hostile").said("finding-body.refused")
    assert "summary of body.refused<script>alert('x')</script><img src=x onerror=alert(1)>" in said
    assert "{{ 7 * 7 }} &lt;" in said
    assert r"\x1b[31mred\x1b]0;title\x07 \x00\r second line \u202eevil\u2066" in said


@pytest.mark.parametrize(
    ("judged", "headline", "answer"),
    [
        (PASSING, "PASS", "Yes."),
        (FAILING, "FAIL", "No: content is not refused as documented, and 1 more."),
        (INCONCLUSIVE, "INCONCLUSIVE", "Not yet: this run cannot tell."),
        (ERRING, "ERROR", "Not yet: the suite itself broke."),
        (PARTIAL, "PASS, PARTIAL", "Not on this run alone."),
        (INTERRUPTED, "PASS, INTERRUPTED", "Not on this run alone."),
        (
            replace(FAILING, partial=True, interrupted=True),
            "FAIL, PARTIAL, INTERRUPTED",
            "No: content is not refused as documented, and 1 more.",
        ),
        (EMPTY, "INCONCLUSIVE", "Not yet: this run cannot tell."),
    ],
)
def test_the_page_opens_with_the_answer(judged: Run, headline: str, answer: str) -> None:
    """Verdict, release or not, and the deciding rule come before everything else, also in the title."""
    said = Page(html.render(judged)).said()
    assert said.startswith(f"{headline}: staging-dfw")
    top = said[: said.index("Started")]
    assert f"{headline} May we release? {answer}" in top
    assert judged.reason[1:] in top


def test_the_facts_of_the_run_stand_in_the_banner() -> None:
    """Target, when, how long, seed, depth, versions and digest."""
    said = page("failing").said()
    banner = said[: said.index("What is wrong 0") if "What is wrong 0" in said else said.index("What is wrong")]
    for fact in (
        "https://compute.example/v2",
        "https://network.example",
        "Credentials full",
        "2026-11-23 14:30:05 UTC",
        "12.3 s",
        "Seed 7",
        "Depth standard",
        "Suite 0.1.0",
        f"sha256:{'ab' * 32}",
    ):
        assert fact in banner


def _with(*verdicts: Verdict) -> list[ClauseResult]:
    return [one for one in FAILING.clauses if one.verdict in verdicts]


@pytest.mark.parametrize("broken", _with(Verdict.FAIL), ids=lambda one: one.id)
def test_a_broken_clause_is_told_whole(broken: ClauseResult) -> None:
    """Clause, level, statement, source, and of each finding all that helps to understand and repeat it."""
    said = " ".join(page("failing").said(f"f-{one.fingerprint}") for one in broken.findings)
    assert broken.id in page("failing").said(f"finding-{broken.id}")
    for words in (broken.id, broken.level, broken.statement, broken.source):
        assert words in said
    for one in broken.findings:
        for words in (one.summary, one.expected, one.observed, one.case, one.first_case, *one.reproduce):
            assert words in said
        assert one.fingerprint in said


def test_findings_that_gate_come_first() -> None:
    """A should-clause stands below the must-clauses, and says that it warns."""
    said = page("failing").said("wrong")
    assert said.index("body.refused") < said.index("method.allow")
    assert "this warns and decides nothing" in page("failing").said("finding-method.allow")
    assert "this warns" not in page("failing").said("finding-body.refused")


@pytest.mark.parametrize("left", _with(Verdict.INCONCLUSIVE, Verdict.UNTESTED, Verdict.WAIVED), ids=lambda one: one.id)
def test_what_was_not_judged_is_told_with_its_reason(left: ClauseResult) -> None:
    """As an entry of its own, with statement and findings, not as a number."""
    where = "finding" if left.verdict is Verdict.WAIVED else "open"
    said = page("failing").said(f"{where}-{left.id}")
    for words in (
        left.id,
        left.statement,
        left.verdict if where == "open" else "",
        *(f.summary for f in left.findings),
    ):
        assert words in said


def test_what_keeps_the_run_from_passing_says_so() -> None:
    """An open must-clause gates, an open should-clause and a lawful gap do not."""
    shown = page("failing")
    gating = {one.id for one in FAILING.clauses if "keeps the run" in shown.said(f"open-{one.id}")}
    assert gating == {"effect.repeat", "effect.removed"}


@everywhere
def test_every_clause_stands_in_the_table(name: str) -> None:
    """With its level, verdict, cases, price and source."""
    for one in RUNS[name].clauses:
        said = page(name).said(f"clause-{one.id}")
        assert said.startswith(f"{one.id}{one.statement}")
        for words in (one.level, one.verdict, str(one.cases), str(one.requests), one.source):
            assert words in said


def test_documented_codes_are_all_told_and_gaps_are_visible() -> None:
    """A code that never came is shown as such; one that is not documented is called a violation."""
    said = page("failing").said("codes")
    for row in (
        "204 Success 30 12",
        "400 Error (general) never 50",
        "401 Unauthorized never never",
        "403 Forbidden never never",
        "405 Bad Method never never",
        "413 Over Limit never never",
        "500 Compute fault never never",
        "503 Service Unavailable never never",
        "404 not documented (a violation) 2 2",
        "lost no answer 1 never",
    ):
        assert row in said


def test_a_violation_without_its_clause_leads_nowhere() -> None:
    """A run of other clauses still shows an undocumented code, without a dead link."""
    assert "404 not documented (a violation) 2 2" in page("passing").said("codes")


def test_generated_requests_say_how_many_reached_an_association() -> None:
    """None is called what it is: nothing learnt about removal."""
    assert "16 of 64 reached an association" in page("failing").said("requests")
    none = replace(PASSING, generated=GeneratedReach(64, 0, {"400": 64}))
    assert "None reached an existing association" in Page(html.render(none)).said("requests")
    assert "No request was generated" in page("empty").said("requests")


def test_notes_and_the_way_to_repeat_are_told() -> None:
    """The operator's notes, and the command with this run's depth and seed."""
    assert "a note for the operator" in page("failing").said("notes")
    assert "--depth standard --seed 7" in page("failing").said("repeat")


def test_exchanges_are_a_readable_sequence() -> None:
    """Request line, code, time, headers, JSON indented, bytes dumped, a lost answer named."""
    said = page("failing").said("finding-body.refused")
    assert "DELETE /servers/s-1/ip_associations/1 201 Reason 250 ms" in said
    assert "removeIpAssociation · with the valid token · 14:30:05.125 UTC · exchange w0-1" in said
    assert "URL and 2 headershttps://compute.example/v2/servers/s-1/ip_associations/1 X-Auth-Token" in said
    assert "X-Auth-Token: $CONFORMANCE_TOKEN" in said
    assert "0000 00 ff" in said
    lost = page("failing").said(f"f-{FAILING.clauses[1].findings[1].fingerprint}")
    assert "decides no answer 250 ms" in lost
    assert "connection reset" in lost
    assert '{ "error": { "code": 405 } }' in page("failing").said("finding-method.allow")


def test_only_the_exchange_that_decides_is_open() -> None:
    """Whichever it is; what came before and after it is folded, and says how much it is."""
    many = [exchange(number) for number in range(20)]
    told = setting.FindingSetup(steps=("w0-7",), decisive="w0-7").to_json()
    broken = replace(finding("effect.repeat", *many), setting=told)
    shown = Page(html.render(run(clause("effect.repeat", Verdict.FAIL, broken))))
    unfolded = [attributes for tag, attributes in shown.elements if tag == "details" and "open" in attributes]
    assert len(unfolded) == 1
    said = shown.said("finding-effect.repeat")
    assert "7 exchanges before" in said
    assert "12 exchanges after" in said
    assert "8 DELETE /servers/s-1/ip_associations/7 decides 404" in said


def test_the_middle_of_a_very_long_sequence_is_left_to_the_document() -> None:
    """The page stays small; it says how many are left out, and the numbers go on behind them."""
    many = [exchange(number) for number in range(1, 1002)]
    broken = clause("effect.repeat", Verdict.FAIL, finding("effect.repeat", *many))
    said = Page(html.render(run(broken))).said("finding-effect.repeat")
    assert "900 more exchanges are in report.json. 951 DELETE" in said
    assert "exchange w0-50 " in said
    assert "exchange w0-51 " not in said


def test_a_long_list_of_commands_is_cut_and_says_so() -> None:
    """The first and the last stand there; the rest is in the document."""
    broken = clause(
        "effect.repeat", Verdict.FAIL, finding("effect.repeat", *(exchange(number) for number in range(90)))
    )
    said = Page(html.render(run(broken))).said("finding-effect.repeat")
    assert said.count("curl -i") == html.SHOWN_COMMANDS + 1  # and in the text of the issue
    assert "# 40 more commands are in report.json" in said
    assert "90 curl commands" in said


def test_only_filters_and_copying_need_a_script() -> None:
    """Controls that do nothing without it are hidden until it runs; nothing else is."""
    hidden = {tag for tag, attributes in page("failing").elements if "hidden" in attributes}
    assert hidden == {"form", "button", "p"}


def test_filters_find_every_entry() -> None:
    """Each entry carries what it can be filtered by."""
    entries = [a for _, a in page("failing").elements if "data-clause" in a]
    rows = [a for a in entries if "data-verdict" in a]
    assert sorted(a["data-clause"] for a in rows) == sorted(one.id for one in FAILING.clauses)
    assert {"data-verdict", "data-level", "data-family"} <= set.intersection(*map(set, rows))
    named = [name for a in entries if a not in rows for name in a["data-clause"].split()]
    shown = {one.id for one in FAILING.clauses if one.verdict is not Verdict.PASS}
    assert set(named) == shown


def test_a_page_stays_small_whatever_was_recorded() -> None:
    """Ten thousand exchanges in many findings share the room that there is; each keeps its beginning and its end."""
    many = [exchange(number) for number in range(100)]
    found = [finding(f"effect.n{number}", *many) for number in range(100)]
    page = html.render(run(*(clause(one.clause, Verdict.FAIL, one) for one in found)))
    assert page.count("exchange w0-0<") == page.count("exchange w0-99<") == 100
    assert page.count('<p class="meta">') <= html.SHOWN_EXCHANGES
    assert len(page) < 3_000_000


def test_rendering_again_gives_the_same_page() -> None:
    """A page can be compared with one rendered from the saved run."""
    assert html.render(FAILING) == html.render(Run.from_json(FAILING.to_json()))


def _palettes() -> dict[str, dict[str, str]]:
    roots = re.findall(r":root \{(.*?)\}", page("passing").raw["style"], re.DOTALL)
    names = ("light", "dark", "print")
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root)) for name, root in zip(names, roots, strict=True)
    }


def _luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_is_legible_in_every_scheme(scheme: str) -> None:
    """Text reaches 4.5:1, edges of controls and bars 3:1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    colors = {**_palettes()["light"], **_palettes()[scheme]}
    grounds = ("ground", "surface", "sunken")
    pairs = [(ink, ground) for ink in ("ink", "muted", "link") for ground in grounds]
    for verdict in Verdict:
        pairs += [(verdict.value, f"{verdict.value}-ground"), ("ink", f"{verdict.value}-ground")]
        pairs += [(verdict.value, "surface")]
    for ink, ground in pairs:
        assert _contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
    for edge in ("edge", "fill", "focus"):
        assert _contrast(colors[edge], colors["surface"]) >= 3, edge


def test_a_hostile_clause_name_stays_within_its_attribute() -> None:
    """A document made by someone else is as harmless as one of the suite's own."""
    named = replace(HOSTILE_RUN.clauses[0], id='x" onclick="a()', family="<b>", source="<script>a()</script>")
    shown = Page(html.render(replace(HOSTILE_RUN, clauses=(named,))))
    assert not [one for _, attributes in shown.elements for one in attributes if one.startswith("on")]
    assert [tag for tag, _ in shown.elements].count("script") == 1


def test_the_page_says_where_the_time_went() -> None:
    """By what it was spent on and by clause, the longest first; without times there is no section."""
    text = page("timed").said("time")
    assert "testing 2 min 10 s" in text
    assert "add up what 2 workers did side by side" in text
    assert text.index("waiting for the target") < text.index("letting effects settle")
    section = text[text.index("The clauses that took longest") :]
    assert section.index("method.allow") < section.index("effect.removed") < section.index("codes.success")
    assert page("passing").said("time") == ""
