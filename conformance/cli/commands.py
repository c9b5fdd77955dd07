"""The commands, each imported when it is asked for: the help and the version need none of them."""

from __future__ import annotations

import click

from conformance import __version__
from conformance.cli.groups import Commands, Deferred

COMMANDS = (
    Deferred("bench", "conformance.bench.cli:bench", "Measure what a run costs, beside a bare loop and Schemathesis."),
    Deferred("check-history", "conformance.model.cli:check_history", "Say whether a recorded history is linearizable."),
    Deferred("cleanup", "conformance.cli.cleanup:cleanup", "Remove what killed runs left on a target."),
    Deferred("diff", "conformance.report.cli:diff", "Say what got better, worse and new between two runs."),
    Deferred("doctor", "conformance.preflight.cli:doctor", "Check everything before a run; creates nothing."),
    Deferred("history", "conformance.report.cli:show_history", "Show the saved runs of one target over time."),
    Deferred("init", "conformance.preflight.cli:init", "Write a commented target description."),
    Deferred("overview", "conformance.report.cli:show_all", "Show the saved runs of several targets on one page."),
    Deferred(
        "page", "conformance.page.cli:page", "Compare a page of the reference, or a WADL file, with the document."
    ),
    Deferred("prove", "conformance.proof.cli:prove", "Judge all faulty and all lawful deployments of the reference."),
    Deferred("report", "conformance.report.cli:render", "Render a saved run in other formats."),
    Deferred("reproduce", "conformance.reproduction.cli:reproduce", "Try the findings of a saved run again."),
    Deferred("run", "conformance.cli.run:run", "Judge a deployment; --help has the options."),
    Deferred("serve", "conformance.reference.cli:serve", "Serve the reference deployment."),
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="conformance")
def group() -> None:
    """Judge whether a deployment keeps the word of DELETE .../ip_associations/{IPAddressID}."""


for command in COMMANDS:
    group.add_command(command)
