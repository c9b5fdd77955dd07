"""The reference deployment keeps its state in a file: it outlives a process, and two of them share one address."""

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from foreign_services import explains
from run_processes import TOKENS, Ran, Served, run, serve

from conformance.reference import replicas
from conformance.reference.database import Database
from conformance.reference.registry import Fault
from conformance.reference.store import Association, DeploymentState, StoredAddress, Tokens

pytestmark = pytest.mark.once

HEADERS = {"X-Auth-Token": TOKENS["CONFORMANCE_TOKEN"]}


def opened(file: Path) -> Database:
    """A store of the file, as a process opens it."""
    return Database(file, Tokens(*TOKENS.values()))


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """Two processes' stores of one file."""
    both = opened(tmp_path / "state.db"), opened(tmp_path / "state.db")
    yield both
    for store in both:
        store.close()


def allocated(store: Database) -> StoredAddress:
    """An address that a store has allocated."""
    port = store.port_of(store.servers_of(store.tenant)[0])
    with store.lock:
        address = store.fresh_address(store.tenant, 4, (port,))
        store.state = store.state.with_address(address)
    return address


def test_what_one_writes_the_other_reads(stores: tuple[Database, Database]) -> None:
    """Tenants, servers, ports, addresses and associations, those that are gone among the known."""
    one, other = stores
    assert (one.tenant, one.servers, one.ports, one.callers) == (
        other.tenant,
        other.servers,
        other.ports,
        other.callers,
    )
    address = allocated(one)
    used = Association(address.id, one.servers_of(one.tenant)[0])
    with one.lock:
        one.state = one.state.with_association(used)
    assert other.state == DeploymentState({address.id: address}, (used,))
    with other.lock:
        other.state = DeploymentState()
    assert one.state == DeploymentState()
    assert one.known[address.id] == address


def test_addresses_of_two_processes_differ(stores: tuple[Database, Database]) -> None:
    """Whoever makes one up takes the next literal."""
    assert len({allocated(store).address for store in (*stores, *stores)}) == 4


def test_a_change_waits_for_the_change_of_another_process(stores: tuple[Database, Database]) -> None:
    """What is read within a transaction is what is written over."""
    one, other = stores
    impatient = other._transactions.connection()
    impatient.execute("PRAGMA busy_timeout = 0")
    with one.lock, pytest.raises(sqlite3.OperationalError, match="locked"):
        impatient.execute("BEGIN IMMEDIATE")


def test_the_state_outlives_its_process(tmp_path: Path) -> None:
    """A server that is started again on the file has the servers and addresses that it had."""
    file = tmp_path / "state.db"
    with serve(tmp_path, "--state", str(file)) as served:
        ports = requests.get(f"{served.url}/v2.0/ports", headers=HEADERS, timeout=10).json()["ports"]
        wanted = {"network_id": ports[0]["network_id"], "version": 4, "port_ids": [ports[0]["id"]]}
        made = requests.post(
            f"{served.url}/v2.0/ip_addresses", json={"ip_address": wanted}, headers=HEADERS, timeout=10
        )
        before = served.addresses()
        assert before == {made.json()["ip_address"]["id"]}
    with serve(tmp_path, "--state", str(file)) as served:
        assert served.addresses() == before
        again = requests.get(f"{served.url}/v2.0/ports", headers=HEADERS, timeout=10).json()["ports"]
        assert [one["id"] for one in again] == [one["id"] for one in ports]


def test_without_a_file_a_port_is_one_process(tmp_path: Path) -> None:
    """Two deployments that know nothing of each other never answer on one port."""
    with serve(tmp_path) as served, contextlib.closing(socket.socket()) as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            second.bind(("127.0.0.1", int(served.url.rpartition(":")[2])))


@contextlib.contextmanager
def replicated(folder: Path, *arguments: object) -> Iterator[Served]:
    """Two processes behind one address, on one file; the kernel spreads the connections."""
    file = folder / "state.db"
    with serve(folder, "--state", str(file), *map(str, arguments)) as first:
        port = first.url.rpartition(":")[2]
        with serve(folder, "--state", str(file), "--port", port, *map(str, arguments)):
            yield first


def judged(folder: Path, *arguments: object, faults: tuple[str, ...] = ()) -> Ran:
    """Judge two processes with the faults."""
    with replicated(folder, *(word for fault in faults for word in ("--fault", fault))) as served:
        return run(folder, "--target", served.description, *arguments)


@pytest.mark.slow
def test_two_processes_on_one_file_conform(tmp_path: Path) -> None:
    """Requests of one run go to both, overlapping ones too."""
    ran = judged(tmp_path)
    assert ran.code == 0, ran.output


CONSEQUENCES = {
    "effect.removed": "an overwritten removal stands again",
    "effect.nothing-else": "what the other process wrote is overwritten",
    "effect.refusal-is-inert": "what was left alone is shown otherwise by the other process",
    "effect.repeat": "as above",
    "codes.success": "what was made is overwritten",
    "lifecycle.model": "a stale read is in no sequence",
    "concurrency.linearizable": "a stale read is in no order",
    "deallocation.delete-after": "a de-allocated address is still read",
    "deallocation.put-after": "a de-allocated address is still read",
}


@pytest.mark.replicas
@pytest.mark.parametrize("fault", replicas.registry.faults, ids=lambda fault: fault.name)
def test_faults_of_several_processes_are_found(fault: Fault, tmp_path: Path) -> None:
    """Each is right within a process."""
    options = ("-k", "effect") if fault.breaks == ("effect.removed",) else ("-k", "concurrency", "--depth", "standard")
    explains(judged(tmp_path, *options, faults=(fault.name,)), fault.breaks[0], CONSEQUENCES)


@pytest.mark.replicas
def test_the_lock_of_a_process_is_enough_for_one(tmp_path: Path) -> None:
    """The same deployment as one process passes, so it is the second that is at fault."""
    with serve(tmp_path, "--state", str(tmp_path / "state.db"), "--fault", "the-lock-is-of-the-process") as served:
        ran = run(tmp_path, "--target", served.description, "-k", "concurrency")
    assert ran.code == 0, ran.output
