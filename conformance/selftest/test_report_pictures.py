"""Pictures of a run: what is counted, where it is drawn, and that every picture has its words."""

import itertools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from report_runs import FAILING, HOSTILE, PASSING, RUNS, pictured, sequence

from conformance import catalogue
from conformance.evidence import Exchange, Recorder, Request, Response, statistics
from conformance.evidence.statistics import BOUNDS, RemovalKind, Tally, Times
from conformance.report import html, markdown, outline, pictures, sources, states, terminal
from conformance.verdict import Requests, Run, Span, Verdict
from conformance.verdict import ResponseTimes as Told

pytestmark = pytest.mark.once

ONE, OTHER = (f"https://x/v2/servers/s/ip_associations/{digit * 8}-2222-4333-8444-555555555555" for digit in "1a")
PICTURED = RUNS["pictured"]
CRAFTED = 2**63


def recorded(*exchanges: tuple[str, str, str, str, int | None]) -> Recorder:
    """A recorder that heard these: operation, URL, credential, framing, status."""
    recorder = Recorder()
    for operation, url, credential, framing, status in exchanges:
        answer = None if status is None else Response(status)
        request = Request("DELETE", url, (), b"", framing)
        exchange = Exchange(recorder.next_id(), operation, credential, request, 1.0, 1.004, 0.0, answer)
        recorder.record(exchange, removal=operation == "removeAssociation")
    return recorder


# What is counted


REMOVE = "removeAssociation"
KINDS: dict[RemovalKind, tuple[str, str, str]] = {
    RemovalKind.UNAUTHENTICATED: (ONE, "made up", "chunked"),
    RemovalKind.RESTRICTED: (ONE, "restricted", "none"),
    RemovalKind.FOREIGN: (ONE, "foreign", "content-length"),
    RemovalKind.MALFORMED: (ONE.replace("-", ""), "full", "none"),
    RemovalKind.BODY: (ONE, "full", "content-length"),
    RemovalKind.STANDING: (f"{ONE}?verbose=1", "full", "none"),
    RemovalKind.ABSENT: (OTHER, "full", "none"),
}


@pytest.mark.parametrize("kind", RemovalKind)
def test_a_request_counts_under_the_first_kind_that_holds(kind: RemovalKind) -> None:
    """Credential before identifier, identifier before body, body before what stands."""
    url, credential, framing = KINDS[kind]
    recorder = recorded(("associate", ONE, "full", "none", 201), (REMOVE, url, credential, framing, 400))
    assert recorder.tally.to_json()["removals_by_kind"] == {kind.value: {"400": 1}}


def test_hexadecimal_digits_have_no_case() -> None:
    """An ID in upper case is well-formed, and names the association that stands."""
    server, _, identifier = OTHER.rpartition("/")
    recorder = recorded(
        ("associate", OTHER, "full", "none", 201),
        (REMOVE, f"{server}/{identifier.upper()}", "full", "none", 204),
        (REMOVE, OTHER, "full", "none", 400),
    )
    assert recorder.tally.to_json()["removals_by_kind"] == {"standing": {"204": 1}, "absent": {"400": 1}}


def test_an_association_stands_until_it_is_removed() -> None:
    """A refused removal leaves it, a 204 takes it, a lost answer says nothing; what was refused never stood."""
    recorder = recorded(
        ("associate", ONE, "full", "none", 201),
        (REMOVE, ONE, "full", "none", 400),
        (REMOVE, ONE, "full", "none", None),
        (REMOVE, ONE, "full", "none", 204),
        (REMOVE, ONE, "full", "none", 400),
        ("associate", OTHER, "full", "none", 409),
        (REMOVE, OTHER, "full", "none", 400),
    )
    assert recorder.tally.to_json()["removals_by_kind"] == {
        "standing": {"400": 1, "lost": 1, "204": 1},
        "absent": {"400": 2},
    }


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.001, 0), (0.0011, 1), (0.005, 2), (50.0, 14), (50.1, 15), (1e9, 15)]
)
def test_a_time_falls_into_its_bucket(seconds: float, bucket: int) -> None:
    """Upper bounds are included, and nothing is too slow to be counted."""
    times = Times()
    times.add(seconds)
    assert times.counts.index(1) == bucket
    assert times.slowest == seconds


def test_a_lost_answer_has_no_time() -> None:
    """It would be the time-out's."""
    told = recorded((REMOVE, ONE, "full", "none", None), (REMOVE, ONE, "full", "none", 204)).tally.to_json()
    assert sum(told["times"][REMOVE]["counts"]) == 1


def test_the_counts_of_processes_add_up() -> None:
    """As if one had heard all; and what a process says fits through a pipe."""
    parts = [
        recorded(("associate", ONE, "full", "none", 201), (REMOVE, ONE, "full", "none", 204)),
        recorded((REMOVE, ONE, "none", "none", 401)),
        recorded(),
    ]
    whole = statistics.added(json.loads(json.dumps(one.tally.to_json())) for one in parts)
    assert whole["removals_by_kind"] == {"unauthenticated": {"401": 1}, "standing": {"204": 1}}
    assert sum(whole["times"][REMOVE]["counts"]) == 2
    assert statistics.added([]) == Tally().to_json()


def test_the_size_does_not_grow_with_the_number_of_exchanges() -> None:
    """Ten thousand more change digits, not lengths of lists."""
    few, many = (
        recorded(*[(REMOVE, f"{ONE}{number}", "full", "none", 400) for number in range(count)])
        for count in (10, 10_000)
    )
    assert len(json.dumps(many.tally.to_json())) < len(json.dumps(few.tally.to_json())) + 20


# What is drawn


def test_every_kind_has_a_column_and_gaps_are_visible() -> None:
    """A kind that was not sent is named, and a code that did not come to a kind is an empty place."""
    drawn = pictures.matrix(PICTURED)
    assert [column.sent for column in drawn.columns] == [20, 3, 0, 0, 1, 0, 0]
    counted = {seen.code: [cell.count for cell in cells] for seen, cells in drawn.rows}
    assert counted["204"] == [18, 1, 0, 0, 1, 0, 0]
    assert counted["404"] == [0, 2, 0, 0, 0, 0, 0]
    assert set(outline.DOCUMENTED) <= set(counted)
    page = html.render(PICTURED)
    assert page.count("none sent") == 4
    assert set(pictures.KINDS) == set(RemovalKind)


def test_a_larger_number_has_a_larger_dot() -> None:
    """By logarithm, so that one stays visible beside a thousand."""
    told = {"standing": {"204": 1000, "400": 30, "401": 1}}
    rows = pictures.matrix(replace(PASSING, requests=Requests(removals_by_kind=told))).rows
    radii = {seen.code: cells[0].radius for seen, cells in rows}
    assert pictures.LARGEST_DOT == radii["204"] > radii["400"] > radii["401"] >= pictures.SMALLEST_DOT
    assert radii["403"] == 0


def test_a_document_without_these_counts_has_the_codes_all_the_same() -> None:
    """Nothing is drawn that was not told."""
    assert pictures.matrix(PASSING).columns == ()
    assert pictures.course(PASSING) is None
    page = html.render(PASSING)
    assert 'id="codes"' in page
    assert "Course of the run" not in page
    assert "Median" not in page


def test_answer_times_are_told_by_operation() -> None:
    """Median and 95 of 100 as upper bounds, the slowest as it was; bars say what they count."""
    first, second = pictures.operations(PICTURED)
    assert (first.operation, first.sent) == ("removeAssociation", 21)
    assert (first.median, first.most, first.slowest) == ("≤ 5 ms", "≤ 500 ms", "400 ms")
    assert [words for *_, words in first.bars] == ["5 ≤ 2 ms", "9 ≤ 5 ms", "3 ≤ 10 ms", "1 ≤ 20 ms", "1 ≤ 500 ms"]
    assert max(height for _, _, height, _ in first.bars) == pictures.BARS
    assert second.bars == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"),
        (0.00123, "1.23 ms"),
        (0.25, "250 ms"),
        (1, "1 s"),
        (59.94, "59.9 s"),
        (125, "2 min 05 s"),
        (600, "10 min"),
    ],
)
def test_times_have_units(seconds: float, words: str) -> None:
    """Of any size."""
    assert pictures.duration(seconds) == words


def test_the_axis_has_the_powers_of_ten() -> None:
    """At the right edge of the bucket that ends there."""
    assert [name for _, name in pictures.marks()] == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    assert all(place % pictures.BUCKET == 0 for place, _ in pictures.marks())
    assert len(BOUNDS) == 15


def test_the_course_has_a_lane_for_each_worker_and_a_bar_for_each_test() -> None:
    """Bars of one lane do not overlap, and lie within the drawing."""
    drawn = pictures.course(PICTURED)
    assert drawn is not None
    assert [name for name, _ in drawn.lanes] == ["gw0", "gw1"]
    assert sum(len(stretches) for _, stretches in drawn.lanes) == len(PICTURED.tests)
    for _, stretches in drawn.lanes:
        for one, following in itertools.pairwise(stretches):
            assert one.x + one.width <= following.x
        assert stretches[0].x >= pictures.NAMES
        assert stretches[-1].x + stretches[-1].width <= drawn.width
    assert 2 <= len(drawn.ticks) <= pictures.MOST_TICKS + 1


def test_what_did_not_pass_is_marked_by_a_sign() -> None:
    """Colour alone tells nobody anything; the table below has it in words."""
    page = html.render(PICTURED)
    course = page[page.index('class="course"') : page.index("</svg>", page.index('class="course"'))]
    for verdict in set(Verdict) - {Verdict.PASS}:
        assert re.search(rf'<g class="{verdict}">.*?>\s*{re.escape(html.SIGNS[verdict])}', course, re.DOTALL)
    table = page[page.index('class="tests"') :]
    assert all(f"test_{verdict}" in table for verdict in Verdict)


# A sequence as states


def test_a_sequence_goes_from_state_to_state() -> None:
    """A read stays, a state that was met before has its old number, and the last step leads nowhere."""
    drawn = states.diagram(sequence())
    assert drawn is not None
    assert [(node.number, node.again, node.nowhere) for node in drawn.nodes] == [
        (1, False, False),
        (2, False, False),
        (1, True, False),
        (0, False, True),
    ]
    assert [node.lines for node in drawn.nodes[:2]] == [("A: no association",), ("A: s1",)]
    assert [(edge.stays, edge.breaks) for edge in drawn.edges] == [
        (False, False),
        (True, False),
        (False, False),
        (False, True),
    ]
    assert "4. show the association of A with s1: 200 OK" in drawn.in_words


def test_states_and_steps_do_not_overlap() -> None:
    """From above to below, within the drawing."""
    drawn = states.diagram(sequence())
    assert drawn is not None
    places = [(node.y, node.y + node.height) for node in drawn.nodes]
    places += [(edge.y, edge.y + states.GAP) for edge in drawn.edges]
    ordered = sorted(places)
    assert all(one[1] <= following[0] for one, following in itertools.pairwise(ordered))
    assert ordered[-1][1] <= drawn.height


def test_an_open_outcome_shows_both_states() -> None:
    """After a lost answer the model may be in either."""
    details = sequence()
    details["steps"][0]["states"] = [{"A": []}, {"A": ["s1"]}]
    drawn = states.diagram(details)
    assert drawn is not None
    assert drawn.nodes[1].lines == ("A: no association", "or", "A: s1")


def test_a_deallocated_address_is_called_so() -> None:
    """It is not the same as one without associations."""
    details = sequence()
    details["steps"][2]["states"] = [{"A": None}]
    drawn = states.diagram(details)
    assert drawn is not None
    assert drawn.nodes[2].lines == ("A: de-allocated",)


@pytest.mark.parametrize("initial", [None, 3, [], [3], [{"A": 3}], "A"])
def test_details_without_states_are_not_drawn(initial: Any) -> None:
    """A document of another version keeps its table."""
    assert states.diagram(sequence() | {"initial": initial}) is None
    assert states.diagram({"kind": "timeline"}) is None


def test_the_page_has_the_diagram_and_all_that_the_model_allows() -> None:
    """The picture has its words, and the table is beside it."""
    said = html.render(PICTURED)
    assert 'class="states"' in said
    assert "no state of the model explains this answer" in said
    assert "Step by step, with all that the model allows" in said
    assert "allowed after show" in said


# Crafted documents


@pytest.mark.parametrize("at", [-1e300, 0.0, 1e18, 1e300])
@pytest.mark.parametrize("seconds", [0.0, 1e300])
def test_a_crafted_course_breaks_nothing(at: float, seconds: float) -> None:
    """A moment that cannot be is not drawn."""
    span = Span("test", "gw0", ("codes.success",), at, seconds, Verdict.PASS)
    assert html.render(replace(PICTURED, tests=(*PICTURED.tests, span)))


@pytest.mark.parametrize("counts", [(), (0,), (-5,) * 16, (CRAFTED,) * 40])
def test_crafted_counts_break_nothing(counts: tuple[int, ...]) -> None:
    """Of any number and size."""
    requests = Requests(
        CRAFTED,
        {},
        {"removeAssociation": -1},
        {"204": -7},
        {"standing": {"204": -1, "400": CRAFTED}, "unheard": {"204": 1}},
        {"removeAssociation": Told(counts, 1e300)},
    )
    assert html.render(replace(PASSING, requests=requests))


# Sources and comparison


@pytest.mark.parametrize("entry", catalogue.load(), ids=lambda entry: entry.id)
def test_every_source_leads_to_what_it_cites(entry: catalogue.Clause) -> None:
    """Each clause's source is told whole, and at least one of its words is a link to an entry."""
    told = list(sources.pieces(entry.source))
    assert "".join(text for text, _ in told) == entry.source
    assert {anchor for _, anchor in told if anchor} <= {one.anchor for one in sources.known()}
    assert any(anchor for _, anchor in told)


def test_sources_are_sentences_of_the_specification() -> None:
    """Without markup, and none ends in the middle."""
    for one in sources.known():
        assert not re.search(r"[`*|]", one.text)
        assert len(one.text) > 10
    names = [one.name for one in sources.known()]
    assert "decision 11" in names
    assert "RFC 9110" in names


def test_the_comparison_stands_in_every_view_for_people() -> None:
    """What is worse, new, lost, better and gone, with the run that it is compared with."""
    views = (html.render(PICTURED), terminal.summary(PICTURED, width=200), markdown.render(PICTURED))
    for view in views:
        for words in ("staging", "2026-11-01", "a new finding", "pass", "gone.clause"):
            assert words in view
    assert "\n  Worse: 1\n" in re.sub(r" +\n", "\n", re.sub(r"\n +", "\n  ", views[1]))
    assert "1 worse, 1 new findings, 1 not judged any more, 1 better, 1 findings gone" in views[2]
    assert 'id="since"' not in html.render(FAILING)


@pytest.mark.parametrize("render", [terminal.summary, markdown.render])
def test_nothing_of_a_target_acts_in_a_comparison(render: Any) -> None:
    """As everywhere."""
    told = render(pictured(RUNS["hostile"], HOSTILE))
    assert all(one == "\n" or one.isprintable() for one in told)


def test_an_older_document_is_still_read() -> None:
    """Without the members that this version added."""
    document = FAILING.to_json()
    for name in ("tests", "comparison"):
        del document[name]
    for name in ("removals_by_kind", "times"):
        del document["requests"][name]
    for clause in document["clauses"]:
        for finding in clause["findings"]:
            del finding["program"]
    assert Run.from_json(document) == FAILING
