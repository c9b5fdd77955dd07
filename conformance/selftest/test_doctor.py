import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cleanup_runs import Commands, Tenant, tenant
from click.testing import CliRunner, Result
from client_raw import RawServer, answering

from conformance import SPEC, target
from conformance.cli.commands import group
from conformance.target import PUBLIC_NETWORK

TOKEN = "full-nL8xQ2vT7cZr5kWm"
ENVIRONMENT = {"CONFORMANCE_TOKEN": TOKEN, "CONFORMANCE_RESTRICTED_TOKEN": "", "CONFORMANCE_FOREIGN_TOKEN": ""}


@pytest.fixture
def others() -> Iterator[Tenant]:
    """A tenant with room for three addresses, and more servers than a run makes use of."""
    with tenant(servers=6) as running:
        yield running


def called(*arguments: object, **variables: str) -> Result:
    """A command in this process; only the variables given hold credentials."""
    return CliRunner(env=ENVIRONMENT | variables).invoke(group, list(map(str, arguments)))


class TestDoctor:
    """``conformance doctor``: the checklist and the exit codes."""

    def doctor(self, others: Tenant, directory: Path, *arguments: str, **variables: str) -> Result:
        """What it says of a tenant."""
        commands = Commands(others, directory)
        return called("doctor", "--target", commands.target, *arguments, **commands.environment | variables)

    def test_a_sound_target_can_be_run_on(self, tmp_path: Path) -> None:
        """0, one line a check, and the last one says so."""
        with tenant(alone=True, servers=6) as others:
            result = self.doctor(others, tmp_path)
        assert result.exit_code == 0, result.output
        *checks, last = result.output.splitlines()
        assert last == "conformance doctor: a run can be begun (2 not checked)"
        assert [line.split()[0] for line in checks if not line.startswith((" ", "not checked"))] == ["ok"] * 12
        assert others.untouched

    def test_associations_of_others_are_warned_of(self, others: Tenant, tmp_path: Path) -> None:
        """On each lent server, since a target with a fault may hit them."""
        result = self.doctor(others, tmp_path)
        assert result.exit_code == 0, result.output
        warnings = [line for line in result.output.splitlines() if line.startswith("warning")]
        assert len(warnings) == 4
        assert all("2 associations of others on server" in line for line in warnings)

    def test_a_problem_comes_with_advice(self, others: Tenant, tmp_path: Path) -> None:
        """1, and what to do stands under it."""
        result = self.doctor(others, tmp_path, CONFORMANCE_TOKEN="not-the-one")
        assert result.exit_code == 1
        lines = result.output.splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith("problem"))
        assert "refuses the token" in lines[place]
        assert lines[place + 1].strip() == "-> is it current, and of this cloud?"
        assert "cannot be begun (2 problems" in lines[-1]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ((), "--target"),
            (("--target", "/no/such/file"), "cannot be read"),
            (("--target", "http://127.0.0.1:9", "--color"), "--color"),
        ],
    )
    def test_wrong_usage_is_4(self, arguments: tuple[str, ...], said: str) -> None:
        """As of every command."""
        result = called("doctor", *arguments)
        assert (result.exit_code, said in result.output) == (4, True), result.output

    def test_nothing_is_allocated_unasked(self, others: Tenant, tmp_path: Path) -> None:
        """Asked, it is given back."""
        seen: list[str] = []
        others.deployment.at = lambda described, _: seen.append(described.split()[0])
        self.doctor(others, tmp_path)
        assert set(seen) == {"GET"}
        result = self.doctor(others, tmp_path, "--allocate")
        assert {"POST", "DELETE"} <= set(seen)
        assert "2 allocated for the servers' ports, and removed again" in result.output
        assert others.untouched

    def test_what_a_target_says_does_not_reach_the_terminal_as_it_is(self) -> None:
        """Neither a control character nor a token that it echoes."""
        echo = f"HTTP/1.1 401 \x1b[2J{TOKEN}\r\nContent-Length: 0\r\n\r\n".encode()
        with RawServer(answering(echo)) as server:
            result = called("doctor", "--target", server.url)
        assert result.exit_code == 1
        assert "\\x1b[2J[redacted]" in result.output
        assert "\x1b" not in result.output
        assert TOKEN not in result.output

    def test_a_url_is_looked_at_with_the_servers_that_are_found(self, others: Tenant) -> None:
        """Just those that a run would take."""
        result = called("doctor", "--target", others.reference.url, CONFORMANCE_TOKEN=others.reference.tokens.full)
        assert result.exit_code == 0, result.output
        assert "4 are answered for" in result.output


def drafted(*arguments: object, **variables: str) -> tuple[str, str]:
    """The text of a draft, and what is said beside it."""
    result = called("init", "-", *arguments, **variables)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def loaded(text: str, directory: Path) -> target.Target:
    """The target that a text describes."""
    path = directory / "target.yaml"
    path.write_text(text)
    return target.load(str(path), {"CONFORMANCE_TOKEN": TOKEN, "CONFORMANCE_FOREIGN_TOKEN": "another"})


def explained(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a description, dotted, and what the schema says of it."""
    for key, about in schema["properties"].items():
        yield f"{path}{key}", about["description"]
        if "properties" in about:
            yield from explained(about, f"{path}{key}.")


class TestInit:
    """``conformance init``: a description to go on from."""

    def test_it_loads_as_it_stands(self, tmp_path: Path) -> None:
        """Without a cloud with placeholders, and with the defaults written out."""
        text, said = drafted()
        found = loaded(text, tmp_path)
        assert (found.servers, found.network_id) == (("SERVER-ID-1", "SERVER-ID-2"), PUBLIC_NETWORK)
        assert (found.limits, found.policy) == (target.Limits(), target.Policy())
        assert "placeholders" in said

    def test_every_key_is_there_with_the_schemas_words(self) -> None:
        """In force, or one character of each line away from it and then valid YAML in its place."""
        schema = json.loads((SPEC / "target.schema.json").read_text())
        text, _ = drafted()
        words = " ".join(line.strip().removeprefix("# ") for line in text.splitlines())
        lines = text.splitlines()
        held = [yaml.safe_load(text)]
        for number, line in enumerate(lines):
            if line.strip().startswith("#") and not line.strip().startswith("# "):
                # A section comes with all of its keys.
                section = list(itertools.takewhile(lambda one: one.startswith("#  "), lines[number + 1 :]))
                freed = [one.replace("#", "", 1) for one in (line, *section)]
                held.append(yaml.safe_load("\n".join([*lines[:number], *freed, *lines[number + len(freed) :]])))
        for path, said in explained(schema):
            assert said in words
            assert any(reached(document, path.split(".")) for document in held), path

    def test_servers_of_the_tenant_are_filled_in(self, others: Tenant, tmp_path: Path) -> None:
        """As many as a run makes use of; the others stay to be chosen, each with its port."""
        reference = others.reference
        text, said = drafted("--compute", reference.url, CONFORMANCE_TOKEN=reference.tokens.full)
        found = loaded(text, tmp_path)
        assert found.servers == tuple(sorted(reference.servers)[:4])
        assert f"#  - {sorted(reference.servers)[5]}  # its port there is" in text
        assert all(port in text for port in reference.ports.values())
        assert said.startswith("6 servers of the tenant were found")
        assert reference.tokens.full not in text + said
        assert others.untouched

    def test_credentials_that_are_set_are_in_force(self, tmp_path: Path) -> None:
        """By the names of their variables."""
        text, _ = drafted(CONFORMANCE_FOREIGN_TOKEN="another")
        assert set(loaded(text, tmp_path).tokens) == {"full", "foreign"}
        assert "another-token" not in text

    @pytest.mark.parametrize(
        ("public", "given", "chosen"),
        [(2, (), PUBLIC_NETWORK), (1, (), "other"), (3, ("--network-id", "other"), "other")],
    )
    def test_a_network_with_servers_is_chosen(
        self, tmp_path: Path, public: int, given: tuple[str, ...], chosen: str
    ) -> None:
        """The public one if it has two; the other stays to be chosen."""
        networks = {PUBLIC_NETWORK: public, "other": 3}
        ports = [
            {"id": f"p-{network}-{number}", "device_id": f"s{number}", "network_id": network}
            for network, count in networks.items()
            for number in range(count)
        ]
        text, _ = drafted_from(ports, *given)
        assert loaded(text, tmp_path).network_id == chosen
        (left,) = networks.keys() - {chosen}
        assert f"#network_id: {left}  # {networks[left]} of the tenant's servers" in text

    def test_ids_are_written_so_that_they_are_read_again(self, tmp_path: Path) -> None:
        """Whatever a target takes for one; what cannot be one is left out."""
        odd = ["a:b", "-", "null", "1e3", "0x10", "2026-01-01", "#hash", "'quoted\"", "é\U0001f600", "{x}", "*x", "!x"]
        odd.append("two words")
        bad = ["two\nlines", "a/b", "x" * 256, "\x1b[2J", "", 7, None, ["x"]]
        servers = [*odd, *bad]
        ports = [{"id": "p", "device_id": one, "network_id": PUBLIC_NETWORK} for one in servers]
        text, _ = drafted_from(ports)
        assert loaded(text, tmp_path).servers == tuple(sorted(odd)[:4])
        everything = text.replace("#  - ", "  - ")
        assert yaml.safe_load(everything)["resources"]["servers"] == sorted(odd)

    @pytest.mark.parametrize(
        "answer",
        [b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"],
    )
    def test_a_cloud_that_shows_nothing_leaves_placeholders(self, tmp_path: Path, answer: bytes) -> None:
        """And what it answered is said."""
        with RawServer(answering(answer)) as server:
            text, said = drafted("--compute", server.url)
        assert loaded(text, tmp_path).servers == ("SERVER-ID-1", "SERVER-ID-2")
        assert answer.decode().split("\r\n")[0].split(" ", 1)[1] in said

    def test_too_few_servers_are_filled_up(self, tmp_path: Path) -> None:
        """With a placeholder, which is said."""
        text, said = drafted_from([{"id": "p", "device_id": "only", "network_id": PUBLIC_NETWORK}])
        assert loaded(text, tmp_path).servers == ("only", "SERVER-ID-2")
        assert "two are needed" in said

    def test_without_a_token_nothing_is_asked(self, others: Tenant) -> None:
        """The variable that is missing is named."""
        _, said = drafted("--compute", others.reference.url, CONFORMANCE_TOKEN="")
        assert "CONFORMANCE_TOKEN is not set" in said
        assert others.deployment.seen == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--compute", "cloud.example"), "compute: expected"),
            (("--compute", "https://me:secret@cloud.example/"), "compute: "),
            (("--network-id", "two/words"), "resources.network_id: expected"),
            (("--name", "x" * 101), "name: expected"),
        ],
    )
    def test_wrong_arguments_are_4(self, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
        """And nothing is written."""
        result = called("init", tmp_path / "target.yaml", *arguments)
        assert (result.exit_code, said in result.output) == (4, True)
        assert "secret" not in result.output
        assert not (tmp_path / "target.yaml").exists()

    def test_a_file_is_not_overwritten_unasked(self, tmp_path: Path) -> None:
        """With --force it is."""
        path = tmp_path / "target.yaml"
        path.write_text("mine")
        refused = called("init", path)
        assert (refused.exit_code, path.read_text()) == (4, "mine")
        assert "--force" in refused.output
        done = called("init", path, "--force")
        assert (done.exit_code, path.read_text().startswith("# ")) == (0, True)
        assert f"conformance doctor --target {path}" in done.output

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        """With the reason."""
        result = called("init", tmp_path / "none" / "target.yaml")
        assert (result.exit_code, os.strerror(2) in result.output) == (4, True)


def reached(document: Any, path: list[str]) -> bool:
    """The document has this key."""
    return not path or (isinstance(document, dict) and path[0] in document and reached(document[path[0]], path[1:]))


def drafted_from(ports: list[dict[str, Any]], *arguments: str) -> tuple[str, str]:
    """A draft for a tenant with these ports."""
    body = json.dumps({"ports": ports}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with RawServer(answering(answer)) as server:
        return drafted("--compute", server.url, *arguments)
