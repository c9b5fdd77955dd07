"""Secrets of a target description, wrapped until they are sent."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from conformance import input_file

TOKENS = {"token": "full", "restricted_token": "restricted", "foreign_token": "foreign"}
"""Keys of ``auth`` that say where a token is -> the name under which the suite speaks of that credential."""

URL_CREDENTIALS = {
    "token": "CONFORMANCE_TOKEN",
    "restricted_token": "CONFORMANCE_RESTRICTED_TOKEN",
    "foreign_token": "CONFORMANCE_FOREIGN_TOKEN",
}
"""Keys of ``auth`` -> where the credential is taken from when the target is given as a URL."""


MOST_CHARACTERS = 64 * 1024
"""More than any token has; no header holds so many."""


class Secret(str):
    """A token that shows itself to nobody who prints the object that holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(...)"


def _tokens(auth: Mapping[str, Any], environment: Mapping[str, str], mistakes: list[str]) -> dict[str, Secret]:
    found = {}
    for key, name in TOKENS.items():
        if key in auth:
            try:
                found[name] = _secret(auth[key], environment)
            except ValueError as error:
                mistakes.append(f"auth.{key}: {error}")
    return found


def _tried(key: str, files: Iterable[str], load: Callable[[], object], expected: str, mistakes: list[str]) -> None:
    try:
        for file in files:
            input_file.check_regular(Path(file))
        load()
    except ssl.SSLError:
        mistakes.append(f"tls.{key}: the file that is named there cannot be used; expected {expected}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no usable path"
        mistakes.append(f"tls.{key}: the file that is named there cannot be read ({reason}); expected {expected}")


def _no_passphrase() -> str:
    """Without it, OpenSSL would ask for one on the terminal."""
    return ""


def _in_file(reference: str) -> bool:
    return reference.startswith("file:")


def token_in(path: str) -> Secret:
    """The token in a file, without the blank space around it.

    Raises:
        ValueError: there is none, with what was expected.
    """
    return _secret(f"file:{path}", {})


def _secret(reference: str, environment: Mapping[str, str]) -> Secret:
    """The token; what names its place is repeated only if it cannot be a token itself."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        shown = f"the environment variable {name if name.isupper() else 'that is named there'}"
        value = environment.get(name, "").strip()
    else:
        shown = "the file that is named there"
        try:
            value = input_file.words(Path(name).expanduser(), MOST_CHARACTERS).strip()  # a pipe is a place for one too
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ValueError(f"{shown} cannot be read ({reason}); expected the token in it") from None
    if not value:
        raise ValueError(f"{shown} is not set or empty; expected the token in it")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{shown} holds characters that no header can carry; expected a token of printable ASCII")
    return Secret(value)
