"""What all commands have in common: wrong usage exits with 4 and names what was probably meant."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

import click

from conformance.errors import ConformanceError, Stopped, UsageError

MAY_BE_EMPTY = ("--prefix", "-k", "-m")
"""Where an empty text says something: no prefix, and no choice of tests."""

INTERRUPTED, INTERNAL_ERROR, USAGE_ERROR = 2, 3, 4


class Deferred(click.Command):
    """A command whose module is imported when it is asked for; until then it is a line of the help."""

    def __init__(self, name: str, where: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self._where = where

    def asked_for(self) -> click.Command:
        """The command itself."""
        module, _, name = self._where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


class Commands(click.Group):
    """A group whose exit codes are those of a run: what click finds wrong would be taken for a verdict."""

    def main(self, args: Sequence[str] | None = None, *arguments: Any, **more: Any) -> NoReturn:
        """Run the command that the arguments name, and exit."""
        try:
            _nothing_empty(sys.argv[1:] if args is None else args)
            more["standalone_mode"] = False
            code = super().main(args, *arguments, **more)
        except click.UsageError as error:
            error.show()
            sys.exit(USAGE_ERROR)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(INTERRUPTED)
        except UsageError as error:
            _say(error, USAGE_ERROR)
        except ConformanceError as error:
            _say(error, INTERNAL_ERROR)
        except Stopped as error:
            _say(error, 1)
        sys.exit(code if isinstance(code, int) else 0)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Look the command up by its name."""
        near = difflib.get_close_matches(args[0], self.commands)
        if args[0] not in self.commands and near:
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {' or '.join(near)}?", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.asked_for() if isinstance(command, Deferred) else command, rest


def _nothing_empty(arguments: Sequence[str]) -> None:
    """An empty argument is a variable that is not set: as a path it would be the working directory."""
    for before, given in pairwise(arguments):
        option, assigned, value = given.partition("=")
        name, said = (option, value) if assigned and option.startswith("--") else (before, given)
        if not said.strip() and name not in MAY_BE_EMPTY:
            raise UsageError(f"{name}: expected a value, not an empty one", "is a variable not set?")


def _say(error: BaseException, code: int) -> NoReturn:
    click.echo(f"ERROR: {error}", err=True)
    sys.exit(code)
