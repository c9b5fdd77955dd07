"""Writes a script for bash that tries a finding again with curl, where codes and the IDs in answers tell it.

It is for one request after the other. What hangs on more than a script can tell (content, members of an address, who
comes first, a fault that comes every time) has the program in Python alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from conformance.evidence import standalone
from conformance.evidence.curl import CONTENT_EXPECTED, curl, quoted
from conformance.evidence.exchange import Exchange, Request
from conformance.evidence.reproducer import Allocation, Plan, about, comment

MOST_REQUESTS = 12
LASTS_SECONDS = int(standalone.LASTS_SECONDS)
NAMES = re.compile(r"\$\{(?:ADDRESS|LITERAL)_\d+(?:\^\^|//-/|//:/%3A)?\}", re.ASCII)
OF_FIELDS = frozenset({"method.allow", "limits.retry-after"})
"""Clauses about more of an answer than its code."""
OWNER = ("X-Auth-Token", "$CONFORMANCE_TOKEN")

BEGINNING = r"""
made=() differs='' before='' answer=''
take_back() {
  for ((n = ${#made[@]} - 1; n >= 0; n--)); do
    curl -s -o /dev/null -X DELETE -H "X-Auth-Token: $CONFORMANCE_TOKEN" "${made[n]}"
  done
}
trap take_back EXIT

untried() { echo "COULD NOT BE TRIED: $1"; exit 3; }

# What was answered: the last line is the code.
code() { echo "${answer##*$'\n'}"; }
member() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" <<<"$answer" | head -n 1; }
granted() { [[ $(code) == 2?? ]] || untried "$1: $(code)"; }
# An address is ours if the answer names it by a UUID, and no list showed it before.
ours() {
  local hex=[0-9a-fA-F]
  [[ $1 =~ ^$hex{8}(-$hex{4}){3}-$hex{12}$ ]] && ! grep -qiF -- "$1" <<<"$before" ||
    untried "whose the address $(printf %q "$1") is cannot be known; it is left"
}
told() { echo "  $1: $(code) (in the run: $2)"; }
due() { [[ $(code) == "$1" ]] || differs=yes; }
shows() { grep -qiF -- "$1" <<<"$answer" || differs=yes; }
hides() { ! grep -qiF -- "$1" <<<"$answer" || differs=yes; }
"""

END = r"""
[[ -n $differs ]] && echo "NOT REPRODUCED: it is not as in the run any more" && exit 0
echo "REPRODUCED: it is as in the run"
exit 1
"""


def script(plan: Plan) -> str:
    """The script; empty where it could not tell."""
    names = _names(plan)
    steps = [one for _, group in plan.groups for one in group]
    telling = {one.id: plan.facts(one) for one in steps if one.id in plan.telling}
    alone = all(len(group) == 1 for _, group in plan.groups) and len(steps) <= MOST_REQUESTS
    owned = not any(one.operation == "allocateAddress" for one in steps)
    fields = plan.violation.clause in OF_FIELDS
    if (
        plan.persists
        or plan.gone
        or fields
        or not (alone and owned)
        or not all(map(_is_told_by_codes, telling.values()))
    ):
        return ""
    renamed = [_renamed(one, names) for one in steps]
    if any(one is None for one in renamed):
        return ""
    lines = [*_head(plan), *_set_up(plan, names)]
    for (pause, _), step in zip(plan.groups, renamed, strict=True):
        assert step is not None
        lines += _asked(step, pause, telling.get(step.id), names, wait=step.id in plan.lasting)
    return "\n".join([*lines, END])


def _is_told_by_codes(facts: list[Any]) -> bool:
    """No content came with a 204, and no read shows an address otherwise than when it was allocated."""
    code, *rest = facts
    rows = rest[0] if rest and code == 200 else ()
    return not (code == 204 and any(rest)) and not any(changed for _, changed in rows)


def _head(plan: Plan) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    yield from about(plan.violation, plan.observed)
    yield "# Ends with REPRODUCED (exit 1), NOT REPRODUCED (0) or COULD NOT BE TRIED (3); it takes back what it made."
    steps = [one for _, group in plan.groups for one in group]
    texts = "\n".join(f"{one.request.url}\n{one.request.headers}" for one in steps)
    for variable in sorted({"CONFORMANCE_TOKEN", *re.findall(r"CONFORMANCE_(?:\w+_)?TOKEN", texts)}):
        yield f'[[ -n ${{{variable}-}} ]] || {{ echo "COULD NOT BE TRIED: set {variable}"; exit 3; }}'
    yield BEGINNING


def _names(plan: Plan) -> dict[str, str]:
    """What the run called it -> the shell's expression for what it is called here."""
    names: dict[str, str] = {}
    for number, (address, how) in enumerate(_meant(plan), 1):
        bare = address.replace("-", "")
        names |= {address: f"${{ADDRESS_{number}}}", address.upper(): f"${{ADDRESS_{number}^^}}"}
        names |= {bare: f"${{ADDRESS_{number}//-/}}"}
        if how.literal:
            names |= {how.literal: f"${{LITERAL_{number}}}"}
        if ":" in how.literal:
            names |= {quote(how.literal, safe=""): f"${{LITERAL_{number}//:/%3A}}"}
    return names


def _meant(plan: Plan) -> list[tuple[str, Allocation]]:
    """What the finding is about; what stood beside it is for the program."""
    return [(address, how) for address, how in plan.allocations.items() if address in plan.named]


def _renamed(one: Exchange, names: Mapping[str, str]) -> Exchange | None:
    """The exchange with variables for what the run chose; None where it is spelt otherwise, too."""
    request = one.request
    body = _current(request.body.decode("latin-1"), names).encode("latin-1")
    headers = tuple((name, _current(value, names)) for name, value in request.headers)
    new = replace(request, url=_current(request.url, names), headers=headers, body=body)
    left = f"{new.url}\n{new.headers}\n{new.body.decode('latin-1')}"
    ids = [name for name, variable in names.items() if re.fullmatch(r"\$\{\w+\}", variable)]
    spelt = {word for name in ids for word in standalone.spellings(name)}
    if any(word in left for word in spelt):
        return None
    return replace(one, request=new)


def _current(text: str, names: Mapping[str, str]) -> str:
    if not names:
        return text
    known = sorted(names, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, known)), lambda met: names[met.group()], text)


def _set_up(plan: Plan, names: Mapping[str, str]) -> Iterator[str]:
    for number, (_, how) in enumerate(_meant(plan), 1):
        yield f"before=$({_sent(_owners('GET', how.exchange.request.url))})"
        yield f"answer=$({_sent(how.exchange)})"
        yield 'granted "no address is to be had"'
        yield f"ADDRESS_{number}=$(member id) LITERAL_{number}=$(member address)"
        yield f'ours "$ADDRESS_{number}"'
        yield f'made+=("{how.exchange.request.url}/$ADDRESS_{number}")'
    removed, standing = (
        [url for url in urls if url.rpartition("/")[2] in plan.named] for urls in (plan.removed, plan.standing)
    )
    for url in [*removed, *standing]:
        here = _current(url, names)
        yield f"answer=$({_sent(_owners('PUT', here))})"
        yield 'granted "an association could not be made"'
        yield f"made+=({_word(here)})"
    for url in removed:
        yield f"{_sent(_owners('DELETE', _current(url, names)))} > /dev/null"


def _owners(method: str, url: str) -> Exchange:
    return Exchange("", "", "full", Request(method, url, (OWNER, ("Accept", "application/json"))), 0.0, 0.0, 0.0)


def _word(url: str) -> str:
    return curl(_owners("GET", url), NAMES).rsplit(" ", 1)[1]


def _sent(one: Exchange) -> str:
    return f"{curl(one, NAMES)} -sS -w '\\n%{{http_code}}'"


def _asked(
    step: Exchange, pause: float, facts: list[Any] | None, names: Mapping[str, str], *, wait: bool
) -> Iterator[str]:
    """A request, and what of its answer has to come again."""
    waited = max(pause, LASTS_SECONDS if wait else 0)
    if waited:
        yield f"sleep {waited:g}"
    if step.request.method in CONTENT_EXPECTED and "/ip_associations/" in step.request.url:
        yield f"made+=({_word(step.request.url)})"
    yield f"answer=$({_sent(step)})"
    words = quoted(comment(f"{step.request.method} {step.request.url}"), NAMES)
    yield f"told {words} {step.status or '000'}"
    if facts is None:
        return
    yield f"due {step.status or '000'}"
    if step.request.method != "GET" or step.status != 200:
        return
    shown = {row[0] for row in facts[1]}
    addresses = [variable for variable in names.values() if re.fullmatch(r"\$\{ADDRESS_\d+\}", variable)]
    for number, variable in enumerate(addresses):
        yield f'{"shows" if number in shown else "hides"} "{variable}"'
