"""Lists that come in pages (``ip_addresses_links`` and the like, with ``rel: next``), put together again.

A page is followed only on the origin of the list itself, and only so far: a target chooses where its links lead. A
list that could not be followed to its end keeps its last link, which is how everybody else knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from conformance.client.retry import retried
from conformance.evidence import Exchange

MOST_PAGES = 500
ATTEMPTS_FOR_A_PAGE = 3


def whole(first: Exchange, url: str, name: str, read: Callable[[str], Exchange]) -> Exchange:
    """The list called ``name`` with the rows of all its pages, under the ID of its first exchange.

    Args:
        url: where the first page was read.
        read: reads the page at a URL.
    """
    document = _document(first)
    if document is None or not (link := _next(document, name)) or first.response is None:
        return first
    rows, last, seen = _rows(document, name), first, [url]
    while link and (page := _followed(link, seen)) and len(seen) < MOST_PAGES:
        exchange = retried(lambda page=page: read(page), ATTEMPTS_FOR_A_PAGE)  # type: ignore[misc]
        further = _document(exchange)
        if further is None or not isinstance(further.get(name), list):
            break
        rows, last = rows + _rows(further, name), exchange
        seen.append(page)
        link = _next(further, name)
    links = [{"rel": "next", "href": link}] if link else []
    body = json.dumps({**document, name: rows, f"{name}_links": links}).encode()
    return replace(first, response=replace(first.response, body=body), finished=last.finished, pages=len(seen))


def incomplete(listing: Exchange, name: str) -> bool:
    """There is more of the list than was read."""
    document = _document(listing)
    return document is not None and bool(_next(document, name))


def _document(exchange: Exchange) -> dict[str, Any] | None:
    document = exchange.response.json() if exchange.status == 200 and exchange.response else None
    return document if isinstance(document, dict) else None


def _rows(document: dict[str, Any], name: str) -> list[Any]:
    listed = document.get(name)
    return listed if isinstance(listed, list) else []


def _next(document: dict[str, Any], name: str) -> str:
    """Where the next page is, as the target words it; empty for none."""
    links = document.get(f"{name}_links")
    listed = links if isinstance(links, list) else []
    among = [link for link in listed if isinstance(link, dict) and link.get("rel") == "next"]
    return str(among[0].get("href") or "?") if among else ""


def _followed(link: str, seen: list[str]) -> str:
    """The next page's URL; empty where it is none, is of another origin, or was read already."""
    if not link.isascii() or not link.isprintable() or " " in link:
        return ""
    try:
        page = urldefrag(urljoin(seen[-1], link)).url
        same = _origin(page) == _origin(seen[0])
    except ValueError:
        return ""
    return page if same and page not in seen else ""


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; a user name counts as part of the host."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts.scheme, f"{user}{at}{parts.hostname}", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
