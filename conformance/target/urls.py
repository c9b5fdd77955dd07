"""The roots of the two services, from whichever URL is known of them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

VERSIONS = {"compute": "v2", "network": "v2.0"}
"""Service -> the version of its API that the suite speaks."""


def is_url(given: str) -> bool:
    """Whether a target is named by a URL; else by the path of its description."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", given) is not None


def service_root(url: str, version: str) -> str:
    """``url`` with the API version, which a catalogue's URL already carries, a tenant after it or not.

    The other service's version does not stay: one URL may stand for both.

    >>> service_root("https://cloud.example/compute/", "v2")
    'https://cloud.example/compute/v2'
    >>> service_root("https://cloud.example/v2/123456", "v2")
    'https://cloud.example/v2/123456'
    >>> service_root("https://cloud.example/v2/123456", "v2.0")
    'https://cloud.example/v2.0'
    """
    bare = url.rstrip("/")
    versioned = re.search(r"(?<=[^/]/)(v2|v2\.0)(/[^/]+)?$", bare)
    if versioned and versioned[1] == version:
        return bare
    return f"{bare[: versioned.start()] if versioned else bare + '/'}{version}"


def catalogued_root(url: str, version: str) -> str:
    """The root for ``version`` of a service whose catalogue entry is ``url``.

    An entry of that version is used as it stands, with the project that may follow. One of another version (2.1 of
    compute, say) is cut off before its version.

    >>> catalogued_root("https://cloud.example/compute/v2.1/123456", "v2")
    'https://cloud.example/compute/v2'
    >>> catalogued_root("https://cloud.example/v2/123456", "v2")
    'https://cloud.example/v2/123456'
    """
    bare = url.rstrip("/")
    versioned = re.search(r"(?<=[^/]/)(v\d+(?:\.\d+)?)(/[^/]+)?$", bare)
    other = versioned and versioned[1] != version
    return service_root(bare[: versioned.start()] if versioned and other else bare, version)


def _bad_urls(document: dict[str, Any]) -> list[str]:
    return [mistake for key in ("compute", "network") if key in document for mistake in _bad_url(key, document[key])]


def _bad_url(key: str, url: str) -> list[str]:
    """What is wrong with a URL, which is not repeated, since it may carry a password."""
    expected = "expected http://HOST/ or https://HOST/, a path prefix allowed, no user name, query or fragment"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return [f"{key}: is no URL; {expected}"]
    if parts.username or parts.password:
        return [f"{key}: carries a user name or password, which belong under auth; {expected}"]
    plain = url.isascii() and url.isprintable() and " " not in url and not parts.query and not parts.fragment
    return [] if usable and plain else [f"{key}: is not the URL of a service; {expected}"]
