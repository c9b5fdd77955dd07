"""Compares a JSON document with the records of :mod:`conformance.verdict`, from their type hints.

It answers with the first place that is wrong and what is expected there. It builds nothing and knows no file.
"""

import types
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any, NotRequired, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

from conformance.verdict import Finding

PLAIN: dict[Any, tuple[str, tuple[type, ...]]] = {
    str: ("a text", (str,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    bool: ("true or false", (bool,)),
}


class BodyDocument(TypedDict):
    """A body as :func:`conformance.evidence.body_as_json` describes it."""

    bytes: int
    kept: int
    text: NotRequired[str]
    base64: NotRequired[str]
    zlib: NotRequired[str]


class Sent(TypedDict):
    """The request of an exchange."""

    method: str
    url: str
    headers: list[list[str]]
    framing: str
    body: BodyDocument


class ResponseDocument(TypedDict):
    """The response of an exchange."""

    status: int
    reason: str
    headers: list[list[str]]
    body: BodyDocument
    truncated: bool


class Exchanged(TypedDict):
    """An exchange as :meth:`conformance.evidence.Exchange.to_json` describes it."""

    id: str
    operation: str
    credential: str
    at: float
    seconds: float
    request: Sent
    response: ResponseDocument | None
    failure: str


DERIVED = {Finding: {"fingerprint": str}}
"""Members that are written for readers and computed again when the document is read."""

NARROWER = {Finding: {"exchanges": tuple[Exchanged, ...]}}
"""Members that a record leaves open and the views rely on."""


def mistake(value: Any, expected: Any, place: str = "") -> str | None:
    """The first place where ``value`` is not of the type ``expected``, with what is; else None."""
    origin = get_origin(expected)
    if origin in {Union, types.UnionType}:
        return _optional(value, expected, place)
    if origin in {tuple, list}:
        return _list(value, get_args(expected)[0], place)
    if origin is dict:
        return _mapping(value, get_args(expected)[1], place)
    if is_dataclass(expected) or is_typeddict(expected):
        return _record(value, expected, place)
    return _plain(value, expected, place)


def _plain(value: Any, expected: Any, place: str) -> str | None:
    if expected is Any:
        return None
    if expected in PLAIN:
        words, accepted = PLAIN[expected]
        right = isinstance(value, accepted) and (expected is bool or not isinstance(value, bool))
        return None if right else _say(place, words, value)
    if isinstance(expected, type) and issubclass(expected, StrEnum):
        choices = [member.value for member in expected]
        return None if value in choices else _say(place, f"one of {', '.join(choices)}", value)
    raise TypeError(f"no JSON form is known for {expected}")


def _optional(value: Any, expected: Any, place: str) -> str | None:
    (present,) = (one for one in get_args(expected) if one is not types.NoneType)
    return None if value is None else mistake(value, present, place)


def _list(value: Any, item: Any, place: str) -> str | None:
    if not isinstance(value, list):
        return _say(place, "a list", value)
    found = (mistake(one, item, f"{place}[{index}]") for index, one in enumerate(value))
    return next((words for words in found if words), None)


def _mapping(value: Any, item: Any, place: str) -> str | None:
    if not isinstance(value, dict):
        return _say(place, "an object", value)
    found = (mistake(one, item, _member(place, name)) for name, one in value.items())
    return next((words for words in found if words), None)


def _record(value: Any, record: Any, place: str) -> str | None:
    if not isinstance(value, dict):
        return _say(place, "an object", value)
    hints = get_type_hints(record) | NARROWER.get(record, {}) | DERIVED.get(record, {})
    for name in _required(record):
        if name not in value:
            return f"{_member(place, name)}: expected, but it is absent"
    for name, one in value.items():
        if name not in hints:
            return f"{_member(place, name)}: unknown member, expected one of {', '.join(hints)}"
        if words := mistake(one, hints[name], _member(place, name)):
            return words
    return None


def _required(record: Any) -> list[str]:
    if is_typeddict(record):
        return sorted(record.__required_keys__)
    return [f.name for f in fields(record) if f.default is MISSING and f.default_factory is MISSING]


def _member(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _say(place: str, expected: str, value: Any) -> str:
    found = repr(value)
    shown = found if len(found) <= 60 else f"{found[:60]} ..."
    return f"{place or 'the document'}: expected {expected}, found {shown}"
