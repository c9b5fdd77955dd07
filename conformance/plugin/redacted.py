"""What pytest shows of an error, without secrets: a traceback may hold whatever stood in a variable."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

Redact = Callable[[str], str]


class Errors:
    """Takes secrets out of what pytest is about to show of an error of its own or of the suite's."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """The record is changed before anybody shows it."""
        cleaned(excrepr, self._redact)


def clean(report: pytest.TestReport, redact: Redact) -> None:
    """Take secrets out of the error, with its tracebacks and variables, and of the output that was captured."""
    report.longrepr = cleaned(report.longrepr, redact)
    report.sections = cleaned(report.sections, redact)


def cleaned(shown: Any, redact: Redact) -> Any:
    """The same without secrets; pytest's own records are changed in place."""
    match shown:
        case str():
            return redact(shown)
        case list():
            return [cleaned(one, redact) for one in shown]
        case tuple():
            return tuple(cleaned(one, redact) for one in shown)
        case _ if dataclasses.is_dataclass(shown) or hasattr(shown, "reprtraceback"):
            for name, value in vars(shown).items():
                setattr(shown, name, cleaned(value, redact))
    return shown
