"""What ``conformance run`` adds to the plugin: strict arguments, tests by their short names, and a screen of its own.

``pytest conformance/clauses`` does without it and stays pytest.
"""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from conformance import contract
from conformance.plugin import screen

FOLDERS = tuple(one.tests for one in contract.chosen(contract.SUPPORTING))
"""Where clause tests are."""


def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Refuse what nobody knows, before anything begins."""
    known, unknown = parser.parse_known_and_unknown_args(args)
    # What follows an option that nobody knows may be its value.
    mistakes = list(_unknown(unknown, parser)) or list(filter(None, map(_wrong, known.file_or_dir)))
    if isinstance(workers := getattr(known, "numprocesses", None), int) and workers < 0:
        mistakes.append(f"-n: {workers}; expected a number from 0 on, or auto")
    if mistakes:
        raise pytest.UsageError("\n".join(mistakes))


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Choose the tests: all of them, unless some are named."""
    config.args[:] = [_found(one) for one in config.known_args_namespace.file_or_dir] or _all(config)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Stand in for pytest's terminal."""
    if not hasattr(config, "workerinput") and not config.pluginmanager.hasplugin("terminalreporter"):
        config.stash[screen.SCREEN] = own = screen.Own(config.getoption("verbose"), config.getoption("color"))
        config.pluginmanager.register(Told(own), "conformance-told")


class Told:
    """Writes a line for each test where somebody asked for it."""

    def __init__(self, own: screen.Own) -> None:
        self._screen = own

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended, or could not begin."""
        if self._screen.verbosity > 0 and (report.when == "call" or report.outcome != "passed"):
            status = getattr(report, "conformance_status", None)
            word = status[2][0] if status else report.outcome.upper()
            self._screen.write(f"{word} {report.nodeid.rpartition('/')[2]}\n")


def _unknown(arguments: Sequence[str], parser: pytest.Parser) -> Iterator[str]:
    options = [one.partition("=")[0] for one in arguments if one.startswith("-")]
    known = list(_names(parser))
    for option in options:
        near = difflib.get_close_matches(option, known, cutoff=0.75)
        hint = f"did you mean {' or '.join(near)}?" if near else "an option of a plugin needs -p PLUGIN; see --help"
        yield f"no such option: {option} ({hint})"


def _names(parser: pytest.Parser) -> Iterator[str]:
    """The long options that pytest knows, if this release says so; they are suggestions, no more."""
    groups = [*getattr(parser, "_groups", ()), getattr(parser, "_anonymous", None)]
    for option in (one for group in groups for one in getattr(group, "options", ())):
        yield from (name for name in option.names() if name.startswith("--"))


def _wrong(given: str) -> str:
    """What is wrong with an argument that is no option; empty if it names tests."""
    if _found(given):
        return ""
    if given.startswith(("http://", "https://")) or Path(given).exists() or Path(given).suffix in {".yaml", ".yml"}:
        return f"{given}: a target is given as --target {given}"
    near = difflib.get_close_matches(
        given.partition("::")[0], [path.name for folder in FOLDERS for path in folder.glob("test_*.py")]
    )
    hint = f"did you mean {near[0]}?" if near else "tests are chosen with -k, a target is given with --target"
    return f"{given}: neither an option nor a file of clauses ({hint})"


def _all(config: pytest.Config) -> list[str]:
    return [str(one.tests) for one in contract.chosen(config.known_args_namespace.contracts)]


def _found(given: str) -> str:
    """The tests that an argument names, as pytest takes them; empty if it names none."""
    name, colons, test = given.partition("::")
    named = [*(folder / Path(name).name for folder in FOLDERS), Path(name).resolve()]
    path = next((one for one in named if _is_ours(one)), None)
    return f"{path}{colons}{test}" if path else ""


def _is_ours(path: Path) -> bool:
    return path in FOLDERS or (path.parent in FOLDERS and path.name.startswith("test_") and path.is_file())
