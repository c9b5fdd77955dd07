"""The suite's own words on the command line, for pytest's parser and any other of the kind."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from conformance import contract, report
from conformance.errors import UsageError
from conformance.run.cost import DEPTHS

DEFAULT_SEED = 0

ALONE = "--target-alone"


def add(add_option: Callable[..., object]) -> None:
    """Tell pytest's parser, or another one of the kind, of the options."""
    add_option(
        "--target",
        dest="targets",
        action="append",
        default=[],
        metavar="FILE|DIR|URL",
        help="target description, or one URL of both services with the token in CONFORMANCE_TOKEN; may be repeated, "
        "and a directory stands for all descriptions in it; default: the embedded reference deployment",
    )
    # Said to the run of one target by that of several; it outweighs what was said to the latter.
    add_option(ALONE, help=argparse.SUPPRESS)
    add_option("--depth", choices=DEPTHS, default="standard", help="how many examples are generated")
    add_option(
        "--seed",
        type=_seed,
        metavar="N|random",
        default=str(DEFAULT_SEED),
        help=f"seed of the generation; default {DEFAULT_SEED}",
    )
    add_option("--report-dir", metavar="DIR", help="where the reports go; default reports/")
    add_option(
        "--format",
        type=_formats,
        metavar="NAME,...",
        help=f"further formats of the report: {', '.join(sorted(set(report.FILES) - set(report.WRITTEN_BY_A_RUN)))}",
    )
    add_option(
        "--jobs",
        type=_positive,
        metavar="N",
        help="so many of several targets at the same time; default: as many as there are processors",
    )
    add_option("--state-dir", metavar="DIR", help="where the ledgers are kept; default: the user's state directory")
    add_option(
        "--probe-limits",
        action="store_true",
        help="allow one bounded burst of requests, to see the target's rate limit",
    )
    # --strict is pytest's own already; here it makes should-clauses gate as well.
    add_option("--require-all", action="store_true", help="a clause that is untested fails the run")
    add_option("--waivers", metavar="FILE", help="promises to live with findings until a day")
    add_option("--baseline", metavar="RUN.json", help="a saved run whose findings do not fail this run again")
    add_option(
        "--contract",
        dest="contracts",
        action="append",
        choices=sorted(contract.SUPPORTING),
        default=[],
        help="judge a supporting contract as well; may be repeated",
    )
    add_option("--compare", metavar="OLD.json", help="a saved run: the reports say what is better, worse and new")


def _positive(given: str) -> int:
    if not given.isascii() or not given.isdigit() or not int(given):
        raise argparse.ArgumentTypeError(f"{given!r}; expected a number from 1 on")
    return int(given)


def _formats(given: str) -> str:
    try:
        report.formats(given)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return given


def _seed(given: str) -> str:
    if given != "random" and not (given.isascii() and given.isdigit()):
        raise argparse.ArgumentTypeError(f"{given!r}; expected a number or the word random")
    return given
