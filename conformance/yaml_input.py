"""Files that users write: YAML with no surprise in it, and what a schema expects at the place of a mistake."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from conformance import input_file
from conformance.errors import UsageError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""For the project's own files: ten times as fast where PyYAML was built with libyaml."""

MOST_BYTES = 4 * 1024 * 1024
MOST_NODES = 100_000
"""More than any description or waiver file needs, aliases written out."""

TOO_LARGE = "its aliases make it too large"


def read(path: Path, expected: str) -> Any:
    """The document in the file ``path``: just JSON's types beside what an explicit tag makes, and no key twice.

    Args:
        expected: what the file should be, for the message.

    Raises:
        UsageError: it cannot be read, or is no YAML; the message names file and line and quotes nothing from it.
    """
    try:
        return _loaded(input_file.text(path, MOST_BYTES))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected {expected}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; expected {expected} in YAML") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}{_line(error)}: is not {expected} in YAML ({_problem(error)})") from error


def lines(path: Path) -> dict[str, int]:
    """The line of each key of the mapping in the file ``path``, and of each within a key's own mapping, with a dot.

    Raises:
        OSError, ValueError, yaml.YAMLError: it is no file that :func:`read` has read.
    """
    root = yaml.compose(input_file.text(path, MOST_BYTES), _Loader)
    outer = dict(_keys(root))
    inner = {f"{name}.{key}": found for name, (_, value) in outer.items() for key, found in _keys(value)}
    return {name: line for name, (line, _) in {**outer, **inner}.items()}


def _keys(node: yaml.Node | None) -> Iterator[tuple[str, tuple[int, yaml.Node]]]:
    members = node.value if isinstance(node, yaml.MappingNode) else []
    yield from ((key.value, (key.start_mark.line + 1, one)) for key, one in members if isinstance(key, yaml.ScalarNode))


def _loaded(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def check_bounded(path: Path) -> None:
    """Make sure of a file that a library is going to read as YAML, whatever it is to hold.

    Raises:
        OSError: it is not there, is no regular file or too large.
        ValueError: its aliases make it too large; what is wrong otherwise is for the library to say.
    """
    text = input_file.content(path, MOST_BYTES).decode("utf-8", "replace")
    try:
        if node := yaml.compose(text, yaml.SafeLoader):
            _check_size(node)
    except yaml.MarkedYAMLError as error:
        if error.problem == TOO_LARGE:
            raise ValueError(f"line {error.problem_mark.line + 1 if error.problem_mark else 1}: {TOO_LARGE}") from None
    except (yaml.YAMLError, RecursionError):
        return


def _check_size(node: yaml.Node) -> None:
    if _expanded(node, {}) > MOST_NODES:
        raise yaml.MarkedYAMLError(problem=TOO_LARGE, problem_mark=node.start_mark)


def _expanded(node: yaml.Node, known: dict[int, int]) -> int:
    """Nodes of the document with each alias written out; one that holds itself is too large."""
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        known[id(node)] = 1 + sum(_expanded(one, known) for one in inner)
    return known[id(node)]


def expectation(schema: Any, path: Sequence[str | int]) -> str:
    """What the schema says nearest to the keyword at ``path``, on the way down from its root."""
    node, said = schema, str(schema["description"])
    for part in path[:-1]:
        node = node[part]
        if isinstance(node, dict) and isinstance(node.get("description"), str):
            said = node["description"]
    return said


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A key that a schema does not know, and the one that was probably meant; empty if none is like it."""

    place: tuple[str | int, ...]
    key: str
    meant: str
    expected: str

    def in_words(self) -> str:
        """The mistake, without its place."""
        return f"{self.key!r} was unexpected; {f'did you mean {self.meant}?' if self.meant else self.expected}"


def unknown_keys(schema: Any, errors: Iterable[jsonschema_rs.ValidationError]) -> list[UnknownKey]:
    """The keys that the errors are about, each with a suggestion."""
    found = []
    for error in errors:
        node = schema
        for part in error.schema_path[:-1]:
            node = node[part]
        known = tuple(node.get("properties", ())) if isinstance(node, dict) else ()
        for key in getattr(error.kind, "unexpected", ()):
            near = difflib.get_close_matches(key, known, 1)
            expected = f"expected {expectation(schema, error.schema_path)}"
            found.append(UnknownKey(tuple(error.instance_path), key, near[0] if near else "", expected))
    return found


def told(error: jsonschema_rs.ValidationError, unknown: Iterable[UnknownKey]) -> bool:
    """An unknown key says it already: the error is that very one, or misses the key that was meant."""
    missing, place = getattr(error.kind, "property", None), tuple(error.instance_path)
    return hasattr(error.kind, "unexpected") or any(
        (one.place, one.meant) == (place, missing) for one in unknown if one.meant
    )


class _Loader(yaml.SafeLoader):
    """Safe YAML whose dates stay text, and which refuses the same key twice: the later would win without a word."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    for number, key in enumerate(keys):
        if key in keys[:number]:
            mark = node.value[number][0].start_mark
            raise yaml.MarkedYAMLError(problem=f"the key {key} stands there twice", problem_mark=mark)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


def _text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def _line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _problem(error: Exception) -> str:
    """What the parser says, without what it quotes: a token that was pasted into the file must not be shown."""
    said = getattr(error, "problem", None) or type(error).__name__
    return re.sub(r"'[^']{5,}'|\"[^\"]{5,}\"", "...", str(said))
