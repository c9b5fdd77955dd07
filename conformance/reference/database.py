"""The state of the reference deployment in a file, for several processes at once and beyond their end.

SQLite keeps it. A change happens in a transaction that locks the file; a read sees one moment of it. Who exists is
written by whichever process comes first, and read by all later ones; the tokens are those of each process.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from conformance.reference.store import Association, DeploymentState, Port, Server, Store, StoredAddress, Tokens

BUSY_SECONDS = 30.0
TABLES = """
CREATE TABLE IF NOT EXISTS world (one INTEGER PRIMARY KEY CHECK (one = 1), document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS addresses (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL, document TEXT NOT NULL, allocated INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS associations (
    number INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, server TEXT NOT NULL, UNIQUE (address, server)
);
"""


class Transactions:
    """The connections of a process, one a thread; as a context, the one change that the file takes at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._turn = threading.RLock()

    def connection(self) -> sqlite3.Connection:
        """Give this thread's connection."""
        if getattr(self._own, "connection", None) is None:
            self._own.depth = 0
            self._own.connection = sqlite3.connect(
                self._file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._own.connection.execute("PRAGMA synchronous = OFF")
            self._opened.append(self._own.connection)
        connection: sqlite3.Connection = self._own.connection
        return connection

    def __enter__(self) -> None:
        connection = self.connection()
        self._turn.acquire()  # the threads of a process wait here, and only processes at the file
        if self._own.depth == 0:
            connection.execute("BEGIN IMMEDIATE")
        self._own.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own.depth -= 1
        if self._own.depth == 0:
            self._own.connection.execute("COMMIT")  # a refusal after a change does not undo it, as in memory
        self._turn.release()

    @contextmanager
    def moment(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one moment of the file, or the change that this thread is making."""
        connection = self.connection()
        if self._own.depth:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close every connection; no request may be under way."""
        while self._opened:
            self._opened.pop().close()
        self._own = threading.local()


class KnownAddresses(MutableMapping[str, StoredAddress]):
    """Every address that ever was."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def __getitem__(self, identifier: str) -> StoredAddress:
        query = "SELECT document FROM addresses WHERE id = ?"
        row = self._transactions.connection().execute(query, (identifier,)).fetchone()
        if row is None:
            raise KeyError(identifier)
        return address_of(row[0])

    def __setitem__(self, identifier: str, address: StoredAddress) -> None:
        with self._transactions:
            self._transactions.connection().execute(
                "INSERT INTO addresses (id, document, allocated) VALUES (?, ?, 0)"
                " ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                (identifier, json.dumps(asdict(address))),
            )

    def __delitem__(self, identifier: str) -> None:
        raise TypeError("what was is not forgotten")

    def __iter__(self) -> Iterator[str]:
        rows = self._transactions.connection().execute("SELECT id FROM addresses ORDER BY number").fetchall()
        return (row[0] for row in rows)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def address_of(document: str) -> StoredAddress:
    """Read an address as it is written."""
    members = json.loads(document)
    return StoredAddress(**{**members, "port_ids": tuple(members["port_ids"])})


class Database(Store):
    """A store whose content is a file's. ``lock`` is a transaction; reading ``state`` reads, setting it writes."""

    def __init__(self, file: Path, tokens: Tokens, *, servers: int = 4, opaque_servers: bool = False) -> None:
        self._transactions = Transactions(file)
        super().__init__(tokens, servers=servers, opaque_servers=opaque_servers)

    def open(self) -> None:
        """Take the file's content, or let it begin with what this process made up."""
        self._transactions.connection().execute("PRAGMA journal_mode = WAL")
        self._transactions.connection().executescript(TABLES)
        self.lock, self.known = self._transactions, KnownAddresses(self._transactions)
        with self.lock:
            query = self._transactions.connection().execute
            query("INSERT OR IGNORE INTO world VALUES (1, ?)", (json.dumps(self._world()),))
            self._take(json.loads(query("SELECT document FROM world").fetchone()[0]))

    def close(self) -> None:
        """Close the file."""
        self._transactions.close()

    def _world(self) -> dict[str, object]:
        servers = [asdict(each) for each in self.servers.values()]
        ports = [asdict(each) for each in self.ports.values()]
        return {"tenants": [self.tenant, self.other_tenant], "servers": servers, "ports": ports}

    def _take(self, world: dict[str, list[dict[str, str]]]) -> None:
        tenants = dict(zip((self.tenant, self.other_tenant), world["tenants"], strict=True))
        self.callers = {
            token: type(caller)(str(tenants[caller.tenant]), caller.may_write) for token, caller in self.callers.items()
        }
        self.tenant, self.other_tenant = map(str, world["tenants"])
        self.servers = {each["id"]: Server(**each) for each in world["servers"]}
        self.ports = {each["id"]: Port(**each) for each in world["ports"]}

    @property
    def state(self) -> DeploymentState:
        """What is allocated and associated at this moment."""
        with self._transactions.moment() as connection:
            query = connection.execute
            addresses = query("SELECT document FROM addresses WHERE allocated ORDER BY number").fetchall()
            associations = query("SELECT address, server FROM associations ORDER BY number").fetchall()
        alive = [address_of(document) for (document,) in addresses]
        return DeploymentState({one.id: one for one in alive}, tuple(Association(*pair) for pair in associations))

    @state.setter
    def state(self, state: DeploymentState) -> None:
        with self.lock:
            connection = self._transactions.connection()
            connection.execute("UPDATE addresses SET allocated = 0")
            for address in state.addresses.values():
                self.known[address.id] = address
                connection.execute("UPDATE addresses SET allocated = 1 WHERE id = ?", (address.id,))
            connection.execute("DELETE FROM associations")
            pairs = [(each.address, each.server) for each in state.associations]
            connection.executemany("INSERT INTO associations (address, server) VALUES (?, ?)", pairs)

    def turn(self, version: int) -> int:
        """Count the addresses that were ever made up, by whichever process."""
        query = "SELECT count(*) FROM addresses WHERE json_extract(document, '$.version') = ?"
        return int(self._transactions.connection().execute(query, (version,)).fetchone()[0])
