"""Programs that repeat a finding: they run, see what the run saw, leave nothing, and hold no secret."""

import ast
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import in_process
import pytest
from report_runs import HOSTILE, exchange

from conformance.driver.context import Process
from conformance.evidence import VARIABLES, Exchange, Request, reproducer
from conformance.reference import Reference
from conformance.verdict import Violation

ENVIRONMENT = {variable: getattr(in_process.TOKENS, name) for name, variable in VARIABLES.items()}


def violation(text: str = "") -> Violation:
    """A violation that says ``text``."""
    return Violation("body.refused", f"rule{text}", f"summary{text}", f"expected{text}", f"observed{text}", ())


def repeated(source: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the program, saved in a file, says when it is run."""
    path = folder / "repeat.py"
    path.write_text(source, encoding="ascii")
    settings = {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **environment}
    command = [sys.executable, "-I", "-W", "error", str(path)]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=60, check=False)


def now(output: str) -> list[str]:
    """The status of each answer that the program got."""
    return re.findall(r"now: +(\S+ \d{3})", output)


def left(reference: Reference) -> tuple[set[str], int]:
    """The addresses of the deployment, and how many associations it has."""
    return set(reference.store.state.addresses), len(reference.store.state.associations)


def written(process: Process, *cited: Exchange) -> str:
    """The program for these exchanges."""
    return reproducer.repeating(violation(), cited, process.recorder.origins)


def test_a_program_sees_again_what_the_run_saw(tmp_path: Path) -> None:
    """On an address of its own, with the body as it was sent, and with nothing left behind."""
    with in_process.served("body-is-ignored") as reference, in_process.process(reference) as process:
        server = process.target.servers[0]
        with process.provisioner.lease(1) as (address,):
            body = f'{{"id": "{address.id}"}}'.encode()
            cited = [process.client.associate(server, address.id)]
            for framing in ("content-length", "chunked"):
                cited += [
                    process.client.remove(server, address.id, body=body, framing=framing),
                    process.client.associate(server, address.id),
                ]
            cited.append(process.client.remove(server, address.id, credential="restricted"))
            process.client.remove(server, address.id)
        before = left(reference)
        ran = repeated(written(process, *cited), tmp_path, **ENVIRONMENT)
        assert left(reference) == before
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [code.split()[1] for code in now(ran.stdout)] == ["201", "201", "204", "201", "204", "201", "403"]
    assert address.id not in ran.stdout


def test_a_literal_stands_for_the_new_address(tmp_path: Path) -> None:
    """What a finding says of the address's other names is said of the new one."""
    with in_process.served("literal-is-taken") as reference, in_process.process(reference) as process:
        server = process.target.servers[0]
        with process.provisioner.lease(1) as (address,):
            (origin,) = process.recorder.origins.values()
            assert origin.response is not None
            literal = origin.response.json()["ip_address"]["address"]
            cited = [process.client.associate(server, address.id), process.client.remove(server, literal)]
        ran = repeated(written(process, *cited), tmp_path, **ENVIRONMENT)
    assert [code.split()[1] for code in now(ran.stdout)] == ["201", "201", "204"]


def test_requests_that_overlapped_overlap_again(tmp_path: Path) -> None:
    """Both of two removals win again, which they never do one after the other."""
    with in_process.served("two-winners-30-ms") as reference, in_process.process(reference) as process:
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
        ran = repeated(written(process, *cited), tmp_path, **ENVIRONMENT)
    assert [code.split()[1] for code in now(ran.stdout)] == ["201", "201", "204", "204"]


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
        source = written(process, *cited)
        ran = repeated(source, tmp_path, **ENVIRONMENT)
        assert not [variable for variable, secret in ENVIRONMENT.items() if secret in source]
    assert token not in ran.stdout
    assert [code.split()[1] for code in now(ran.stdout)] == [one.code for one in cited]


def test_without_a_credential_nothing_is_sent(tmp_path: Path) -> None:
    """The program names the variable that is missing."""
    source = reproducer.repeating(violation(), [exchange(1, 204)], {})
    ran = repeated(source, tmp_path, CONFORMANCE_TOKEN="")
    assert ran.returncode == 1
    assert "set CONFORMANCE_TOKEN" in ran.stderr
    assert "in the run" not in ran.stdout


@pytest.mark.parametrize("text", ["\nimport os; os.abort()\n", '"""', "\\", "'", "\r\x0c\u2028import this", HOSTILE])
def test_what_a_target_said_is_a_literal_or_a_comment(text: str) -> None:
    """However it is spelled, the program has the same statements and is ASCII."""
    sent = exchange(1, 400, text=text)
    plain, hostile = (
        ast.parse(reproducer.repeating(violation(words), [one], {}))
        for words, one in (("", exchange(1, 400)), (text, replace(sent, failure=text)))
    )
    assert [type(node) for node in ast.walk(plain) if isinstance(node, ast.stmt)] == [
        type(node) for node in ast.walk(hostile) if isinstance(node, ast.stmt)
    ]
    source = reproducer.repeating(violation(text), [sent], {})
    assert source.isascii()
    assert all(one == "\n" or one.isprintable() for one in source)


@pytest.mark.parametrize("body", [b"", b"x", b"\x00\xff\n'\"\\", b"ab" * 40_000 + b"a", b"x" * 1_048_576])
def test_a_body_stands_as_it_was_sent(body: bytes) -> None:
    """Bytes that repeat themselves are not written out."""
    base = exchange(1, 400)
    sent = replace(base, request=Request("DELETE", base.request.url, (), body, "chunked"))
    source = reproducer.repeating(violation(), [sent], {})
    (given,) = [
        word.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "body"
    ]
    assert eval(compile(ast.Expression(given), "body", "eval"), {}) == body
    assert len(source) < 8_000


@pytest.mark.parametrize("count", [0, reproducer.MOST_EXCHANGES + 1])
def test_a_sequence_that_nobody_would_read_has_no_program(count: int) -> None:
    """Nor has a violation that cites nothing."""
    assert not reproducer.repeating(violation(), [exchange(number) for number in range(count)], {})
