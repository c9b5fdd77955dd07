"""Why an answer was lost, in words that a reader of a report understands.

The beginnings ``timed out`` and ``TLS`` are relied on: the first is asked for again only once, the second is no
matter of patience.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator

import urllib3

from conformance.client.names import NameTimeout

LONGEST = 300

STRICTLY_REFUSED = range(80, 94)
"""What OpenSSL finds with X509_V_FLAG_X509_STRICT only: X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA to
X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3."""

STRICTER = "Python 3.13 insists on RFC 5280: have it issued again with this, or run with Python 3.12"

OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""What the operating system says when this machine, not the target, lacks what a request needs."""

WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the host name cannot be resolved: {0}"),
    (ssl.SSLError, "TLS failed: {0}"),
    (ConnectionRefusedError, "connection refused"),
    (http.client.RemoteDisconnected, "the connection was closed without an answer"),
    (ConnectionError, "the connection broke: {0}"),
    (http.client.IncompleteRead, "the answer broke off: {0}"),
    (http.client.HTTPException, "no HTTP answer: {0!r}"),
)
"""The first that fits one of the errors, the innermost first, is said of it."""


def own(error: BaseException) -> OSError | None:
    """What this machine lacks; None where the target or the way to it is to blame."""
    return next((one for one in _chain(error) if isinstance(one, OSError) and one.errno in OWN), None)


def why(error: BaseException, timeout_seconds: float) -> str:
    """The reason in one line, not redacted yet."""
    causes = list(_chain(error))
    unconnected = any(isinstance(one, urllib3.exceptions.NewConnectionError) for one in causes)
    if any(isinstance(one, NameTimeout) for one in causes):
        return f"timed out: the host name was not resolved within {timeout_seconds:g} s"
    if not unconnected and any(isinstance(one, urllib3.exceptions.ConnectTimeoutError) for one in causes):
        return "timed out: no connection"
    if not unconnected and any(isinstance(one, (TimeoutError, urllib3.exceptions.TimeoutError)) for one in causes):
        return f"timed out: no complete answer within {timeout_seconds:g} s"
    proxy = "the proxy: " if any(isinstance(one, urllib3.exceptions.ProxyError) for one in causes) else ""
    known = ((one, words) for kind, words in WORDS for one in reversed(causes) if isinstance(one, kind))
    root, template = next(known, (causes[-1], "{1}: {0}"))
    return proxy + " ".join((template.format(root, type(root).__name__) + _hint(root)).split())


def _hint(root: BaseException) -> str:
    """What helps with a certificate that only the stricter check of Python 3.13 refuses."""
    code = getattr(root, "verify_code", 0) if isinstance(root, ssl.SSLCertVerificationError) else 0
    return f"; {STRICTER}" if code in STRICTLY_REFUSED else ""


def shortened(reason: str) -> str:
    """The reason, cut to what a line can hold."""
    return reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}..."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, the innermost last."""
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        yield inner
        wrapped = (getattr(inner, "reason", None), *inner.args, inner.__cause__, inner.__context__)
        inner = next((one for one in wrapped if isinstance(one, BaseException) and id(one) not in seen), None)
