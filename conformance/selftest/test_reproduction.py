"""Findings tried again: reproduced where the fault is, not reproduced where it is not, and nothing left anywhere."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import reproductions
from click.testing import CliRunner
from run_processes import TOKENS, run, serve

from conformance import report
from conformance.cli.commands import group
from conformance.driver.api import TargetApi
from conformance.driver.context import Process
from conformance.driver.ruling_log import RulingLog
from conformance.evidence import setting
from conformance.generate import deallocations
from conformance.judge import Attempt, Pair, codes, content, deallocation, effect, oracle
from conformance.judge.oracle import Expected, Rule
from conformance.reference.app import Deployment
from conformance.reference.exchange import Answer, ReceivedRequest, Refusal
from conformance.reference.store import Association, StoredAddress
from conformance.reproduction import ReproductionAnswer, orphans
from conformance.verdict import Finding, Ruling

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def _little_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the last try what stands is left alone for a moment only."""
    monkeypatch.setattr("conformance.reproduction.trying.LEFT_ALONE_SECONDS", 1.0)


@pytest.mark.parametrize("fault", reproductions.CASES)
def test_a_finding_is_reproduced_where_the_fault_is_and_nowhere_else(fault: str) -> None:
    """Also from a document that was saved before findings told their setting; what was created is taken back."""
    judge, variation = reproductions.CASES[fault]
    with reproductions.deployed(fault) as (_, process):
        finding = reproductions.found(process, judge, **variation)
        saved = reproductions.of_a_run(process)
    faulty = reproductions.tried(saved, (finding,), fault)
    lawful = reproductions.tried(saved, (finding,))
    assert [one.answer for one in faulty.outcomes] == [ReproductionAnswer.REPRODUCED], faulty
    assert [one.answer for one in lawful.outcomes] == [ReproductionAnswer.NOT_REPRODUCED], lawful
    assert (faulty.left, faulty.kept, lawful.left, lawful.kept) == ((), 0, (), 0)


@pytest.mark.parametrize(
    ("where", "fails", "answer"),
    [
        pytest.param("large-body-is-503", False, ReproductionAnswer.REPRODUCED, id="the fault is there"),
        pytest.param("", False, ReproductionAnswer.NOT_REPRODUCED, id="it is not"),
        pytest.param("large-body-is-503", True, ReproductionAnswer.NOT_REPRODUCED, id="so is every removal"),
    ],
)
def test_a_fault_that_persists_is_told_from_one_that_everything_meets(
    where: str, answer: ReproductionAnswer, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """Decision 13: it is the answer where plain removals in between succeed."""
    monkeypatch.setattr("conformance.client.retry.again_after", lambda *_: 0.0)
    rule = Rule("body.refused", Expected.REFUSED)

    def persistent(trial: Attempt) -> Ruling | None:
        return next(oracle.persistent(rule, trial, (trial.exchange,) * 3))

    with reproductions.deployed("large-body-is-503") as (_, process):
        finding = reproductions.found(process, persistent, body=b"x" * 20_000, framing="length")
        saved = reproductions.of_a_run(process)
    if fails:
        monkeypatch.setattr(Deployment, "dissociate", out_of_order)
    tried = reproductions.tried(saved, (finding,), where)
    assert [one.answer for one in tried.outcomes] == [answer], tried


def out_of_order(*_: object) -> None:
    """No removal is made."""
    raise Refusal(503, "out of order")


def test_the_order_of_associations_is_tried_both_ways() -> None:
    """A guard that knows the newest only is met where what was removed had been made last."""
    with reproductions.deployed("delete-takes-the-associations-too") as (_, process):
        finding = guarded(process, others=1)
        saved = reproductions.of_a_run(process)
    (stands, gone) = [*setting.of(finding.to_json()).standing, *setting.of(finding.to_json()).removed]
    assert stands != gone
    tried = reproductions.tried(saved, (finding,), "only-the-newest-holds")
    assert [one.answer for one in tried.outcomes] == [ReproductionAnswer.REPRODUCED], tried


@pytest.mark.parametrize(("more", "named"), [((), 0), (("removal-does-nothing",), 1)])
def test_associations_of_an_address_that_is_gone_are_taken_back(more: tuple[str, ...], named: int) -> None:
    """No ledger knows of them, for their address is de-allocated; what stays after its removal is named."""
    with reproductions.deployed("delete-leaves-orphans", *more) as (reference, process):
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        pair = api.leases.association()
        api.establish(pair)
        assert process.client.deallocate_address(pair.address).status == 204
        assert reference.store.state.associations
        left = orphans.left(process.client, [pair.address])
        assert len(left) == len(reference.store.state.associations) == named
        assert all(pair.address in sentence and pair.server in sentence for sentence in left)
        api.close()


@pytest.mark.parametrize("fault", ["again-associated-does-not-hold", ""])
def test_what_stands_may_have_been_removed_before(fault: str) -> None:
    """A guard that forgets an address with its first removal is met although no exchange of the finding shows one."""
    with reproductions.deployed("delete-takes-the-associations-too") as (_, process):
        finding = guarded(process)
        saved = reproductions.of_a_run(process)
    tried = reproductions.tried(saved, (finding,), fault)
    assert [one.answer for one in tried.outcomes] == [
        ReproductionAnswer.REPRODUCED if fault else ReproductionAnswer.NOT_REPRODUCED
    ], tried
    assert (tried.left, tried.kept) == ((), 0)


@pytest.mark.parametrize("fault", ["removal-answers-200", ""])
def test_what_a_run_believed_gone_is_tried_standing_as_well(fault: str) -> None:
    """A target that answers 204 and removes nothing makes a run believe that what it breaks next was not there."""
    with reproductions.deployed("removal-answers-200") as (_, process):
        finding = reproductions.found(process, codes.success)
        saved = reproductions.of_a_run(process)
    told = setting.of(finding.to_json())
    believed = replace(told, standing=(), removed=(*told.removed, *told.standing))
    tried = reproductions.tried(saved, (replace(finding, setting=believed.to_json()),), fault)
    assert [one.answer for one in tried.outcomes] == [
        ReproductionAnswer.REPRODUCED if fault else ReproductionAnswer.NOT_REPRODUCED
    ], tried
    assert (tried.left, tried.kept) == ((), 0)


def test_what_stood_is_told_in_words() -> None:
    """IDs of the run are called server 1 and address A, and what stood before the request is known."""
    with reproductions.deployed("removal-does-nothing") as (_, process):
        finding = reproductions.found(process, effect.removed)
    told = setting.of(finding.to_json())
    ((server, address),) = told.standing
    assert told.in_words(f"address {address} with server {server}") == "address A with server 1"
    assert told.decisive == told.steps[-1]
    (decisive,) = [one for one in finding.exchanges if one["id"] == told.decisive]
    assert decisive["request"]["method"] == "DELETE"


def test_a_read_right_before_the_request_is_sent_again_and_a_look_after_it_is_not() -> None:
    """The request that decides is the last that is no read, where no other is named."""
    with reproductions.deployed() as (_, process):
        pair = TargetApi(process, RulingLog(frozenset(), process.recorder)).leases.association()
        made = process.client.associate(pair.server, pair.address)
        read = process.client.list_addresses()
        removal = process.client.remove(pair.server, pair.address, credential="restricted")
        look = process.client.list_associations(pair.server)
        cited = [one.to_json() for one in (made, read, removal, look)]
    told = setting.derived(cited, details={})
    assert (told.steps, told.decisive) == ((read.id, removal.id), removal.id)


def test_what_is_missing_is_needed_although_no_exchange_shows_it() -> None:
    """A neighbour that went is named in words alone."""
    with reproductions.deployed("all-of-the-server-go") as (_, process):
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        first, second = api.leases.lease(2)
        server = process.target.servers[0]
        pairs = [Pair(one.id, server) for one in (first, second)]
        for pair in pairs:
            api.establish(pair)
        removal = process.client.remove(server, first.id)
        held = [one.to_json() for one in process.recorder.exchanges.values()]
        cited = [one for one in held if one["id"] == removal.id]
        api.close()
    needed = setting.derived(cited, held, details={}, words=f"the list does not show address {second.id}")
    assert set(needed.addresses) == {first.id, second.id}
    assert set(needed.standing) == {(server, first.id), (server, second.id)}
    assert set(setting.derived(cited, held, details={}).addresses) == {first.id}


def test_a_target_that_does_not_answer_could_not_be_tried() -> None:
    """No address is to be had of it, so nothing is said of the finding."""
    with reproductions.deployed("removal-does-nothing") as (_, process):
        finding = reproductions.found(process, effect.removed)
        saved = reproductions.of_a_run(process)
    tried = reproductions.tried(saved, (finding,), "all-is-503")
    assert [one.answer for one in tried.outcomes] == [ReproductionAnswer.NOT_TRIED]


DELETE = next(one for one in deallocations.wordings() if one.judged and one.method == "DELETE")
PUT = next(one for one in deallocations.wordings() if one.judged and one.method == "PUT")


def deallocated(process: Process) -> Finding:
    """The finding of a de-allocation by PUT that leaves the address."""
    ruling_log = RulingLog(frozenset(), process.recorder)
    api = TargetApi(process, ruling_log)
    address = api.leases.one().id
    ruling_log.findings.clear()
    ruling_log.note(deallocation.granted("deallocation.put-after", api.deallocate(address, PUT)))
    api.close()
    (finding,) = ruling_log.findings.values()
    return finding


def guarded(process: Process, others: int = 0) -> Finding:
    """The finding of a de-allocation by DELETE that is granted although an association stands; others were removed."""
    ruling_log = RulingLog(frozenset(), process.recorder)
    api = TargetApi(process, ruling_log)
    pair = api.leases.association()
    for server in [one for one in process.target.servers if one != pair.server][:others]:
        other = Pair(pair.address, server)
        api.establish(other)
        api.attempt(other, mistake=False)
    api.establish(pair)
    ruling_log.findings.clear()
    ruling_log.note(deallocation.refused("deallocation.until-the-last", api.deallocate(pair.address, DELETE)))
    api.close()
    (finding,) = ruling_log.findings.values()
    return finding


def test_an_address_that_a_try_let_go_is_not_tried_again() -> None:
    """On a lawful deployment the first try de-allocates: what the gone address answers later is no finding."""
    with reproductions.deployed("put-keeps-the-address") as (_, process):
        finding = deallocated(process)
        saved = reproductions.of_a_run(process)
    answers = [
        reproductions.tried(saved, (finding,), fault).outcomes[0].answer for fault in ("put-keeps-the-address", "")
    ]
    assert answers == [ReproductionAnswer.REPRODUCED, ReproductionAnswer.NOT_REPRODUCED]


def test_a_run_without_findings_has_nothing_to_try(tmp_path: Path) -> None:
    """It says so, asks nothing of any target, and exits as for what could not be shown again."""
    saved = tmp_path / "report.json"
    with reproductions.deployed() as (_, process):
        saved.write_text(json.dumps(reproductions.of_a_run(process).to_json()))
    ended = CliRunner(env=dict(TOKENS)).invoke(group, ["reproduce", str(saved), "--target", "http://127.0.0.1:9"])
    assert (ended.exit_code, ended.output) == (0, "NOT REPRODUCED: the run has no findings\n")


@pytest.mark.slow
def test_the_command_says_it_of_a_saved_run(tmp_path: Path) -> None:
    """One line a finding and exit 1; a fingerprint chooses one; an unknown one is wrong usage; nothing is left."""
    with serve(tmp_path, "--fault", "no-token-works") as served:
        ran = run(tmp_path / "run", "--target", served.description)
        saved = ran.reports / "report.json"
        findings = [one for clause in report.read(saved).clauses for one in clause.findings]
        runner = CliRunner(env=dict(TOKENS))
        given = ["reproduce", str(saved), "--target", str(served.description), "--state-dir", str(tmp_path / "state")]
        every = runner.invoke(group, given)
        one = runner.invoke(group, [*given[:2], findings[0].fingerprint[:8], *given[2:]])
        wrong = runner.invoke(group, [*given[:2], "zz", *given[2:]])
        assert served.addresses() == set()
    assert every.exit_code == one.exit_code == 1
    assert len(every.output.splitlines()) == len(findings)
    assert one.output.splitlines()[-1] == "REPRODUCED"
    assert wrong.exit_code == 4


def test_what_stood_beside_it_is_left_out_where_there_is_no_room_for_it() -> None:
    """A run had more addresses in turn than a tenant has at once; those that the finding is about are enough."""
    judge, variation = reproductions.CASES["removal-answers-200"]
    with reproductions.deployed("removal-answers-200") as (_, process):
        finding = reproductions.found(process, judge, **variation)
        saved = reproductions.of_a_run(process)
    needed = setting.of(finding.to_json())
    others = {f"0b15e8fe-9d1c-4c3a-8d5e-1f2e3d4c5b{number:02}": "198.51.100.7" for number in range(9)}
    stood = [(needed.servers[0], other) for other in others]
    crowded = replace(needed, addresses={**others, **needed.addresses}, standing=(*stood, *needed.standing))
    tried = reproductions.tried(saved, (replace(finding, setting=crowded.to_json()),), "removal-answers-200")
    assert [one.answer for one in tried.outcomes] == [ReproductionAnswer.REPRODUCED], tried
    assert tried.kept == 0


def test_an_address_that_put_de_allocated_is_not_needed_any_more() -> None:
    """Though a list shows what it left behind."""
    gone, kept = "a2addbb8-7dbb-48ec-8566-cc66371fe6a1", "0b15e8fe-9d1c-4c3a-8d5e-1f2e3d4c5b6a"
    base = "http://127.0.0.1/v2"

    def told(
        number: int, operation: str, url: str, sent: str = "", answer: str = "", status: int = 200
    ) -> dict[str, Any]:
        return {
            "id": str(number),
            "operation": operation,
            "request": {"method": "", "url": f"{base}{url}", "body": {"text": sent}},
            "response": {"status": status, "body": {"text": answer}},
        }

    rows = [{"id": gone, "address": "192.0.2.1"}, {"id": kept, "address": "192.0.2.2"}]
    listed = told(9, "listAssociations", "/servers/s/ip_associations", answer=json.dumps({"ip_associations": rows}))
    earlier = [
        told(1, "associate", f"/servers/s/ip_associations/{gone}", status=201),
        told(2, "associate", f"/servers/s/ip_associations/{kept}", status=201),
        told(3, "updateAddress", f"/ip_addresses/{gone}", json.dumps({"ip_address": {"port_ids": []}})),
    ]
    removal = told(8, "removeAssociation", f"/servers/s/ip_associations/{kept}")
    needed = setting.derived([removal, listed], [*earlier, removal, listed], details={})
    assert set(needed.addresses) == {kept}
    assert needed.standing == (("s", kept),)


def walled(deployment: Deployment, request: ReceivedRequest) -> Answer:
    """Turn away who does not say what he is."""
    if request.header("User-Agent") is None:
        raise Refusal(403, "who are you?")
    return REMOVE(deployment, request)


REMOVE = Deployment.remove


def test_a_request_without_a_name_is_sent_without_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What evidence does not show was not sent."""
    monkeypatch.setattr(Deployment, "remove", walled)
    with reproductions.deployed() as (_, process):
        finding = reproductions.found(process, codes.success, headers={"User-Agent": None})
        saved = reproductions.of_a_run(process)
    assert "User-Agent" not in dict(finding.exchanges[-1]["request"]["headers"])
    tried = reproductions.tried(saved, (finding,))
    assert [one.answer for one in tried.outcomes] == [ReproductionAnswer.REPRODUCED], tried


def length_of_the_last_refusal(deployment: Deployment, request: ReceivedRequest) -> Answer:
    """A 204 after a refusal has the refusal's length."""
    try:
        answer = REMOVE(deployment, request)
    except Refusal:
        LENGTHS.append("9")
        raise
    return replace(answer, headers=(*answer.headers, ("Content-Length", LENGTHS.pop()))) if LENGTHS else answer


LENGTHS: list[str] = []


def test_a_refusal_may_come_right_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target may keep something of it, on the connection or elsewhere; the finding alone does not tell."""
    monkeypatch.setattr(Deployment, "remove", length_of_the_last_refusal)
    LENGTHS[:] = ["9"]
    with reproductions.deployed() as (_, process):
        finding = reproductions.found(process, lambda trial: content.no_content(trial.exchange))
        saved = reproductions.of_a_run(process)
    LENGTHS.clear()
    tried = reproductions.tried(saved, (finding,))
    assert [one.answer for one in tried.outcomes] == [ReproductionAnswer.REPRODUCED], tried


def counted_twice(deployment: Deployment, request: ReceivedRequest, association: Association) -> None:
    """The second removal of an association leaves its address guarded for ever."""
    DISSOCIATE(deployment, request, association)
    if association in REMOVED:
        STUCK.add(association.address)
    REMOVED.add(association)


def still_guarded(deployment: Deployment, request: ReceivedRequest, address: StoredAddress, state: Any) -> None:
    """As above."""
    if address.id in STUCK:
        raise Refusal(409, "in use")
    CHECK_FREE(deployment, request, address, state)


DISSOCIATE, CHECK_FREE = Deployment.dissociate, Deployment.check_free
REMOVED: set[Association] = set()
STUCK: set[str] = set()


def test_a_de_allocation_is_tried_on_fresh_addresses_after_other_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that succeeds takes the address along; what had been removed was perhaps removed twice."""
    monkeypatch.setattr(Deployment, "dissociate", counted_twice)
    monkeypatch.setattr(Deployment, "check_free", still_guarded)
    with reproductions.deployed() as (_, process):
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        pair = api.leases.association()
        for _ in range(2):
            api.establish(pair)
            api.leases.remove(pair)
        trial = api.deallocate(pair.address, DELETE)
        api.ruling_log.findings.clear()
        api.ruling_log.note(deallocation.granted("deallocation.delete-after", trial))
        (finding,) = api.ruling_log.findings.values()
        api.close()
        saved = reproductions.of_a_run(process)
    tried = reproductions.tried(saved, (finding,))
    assert [one.answer for one in tried.outcomes] == [ReproductionAnswer.REPRODUCED], tried


@pytest.mark.parametrize("where", ["ipv6-let-go-by-put-stays-listed", ""])
def test_what_was_let_go_long_ago_is_let_go_on_an_address_of_ones_own(where: str) -> None:
    """The allocation is no evidence any more; the list of addresses is looked at, and no other address is asked for."""
    with reproductions.deployed("ipv6-let-go-by-put-stays-listed") as (_, process):
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        address = next(one for one in api.leases.lease(2) if one.version == 6)
        api.leases.prepare_table()
        process.recorder.forget()
        put = next(one for one in deallocations.wordings() if one.judged and one.method == "PUT")
        api.note(deallocation.granted(put.clause.replace("refused", "after"), api.deallocate(address.id, put)))
        saved, (finding,) = reproductions.of_a_run(process), api.ruling_log.findings.values()
        api.close()
    assert list(setting.of(finding.to_json()).addresses) == [address.id]
    tried = reproductions.tried(saved, (finding,), where)
    due = ReproductionAnswer.REPRODUCED if where else ReproductionAnswer.NOT_REPRODUCED
    assert [one.answer for one in tried.outcomes] == [due], tried
    lost = replace(finding, setting={**finding.setting, "addresses": {}})
    unknown = reproductions.tried(saved, (lost,), where)
    assert [one.answer for one in unknown.outcomes] == [ReproductionAnswer.NOT_TRIED], unknown


def test_what_overlapped_does_not_stand_before_though_it_was_answered_first() -> None:
    """Exchanges are recorded as their answers come."""
    address = "a2addbb8-7dbb-48ec-8566-cc66371fe6a1"
    url = f"http://127.0.0.1/v2/servers/s/ip_associations/{address}"

    def told(number: int, method: str, operation: str, at: float) -> dict[str, Any]:
        request = {"method": method, "url": url, "body": {"text": ""}}
        response = {"status": 201, "body": {"text": ""}}
        return {"id": str(number), "operation": operation, "at": at, "request": request, "response": response}

    slow, quick = told(1, "PUT", "updateAddress", 0.0), told(2, "PUT", "associate", 0.1)
    needed = setting.derived([slow, quick], [quick, slow], details={"kind": "timeline"})
    assert needed.steps == ("1", "2")
    assert needed.standing == ()
