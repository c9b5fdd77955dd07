"""Which classes of the request space were met: counted where an answer was judged, added up over processes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from run_processes import run

from conformance.driver import request_classes as met
from conformance.driver.met import MetClasses
from conformance.driver.probed import PLAIN, Asked
from conformance.generate.settings import Between
from conformance.generate.space import kinds
from conformance.judge import ObservedState, Pair
from conformance.verdict import PairsMet, SpaceMet

pytestmark = pytest.mark.once

PAIR, OTHER = Pair("a", "s"), Pair("a", "t")
FIELD = replace(PLAIN, kind="Accept: */*")


def classes(asked: Asked, *standing: Pair) -> set[tuple[str, str]]:
    """What a request had where these stood."""
    return set(met.of_a_removal(asked, ObservedState(listed=dict.fromkeys(standing, True))))


def test_a_request_has_what_it_wears_what_it_meets_and_what_came_before() -> None:
    """Each is a class of a dimension."""
    asked = Asked(PAIR, FIELD, dress=(replace(PLAIN, dimension="query", kind="query all"),), after=(Between.LIST,))
    worn = {("field", "Accept: */*"), ("query", "query all"), (met.BEFORE, str(Between.LIST))}
    assert classes(asked, PAIR, OTHER) == worn | {(met.STATE, met.SEVERAL)}
    assert classes(asked, PAIR) == worn | {(met.STATE, met.ALONE)}
    assert classes(asked.of_the_absent(), OTHER) == worn | {(met.STATE, met.NOTHING)}
    assert (met.BEFORE, met.UNDISTURBED) in classes(asked.alone, PAIR)


def test_processes_add_up_and_say_what_was_missed() -> None:
    """Also of pairs, which one request of either process had."""
    one, other, whole = MetClasses(), MetClasses(), MetClasses()
    one.note([("field", "a"), ("query", "x")])
    one.note([("field", "a"), ("field", "b")])
    other.note([("field", "b"), ("query", "x"), ("query", "x")])
    for each in (one, other):
        whole.add(json.loads(json.dumps(each.to_json())))
    told = whole.space({"field": ("a", "b", "c"), "query": ("x",)})
    assert told.classes == {"field": {"a": 2, "b": 2}, "query": {"x": 2}}
    assert told.missed["field"] == ["c"]
    assert "query" not in told.missed
    assert told.pairs == (PairsMet(("field", "query"), 2, 2),)
    assert SpaceMet.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_a_run_tells_what_it_met_and_what_it_did_not(tmp_path: Path) -> None:
    """With workers: what a quick look leaves out is named, and a selection meets what its tests are about."""
    ran = run(tmp_path / "run", "-n", "2", "-k", "method or identifier")
    space = SpaceMet.from_json(ran.report["space"])
    for dimension, names in kinds().items():
        assert {*space.classes.get(dimension, {}), *space.missed.get(dimension, ())} >= set(names)
        assert not set(space.classes.get(dimension, {})) & set(space.missed.get(dimension, ()))
    assert len(space.missed["method"]) > len(space.classes["method"]) > 5
    assert "overlap" not in space.classes
    assert {"content", "query"} <= space.missed.keys()
    page = (tmp_path / "run" / "reports" / "index.html").read_text(encoding="utf-8")
    assert 'id="space"' in page
    assert f"Not met: {len(space.missed['method'])}" in page
