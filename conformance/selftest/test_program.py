"""Programs that try a finding again without the suite: they say how it is, leave nothing, and hold no secret."""

import ast
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import in_process
import pytest
import reproductions
from report_runs import HOSTILE, exchange

from conformance.driver.context import Process
from conformance.driver.ruling_log import RulingLog
from conformance.evidence import VARIABLES, Exchange, Request, reproducer, setting, shell, standalone
from conformance.judge import Attempt, oracle
from conformance.judge.oracle import Expected, Rule
from conformance.reference import Reference
from conformance.reference.exchange import Answer
from conformance.verdict import Finding, Ruling, Violation

pytestmark = pytest.mark.once

ENVIRONMENT = {variable: getattr(in_process.TOKENS, name) for name, variable in VARIABLES.items()}
REPRODUCED, NOT_REPRODUCED, NOT_TRIED = 1, 0, 3
WITHOUT_A_SCRIPT = {"body-is-ignored", "a-gone-address-is-410"}


def violation(text: str = "") -> Violation:
    """A violation that says ``text``."""
    return Violation("body.refused", f"rule{text}", f"summary{text}", f"expected{text}", f"observed{text}", ())


def run(source: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the program, saved in a file, says when it is run; an effect is awaited for a moment."""
    path = folder / "repeat.py"
    path.write_text(source.replace("LASTS_SECONDS = 5.0", "LASTS_SECONDS = 0.3"), encoding="ascii")
    settings = {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **environment}
    command = [sys.executable, "-I", "-W", "error", str(path)]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)


def in_bash(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the script says, an effect being awaited for a moment."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("CONFORMANCE_")}
    text = script.replace("sleep 5", "sleep 0.3")
    command = ["bash", "-c", text]
    return subprocess.run(command, env=settings | environment, capture_output=True, text=True, timeout=120, check=False)


def elsewhere(source: str, old: Reference, new: Reference) -> str:
    """The program, for another deployment, with servers and ports of its own."""
    there = (old.compute, old.network, *old.servers, *old.ports.values())
    here = (new.compute, new.network, *new.servers, *new.ports.values())
    for one, other in zip(there, here, strict=True):
        source = source.replace(one, other)
    return source


def answers(output: str) -> list[str]:
    """The status of each answer that the program got to the requests of the run."""
    return re.findall(r": (?:HTTP )?(\d{3}|no answer).*\(in the run", output)


def left(reference: Reference) -> tuple[set[str], int]:
    """The addresses of the deployment, and how many associations it has."""
    return set(reference.store.state.addresses), len(reference.store.state.associations)


def noted(process: Process, told: Violation) -> Finding:
    """The finding that a test of the run makes of this violation."""
    ruling_log = RulingLog(frozenset(), process.recorder)
    ruling_log.note(Ruling(told.clause, told))
    (finding,) = ruling_log.findings.values()
    return finding


def planned(*cited: Exchange, text: str = "") -> reproducer.Plan | None:
    """The plan for exchanges that are about no address of the run's own."""
    needed = setting.derived([one.to_json() for one in cited], details={})
    return reproducer.planned(violation(text), cited, needed, {})


def plan_of(*cited: Exchange, text: str = "") -> reproducer.Plan:
    """The same where there is one."""
    plan = planned(*cited, text=text)
    assert plan is not None
    return plan


def program(*cited: Exchange, text: str = "") -> str:
    """The program for such exchanges."""
    return reproducer.program(plan_of(*cited, text=text))


@pytest.mark.parametrize("fault", reproductions.CASES)
def test_a_program_tells_a_faulty_deployment_from_a_lawful_one(fault: str, tmp_path: Path) -> None:
    """On addresses of its own, with nothing left behind."""
    judge, variation = reproductions.CASES[fault]
    with reproductions.deployed(fault) as (faulty, process), in_process.served() as lawful:
        finding = reproductions.found(process, judge, **variation)
        before = left(faulty)
        there = run(finding.program, tmp_path, **ENVIRONMENT)
        here = run(elsewhere(finding.program, faulty, lawful), tmp_path, **ENVIRONMENT)
        assert (left(faulty), left(lawful)) == (before, (set(), 0))
        taken = process.recorder.origins
    assert (there.returncode, there.stderr) == (REPRODUCED, ""), there.stdout
    assert there.stdout.splitlines()[-1].startswith("REPRODUCED: ")
    assert (here.returncode, here.stderr) == (NOT_REPRODUCED, ""), here.stdout
    assert here.stdout.splitlines()[-1].startswith("NOT REPRODUCED: ")
    assert not [one for one in taken if one in there.stdout]
    assert not [secret for secret in ENVIRONMENT.values() if secret in finding.program + there.stdout + there.stderr]


@pytest.mark.parametrize("fault", [fault for fault in reproductions.CASES if fault not in WITHOUT_A_SCRIPT])
def test_a_script_tells_a_faulty_deployment_from_a_lawful_one(fault: str) -> None:
    """With bash and curl."""
    judge, variation = reproductions.CASES[fault]
    with reproductions.deployed(fault) as (faulty, process), in_process.served() as lawful:
        finding = reproductions.found(process, judge, **variation)
        before = left(faulty)
        there = in_bash(finding.script, **ENVIRONMENT)
        here = in_bash(elsewhere(finding.script, faulty, lawful), **ENVIRONMENT)
        assert (left(faulty), left(lawful)) == (before, (set(), 0))
    assert (there.returncode, there.stderr) == (REPRODUCED, ""), there.stdout
    assert (here.returncode, here.stderr) == (NOT_REPRODUCED, ""), here.stdout
    assert there.stdout.splitlines()[-1].startswith("REPRODUCED: ")
    assert here.stdout.splitlines()[-1].startswith("NOT REPRODUCED: ")
    assert not [secret for secret in ENVIRONMENT.values() if secret in finding.script + there.stdout + there.stderr]


@pytest.mark.parametrize(
    ("environment", "says"),
    [({}, "set CONFORMANCE_TOKEN"), (ENVIRONMENT | {"CONFORMANCE_TOKEN": "wrong"}, "no address is to be had: 401")],
)
def test_a_script_says_what_keeps_it_from_trying(environment: dict[str, str], says: str) -> None:
    """Nothing is said of the finding then."""
    judge, variation = reproductions.CASES["removal-answers-200"]
    with reproductions.deployed("removal-answers-200") as (_, process):
        script = reproductions.found(process, judge, **variation).script
        ran = in_bash(script, **environment)
    assert (ran.returncode, ran.stdout) == (NOT_TRIED, f"COULD NOT BE TRIED: {says}\n")


def test_looks_that_went_out_at_once_follow_each_other() -> None:
    """Of a slow target they overlap; only of a sequence that is part of what is found."""
    removal = exchange(1, 204)
    listed = [
        replace(exchange(number, 200), operation="listAssociations", started=6.0, finished=7.0) for number in (2, 3)
    ]
    plan = plan_of(removal, *listed)
    assert [len(group) for _, group in plan.groups] == [1] * len(plan.groups)
    sequence = replace(violation(), details={"kind": "timeline"})
    needed = setting.derived([one.to_json() for one in (removal, *listed)], details=sequence.details)
    overlapping = reproducer.planned(sequence, [removal, *listed], needed, {})
    assert overlapping is not None
    assert [len(group) for _, group in overlapping.groups] == [1, 2]


def test_what_a_script_cannot_tell_has_none() -> None:
    """Content after a 204, fields of an answer, a fault that has to come every time, requests that overlap."""
    told = exchange(1, 204)
    with_content = exchange(1, 204, body=b"x")
    assert shell.script(plan_of(told))
    assert not shell.script(plan_of(with_content))
    assert not shell.script(replace(plan_of(told), persists=True))
    assert not shell.script(replace(plan_of(told), violation=replace(violation(), clause="method.allow")))
    assert not shell.script(replace(plan_of(told), groups=((0.0, (told, exchange(2, 204))),)))


@pytest.mark.parametrize("version", [4, 6])
def test_a_literal_stands_for_the_new_address(version: int, tmp_path: Path) -> None:
    """What a finding says of the address's other names is said of the new one."""
    with reproductions.deployed("literal-is-taken") as (_, process):
        server = process.target.servers[0]
        with process.provisioner.lease(2) as held:
            (address,) = (one for one in held if one.version == version)
            process.client.associate(server, address.id)
            taken = process.client.remove(server, address.literal)
        told = Violation("identifier.not-the-address", "rule", "summary", "refused", "204", (taken.id,))
        finding = noted(process, told)
        ran = run(finding.program, tmp_path, **ENVIRONMENT)
        by_script = in_bash(finding.script, **ENVIRONMENT)
        assert taken.status == 204
    assert ran.returncode == REPRODUCED, ran.stdout + ran.stderr
    assert by_script.returncode == REPRODUCED, by_script.stdout + by_script.stderr
    assert address.literal not in ran.stdout + by_script.stdout


def test_every_spelling_of_an_id_has_its_like_for_another() -> None:
    """As many, in the same order, and each tells the IDs apart; a literal has them too."""
    old, new = "a2addbb8-7dbb-48ec-8566-cc66371fe6a1", "0b15e8fe-9d1c-4c3a-8d5e-1f2e3d4c5b6a"
    pairs = list(zip(standalone.spellings(old), standalone.spellings(new), strict=True))
    assert all(one != other for one, other in pairs)
    names = standalone.Names()
    names.learn(old, new)
    names.learn("192.0.2.1", "198.51.100.7")
    for one, other in pairs:
        assert names.current(f"/x/{one}/y") == f"/x/{other}/y"
    assert names.current(f"{old} and 192.0.2.1") == f"{new} and 198.51.100.7"


def test_requests_that_overlapped_overlap_again(tmp_path: Path) -> None:
    """Both of two removals win again, which they never do one after the other."""
    with reproductions.deployed("two-winners-30-ms") as (faulty, process), in_process.served() as lawful:
        server = process.target.servers[0]
        with process.provisioner.lease(1) as (address,):
            cited = [process.client.associate(server, address.id)]
            removals: list[Exchange] = []
            together = threading.Barrier(2)

            def remove() -> None:
                together.wait()
                removals.append(process.client.remove(server, address.id))

            threads = [threading.Thread(target=remove) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            cited += sorted(removals, key=lambda one: one.started)
        assert [one.status for one in cited] == [201, 204, 204]
        ids = tuple(one.id for one in cited)
        told = Violation("concurrency.linearizable", "r", "s", "one", "two", ids, details={"kind": "timeline"})
        source = noted(process, told).program
        there = run(source, tmp_path, **ENVIRONMENT)
        here = run(elsewhere(source, faulty, lawful), tmp_path, **ENVIRONMENT)
    assert (there.returncode, here.returncode) == (REPRODUCED, NOT_REPRODUCED), there.stdout + here.stdout
    assert answers(there.stdout)[-3:] == ["201", "204", "204"]


@pytest.mark.parametrize(("where", "ends"), [("large-body-is-503", REPRODUCED), ("", NOT_REPRODUCED)])
def test_a_fault_that_persists_has_to_come_every_time(where: str, ends: int, tmp_path: Path) -> None:
    """Three tries, each on addresses of its own."""
    rule = Rule("body.refused", Expected.REFUSED)

    def persistent(trial: Attempt) -> Ruling | None:
        return next(oracle.persistent(rule, trial, (trial.exchange,) * 3))

    with reproductions.deployed("large-body-is-503") as (faulty, process), in_process.served(where) as other:
        finding = reproductions.found(process, persistent, body=b"x" * 20_000, framing="length")
        ran = run(elsewhere(finding.program, faulty, other), tmp_path, **ENVIRONMENT)
    assert ran.returncode == ends, ran.stdout + ran.stderr
    assert ran.stdout.count("try ") == (3 if where else 1)


def test_no_token_stands_in_a_program_and_each_spelling_is_filled_in(tmp_path: Path) -> None:
    """A token cut short, in the other case, or in the query is made from the environment's."""
    with in_process.served() as reference, in_process.process(reference) as process:
        server, made_up = process.target.servers[0], "11111111-2222-4333-8444-555555555555"
        token = in_process.TOKENS.full
        spellings = {"${CONFORMANCE_TOKEN%?}": token[:-1], "${CONFORMANCE_TOKEN:0:8}": token[:8]}
        cited = [
            process.client.remove(
                server, made_up, credential=None, headers={"X-Auth-Token": sent}, shown={"X-Auth-Token": shown}
            )
            for shown, sent in spellings.items()
        ]
        cited.append(process.client.remove(server, made_up, query=f"token={token}"))
        details = {"kind": "steps"}
        told = Violation("access.authenticated", "r", "s", "e", "o", tuple(one.id for one in cited), details=details)
        source = noted(process, told).program
        ran = run(source, tmp_path, **ENVIRONMENT)
        assert not [variable for variable, secret in ENVIRONMENT.items() if secret in source]
    assert token not in ran.stdout
    assert answers(ran.stdout) == [one.code for one in cited]


def test_without_a_credential_nothing_is_sent(tmp_path: Path) -> None:
    """The program names the variable that is missing."""
    ran = run(program(exchange(1, 204)), tmp_path, CONFORMANCE_TOKEN="")
    assert (ran.returncode, ran.stdout) == (NOT_TRIED, "COULD NOT BE TRIED: set CONFORMANCE_TOKEN\n")


@pytest.mark.parametrize("how", ["gone", "full"])
def test_where_no_address_is_to_be_had_nothing_is_said_of_the_finding(how: str, tmp_path: Path) -> None:
    """Nobody answers, or the quota is used up."""
    judge, variation = reproductions.CASES["removal-answers-200"]
    with reproductions.deployed("removal-answers-200") as (reference, process):
        source = reproductions.found(process, judge, **variation).program
        ports = tuple(reference.ports.values())
        while how == "full" and process.client.allocate_address(4, ports).status == 201:
            pass
        ran = run(source, tmp_path, **ENVIRONMENT) if how == "full" else None
    ran = ran or run(source, tmp_path, **ENVIRONMENT)
    assert ran.returncode == NOT_TRIED, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].startswith("COULD NOT BE TRIED: no address is to be had: ")


@pytest.mark.parametrize("named", ["..", "an address of others"])
def test_what_is_not_known_to_be_its_own_is_left(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target names an address that existed before, or what would lead elsewhere in a path (decisions 21 and 22)."""
    judge, variation = reproductions.CASES["removal-answers-200"]
    with reproductions.deployed("removal-answers-200") as (reference, process):
        finding = reproductions.found(process, judge, **variation)
        (theirs, *_) = reference.store.state.addresses
        said = {"ip_address": {"id": theirs if named != ".." else named, "address": "192.0.2.1"}}
        monkeypatch.setattr(reference.deployment, "allocated", lambda _: Answer(201, said))
        for ran in (run(finding.program, tmp_path, **ENVIRONMENT), in_bash(finding.script, **ENVIRONMENT)):
            assert ran.returncode == NOT_TRIED, ran.stdout + ran.stderr
            assert "cannot be known; it is left" in ran.stdout.splitlines()[-1]
        assert theirs in reference.store.state.addresses


@pytest.mark.parametrize("text", ["\nimport os; os.abort()\n", '"""', "\\", "'", "\r\x0c\u2028import this", HOSTILE])
def test_what_a_target_said_is_a_literal_or_a_comment(text: str) -> None:
    """However it is spelled, the program has the same statements and is ASCII."""
    sent = exchange(1, 400, text=text)
    plain, hostile = (
        ast.parse(program(one, text=words))
        for words, one in (("", exchange(1, 400)), (text, replace(sent, failure=text)))
    )
    assert [type(node) for node in ast.walk(plain) if isinstance(node, ast.stmt)] == [
        type(node) for node in ast.walk(hostile) if isinstance(node, ast.stmt)
    ]
    source = program(sent, text=text)
    assert source.isascii()
    assert all(one == "\n" or one.isprintable() for one in source)


def test_a_comment_declares_no_encoding(tmp_path: Path) -> None:
    """PEP 263 takes one on the first two lines for a declaration."""
    ran = run(program(exchange(1, 204), text=" in percent-encoding: 198.18.0.24"), tmp_path, CONFORMANCE_TOKEN="")
    assert (ran.returncode, ran.stderr) == (NOT_TRIED, "")


def test_a_program_is_one_for_python_3_8() -> None:
    """A team that has only Python may have an old one."""
    ast.parse(program(exchange(1, 400)), feature_version=(3, 8))


@pytest.mark.parametrize("body", [b"", b"x", b"\x00\xff\n'\"\\", b"ab" * 40_000 + b"a", b"x" * 1_048_576])
def test_a_body_stands_as_it_was_sent(body: bytes) -> None:
    """Bytes that repeat themselves are not written out."""
    base = exchange(1, 400)
    source = program(replace(base, request=Request("DELETE", base.request.url, (), body, "chunked")))
    data = source[source.index("PLAN = ") :]
    (given,) = [
        word.value
        for node in ast.walk(ast.parse(data))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "body"
    ]
    assert eval(compile(ast.Expression(given), "body", "eval"), {}) == body
    assert len(data) < 1_500


@pytest.mark.parametrize("count", [0, reproducer.MOST_EXCHANGES + 1])
def test_a_sequence_that_nobody_would_read_has_no_program(count: int) -> None:
    """Nor has a violation that cites nothing."""
    assert planned(*(exchange(number) for number in range(count))) is None


def test_where_there_is_no_room_for_more_the_first_try_counts() -> None:
    """It was tried alone, and was not so; what stood beside it in the run takes an address that is not to be had."""
    judge, variation = reproductions.CASES["removal-answers-200"]
    with reproductions.deployed("removal-answers-200") as (faulty, process), in_process.served() as lawful:
        finding = reproductions.found(process, judge, **variation)
        data = elsewhere(finding.program[finding.program.index("PLAN = ") :].replace("main(PLAN)", ""), faulty, lawful)
        known: dict[str, Any] = {}
        exec(data, known)
        plan = known["PLAN"]
        more = [{**plan["allocations"][0], "makes": (f"another {number}", "")} for number in range(9)]
        before = left(lawful)
        with mock.patch.dict(os.environ, ENVIRONMENT):
            assert standalone.outcome({**plan, "allocations": [*plan["allocations"], *more]}) == NOT_REPRODUCED
        assert left(lawful) == before
