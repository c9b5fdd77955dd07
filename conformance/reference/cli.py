"""The command that serves a reference deployment until it is told to stop.

The first line that a program reads of it is a JSON object that says where it listens and holds no token; on a terminal
it greets with what to do.
"""

import json
import os
import shlex
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from conformance.reference import replicas
from conformance.reference.app import Rules
from conformance.reference.faults import catalogue, supporting
from conformance.reference.registry import Fault, UnknownNameError
from conformance.reference.server import Reference, Settings, check_loopback
from conformance.reference.store import Tokens
from conformance.reference.variants import variants

VARIABLES = {
    "full": "CONFORMANCE_TOKEN",
    "restricted": "CONFORMANCE_RESTRICTED_TOKEN",
    "foreign": "CONFORMANCE_FOREIGN_TOKEN",
}


def yaml_lines(document: Mapping[str, Any], indent: str = "") -> Iterable[str]:
    """Write nested mappings as block YAML, everything inside them as JSON, which YAML understands."""
    for key, value in document.items():
        name = key if key.isidentifier() else json.dumps(key)
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}:"
            yield from yaml_lines(value, indent + "  ")
        else:
            yield f"{indent}{name}: {json.dumps(value)}"


def describe_faults() -> str:
    """Write the faults for a reader, grouped by the clause to blame."""
    groups: dict[str, list[str]] = {}
    for fault in (*catalogue(), *replicas.registry.faults, *supporting()):
        groups.setdefault(fault.breaks[0], []).append(
            f"  {fault.name}: {fault.description}{_besides(fault)}{_needs(fault)}"
        )
    return "\n".join(line for clause, lines in groups.items() for line in (clause, *lines))


def _besides(fault: Fault) -> str:
    """What a fault breaks and may show beside the clause to blame, with the reasons that its entry gives."""
    shown = [f"{clause} ({fault.reasons[clause]})" if clause in fault.reasons else clause for clause in fault.also]
    others = f" [also breaks {', '.join(fault.breaks[1:])}]" if fault.breaks[1:] else ""
    return others + (f" [may show {', '.join(shown)}]" if shown else "")


def _needs(fault: Fault) -> str:
    return " [needs --state and two processes on one --port]" if fault in replicas.registry.faults else ""


def describe_variants() -> str:
    """Write the lawful variants for a reader."""
    return "\n".join(
        f"{one.name}: {one.description}" + (f" [target: {json.dumps(one.target)}]" if one.target else "")
        for one in variants()
    )


def _list(describe: Callable[[], str]) -> Callable[[click.Context, click.Parameter, bool], None]:
    def show(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001
        if asked:
            click.echo(describe())
            context.exit()

    return show


def _loopback(_context: click.Context, _parameter: click.Parameter, host: str) -> str:
    try:
        return check_loopback(host)
    except ValueError as error:
        raise click.BadParameter(f"{error}; the deployment is served on the loopback interface only") from None


def _tokens() -> tuple[Tokens, list[str]]:
    """Take the tokens from the environment, make up what is missing, and say how to use that."""
    given = {role: os.environ[name] for role, name in VARIABLES.items() if os.environ.get(name)}
    tokens = Tokens(**given)
    made_up = [role for role in VARIABLES if role not in given]
    return tokens, [f"export {VARIABLES[role]}={getattr(tokens, role)}" for role in made_up]


def _greeting(reference: Reference, described: Path | None, exports: Iterable[str]) -> Iterable[str]:
    """What to do with it, as lines to copy into another terminal; before that, for a program, where it listens."""
    told = reference.announcement()
    given = described or told["compute"]
    if not sys.stdout.isatty():
        yield json.dumps(told)
    yield f"# The reference deployment listens at {told['compute']} until Ctrl-C. In another terminal, copy:"
    yield from exports
    yield f"conformance run --target {shlex.quote(str(given))}"


def _wait(*, until_stdin_ends: bool) -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    if until_stdin_ends:
        threading.Thread(target=_drain_stdin, args=(stopped,), daemon=True).start()
    stopped.wait()


def _drain_stdin(stopped: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stopped.set()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, callback=_loopback, help="Loopback address.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port; 0 is any free one.")
@click.option("--network-port", type=click.IntRange(0, 65535), help="Serve the networking API on this port.")
@click.option("--prefix", default="", help="Path prefix of both services.")
@click.option("--servers", default=4, show_default=True, type=click.IntRange(2), help="Servers of the tenant.")
@click.option("--quota", default=5, show_default=True, type=click.IntRange(1), help="Shared addresses at once.")
@click.option("--latency", default=0.0, type=click.FloatRange(0), help="Seconds before each answer.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the state in this SQLite file; several processes may serve it on one --port.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Deviate so; may be repeated.")
@click.option("--variant", metavar="NAME", help="Conform in another lawful way.")
@click.option("--list-faults", is_flag=True, is_eager=True, expose_value=False, callback=_list(describe_faults))
@click.option("--list-variants", is_flag=True, is_eager=True, expose_value=False, callback=_list(describe_variants))
@click.option("--exit-with-stdin", is_flag=True, help="Stop when standard input ends.")
@click.option("--write-target", type=click.Path(path_type=Path), metavar="FILE", help="Write a target description.")
def serve(
    *,
    host: str,
    port: int,
    network_port: int | None,
    prefix: str,
    servers: int,
    quota: int,
    latency: float,
    state: Path | None,
    faults: tuple[str, ...],
    variant: str | None,
    exit_with_stdin: bool,
    write_target: Path | None,
) -> None:
    """Serve a reference deployment on the loopback interface until interrupted.

    Tokens are taken from CONFORMANCE_TOKEN, CONFORMANCE_RESTRICTED_TOKEN and CONFORMANCE_FOREIGN_TOKEN; what
    is not set is made up and printed. The state lives in memory, unless --state names a file.
    """
    tokens, exports = _tokens()
    rules = Rules(prefix=prefix, shared_quota=quota, latency=latency)
    settings = Settings(host, port, network_port, servers, state=state, tokens=tokens, rules=rules)
    try:
        reference = Reference(settings, faults=faults, variant=variant)
        with reference:
            if write_target:
                write_target.write_text("\n".join([*yaml_lines(reference.target()), ""]), encoding="utf-8")
            click.echo("\n".join(_greeting(reference, write_target, exports)))
            sys.stdout.flush()
            _wait(until_stdin_ends=exit_with_stdin)
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"cannot serve: {error}") from None
