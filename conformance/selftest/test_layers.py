"""The layers of the package: which part may import which, held by reading the source.

The table is the design. A part's own modules, the standard library and the names of the package's root
(``SPEC``, ``__version__``) are free to all.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance
from conformance import plugin
from conformance.plugin import hooks

pytestmark = pytest.mark.once

PACKAGE = Path(conformance.__file__).parent
ROOT_NAMES = frozenset({"SPEC", "__version__"})

RECORDS = frozenset({"errors", "verdict", "evidence", "target"})
DRIVER = RECORDS | {"identity", "openapi", "client", "judge", "model", "generate", "provision"}
RUN = DRIVER | {"catalogue", "contract", "driver", "preflight", "report"}

LAYERS = {
    "errors": frozenset(),
    "input_file": frozenset(),
    "yaml_input": frozenset({"errors", "input_file"}),
    "verdict": frozenset({"errors", "yaml_input"}),
    # Both read YAML of the project's own, with the loader that stands beside the strict one.
    "catalogue": frozenset({"errors", "verdict", "yaml_input", "contract"}),
    "openapi": frozenset({"errors", "verdict", "yaml_input"}),
    # It reads files of others and holds them against the document; the judged target is none of its business.
    "page": frozenset({"errors", "openapi", "input_file"}),
    "evidence": frozenset({"errors", "verdict"}),
    # Clouds are read while the description is, and asked for tokens by the client.
    "identity": frozenset({"errors", "evidence", "yaml_input"}),
    "target": frozenset({"errors", "verdict", "input_file", "yaml_input", "identity"}),
    "client": frozenset({"errors", "evidence", "identity", "target"}),
    "judge": frozenset({"errors", "verdict", "evidence", "openapi"}),
    "model": frozenset({"input_file"}),
    "generate": frozenset({"errors", "openapi", "target", "model", "judge"}),
    # What the client hands back is an exchange.
    "provision": frozenset({"errors", "evidence", "target", "client"}),
    "driver": DRIVER,
    "report": frozenset({"errors", "verdict", "evidence", "catalogue", "contract", "input_file"}),
    # Its commands show what a target said, which only the report makes harmless.
    "preflight": frozenset({"errors", "evidence", "identity", "input_file", "target", "client", "provision", "report"}),
    "run": RUN,
    # Its command shows what a target said, which only the report makes harmless.
    "reproduction": RUN | {"run"},
    # Two independent statements of the API: a mistake that both made would hide itself.
    # It knows of folders that bring faults of their own, and of nothing in them that is judged.
    "reference": frozenset({"contract"}),
    "plugin": RUN | {"run"},
    # The contract says which codes a refusal may have; everything else arrives as a fixture.
    "clauses": frozenset({"openapi", "judge", "generate", "model"}),
    # It serves the reference, runs the plugin on it and reads the run document that comes out.
    "proof": frozenset(
        {
            "errors",
            "evidence",
            "catalogue",
            "contract",
            "run",
            "plugin",
            "reference",
            "report",
            "reproduction",
            "target",
            "verdict",
        }
    ),
    # It runs the commands as others do, and times what they are made of.
    "bench": frozenset({"errors", "verdict", "evidence", "input_file", "run", "model", "reference", "report"}),
    "cli": RUN | {"run", "reproduction", "plugin", "reference", "proof", "bench", "page"},
    # It names what belongs to each contract.
    "contract": frozenset(),
    # A contract's folder stands on the driver, as clause tests do, and brings faults of its own.
    "contracts": DRIVER | {"driver", "reference", "contract"},
    "__main__": frozenset({"cli"}),
    "__init__": frozenset(),
}

PURE = {
    "errors": frozenset(),
    # The schema of waiver files.
    "verdict": frozenset({"jsonschema_rs"}),
    "evidence": frozenset(),
    "judge": frozenset(),
    # ``conformance check-history`` and ``conformance serve`` live beside what they show.
    "model": frozenset({"click"}),
    "reference": frozenset({"click", "cheroot"}),
    "page": frozenset({"click", "docutils", "defusedxml"}),
    # ``conformance report`` and ``conformance diff`` live there too.
    "report": frozenset({"click", "jinja2", "markupsafe", "rich"}),
}
"""The parts that do without most of the dependencies -> those that they have."""

NO_TOPIC = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "shared", "core"})


def _modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "selftest" not in path.parts)


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """The modules that a module names, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "conformance":
            yield from (f"conformance.{alias.name}" for alias in node.names if alias.name not in ROOT_NAMES)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import hides which layer it reaches"
            yield node.module or ""


def test_every_part_has_a_layer() -> None:
    """A new part of the package takes its place in the table."""
    assert {_part(path) for path in _modules()} == set(LAYERS)


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_what_its_layer_allows(path: Path) -> None:
    """One-way dependencies between the parts."""
    part = _part(path)
    reached = {name.split(".")[1] for name in _imports(path) if name.startswith("conformance.")}
    assert reached - {part} <= LAYERS[part]


@pytest.mark.parametrize("part", PURE)
def test_a_pure_part_does_without_other_libraries(part: str) -> None:
    """Verdicts, judging and the models need nothing but the language."""
    named = {name.split(".")[0] for path in _modules() if _part(path) == part for name in _imports(path)}
    assert named - sys.stdlib_module_names - {"conformance"} <= PURE[part]


def test_the_layers_have_no_cycle() -> None:
    """From the top, each layer can be taken away when everything above it is gone."""
    left = {part: set(allowed) for part, allowed in LAYERS.items()}
    while left:
        free = {part for part, allowed in left.items() if not allowed & left.keys()}
        assert free, f"a cycle among {sorted(left)}"
        left = {part: allowed for part, allowed in left.items() if part not in free}


def test_pytest_is_known_to_few_parts() -> None:
    """What judges, speaks and renders works without a test runner."""
    using = {_part(path) for path in _modules() if any(name.split(".")[0] == "pytest" for name in _imports(path))}
    assert using <= {"plugin", "clauses", "contracts", "proof", "cli"}


def test_every_hook_is_one_of_the_plugin() -> None:
    """What pytest is to call has to be a name of the plugin; a hook that stands in its module only is never called."""
    written = {name for name in vars(hooks) if name.startswith("pytest_")}
    assert written == {name for name in vars(plugin) if name.startswith("pytest_")}


def test_modules_are_named_for_their_subject() -> None:
    """No drawer for things without a place."""
    names = {part.removesuffix(".py") for path in PACKAGE.rglob("*.py") for part in path.relative_to(PACKAGE).parts}
    assert not {name for name in names if NO_TOPIC & set(name.split("_"))}


def test_the_way_of_a_verdict_is_as_the_guide_tells_it() -> None:
    """Each station that it names is a function of the file that it names."""
    guide = (PACKAGE.parent / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = guide.partition("\n## The way of a verdict\n")[2].partition("\n## ")[0]
    stations = re.findall(r"\| `(conformance/\S+\.py)` \| `(\w+)` \|", section)
    assert len(stations) > 10
    for path, name in stations:
        tree = ast.parse((PACKAGE.parent / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, path


def test_no_two_public_classes_share_a_name() -> None:
    """One name, one thing: who reads ``State`` need not ask which of four it is."""
    places: dict[str, list[str]] = {}
    for path in _modules():
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
                places.setdefault(statement.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
