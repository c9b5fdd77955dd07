"""What was sent and answered, without secrets, and how to repeat it.

It refuses to send, to judge, and to keep a secret.
"""

from conformance.evidence.curl import CONTENT_EXPECTED, EXPANSION, GLOB, LONGEST_ARGUMENT, TOKEN_HEADER, VARIABLES, curl
from conformance.evidence.exchange import KEPT_BODY_BYTES, Exchange, Request, Response, body_as_json
from conformance.evidence.recorder import Recorder, allocated
from conformance.evidence.redaction import (
    COOKIES,
    LONGEST_NEEDED_RUN,
    REDACTED,
    SHORTEST_DIVIDED,
    SHORTEST_ENCODED,
    Redactor,
)

__all__ = [
    "CONTENT_EXPECTED",
    "COOKIES",
    "EXPANSION",
    "GLOB",
    "KEPT_BODY_BYTES",
    "LONGEST_ARGUMENT",
    "LONGEST_NEEDED_RUN",
    "REDACTED",
    "SHORTEST_DIVIDED",
    "SHORTEST_ENCODED",
    "TOKEN_HEADER",
    "VARIABLES",
    "Exchange",
    "Recorder",
    "Redactor",
    "Request",
    "Response",
    "allocated",
    "body_as_json",
    "curl",
]
