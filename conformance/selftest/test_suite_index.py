"""Clauses and tests name each other: nothing in the catalogue is without a test, and no test without a clause."""

import ast
import re
from pathlib import Path

import pytest

from conformance import catalogue, contract
from conformance.run import suite

CLAUSES = [clause.id for clause in catalogue.load()]
MODULES = sorted(suite.CLAUSES.glob("*.py"))
LONGEST_DOCSTRING = 160
NOT_A_FACT = re.compile(r"\b(tests?|checks?|verif(y|ies)|ensures?|asserts?|should|makes? sure)\b", re.IGNORECASE)


def _tests() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (f"{path.name}::{node.name}", node)
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


TESTS = dict(_tests())


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_is_judged_by_a_test(clause: str) -> None:
    """The catalogue promises nothing that is not judged."""
    assert suite.judges().get(clause)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_names_a_clause_of_the_catalogue(name: str) -> None:
    """A test without a clause would judge by nobody's word."""
    marked = suite.marked(TESTS[name])
    assert marked
    assert set(marked) <= set(CLAUSES)


@pytest.mark.parametrize("name", TESTS)
def test_a_docstring_states_a_fact(name: str) -> None:
    """It says what holds of the target, in one line, and not what the test does."""
    said = (ast.get_docstring(TESTS[name]) or "").partition("\n")[0]
    assert said.endswith(".")
    assert len(said) <= LONGEST_DOCSTRING
    assert not NOT_A_FACT.search(said)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_judges_a_family(path: Path) -> None:
    """The file tree follows the specification: each module is named for a family and says so."""
    family = path.stem.removeprefix("test_")
    assert family in contract.REMOVAL.families
    assert (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").startswith(f"``{family}.")


def test_every_test_is_found_by_the_index() -> None:
    """What the plugin takes for the suite is what pytest collects."""
    assert suite.tests() == frozenset(TESTS)
