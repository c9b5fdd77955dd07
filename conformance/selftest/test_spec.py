"""The specification is whole, consistent and says what the published page says.

Codes, clauses and levels are stated here a second time, on purpose: the page is no part of the project, so
these tables are the independent witness against which the files under ``spec/`` are held.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance import SPEC, catalogue, contract, openapi
from conformance.errors import SpecificationError
from conformance.evidence import Exchange, Request, Response
from conformance.verdict import (
    Absence,
    ClauseResult,
    Finding,
    GeneratedReach,
    Level,
    PairsMet,
    Requests,
    Run,
    SpaceMet,
    Verdict,
)

PAGE_CODES = {204, 400, 401, 403, 405, 413, 500, 503}

LEVELS = {
    "codes.documented": "must",
    "codes.success": "must",
    "response.no-content": "must",
    "effect.removed": "must",
    "effect.nothing-else": "must",
    "effect.refusal-is-inert": "must",
    "effect.repeat": "must",
    "identifier.not-the-address": "must",
    "identifier.uuid": "must",
    "identifier.canonical": "should",
    "body.refused": "must",
    "body.inert": "must",
    "access.authenticated": "must",
    "access.forbidden": "must",
    "access.foreign": "must",
    "method.refused": "must",
    "method.allow": "should",
    "method.override": "must",
    "deallocation.delete-refused": "must",
    "deallocation.put-refused": "must",
    "deallocation.until-the-last": "must",
    "deallocation.delete-after": "must",
    "deallocation.put-after": "must",
    "limits.over-limit": "must",
    "limits.retry-after": "should",
    "faults.client-input": "should",
    "lifecycle.model": "must",
    "concurrency.linearizable": "must",
}

COMMON = PAGE_CODES - {204}
NEIGHBOURS = {
    "listAssociations": ("GET", "compute", {200} | COMMON),
    "showAssociation": ("GET", "compute", {200} | COMMON),
    "associate": ("PUT", "compute", {200, 201} | COMMON),
    "listAddresses": ("GET", "network", {200, 401}),
    "allocateAddress": ("POST", "network", {200, 201, 400, 401, 404}),
    "showAddress": ("GET", "network", {200, 401, 404}),
    "updateAddress": ("PUT", "network", {200, 400, 401, 403, 404}),
    "deallocateAddress": ("DELETE", "network", {204, 401, 404}),
    "listPorts": ("GET", "network", {200, 401}),
}

SCHEMAS = sorted(path.name for path in SPEC.glob("*.schema.json"))

TARGET = """
name: staging-dfw
compute: https://compute.example/
network: https://network.example/
auth:
  token: env:CONFORMANCE_TOKEN
  restricted_token: env:RESTRICTED
  foreign_token: file:/run/secrets/foreign
resources:
  servers: [3f1c, 77ab]
  network_id: 00000000-0000-0000-0000-000000000000
  ports: {3f1c: 0c11, 77ab: 0c12}
limits:
  requests_per_second: 20
  max_addresses: 2
  timeout_seconds: 30
policy:
  request_body: refuse
  settle_seconds: 5
"""

WRONG_TARGETS = {
    "unknown key": ("colour: red", "colour: red"),
    "literal token": ("token: env:CONFORMANCE_TOKEN", "token: s3cr3t"),
    "no URL": ("compute: https://compute.example/", "compute: compute.example"),
    "user in URL": ("compute: https://compute.example/", "compute: https://me:pw@compute.example"),
    "one server": ("servers: [3f1c, 77ab]", "servers: [3f1c]"),
    "same server twice": ("servers: [3f1c, 77ab]", "servers: [3f1c, 3f1c]"),
    "server as a number": ("servers: [3f1c, 77ab]", "servers: [31, 77]"),
    "unknown policy": ("request_body: refuse", "request_body: allow"),
    "no time": ("timeout_seconds: 30", "timeout_seconds: 0"),
}


@pytest.fixture(scope="module")
def clauses() -> catalogue.Catalogue:
    """The catalogue of the checkout."""
    return catalogue.load()


@pytest.fixture
def spec_copy(tmp_path: Path) -> Path:
    """The specification's files in a place where a test may spoil them."""
    return Path(shutil.copytree(SPEC, tmp_path / "spec"))


def schema_of(name: str) -> dict[str, Any]:
    """The content of a schema file."""
    loaded: dict[str, Any] = json.loads((SPEC / name).read_text(encoding="utf-8"))
    return loaded


# The OpenAPI document


def test_the_document_is_valid_openapi() -> None:
    """The document is OpenAPI 3.1 in the eyes of a validator that the suite does not use."""
    OpenAPIV31SpecValidator(openapi.document()).validate()


def test_the_operation_has_the_codes_of_the_page() -> None:
    """The operation documents the eight codes of the page and no other."""
    assert openapi.documented() == PAGE_CODES
    assert openapi.success() == {204}
    assert openapi.refusals() == {400, 401, 403, 405, 413}


def test_the_operation_is_the_one_of_the_page() -> None:
    """Method, path and service are those of the page, and no other operation is normative."""
    operation = openapi.operation()
    assert operation.method == "DELETE"
    assert operation.path == "/v2/servers/{serverID}/ip_associations/{IPAddressID}"
    assert operation.service == "compute"
    assert [one.id for one in openapi.operations().values() if one.normative] == [openapi.OPERATION]


def test_the_operation_takes_no_body_and_answers_without_content() -> None:
    """No request body is declared, and no content of the 204."""
    stated = openapi.document()["paths"][openapi.operation().path]["delete"]
    assert "requestBody" not in stated
    assert "content" not in stated["responses"]["204"]


def test_the_path_has_three_methods() -> None:
    """GET, PUT and DELETE are documented on a single association."""
    assert openapi.methods_documented_on_the_path() == {"GET", "PUT", "DELETE"}


@pytest.mark.parametrize("operation_id", NEIGHBOURS)
def test_a_neighbour_has_its_documented_codes(operation_id: str) -> None:
    """Method, service and codes of a supporting operation are those of its reference."""
    operation = openapi.operation(operation_id)
    method, service, codes = NEIGHBOURS[operation_id]
    assert (operation.method, operation.service) == (method, service)
    assert operation.codes == codes
    assert operation.success


def test_there_are_no_other_operations() -> None:
    """The document holds the operation and its neighbours."""
    assert set(openapi.operations()) == {openapi.OPERATION, *NEIGHBOURS}


def test_an_unknown_operation_is_named() -> None:
    """A wrong operationId is a defect of the suite, with the right ones in the hint."""
    with pytest.raises(SpecificationError, match=r"removeAsociation.*removeAssociation"):
        openapi.documented("removeAsociation")


def test_schemathesis_loads_every_operation() -> None:
    """Schemathesis reads all operations, and its copy is not the shared document."""
    schema = openapi.schemathesis_schema()
    for operation in openapi.operations().values():
        assert schema[operation.path][operation.method].method.upper() == operation.method
    assert len(list(schema.get_all_operations())) == len(openapi.operations())
    assert schema.raw_schema is not openapi.document()


def test_a_configuration_in_the_working_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``schemathesis.toml`` that lies about does not choose what is judged."""
    (tmp_path / "schemathesis.toml").write_text("[generation]\nmax-examples = 7\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert openapi.schemathesis_schema().config.generation.max_examples is None
    assert schemathesis.Config.discover().projects.default.generation.max_examples == 7


def test_only_requests_are_closed() -> None:
    """What the suite sends is exact; what a target answers may hold more than is documented."""
    schemas = openapi.document()["components"]["schemas"]
    closed = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    assert closed == {"EmptyAssociationDocument", "AddressRequest", "PortsRequest"}


# The catalogue


def test_the_catalogue_holds_every_clause_with_its_level(clauses: catalogue.Catalogue) -> None:
    """Every clause of the contract is there, at its level, and none besides, in the order of reports."""
    assert [(clause.id, clause.level.value) for clause in clauses] == list(LEVELS.items())


def test_identifiers_are_unique_and_named_after_their_file(clauses: catalogue.Catalogue) -> None:
    """An identifier occurs once and begins with its family, which is the stem of its file."""
    assert len({clause.id for clause in clauses}) == len(clauses)
    for clause in clauses:
        assert clause.id.split(".")[0] == clause.family == Path(clause.path).stem


@pytest.mark.parametrize("clause_id", LEVELS)
def test_a_clause_reads_well(clauses: catalogue.Catalogue, clause_id: str) -> None:
    """A statement is one short sentence in the present tense; the level alone says how much it weighs."""
    clause = clauses[clause_id]
    assert 20 <= len(clause.statement) <= 200
    assert clause.statement.endswith(".")
    assert len(re.findall(r"\.(\s|$)", clause.statement)) == 1
    assert "  " not in clause.statement
    forbidden = r"\b(tests? (that|whether)|checks? that|must|should|shall|may not|todo)\b"
    said = re.sub("who may not delete", "", clause.statement)  # there it is the caller's right, not a level
    assert not re.search(forbidden, said, re.IGNORECASE)


@pytest.mark.parametrize("clause_id", LEVELS)
def test_a_clause_names_its_source(clauses: catalogue.Catalogue, clause_id: str) -> None:
    """A source is a section of the page, of a reference, an RFC, a paper or a numbered decision."""
    for source in clauses[clause_id].source.split("; "):
        assert re.match(
            r"(page|network reference|compute and network reference)\b|RFC \d+, |decisions? \d|Herl", source
        )


def test_cited_decisions_exist(clauses: catalogue.Catalogue) -> None:
    """Every decision that a clause cites is in the README, numbered without a gap."""
    text = (SPEC / "README.md").read_text(encoding="utf-8").split("## Decisions")[1]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)]
    cited = {
        int(number)
        for clause in clauses
        for words in re.findall(r"decisions? ([\d, and]+)", clause.source)
        for number in re.findall(r"\d+", words)
    }
    assert numbers == list(range(1, 13))
    assert cited <= set(numbers)


def test_a_must_has_more_than_an_rfc_behind_it(clauses: catalogue.Catalogue) -> None:
    """What only an RFC asks for is a should."""
    for clause in clauses:
        if clause.level is Level.MUST:
            assert "page" in clause.source


def test_needs_are_stated(clauses: catalogue.Catalogue) -> None:
    """Two clauses need a credential, two an occasion or the option that provokes it."""
    needs = {clause.id: [(need.kind.value, need.what) for need in clause.needs] for clause in clauses}
    over_limit = [("occasion", "a 413 is met in the run"), ("option", "--probe-limits")]
    assert {clause_id: need for clause_id, need in needs.items() if need} == {
        "access.forbidden": [("credential", "restricted")],
        "access.foreign": [("credential", "foreign")],
        "limits.over-limit": over_limit,
        "limits.retry-after": over_limit,
    }


def test_a_clause_knows_its_line(clauses: catalogue.Catalogue) -> None:
    """Path and line lead to the clause's entry."""
    for clause in clauses:
        line = (SPEC / clause.path).read_text(encoding="utf-8").splitlines()[clause.line - 1]
        assert line.strip() == f"- id: {clause.id}"


def test_a_family_introduces_itself(clauses: catalogue.Catalogue) -> None:
    """A family has a title and one paragraph."""
    assert [family.name for family in clauses.families] == list(contract.REMOVAL.families)
    for family in clauses.families:
        assert family.title
        assert "\n" not in family.introduction
        assert family.introduction.endswith(".")


def test_a_mistyped_clause_is_answered_with_its_neighbours(clauses: catalogue.Catalogue) -> None:
    """A lookup that fails names the clauses that look like it."""
    with pytest.raises(SpecificationError, match=r"'effect\.remvoed'.*effect\.removed"):
        clauses["effect.remvoed"]
    with pytest.raises(SpecificationError, match=r"'x'.*codes\.documented"):
        clauses["x"]
    assert "effect.removed" in clauses
    assert "effect.remvoed" not in clauses


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("level: must", "level: may", r"body\.yaml: clauses\.0\.level"),
        ("source:", "origin:", r"body\.yaml: clauses\.0: .*origin.*clauses\.1"),
        ("id: body.inert", "id: body.refused", r"clauses/body\.yaml:\d+: id: body\.refused is taken"),
        ("id: body.inert", "id: effect.inert", r"clauses/body\.yaml:\d+: id: expected body\.NAME"),
        ("family: body", "family: corpse", r"body\.yaml: family: expected body"),
        ("family: body", "family: [", r"body\.yaml: expected a clause file in YAML"),
        ("clauses:", "sentences:", r"body\.yaml: the file: .*sentences"),
    ],
)
def test_a_wrong_clause_file_is_named(spec_copy: Path, old: str, new: str, said: str) -> None:
    """A clause file that is wrong is reported with the file and the key."""
    path = spec_copy / "clauses" / "body.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SpecificationError, match=said):
        catalogue.load(spec_copy)


def test_a_missing_family_is_named(spec_copy: Path) -> None:
    """A family without a file, or a file without a family, is reported."""
    (spec_copy / "clauses" / "body.yaml").rename(spec_copy / "clauses" / "bodies.yaml")
    with pytest.raises(SpecificationError, match=r"bodies\.yaml, body\.yaml"):
        catalogue.load(spec_copy)


def test_the_digest_follows_the_content(spec_copy: Path) -> None:
    """The digest is the same for a copy, whatever ends its lines, and changes with a clause or a schema."""
    before = catalogue.digest()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", before)
    document = spec_copy / "openapi.yaml"
    document.write_bytes(document.read_bytes().replace(b"\n", b"\r\n"))
    assert catalogue.digest(spec_copy) == before
    seen = {before}
    for name in ("openapi.yaml", "clauses/body.yaml", "run.schema.json"):
        (spec_copy / name).write_bytes(b"changed")
        seen.add(catalogue.digest(spec_copy))
    assert len(seen) == 4


# The schemas


def object_schemas(node: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every schema under ``node`` that describes an object, with its path."""
    if isinstance(node, list):
        return [found for at, one in enumerate(node) for found in object_schemas(one, f"{path}/{at}")]
    if not isinstance(node, dict):
        return []
    here = [(path, node)] if node.get("type") == "object" else []
    return here + [found for key, one in node.items() for found in object_schemas(one, f"{path}/{key}")]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_closed(name: str) -> None:
    """A schema is of the 2020-12 dialect, and every object of it is closed or says why it is open."""
    schema = schema_of(name)
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for path, part in object_schemas(schema):
        assert part.get("additionalProperties") is False or part.get("$comment"), path


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_is_described(name: str) -> None:
    """A property says, itself or in what it refers to, what is expected of it."""
    schema = schema_of(name)
    for path, part in object_schemas(schema):
        for key, stated in part.get("properties", {}).items():
            referred = schema.get("$defs", {}).get(stated.get("$ref", "").rpartition("/")[2], {})
            assert {**referred, **stated}.get("description"), f"{path}/{key}"


def test_the_example_of_a_target_description_is_valid() -> None:
    """A description that uses every key is valid, and so is one that uses the required keys only."""
    validator = jsonschema_rs.Draft202012Validator(schema_of("target.schema.json"))
    whole = yaml.safe_load(TARGET)
    validator.validate(whole)
    validator.validate(
        {
            "name": "x",
            "compute": "http://127.0.0.1:8080/prefix",
            "auth": {"token": "file:token"},
            "resources": {"servers": ["a", "b"]},
        }
    )


@pytest.mark.parametrize("mistake", WRONG_TARGETS)
def test_a_wrong_target_description_is_invalid(mistake: str) -> None:
    """Each mistake that a description can hold breaks the schema."""
    old, new = WRONG_TARGETS[mistake]
    text = TARGET.replace(old, new) if old in TARGET else TARGET + new
    assert not jsonschema_rs.Draft202012Validator(schema_of("target.schema.json")).is_valid(yaml.safe_load(text))


# The run document


def exchanges() -> tuple[Exchange, ...]:
    """One exchange with an answer and one without, with text and with bytes."""
    request = Request("DELETE", "https://compute.example/v2/servers/a/ip_associations/b", (("Accept", "*/*"),))
    binary = Request("DELETE", request.url, (), b"\xff\x00", "chunked")
    answer = Response(404, "Not Found", (("Content-Type", "text/plain"),), b"gone", truncated=True)
    return (
        Exchange("w1-1", openapi.OPERATION, "full", request, 1.0, 1.25, 1e9, answer),
        Exchange("w1-2", openapi.OPERATION, "made up", binary, 2.0, 2.5, 1e9, None, "timed out"),
    )


def finding() -> Finding:
    """A finding with every member filled."""
    return Finding(
        clause="codes.documented",
        rule="undocumented-code",
        summary="A repeated removal is answered with a code that is not documented.",
        expected="one of 204, 400, 401, 403, 405, 413, 500, 503",
        observed="404 Not Found",
        case="twice",
        first_case="five times",
        exchanges=tuple(exchange.to_json() for exchange in exchanges()),
        reproduce=("curl -i -X DELETE https://compute.example/",),
        seen=3,
        details={"steps": ["remove", "remove"]},
    )


def result(clause: catalogue.Clause, verdict: Verdict, **more: Any) -> ClauseResult:
    """What a run concludes about ``clause``."""
    return ClauseResult(
        id=clause.id,
        family=clause.family,
        level=clause.level,
        statement=clause.statement,
        source=clause.source,
        verdict=verdict,
        reason="because",
        **more,
    )


@pytest.fixture
def run(clauses: catalogue.Catalogue) -> Run:
    """A run that holds every verdict and every kind of evidence."""
    return Run(
        verdict=Verdict.FAIL,
        reason="the target breaks codes.documented",
        target={
            "name": "staging-dfw",
            "compute": "https://compute.example/v2",
            "network": "https://network.example/v2.0",
            "credentials": ["full", "restricted"],
        },
        started="2026-01-02T03:04:05Z",
        finished="2026-01-02T03:05:05Z",
        seed=7,
        depth="quick",
        suite_version="0.1.0",
        spec_digest=catalogue.digest(),
        clauses=(
            result(clauses["codes.documented"], Verdict.FAIL, cases=9, requests=12, findings=(finding(),)),
            result(clauses["access.foreign"], Verdict.UNTESTED, absence=Absence.CREDENTIAL),
            *(result(clauses["method.allow"], verdict, unjudged=1) for verdict in Verdict),
        ),
        space=SpaceMet({"method": {"method GET": 2}}, {"query": ["query all"]}, (PairsMet(("method", "query"), 1, 2),)),
        requests=Requests(3, {"404": 2, "lost": 1}, {openapi.OPERATION: 3}, {"404": 2, "lost": 1}),
        generated=GeneratedReach(2, 1, {"404": 2}),
        notes=("Reads lagged.",),
    )


def written(run: Run) -> dict[str, Any]:
    """The run as it is read from a file."""
    document: dict[str, Any] = json.loads(json.dumps(run.to_json()))
    return document


def test_a_run_survives_being_written(run: Run) -> None:
    """What is read from a report is what was written into it."""
    assert Run.from_json(written(run)) == run


ADDED_LATER = {"time", "fingerprints", "space"}
"""Members that documents of earlier versions do not have."""


def test_a_run_document_is_valid(run: Run) -> None:
    """A run is written as its schema says; an unexpected or missing member is not."""
    validator = jsonschema_rs.Draft202012Validator(schema_of("run.schema.json"), validate_formats=True)
    validator.validate(written(run))
    assert not validator.is_valid(written(run) | {"colour": "red"})
    for name in written(run).keys() - ADDED_LATER:
        assert not validator.is_valid({key: value for key, value in written(run).items() if key != name})
