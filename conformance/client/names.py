"""Name look-ups within a time limit, which the system's own resolver does not know.

A look-up that takes longer goes on in a thread of its own; whoever asks for the same name meanwhile waits for that.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

SLICE_SECONDS = 0.2


class NameTimeout(TimeoutError):
    """The look-up took longer than there was time."""


@dataclass(slots=True)
class _LookUp:
    done: threading.Event = field(default_factory=threading.Event)
    places: tuple[str, ...] = ()
    error: OSError | UnicodeError | None = None


_under_way: dict[tuple[str, int | None], _LookUp] = {}
_lock = threading.Lock()


def places(host: str, port: int | None, left: Callable[[], float]) -> tuple[str, ...]:
    """The host's addresses, in the order in which they are tried.

    Args:
        left: seconds that it may still take; it raises TimeoutError when there are none.

    Raises:
        NameTimeout: it took longer.
        OSError: there is no such host.
    """
    if _is_literal(host):
        return (host,)
    sought = _begun(host, port)
    while not sought.done.wait(SLICE_SECONDS):
        try:
            left()
        except TimeoutError as error:
            raise NameTimeout(f"the host name {host} was not resolved in time") from error
    if sought.error:
        raise sought.error
    return sought.places


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _begun(host: str, port: int | None) -> _LookUp:
    with _lock:
        if (host, port) not in _under_way:
            _under_way[host, port] = sought = _LookUp()
            threading.Thread(target=_look_up, args=(host, port, sought), daemon=True).start()
        return _under_way[host, port]


def _look_up(host: str, port: int | None, sought: _LookUp) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        sought.places = tuple(dict.fromkeys(str(one[4][0]) for one in found))
        sought.error = None if found else OSError(f"the host {host} has no address")
    except (OSError, UnicodeError) as error:
        sought.error = error
    with _lock:
        del _under_way[host, port]
    sought.done.set()
