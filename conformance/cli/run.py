"""``conformance run``: the suite as a command of its own, with pytest inside.

What is wrong with the command line is said before anything is sent or written: where pytest has a say in it, it
collects once for itself first.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from conformance.errors import UsageError
from conformance.run import arguments as own
from conformance.run.suite import CLAUSES

if TYPE_CHECKING:
    import pytest

USAGE_ERROR = 4
NOT_OURS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""What somebody has said to pytest in general is not said to this command."""

NEEDED = ("xdist.plugin", "conformance.plugin", "conformance.plugin.command")
# This module has imported the plugin already, and no assertion of it is there to be rewritten.
QUIET = ("--noconftest", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
OWN_SCREEN = ("-p", "no:terminalreporter")

LOOKING = re.compile(
    r"--(co|collect-?only|markers|fixtures(-per-test)?|funcargs|version|setup-(plan|only|show)|pdb|trace|help-pytest)"
)
"""With these pytest has the word."""

NOISE = re.compile(
    r"^(ERROR: )?(usage: .*\n)?(pytest\.main\(\): error: )?(argument )?(  (inifile|rootdir): .*\n?)?", re.MULTILINE
)
"""What pytest says beside what is wrong."""

PYTESTS_OWN = """\
of pytest's options, which all work:
  -k EXPRESSION         only tests whose names match: "body and not chunked"
  -n N                  so many workers; default: as many as make it faster
  -x, --maxfail N       stop after the first failure, or after N
  -v, -q                a line for each test; the verdict only
  --strict              should-clauses gate as well
  -p PLUGIN             load a plugin of pytest's; only what is needed is
  --collect-only        list the tests and send nothing
  --help-pytest         all of them

exit codes: 0 pass, 1 fail or inconclusive, 2 interrupted, 3 error of the suite,
4 wrong usage. The report is in reports/index.html.

examples:
  conformance run                                 the embedded deployment
  conformance run --target staging.yaml --depth deep --format sarif
  conformance run --target regions/ --waivers waivers/ --baseline earlier/
"""


class Wanted(argparse.ArgumentParser):
    """The suite's own options; it leaves pytest's alone."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in a line, with what was probably meant."""
        words = re.sub(r"^argument (-\S*?)(/-\S+)?: ", r"\1: ", message)
        met = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", words)
        near = difflib.get_close_matches(met[1], re.findall(r"[\w-]+", met[2])) if met else []
        raise UsageError(words, f"did you mean {' or '.join(near)}?" if near else "")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(arguments: tuple[str, ...]) -> None:
    """Judge a deployment."""
    if {"-h", "--help"} & set(_before_the_end(arguments)):
        click.echo(usage(), nl=False)
        sys.exit(0)
    _, pytests = wanted().parse_known_args(arguments)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # workers and the runs of several targets inherit it
    for variable in NOT_OURS:
        os.environ.pop(variable, None)
    import pytest  # noqa: PLC0415  # the help and what is wrong with the suite's own options are told without it

    if any(LOOKING.fullmatch(one.partition("=")[0]) for one in _before_the_end(arguments)):
        given = ["--help" if one == "--help-pytest" else one for one in arguments]
        sys.exit(pytest.main([*_own(arguments), *given]))
    if pytests:  # what is the suite's own was read just now
        rehearse(arguments)
    sys.exit(pytest.main([*_own(arguments), *OWN_SCREEN, *arguments]))


def wanted() -> Wanted:
    """A parser of the suite's own options."""
    parser = Wanted(
        prog="conformance run",
        usage="conformance run [--target FILE|DIR|URL] [OPTIONS]",
        description="Judge whether a deployment keeps the documented word of the operation.",
        epilog=PYTESTS_OWN,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=80, max_help_position=24),
        add_help=False,
        allow_abbrev=False,
    )
    own.add(parser.add_argument_group("options").add_argument)
    return parser


def usage() -> str:
    """The help, of a screen's length."""
    return wanted().format_help()


def rehearse(arguments: Sequence[str]) -> None:
    """Let pytest read the arguments and choose the tests, without a target; what is wrong ends the command."""
    import pytest  # noqa: PLC0415

    chosen = Chosen()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = int(pytest.main([*_own(arguments), *OWN_SCREEN, "--collect-only", *arguments], plugins=[chosen]))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise UsageError("no test is left to run", "see -k, -m and --deselect; --collect-only lists all")
    if chosen.broken:
        raise UsageError("\n".join(chosen.broken))
    if code == pytest.ExitCode.USAGE_ERROR:
        raise UsageError(NOISE.sub("", said.getvalue()).strip())
    if code:
        sys.stderr.write(said.getvalue())
        sys.exit(code)


class Chosen:
    """Hears what the rehearsal could not collect."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take the words of what went wrong."""
        if report.failed:
            self.broken.append(str(report.longrepr))


def _own(arguments: Sequence[str]) -> list[str]:
    left_out = {one.partition("no:")[2] for one in arguments}
    plugins = [word for name in NEEDED if name.split(".")[0] not in left_out for word in ("-p", name)]
    return [*plugins, "-c", os.devnull, "--rootdir", str(CLAUSES), *QUIET]


def _before_the_end(arguments: Sequence[str]) -> Sequence[str]:
    """The options: what stands before ``--``."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments
