"""Services on frameworks that others wrote are judged rightly, and what these frameworks do by themselves is named."""

import importlib.util
import sys
from pathlib import Path

import pytest
from foreign_services import broken, explains, judged

from conformance import SPEC

NEEDED = ("pyramid_openapi3", "routes", "webob", "paste.deploy")
DOCUMENT = [sys.executable, "-m", "frameworks.by_document", str(SPEC / "openapi.yaml")]
ROUTES = [sys.executable, "-m", "frameworks.on_routes"]


def present(module: str) -> bool:
    """Whether a module can be imported."""
    top, _, rest = module.partition(".")
    return importlib.util.find_spec(top) is not None and (not rest or importlib.util.find_spec(module) is not None)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.frameworks,
    pytest.mark.skipif(not all(map(present, NEEDED)), reason="no frameworks; tox -e frameworks has them"),
]

HABITS = {
    "no-route": ("method.refused", {"codes.documented": "404"}, ["-k", "method or codes"]),
    "method-override": ("method.override", {"method.refused": "POST"}, ["-k", "method or effect"]),
    "suffix": ("identifier.uuid", {}, ["-k", "identifier or codes", "--depth", "standard"]),
    "content-unread": ("body.refused", {}, ["-k", "body or effect"]),
    "padded": ("identifier.canonical", {}, ["-k", "identifier or codes", "--depth", "standard", "--strict"]),
}


@pytest.mark.parametrize("command", [DOCUMENT, ROUTES], ids=["by-document", "on-routes"])
def test_a_service_that_a_framework_carries_passes(command: list[str], tmp_path: Path) -> None:
    """Its answers are the framework's, and the document or a few lines of state decide."""
    ran = judged(tmp_path, command)
    assert ran.code == 0, ran.output
    assert "PASS" in ran.last_line


@pytest.mark.parametrize("habit", HABITS)
def test_a_habit_is_found_and_blamed_on_its_clause(habit: str, tmp_path: Path) -> None:
    """Routes, WebOb and Paste do it, or leave it to be done."""
    blamed, also, options = HABITS[habit]
    explains(judged(tmp_path, [*ROUTES, habit], *options), blamed, also)


def test_what_the_document_forbids_and_its_framework_lets_through_is_named(tmp_path: Path) -> None:
    """``format: uuid`` takes digits of any script."""
    ran = judged(tmp_path, [*DOCUMENT, "as-it-comes"], "-k", "identifier")
    assert broken(ran) == {"identifier.uuid"}, ran.output


def test_a_server_may_refuse_a_method_in_lower_case_itself(tmp_path: Path) -> None:
    """Cheroot says 400 before any framework hears of it, as other servers do."""
    ran = judged(tmp_path, ROUTES, "-k", "method", "--depth", "standard")
    assert broken(ran) == set(), ran.output
    assert ran.verdicts["method.refused"] == "pass"
