"""The clauses of ``spec/clauses``, read once and looked up by their stable identifiers.

Reads files and nothing else. A clause file that breaks its schema is a defect of the suite, reported with the
file, the key and what belongs there; it never becomes a verdict about a target.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import yaml

from conformance import SPEC, contract, yaml_input
from conformance.errors import SpecificationError
from conformance.verdict import Absence, Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conformance.contract import Contract


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a run has to supply before a clause can be judged.

    Attributes:
        kind: a credential, an option or an occasion; the absence that is reported without it.
        what: the credential's name, the option as it is typed, or the occasion in words.
    """

    kind: Absence
    what: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement that a target keeps or breaks.

    Attributes:
        judged_at: the answers that every test judges the clause at, in words; empty: only its family's own tests do.
        needs: what a run has to supply; one of them is enough. Empty: the clause can always be judged.
        path: the clause's file, relative to the folder of the specification, with ``/``.
        line: where the clause begins in that file, counted from 1.
    """

    id: str
    family: str
    level: Level
    statement: str
    source: str
    rationale: str
    judged_at: str
    needs: tuple[Need, ...]
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Family:
    """The clauses of one file, with the heading and the paragraph that a report puts above them."""

    name: str
    title: str
    introduction: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All clauses, by family in the order of their contract, within a family in the order of its file."""

    families: tuple[Family, ...]

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause, in order."""
        return tuple(clause for family in self.families for clause in family.clauses)

    def __iter__(self) -> Iterator[Clause]:
        return iter(self.clauses)

    def __len__(self) -> int:
        return len(self.clauses)

    def __contains__(self, clause_id: object) -> bool:
        return any(clause.id == clause_id for clause in self.clauses)

    def __getitem__(self, clause_id: str) -> Clause:
        """The clause of that identifier.

        Raises:
            SpecificationError: there is none; the hint names those that look like it.
        """
        by_id = {clause.id: clause for clause in self.clauses}
        if clause_id in by_id:
            return by_id[clause_id]
        near = difflib.get_close_matches(clause_id, by_id)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(by_id)}"
        raise SpecificationError(f"the catalogue has no clause {clause_id!r}", hint)


@functools.cache
def load(spec_dir: Path = SPEC, chosen: tuple[Contract, ...] = (contract.REMOVAL,)) -> Catalogue:
    """The clauses of the removal under ``spec_dir``, and of other contracts where they are, checked by their schema.

    Raises:
        SpecificationError: a file is missing, superfluous or wrong, or an identifier is taken twice.
    """
    folders = {one: spec_dir / "clauses" if one is contract.REMOVAL else one.clauses for one in chosen}
    for one, folder in folders.items():
        _check_files(folder, one.families)
    schema = json.loads((spec_dir / "clause.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)
    catalogue = Catalogue(
        tuple(_family(folder, name, validator) for one, folder in folders.items() for name in one.families)
    )
    _check_identifiers(catalogue)
    return catalogue


def digest(spec_dir: Path = SPEC) -> str:
    """``sha256:`` and the digest of the whole specification: the OpenAPI document, clauses and schemas.

    The same for the same names and contents, wherever the files lie and however a checkout ends its lines.
    """
    total = hashlib.sha256()
    names = sorted(
        path.relative_to(spec_dir).as_posix()
        for pattern in ("openapi.yaml", "clauses/*.yaml", "*.schema.json")
        for path in spec_dir.glob(pattern)
    )
    for name in names:
        content = hashlib.sha256((spec_dir / name).read_bytes().replace(b"\r\n", b"\n"))
        total.update(f"{content.hexdigest()}  {name}\n".encode())
    return f"sha256:{total.hexdigest()}"


def _check_files(folder: Path, families: tuple[str, ...]) -> None:
    found = {path.stem for path in folder.glob("*.yaml")}
    if found != set(families):
        different = ", ".join(f"{name}.yaml" for name in sorted(found ^ set(families)))
        raise SpecificationError(f"{folder}: expected one file for each family; missing or superfluous: {different}")


def _check_identifiers(catalogue: Catalogue) -> None:
    first: dict[str, Clause] = {}
    for clause in catalogue:
        other = first.setdefault(clause.id, clause)
        if other is not clause:
            raise SpecificationError(
                f"{clause.path}:{clause.line}: id: {clause.id} is taken already, on line {other.line}"
            )


def _family(folder: Path, name: str, validator: jsonschema_rs.Draft202012Validator) -> Family:
    path = folder / f"{name}.yaml"
    document, lines = _read(path)
    _check_document(path, document, validator)
    if document["family"] != name:
        raise SpecificationError(f"{path}: family: expected {name}, the file's stem, not {document['family']}")
    relative = path.relative_to(folder.parent).as_posix()
    clauses = tuple(
        _clause(entry, name, relative, line) for entry, line in zip(document["clauses"], lines, strict=True)
    )
    return Family(name, document["title"], document["introduction"], clauses)


def _clause(entry: dict[str, Any], family: str, path: str, line: int) -> Clause:
    if not entry["id"].startswith(f"{family}."):
        raise SpecificationError(f"{path}:{line}: id: expected {family}.NAME, not {entry['id']}")
    return Clause(
        id=entry["id"],
        family=family,
        level=Level(entry["level"]),
        statement=entry["statement"],
        source=entry["source"],
        rationale=entry.get("rationale", ""),
        judged_at=entry.get("judged_at", ""),
        needs=tuple(Need(Absence(kind), what) for need in entry.get("needs", ()) for kind, what in need.items()),
        path=path,
        line=line,
    )


def _read(path: Path) -> tuple[Any, list[int]]:
    """The file's content, and the line on which each of its clauses begins."""
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, yaml_input.LOADER), _lines(yaml.compose(text, yaml_input.LOADER))  # noqa: S506  # safe
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecificationError(f"{path}: expected a clause file in YAML: {error}") from error


def _lines(root: yaml.Node | None) -> list[int]:
    members = root.value if isinstance(root, yaml.MappingNode) else []
    listed = [value for key, value in members if key.value == "clauses" and isinstance(value, yaml.SequenceNode)]
    return [entry.start_mark.line + 1 for sequence in listed for entry in sequence.value]


def _check_document(path: Path, document: Any, validator: jsonschema_rs.Draft202012Validator) -> None:
    mistakes = [
        f"{'.'.join(map(str, error.instance_path)) or 'the file'}: {error.message}"
        for error in validator.iter_errors(document)
    ]
    if mistakes:
        raise SpecificationError(f"{path}: {'; '.join(mistakes)}", "clause.schema.json says what is expected")
