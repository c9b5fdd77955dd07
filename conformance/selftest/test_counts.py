"""What the processes of a run count, as one document tells it."""

import json
from pathlib import Path

from conformance.evidence import Recorder
from conformance.run.messages import ONLY, JoinMessage, LastWord, ProcessCounts

ONE = "https://x/v2/servers/s/ip_associations/11111111-2222-4333-8444-555555555555"


def counted(*codes: str) -> dict[str, dict[str, int]]:
    """Removals by kind of a controller whose removals were answered so."""
    recorder = Recorder()
    for code in codes:
        recorder.tally.removal(ONE, "full", "none", code)
    told: dict[str, dict[str, int]] = ProcessCounts.of(recorder).as_standing().tally["removals_by_kind"]
    return told


def test_what_the_clean_up_removes_had_stood() -> None:
    """Another process made it; what was refused stood for nobody, and nothing is lost."""
    assert counted("204", "204", "400") == {"absent": {"400": 1}, "standing": {"204": 2}}
    assert counted("400") == {"absent": {"400": 1}}
    assert counted("204") == {"standing": {"204": 1}}
    assert counted() == {}


def test_a_message_is_the_same_behind_the_pipe() -> None:
    """Plain types go through; both ends have the same message."""
    recorder = Recorder()
    recorder.tally.removal(ONE, "full", "none", "204")
    word = LastWord(ProcessCounts.of(recorder), ("a note",), (), ({"kind": "allocated", "address": "x"},), None)
    assert LastWord.from_json(json.loads(json.dumps(word.to_json()))) == word
    order = JoinMessage({"compute": "x"}, Path("shared"), 1.5, Path("ledger"), ONLY, "", "quick", 7, probe_limits=True)
    assert JoinMessage.from_json(json.loads(json.dumps(order.to_json()))) == order
