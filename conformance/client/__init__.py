"""The one HTTP path to a target: it sends, paces, bounds and records, and judges nothing."""

from conformance.client import halting
from conformance.client.operations import Client
from conformance.client.pace import Pacer
from conformance.client.paging import incomplete
from conformance.client.retry import again_after, passing, retried
from conformance.client.stopwatch import Stopwatch, Wait

__all__ = ["Client", "Pacer", "Stopwatch", "Wait", "again_after", "halting", "incomplete", "passing", "retried"]
