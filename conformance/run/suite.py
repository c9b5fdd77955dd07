"""Which tests judge which clause, read from the clause modules without importing them."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

from conformance import contract

CLAUSES = contract.REMOVAL.tests
"""Where the clause modules are."""


@cache
def judges(directories: tuple[Path, ...] = (CLAUSES,)) -> dict[str, frozenset[str]]:
    """Clause -> the tests that are marked with it, as ``test_family.py::test_name``."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in _modules(directories):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for clause in marked(node):
                    found[clause].add(f"{path.name}::{node.name}")
    return {clause: frozenset(tests) for clause, tests in found.items()}


def tests(directories: tuple[Path, ...] = (CLAUSES,)) -> frozenset[str]:  # noqa: PT028  # an index of tests, not one
    """Every test of the suite, marked or not."""
    return frozenset(
        f"{path.name}::{node.name}"
        for path in _modules(directories)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def _modules(directories: tuple[Path, ...]) -> list[Path]:
    return [path for directory in directories for path in sorted(directory.glob("test_*.py"))]


def marked(node: ast.FunctionDef) -> list[str]:
    """The clauses that a test function is marked with."""
    return [
        argument.value
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.clause"
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def item(nodeid: str) -> str:
    """A node id without folders: file, function and parameters."""
    path, _, function = nodeid.partition("::")
    return f"{Path(path).name}::{function}"


def name(nodeid: str) -> str:
    """A node id as this module names tests: file and function, without folders and parameters."""
    return item(nodeid).partition("[")[0]


def concerned(arguments: list[str], directory: Path, folders: tuple[Path, ...] = (CLAUSES,)) -> bool:
    """Some of pytest's arguments selects clause tests."""
    chosen = [Path(directory, argument.partition("::")[0]).resolve() for argument in arguments]
    return any(
        path == clauses or clauses in path.parents or path in clauses.parents for path in chosen for clauses in folders
    )
