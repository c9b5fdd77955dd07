"""Errors of the suite itself, one class for each step of a run.

A target that breaks a clause is never an error: that is a :class:`conformance.verdict.Violation`. Everything here
means that the suite, or what it was given, stood in the way of judging.
"""


class ConformanceError(Exception):
    """The suite could not do its work; ``hint`` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(ConformanceError):
    """What the user gave is wrong: an option, a target description, a waiver file. Nothing was sent."""


class SpecificationError(ConformanceError):
    """A file under ``spec/`` contradicts its schema or another file: a defect of the suite."""


class Unreachable(ConformanceError):
    """The target cannot be talked to: no connection, no TLS, no accepted token, or no callers to tell apart."""


class Exhausted(ConformanceError):
    """This machine lacks what a request needs (open files, memory): the suite broke, not the target."""


class Unjudgeable(ConformanceError):
    """The target's state or answers left a case open; the clause under test is inconclusive."""


class ProvisioningError(Unjudgeable):
    """The target would not lend what a case needs: an address, a port, an association."""


class LedgerError(ConformanceError):
    """The ledger cannot be written or read, so nothing may be created."""


class Untested(ConformanceError):
    """A credential, an option or an occasion that the clause needs is absent; ``absence`` says which of these."""

    def __init__(self, message: str, absence: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.absence = absence


class Stopped(BaseException):
    """The run ends before its time. No :class:`Exception`: nobody takes it for the failure of a case, or retries."""
