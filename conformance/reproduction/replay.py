"""Steps of a sequence or of a round, sent again, and whether some order of them explains what came of it.

Who of overlapping callers wins is chance, and other answers than those of the run may be just as wrong. So what is
sent here has a history of its own, from the associations that were arranged to the reads that come last, and the model
of the driver's sequences and rounds judges that. It refuses to hold a read against the target that was made before
effects had time to settle (spec/README.md, decision 6), and a refusal that may be late (decision 14).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from conformance.client import Client, retried
from conformance.driver.observer import Observer
from conformance.driver.standing import ALONE, BUDGET, READER
from conformance.evidence import Exchange, setting
from conformance.judge import Pair, state
from conformance.model.history import Completion, Operation, timed
from conformance.model.linearize import SearchResult, check
from conformance.model.sequential import address_model, outcome

FUNCTIONS: Mapping[str, str] = {
    "associate": "associate",
    "removeAssociation": "remove",
    "listAssociations": "list",
    "showAssociation": "show",
    "showAddress": "show_address",
    "deallocateAddress": "deallocate",
    "updateAddress": "deallocate",
}
"""The operation of an exchange -> what the model calls it."""

LATE = frozenset({"deallocate", "associate"})
"""What may be refused because the target learns late."""

Record = Mapping[str, Any]


class Replay:
    """Plays the steps of one finding, as often as it is asked to, on connections that stay open.

    Args:
        addresses: IDs of those that it is about; no other is judged.
        servers: those of which the lists are read in the end.
        send: sends a step of the run here.
    """

    def __init__(
        self,
        observer: Observer,
        client: Client,
        addresses: Sequence[str],
        servers: Sequence[str],
        send: Callable[[Record], Exchange],
    ) -> None:
        self._observer = observer
        self._client = client
        self._addresses = list(addresses)
        self._servers = list(servers) or list(client.target.servers[:1])
        self._send = send
        self._callers: list[ThreadPoolExecutor] = []

    def close(self) -> None:
        """Let the callers go."""
        for caller in self._callers:
            caller.shutdown()

    def play(self, groups: Iterable[Sequence[Record]], *, spread: bool) -> list[list[Exchange]]:
        """Send each group at once; with ``spread`` as far apart as the run did."""
        return [self._at_once(group, spread=spread) for group in groups]

    def _at_once(self, group: Sequence[Record], *, spread: bool) -> list[Exchange]:
        if len(group) == 1:
            return [self._send(group[0])]
        first = min(float(one["at"]) for one in group)
        signal: list[float] = []
        barrier = threading.Barrier(len(group), action=lambda: signal.append(time.monotonic()))

        def go(step: Record) -> Exchange:
            barrier.wait()
            late = float(step["at"]) - first if spread else 0.0
            time.sleep(max(0.0, signal[0] + late - time.monotonic()))
            return self._send(step)

        self._warm_up(len(group))
        waiting = [caller.submit(go, step) for caller, step in zip(self._callers, group, strict=False)]
        return [one.result() for one in waiting]

    def _warm_up(self, count: int) -> None:
        """Open the callers' connections first: that would take longer than the windows that are sought."""
        while len(self._callers) < count:
            self._callers.append(ThreadPoolExecutor(1))
        server, address = self._servers[0], self._addresses[0]
        for caller in self._callers:
            caller.submit(self._client.list_associations, server).result()
            caller.submit(self._client.show_address, address).result()

    def unexplained(self, arranged: Iterable[Exchange], played: Iterable[Exchange]) -> str:
        """What no order explains, in a sentence; empty if one does, or where that cannot be told."""
        acts = [one for one in played if one.operation not in setting.READS]
        done = [*self._operations(arranged, ALONE), *self._concurrent(acts)]
        done = self._without_the_late(done)
        if not _explained(done):
            return "no order explains the answers: " + ", ".join(one.outcome for one in acts)
        looks = list(self._looks(acts))
        reads = self._observer.awaited(
            lambda: [*self._operations((retried(look) for look in looks), READER)],
            lambda seen: _explained([*done, *seen]),
        )
        if _explained([*done, *reads]):
            return ""
        shown = ", ".join(f"{one.input['f']} {one.output}" for one in reads)
        return f"no order explains {', '.join(one.outcome for one in acts)} and the reads after them: {shown}"

    def _concurrent(self, acts: Iterable[Exchange]) -> Iterator[Operation]:
        for number, one in enumerate(acts, 1):
            yield from self._operations([one], f"caller {number}")

    def _operations(self, exchanges: Iterable[Exchange], process: int | str) -> Iterator[Operation]:
        for one in exchanges:
            asked = self._asked(one)
            if asked:
                kind = outcome(one.status)
                returned = one.finished if kind != Completion.UNKNOWN else None
                yield Operation(process, asked, self._told(asked, one), kind, one.started, returned)

    def _asked(self, one: Exchange) -> dict[str, Any]:
        """The exchange as the model words it; nothing if it is about nothing that is judged."""
        server, address = setting.place(one.request.url)
        f = FUNCTIONS.get(one.operation, "")
        own = next((known for known in self._addresses if known.lower() == unquote(address).lower()), "")
        if f == "list":
            return {"f": f, "server": server}
        if not f or not own:
            return {}
        if f == "deallocate":
            ports = ports_named(one)
            return {"f": "replace_ports", "address": own, "ports": ports} if ports else {"f": f, **_by(own, one)}
        return {"f": f, "address": own} | ({} if f == "show_address" else {"server": server})

    def _told(self, asked: Mapping[str, Any], one: Exchange) -> dict[str, Any]:
        told: dict[str, Any] = {"status": one.status}
        if asked["f"] != "list" or one.status != 200:
            return told
        listed = state.from_list(one, asked["server"], self._addresses).listed
        return (
            told | {"addresses": [pair.address for pair, stands in listed.items() if stands]}
            if listed
            else {"status": None}
        )

    def _looks(self, acts: Iterable[Exchange]) -> Iterator[Callable[[], Exchange]]:
        asked = [self._asked(one) for one in acts]
        for server in self._servers:
            yield lambda server=server: self._client.list_associations(server)  # type: ignore[misc]
        for pair in dict.fromkeys(Pair(one["address"], one["server"]) for one in asked if one.get("server")):
            yield lambda pair=pair: self._client.show_association(pair.server, pair.address)  # type: ignore[misc]
        for address in dict.fromkeys(one["address"] for one in asked if one and one["f"] == "deallocate"):
            yield lambda address=address: self._client.show_address(address)  # type: ignore[misc]

    def _without_the_late(self, done: list[Operation]) -> list[Operation]:
        """What was done; what was refused, and may be only because the target learns late, is asked once more."""
        late = [one for one in done if one.outcome == Completion.FAIL and one.input["f"] in LATE]
        agreed = [one for one in done if one not in late]
        if not late or _explained(done) or not _explained(agreed):
            return done
        for one in late:
            agreed = self._awaited(one, agreed)
        return agreed

    def _awaited(self, refused: Operation, agreed: list[Operation]) -> list[Operation]:
        """What was done, and what the refused one is answered as soon as that is explained."""
        return self._observer.awaited(
            lambda: [*agreed, *self._operations([self._once_more(refused.input)], refused.process)], _explained
        )

    def _once_more(self, asked: Mapping[str, Any]) -> Exchange:
        if asked["f"] == "associate":
            return retried(lambda: self._client.associate(asked["server"], asked["address"]))
        if asked["by"] == "DELETE":
            return retried(lambda: self._client.deallocate_address(asked["address"]))
        return retried(lambda: self._client.update_address(asked["address"], ()))


def ports_named(one: Exchange) -> list[str]:
    """The ports that an address is to have; none de-allocate it, and a DELETE names none."""
    try:
        document = json.loads(one.to_json()["request"]["body"].get("text", ""))
    except ValueError:
        return []
    inner = document.get("ip_address") if isinstance(document, dict) else None
    named = inner.get("port_ids") if isinstance(inner, dict) else None
    return [str(port).lower() for port in named] if isinstance(named, list) else []


def _by(address: str, one: Exchange) -> dict[str, str]:
    return {"address": address, "by": one.request.method}


def _explained(done: Iterable[Operation]) -> bool:
    return check(address_model(), timed(done), BUDGET).verdict is not SearchResult.ILLEGAL
