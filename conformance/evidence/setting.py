"""What must stand before a finding can be seen again, told from the exchanges that were recorded until then.

Pure: exchanges go in as a run document holds them, so that a report, a program and ``conformance reproduce`` say the
same of a finding, and say it of runs that were saved long ago, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self
from urllib.parse import unquote

Record = Mapping[str, Any]
Pair = tuple[str, str]
"""An association: the server's ID and the address's."""

ASSOCIATION = re.compile(r"/servers/([^/?]+)/ip_associations(?:/([^/?]+))?(?:\?.*)?$")
ADDRESS = re.compile(r"/ip_addresses/([^/?]+)$")
READS = frozenset({"listAssociations", "showAssociation", "listAddresses", "showAddress", "listPorts"})
SEQUENCES = frozenset({"steps", "timeline"})
"""Kinds of details whose exchanges are the finding, from the first to the last."""


@dataclass(frozen=True, slots=True)
class FindingSetup:
    """What a finding needs.

    Attributes:
        servers: the servers that it names, in the order of its words (server 1, server 2 ...).
        addresses: the run's own addresses that it names -> the literal; in order (address A, address B ...).
        standing: associations that stand before the first step.
        removed: associations that had stood and were removed.
        gone: those of the addresses that had been de-allocated, and are asked about all the same.
        steps: the exchanges to send again, in order.
        decisive: the exchange that breaks the clause.
    """

    servers: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    standing: tuple[Pair, ...] = ()
    removed: tuple[Pair, ...] = ()
    gone: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    decisive: str = ""

    def to_json(self) -> dict[str, Any]:
        """The setting as a finding in the run document holds it."""
        return {name: list(told) if isinstance(told, tuple) else told for name, told in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Record) -> Self:
        """The setting that :meth:`to_json` described."""
        pairs = {name: tuple((str(one[0]), str(one[1])) for one in document[name]) for name in ("standing", "removed")}
        return cls(
            servers=tuple(document["servers"]),
            addresses=dict(document["addresses"]),
            gone=tuple(document.get("gone", ())),
            steps=tuple(document["steps"]),
            decisive=document["decisive"],
            **pairs,
        )

    def names(self) -> dict[str, str]:
        """ID -> what a reader calls it: server 1, address A."""
        servers = {one: f"server {number}" for number, one in enumerate(self.servers, 1)}
        return servers | {one: f"address {_letter(number)}" for number, one in enumerate(self.addresses)}

    def narrowed(self, told: str) -> Self:
        """Without what stood beside the addresses that the text names."""
        kept = {one: literal for one, literal in self.addresses.items() if mentioned(one, literal, told.lower())}
        standing, removed = (tuple(one for one in pairs if one[1] in kept) for pairs in (self.standing, self.removed))
        gone = tuple(one for one in self.gone if one in kept)
        return replace(self, addresses=kept, standing=standing, removed=removed, gone=gone)

    def in_words(self, text: str) -> str:
        """The text with what a run chose called by its name."""
        for identifier, name in self.names().items():
            for label in ("address ", "server ", ""):
                text = text.replace(f"{label}{identifier}", name)
        return text


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def of(finding: Record) -> FindingSetup:
    """The setting of a finding in a run document; one that does not tell it is derived from its exchanges."""
    told = finding.get("setting")
    if told:
        return FindingSetup.from_json(told)
    words = f"{finding.get('expected', '')} {finding.get('observed', '')}"
    return derived(finding.get("exchanges", ()), details=finding.get("details", {}), words=words)


def is_sequence(details: Record) -> bool:
    """The exchanges are the finding, from the first to the last."""
    return details.get("kind") in SEQUENCES


def derived(
    cited: Sequence[Record],
    earlier: Iterable[Record] = (),
    *,
    details: Record,
    decisive: str = "",
    words: str = "",
    origins: Mapping[str, Record] | None = None,
) -> FindingSetup:
    """What the cited exchanges need.

    Args:
        earlier: everything that was recorded before the first of them, and maybe more, in order.
        details: as a finding holds them; of a sequence every exchange is a step, else only what is no set-up and no
            read, and what a sequence began with is what its model believed, whatever reads showed.
        decisive: the exchange that breaks the clause; empty for the last that is no read.
        words: what else names addresses: what no exchange shows may be what is missing.
        origins: address -> the exchange that allocated it, which may be long ago.
    """
    if not cited:
        return FindingSetup()
    sequence = is_sequence(details)
    steps = list(cited) if sequence else _steps(cited, decisive)
    last = decisive or str(steps[-1]["id"])
    facts = _Facts()
    sent = {str(one["id"]) for one in steps}  # one that began later may be recorded before the first
    before = [one for one in _until(earlier, str(steps[0]["id"])) if str(one["id"]) not in sent]
    asked = "\n".join(map(_asked, cited)).lower()
    for one in (one for address, one in (origins or {}).items() if mentioned(address, "", asked)):
        facts.learn(one)
    others = [one for one in cited if str(one["id"]) != last]  # what is wrong says nothing of whose an address is
    for one in before or others:
        facts.learn(one)
    for one in others:
        facts.name(one)
    stood = _Facts()
    began = [str(one["id"]) for one in cited].index(str(steps[0]["id"]))
    for one in before or list(cited)[:began]:
        stood.learn(one)
    if not before and not sequence:
        stood.suppose(steps[-1], facts.literals)
    believed = _believed(details)
    if believed is not None:
        stood.standing = dict.fromkeys(believed)
    told = "\n".join([words, *map(_text, cited)]).lower()
    return _setting(cited, facts, stood, told, steps=tuple(str(one["id"]) for one in steps), decisive=last)


def _believed(details: Record) -> list[Pair] | None:
    """What stood before a sequence of steps; None if it is no such sequence, or its model was in doubt."""
    initial: list[Record] = list(details.get("initial") or [])
    names: Mapping[str, str] = details.get("names") or {}
    if details.get("kind") != "steps" or len(initial) != 1:
        return None
    return [
        (names.get(server, server), names.get(address, address))
        for address, servers in initial[0].items()
        for server in servers or ()
    ]


def _setting(cited: Sequence[Record], facts: _Facts, stood: _Facts, told: str, **sent: Any) -> FindingSetup:
    asked = "\n".join(map(_asked, cited)).lower()
    known = {one: literal for one, literal in facts.literals.items() if mentioned(one, literal, told)}
    gone = {one for one in stood.gone if not mentioned(one, known.get(one, ""), asked)}
    addresses = {one: literal for one, literal in known.items() if one not in gone}
    servers = dict.fromkeys(server for one in cited if (server := place(one["request"]["url"])[0]))
    standing = [pair for pair in stood.standing if pair[1] in addresses]
    removed = [pair for pair in stood.removed if pair[1] in addresses and pair not in stood.standing]
    servers.update(dict.fromkeys(server for server, _ in (*standing, *removed)))
    asked_again = tuple(one for one in addresses if one in stood.gone)
    return FindingSetup(tuple(servers), addresses, tuple(standing), tuple(removed), asked_again, **sent)


def mentioned(identifier: str, literal: str, told: str) -> bool:
    """The text, in lower case, names the address: by its ID, the digits of it, or its literal."""
    bare = identifier.lower().replace("-", "")
    return identifier.lower() in told or bare in told or (bool(literal) and literal.lower() in told)


def _steps(cited: Sequence[Record], decisive: str) -> list[Record]:
    """Without the looks, and without the set-up at the beginning; a finding of reads alone is its last one.

    A read that is cited before the decisive request, the last that is no read unless stated, is no look: it came right
    before it.
    """
    ids = [str(one["id"]) for one in cited]
    last = max((at for at, one in enumerate(cited) if one["operation"] not in READS), default=0)
    place = ids.index(decisive) if decisive in ids else last
    acts = [one for at, one in enumerate(cited) if at < place or one["operation"] not in READS]
    made: set[str] = set()
    while len(acts) > 1 and acts[0]["operation"] in {"associate", "allocateAddress"} and _granted(acts[0]):
        if acts[0]["request"]["url"] in made:
            break  # once more right before something else
        made.add(acts.pop(0)["request"]["url"])
    if decisive in (ids := [str(one["id"]) for one in acts]):
        acts = acts[: ids.index(decisive) + 1]
    return acts or [cited[-1]]


def _until(earlier: Iterable[Record], first: str) -> Iterator[Record]:
    for one in earlier:
        if str(one["id"]) == first:
            return
        yield one


def _granted(one: Record) -> bool:
    return bool(one["response"]) and 200 <= one["response"]["status"] < 300


def place(url: str) -> tuple[str, str]:
    """The server and the address that the path names, as far as it does."""
    if found := ASSOCIATION.search(url):
        return unquote(found[1]), unquote(found[2] or "")
    found = ADDRESS.search(url)
    return "", unquote(found[1]) if found else ""


def _asked(one: Record) -> str:
    return "\n".join([unquote(one["request"]["url"]), one["request"]["body"].get("text", "")])


def _text(one: Record) -> str:
    answer = one["response"]["body"].get("text", "") if one["response"] else ""
    return f"{_asked(one)}\n{answer}"


def document_of(one: Record) -> Any:
    """The answer's body as JSON; None when it is none."""
    try:
        return json.loads(one["response"]["body"].get("text", "")) if one["response"] else None
    except (ValueError, RecursionError):
        return None


class _Facts:
    """What stands, as far as the exchanges tell it: they are learned from in the order of sending."""

    def __init__(self) -> None:
        self.literals: dict[str, str] = {}
        self.standing: dict[Pair, None] = {}
        self.removed: dict[Pair, None] = {}
        self.gone: set[str] = set()

    def learn(self, one: Record) -> None:
        """Take over what the exchange did and what its answer shows."""
        if one["operation"] in LESSONS and one["response"]:
            LESSONS[one["operation"]](self, one, *place(one["request"]["url"]))

    def name(self, one: Record) -> None:
        """Know the addresses that an association of the exchange names, whether or not it still stands."""
        if one["operation"] in {"associate", "showAssociation"} and _granted(one):
            self._know(place(one["request"]["url"])[1], one)

    def suppose(self, step: Record, known: Mapping[str, str]) -> None:
        """A removal that names a known address had something to remove, where nothing is told of it."""
        server, address = place(step["request"]["url"])
        whole = {one for one in known if one.lower() == address.lower()} or set(list(known)[:1])
        if server and step["operation"] not in {"deallocateAddress", "updateAddress"}:
            for one in whole:
                self.standing[server, one] = None

    def _know(self, address: str, one: Record) -> None:
        document = document_of(one)
        inner = document.get("ip_address", document.get("ip_association")) if isinstance(document, dict) else None
        literal = inner.get("address") if isinstance(inner, dict) else None
        self.literals[address] = str(literal or self.literals.get(address, ""))

    def allocated(self, one: Record, _server: str, _address: str) -> None:
        """An address of the run's own."""
        document = document_of(one)
        inner = document.get("ip_address") if isinstance(document, dict) else None
        if _granted(one) and isinstance(inner, dict) and isinstance(inner.get("id"), str):
            self._know(inner["id"], one)

    def associated(self, one: Record, server: str, address: str) -> None:
        """It stands from here on."""
        if _granted(one):
            self._know(address, one)
            self.standing[server, address] = None
            self.removed.pop((server, address), None)

    def association_removed(self, one: Record, server: str, address: str) -> None:
        """What stood is gone."""
        if one["response"]["status"] == 204 and (server, address) in self.standing:
            self._gone(server, address)

    def association_shown(self, one: Record, server: str, address: str) -> None:
        """It stands, or it does not."""
        if _granted(one):
            self._know(address, one)
            self._shown(server, address)
        elif one["response"]["status"] in {400, 404} and (server, address) in self.standing:
            self._gone(server, address)

    def associations_listed(self, one: Record, server: str, _address: str) -> None:
        """What stands at the server, and what does not."""
        document = document_of(one)
        rows = document.get("ip_associations") if isinstance(document, dict) else None
        if not _granted(one) or not isinstance(rows, list):
            return
        shown = {row["id"]: str(row.get("address", "")) for row in rows if isinstance(row, dict) and "id" in row}
        for address, literal in shown.items():
            self.literals[address] = literal or self.literals.get(address, "")
            self._shown(server, address)
        for pair in [pair for pair in self.standing if pair[0] == server and pair[1] not in shown]:
            self._gone(*pair)

    def address_shown(self, one: Record, _server: str, address: str) -> None:
        """The address has a literal."""
        if _granted(one):
            self._know(address, one)

    def address_removed(self, one: Record, _server: str, address: str) -> None:
        """Its associations went with it."""
        if _granted(one):
            self.gone.add(address)
            for pair in [pair for pair in self.standing if pair[1] == address]:
                self._gone(*pair)

    def address_updated(self, one: Record, server: str, address: str) -> None:
        """Without ports it is gone."""
        try:
            document = json.loads(one["request"]["body"].get("text", ""))
        except (ValueError, RecursionError):
            return
        inner = document.get("ip_address") if isinstance(document, dict) else None
        if isinstance(inner, dict) and not inner.get("port_ids"):
            self.address_removed(one, server, address)

    def _shown(self, server: str, address: str) -> None:
        """A read brings back nothing that was removed: what still shows it is the finding, not its set-up."""
        if (server, address) not in self.removed:
            self.standing[server, address] = None

    def _gone(self, server: str, address: str) -> None:
        self.standing.pop((server, address), None)
        self.removed[server, address] = None


LESSONS: Mapping[str, Callable[[_Facts, Record, str, str], None]] = {
    "allocateAddress": _Facts.allocated,
    "associate": _Facts.associated,
    "removeAssociation": _Facts.association_removed,
    "showAssociation": _Facts.association_shown,
    "listAssociations": _Facts.associations_listed,
    "showAddress": _Facts.address_shown,
    "deallocateAddress": _Facts.address_removed,
    "updateAddress": _Facts.address_updated,
}
"""What is learned from an exchange, by its operation."""
