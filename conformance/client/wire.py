"""Connections that see what follows a 204, bound the time of a whole answer and keep HTTP's own word.

``http.client`` trusts a 204 to have no content: bytes that a target sends all the same would be lost, or be taken for
the beginning of the next answer. The response class here keeps them for the judge.
"""

from __future__ import annotations

import http.client
import select
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

GRACE_SECONDS = 0.02
"""How long content that a 204 announces, or that follows an early end of the header section, may take to arrive."""

MOST_STRAY_BYTES = 65536


class WireResponse(http.client.HTTPResponse):
    """A response that keeps the bytes after the header section of a 204 in ``stray``."""

    stray: bytes = b""

    def begin(self) -> None:
        """Read the status line and header section; of a 204 also what follows it."""
        super().begin()
        if self.status == http.client.NO_CONTENT:
            announced = self.headers.get("Content-Length", "0").strip() not in {"", "0"}
            self.stray = self._what_follows(waiting=announced or self.chunked or bool(self.will_close))
            self.chunked = False
            self.length = 0
            if self.stray or announced or "Transfer-Encoding" in self.headers:
                self.will_close = True  # where the next answer would begin is anybody's guess

    def _what_follows(self, *, waiting: bool) -> bytes:
        raw = getattr(self.fp, "raw", None)
        connection: socket.socket | None = getattr(raw, "_sock", None)
        if self.fp is None or connection is None:
            return b""
        collected = b""
        timeout = connection.gettimeout()
        connection.setblocking(False)
        try:
            while len(collected) < MOST_STRAY_BYTES:
                piece = self.fp.read1(MOST_STRAY_BYTES)  # type: ignore[attr-defined]  # a BufferedReader at runtime
                if piece:
                    collected += piece
                elif not (waiting and _readable(connection)) or self._at_end(connection):
                    break
        except (BlockingIOError, OSError):
            pass
        finally:
            connection.settimeout(timeout)
        return collected

    @staticmethod
    def _at_end(connection: socket.socket) -> bool:
        if not hasattr(connection, "server_hostname"):
            return connection.recv(1, socket.MSG_PEEK) == b""
        return True  # TLS has no peek; what is buffered has been read


def _readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], GRACE_SECONDS)[0])


class WireConnection(HTTPConnection):
    """A plain connection whose responses are :class:`WireResponse`."""

    response_class = WireResponse


class WireConnectionTLS(HTTPSConnection):
    """A TLS connection whose responses are :class:`WireResponse`."""

    response_class = WireResponse


class WirePool(HTTPConnectionPool):
    """A pool of :class:`WireConnection`."""

    ConnectionCls = WireConnection


class WirePoolTLS(HTTPSConnectionPool):
    """A pool of :class:`WireConnectionTLS`."""

    ConnectionCls = WireConnectionTLS


class WireAdapter(HTTPAdapter):
    """The adapter that every request of the suite passes: no retries, no redirects, wire connections."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=16, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pools make wire connections."""
        super().init_poolmanager(*args, **kwargs)
        _use_wire_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        _use_wire_pools(manager)
        return manager


def _use_wire_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": WirePool, "https": WirePoolTLS}


def after_no_content(answer: requests.Response) -> bytes:
    """What followed the header section of a 204; the connection goes back to the pool if it is still usable."""
    original: WireResponse | None = getattr(answer.raw, "_original_response", None)
    if original is not None and not original.will_close:
        answer.raw.read()
    return original.stray if original is not None else b""
