import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.model.cli import check_history

WRITE = {"f": "write", "value": 1}
READ = {"f": "read"}


def written(path: Path, *events: tuple[int, str, dict[str, Any]]) -> str:
    """The name of a history file with these events."""
    lines = [json.dumps({"process": process, "type": kind} | members) for process, kind, members in events]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def run(*arguments: str) -> Result:
    """What the command answers."""
    return CliRunner().invoke(check_history, list(arguments))


@pytest.fixture
def stale(tmp_path: Path) -> str:
    """A read that misses a write, an unrelated write, and a lost one."""
    return written(
        tmp_path / "stale.jsonl",
        (0, "invoke", {"input": WRITE}),
        (0, "ok", {}),
        (1, "invoke", {"input": {"f": "write", "value": 2}}),
        (1, "ok", {}),
        (2, "invoke", {"input": WRITE}),
        (2, "info", {}),
        (0, "invoke", {"input": READ}),
        (0, "ok", {"output": None}),
    )


def test_a_linearizable_history_exits_with_0(tmp_path: Path) -> None:
    """A linearizable history exits with 0."""
    file = written(
        tmp_path / "fine.jsonl",
        (0, "invoke", {"input": WRITE}),
        (1, "invoke", {"input": READ}),
        (1, "ok", {"output": 1}),
    )
    result = run(file, "--model", "register")
    assert (result.exit_code, result.output) == (0, "linearizable (2 operations, 2 configurations explored)\n")


def test_a_violation_exits_with_1_and_shows_the_smallest_counterexample(stale: str) -> None:
    """A violation exits with 1 and shows the smallest counterexample."""
    result = run(stale, "--model", "register")
    assert result.exit_code == 1
    assert result.output.startswith("not linearizable (4 operations,")
    assert "smallest counterexample: 2 operations, 2 left out" in result.output
    assert "process 0          [--2--]" in result.output
    assert '2  {"f": "read"} -> null (line 7) <- cannot be placed' in result.output
    assert result.output.endswith("no order can include operation 2\n")


def test_a_spent_budget_exits_with_2_and_says_what_was_explored(stale: str) -> None:
    """A spent budget exits with 2 and says what was explored."""
    result = run(stale, "--model", "register", "--budget", "1")
    assert result.exit_code == 2
    assert "unknown: the budget of 1 configuration was spent (4 operations, 1 configuration explored)" in result.output
    assert "1 of 4 operations placed at best" in result.output


@pytest.mark.parametrize(("choice", "code"), [("either", 0), ("204", 0), ("refused", 1)])
def test_the_address_model_knows_what_the_target_does_in_sequence(tmp_path: Path, choice: str, code: int) -> None:
    """The address model knows what the target does in sequence."""
    pair = {"server": "s", "address": "a"}
    remove = {"input": {"f": "remove", **pair}}
    file = written(
        tmp_path / "winners.jsonl",
        (0, "invoke", {"input": {"f": "associate", **pair}}),
        (0, "ok", {"output": {"status": 201}}),
        (0, "invoke", remove),
        (1, "invoke", remove),
        (0, "ok", {"output": {"status": 204}}),
        (1, "ok", {"output": {"status": 204}}),
    )
    result = run(file, "--repeated-removal", choice)
    assert result.exit_code == code
    assert ("not linearizable, address a" in result.output) is (code == 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no operation; expected at least one"),
        ("{", "line 1: no JSON document; expected one JSON object a line"),
        (
            '\n{"process": 0, "type": "invoke", "input": {"f": "pop"}}',
            'line 2: {"f": "pop"} is no operation of the register',
        ),
    ],
)
def test_a_malformed_file_exits_with_4_and_one_message(tmp_path: Path, content: str, message: str) -> None:
    """A malformed file exits with 4 and one message."""
    file = tmp_path / "history.jsonl"
    file.write_text(content)
    result = run(str(file), "--model", "register")
    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr.startswith(f"{file}: {message}")
    assert result.stderr.count("\n") == 1


def test_a_missing_file_exits_with_4(tmp_path: Path) -> None:
    """A missing file exits with 4."""
    result = run(str(tmp_path / "none.jsonl"))
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.endswith("No such file or directory\n")
