"""What the processes of a run count, as one document tells it."""

from conformance.evidence import Recorder
from conformance.run import session as sessions

ONE = "https://x/v2/servers/s/ip_associations/11111111-2222-4333-8444-555555555555"


def counted(*codes: str) -> dict[str, dict[str, int]]:
    """Removals by kind of a controller whose removals were answered so."""
    recorder = Recorder()
    for code in codes:
        recorder.tally.removal(ONE, "full", "none", code)
    told: dict[str, dict[str, int]] = sessions.taken_back(sessions.counts(recorder, {}))["tally"]["removals_by_kind"]
    return told


def test_what_the_clean_up_removes_had_stood() -> None:
    """Another process made it; what was refused stood for nobody, and nothing is lost."""
    assert counted("204", "204", "400") == {"absent": {"400": 1}, "standing": {"204": 2}}
    assert counted("400") == {"absent": {"400": 1}}
    assert counted("204") == {"standing": {"204": 1}}
    assert counted() == {}
