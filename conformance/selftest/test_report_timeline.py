"""Counterexamples of several operations as views show them: step by step, and as a timeline."""

import re
from dataclasses import replace
from typing import Any

import pytest
from report_runs import FAILING, HOSTILE, finding

from conformance.model.explain import explain, timeline
from conformance.model.history import Completion, Operation, timed
from conformance.model.linearize import check
from conformance.model.sequential import Choices, address_model
from conformance.report import html, terminal
from conformance.report import timeline as drawn
from conformance.verdict import Run

pytestmark = pytest.mark.once

STEPS: dict[str, Any] = {
    "kind": "steps",
    "names": {"A": "id-of-a", "B": "id-of-b", "s1": "id-of-s1"},
    "earlier": 7,
    "steps": [
        {
            "f": "associate",
            "asked": "associate A with s1",
            "allowed": ["2xx", "4xx"],
            "answered": "201 Created",
            "agrees": True,
            "exchange": "1",
        },
        {
            "f": "deallocate",
            "asked": "de-allocate A by DELETE",
            "allowed": ["4xx that changes nothing"],
            "answered": "204 No Content",
            "agrees": False,
            "exchange": "2",
        },
    ],
}


def operation(process: str, f: str, status: int, start: float, end: float | None) -> Operation:
    """One operation on address A and server s1."""
    kind = Completion.UNKNOWN if end is None else Completion.OK
    return Operation(process, {"f": f, "server": "s1", "address": "A"}, {"status": status}, kind, start, end)


def history(text: str = "") -> dict[str, Any]:
    """The details of two winners, as the suite writes them; ``text`` is what a target made of its words."""
    operations = [
        operation("in sequence", "associate", 201, 1.0, 2.0),
        operation("caller 1", "remove", 204, 3.0, 5.0),
        operation("caller 2", "remove", 204, 4.0, 6.0),
    ]
    model = address_model(Choices("refused"))
    culprit = check(model, timed(operations)).culprit
    assert culprit is not None
    example = explain(model, culprit)
    return {
        "kind": "timeline",
        "timeline": timeline(example).to_json(),
        "words": [f"{one.input['f']} s1 and A{text}" for one in example.operations],
        "answers": [f"{one.output['status']}{text}" for one in example.operations],
        "names": {"A": f"id-of-a{text}", "B": "id-of-b", "s1": "id-of-s1"},
    }


def having(details: dict[str, Any]) -> Run:
    """A failing run whose one finding has these details."""
    clause = next(one for one in FAILING.clauses if one.findings)
    found = replace(finding(clause.id), details=details)
    return replace(FAILING, clauses=(replace(clause, findings=(found,)),))


def test_a_sequence_is_shown_step_by_step() -> None:
    """Each step stands beside what the model allows and what was answered; the last one is marked."""
    page = html.render(having(STEPS))
    assert "Step by step" in page
    assert page.count('<tr class="agrees">') == page.count('<tr class="disagrees">') == 1
    for words in ("associate A with s1", "4xx that changes nothing", "204 No Content", "been through 7 operations"):
        assert words in page


def test_a_history_is_drawn_with_its_longest_order() -> None:
    """One lane a caller; what has a place is marked, what has none is marked otherwise."""
    page = html.render(having(history()))
    assert page.count('class="lane"') == 3
    assert page.count('class="operation placed"') == 2
    assert page.count('class="operation stuck"') == 1
    assert page.count('class="point"') == 2
    way = re.search(r'class="way" points="([^"]*)"', page)
    assert way is not None
    assert len(way[1].split()) == 2


def test_a_pending_operation_runs_to_the_end() -> None:
    """An operation of unknown outcome ends nowhere, and is drawn so."""
    details = history()
    told = details["timeline"]["lanes"][-1]["bars"][0]
    told |= {"end": None, "stuck": False}
    drawing = drawn.drawing(details)
    assert drawing is not None
    last = next(bar for bar in drawing.bars if bar.pending)
    assert last.x + last.width == drawing.width - drawn.MARGIN
    assert last.standing == "outcome unknown, not needed"


def test_a_drawing_fills_its_room() -> None:
    """Few events stand far apart, and what was asked stands above its bar where it fits; many scroll."""
    few = drawn.drawing(history())
    assert few is not None
    assert drawn.ROOM * 0.8 < few.width <= drawn.ROOM
    assert [bar.caption for bar in few.bars] == [bar.asked for bar in few.bars]
    details = history()
    details["timeline"]["width"] = 40
    many = drawn.drawing(details)
    assert many is not None
    assert many.width > drawn.ROOM
    details["words"] = ["x" * 99 for _ in details["words"]]
    assert drawn.drawing(details).bars[0].caption == ""  # type: ignore[union-attr]


def test_bars_of_one_lane_do_not_overlap() -> None:
    """In a lane time runs to the right; what overlaps in time overlaps in the drawing."""
    drawing = drawn.drawing(history())
    assert drawing is not None
    first, second, third = drawing.bars
    assert first.x + first.width <= second.x
    assert second.x < third.x < second.x + second.width
    assert second.y != third.y


def test_names_are_explained_once_and_only_where_they_are_met() -> None:
    """A reader learns which address A is; B, which is in no step, is left out."""
    assert drawn.names(STEPS) == (("A", "id-of-a"), ("s1", "id-of-s1"))
    assert dict(drawn.names(history())) == {"A": "id-of-a", "s1": "id-of-s1"}


@pytest.mark.parametrize("details", [STEPS, history()])
def test_the_terminal_shows_it_in_lines(details: dict[str, Any]) -> None:
    """The summary has every operation, and what is wrong with the last."""
    told = terminal.summary(having(details), width=160)
    for line in drawn.lines(details):
        assert line.strip() in told
    assert "the model allows: 4xx" in told or "has no place in any order" in told


def test_a_long_sequence_is_folded_in_the_terminal() -> None:
    """Beginning and end are shown, and how much is left out."""
    steps = [{**STEPS["steps"][0], "asked": f"step-{number}"} for number in range(40)]
    told = terminal.summary(having({**STEPS, "steps": steps}), width=160)
    assert "step-0:" in told
    assert "step-39:" in told
    assert "step-20:" not in told
    assert "more lines" in told


@pytest.mark.parametrize(
    "details",
    [
        {"kind": "timeline"},
        {"kind": "timeline", "timeline": {"width": 2, "lanes": [{"process": 1, "bars": [{}]}], "left_out": 0}},
        {"kind": "steps", "steps": [{"asked": "x"}]},
        {"kind": "steps", "steps": 3},
        {"kind": "something else"},
        {"history": ["a", "b"]},
    ],
)
def test_details_of_another_shape_are_shown_as_they_are(details: dict[str, Any]) -> None:
    """A document of another version breaks no view."""
    assert "Details of the case" in html.render(having(details))
    assert drawn.lines(details) == []
    assert terminal.summary(having(details))


@pytest.mark.parametrize("details", [history(HOSTILE), {**STEPS, "names": {"A": HOSTILE}}])
def test_words_of_a_target_stay_words(details: dict[str, Any]) -> None:
    """No markup, no control and no template of a target's reaches the page."""
    page = html.render(having(details))
    body = page[page.index('id="finding-') :]
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\x1b" not in body
    assert "\u202e" not in body
    assert "{{ 7 * 7 }}" in body or "7 * 7" not in body
