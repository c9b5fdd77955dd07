"""Where clauses come from: what their ``source`` cites in ``spec/README.md``, and what their families are about.

The page links each name to what stands there, so that nobody has to look it up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from conformance import SPEC, catalogue, contract
from conformance.catalogue import Family

_PART = re.compile(r"^\| page: ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
_LITERATURE = re.compile(r"^\| ((?:RFC|Herlihy)[^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
_DECISION = re.compile(r"^(\d+)\. (.+?)(?=\n\n|\n\d+\. |\Z)", re.MULTILINE | re.DOTALL)
_WORK = re.compile(r"RFC \d+|Herlihy and Wing")
_CITED = re.compile(r"(decisions? )(\d+(?:(?:, | and )\d+)*)")


@dataclass(frozen=True, slots=True)
class Source:
    """Something that clauses cite, and what stands there. ``anchor`` is its place on the page."""

    name: str
    anchor: str
    text: str


@cache
def known() -> tuple[Source, ...]:
    """The parts of the page, the literature, then the decisions, in the order of the specification."""
    readme = (SPEC / "README.md").read_text(encoding="utf-8")
    told = {name: f"{part}: {supplies}" for name, part, supplies in _PART.findall(readme)}
    for works, use in _LITERATURE.findall(readme):
        for work in dict.fromkeys(_WORK.findall(works)):
            told[work] = f"{told[work]}; {use}" if work in told else use
    decisions = readme.partition("\n## Decisions\n")[2]
    told |= {f"decision {number}": text for number, text in _DECISION.findall(decisions)}
    return tuple(Source(name, _anchor(name), _plain(text)) for name, text in told.items())


def headings() -> dict[str, Family]:
    """Family -> its title and introduction, as this suite words them; of every contract."""
    return {one.name: one for one in catalogue.load(chosen=contract.chosen(contract.SUPPORTING)).families}


def pieces(source: str) -> Iterator[tuple[str, str]]:
    """A clause's source in runs of text, each with the anchor that it leads to; empty for none."""
    anchors = {one.name: one.anchor for one in known()}
    names = sorted((name for name in anchors if not name.startswith(("decision ", "RFC "))), key=len, reverse=True)
    parts = re.compile("|".join([_WORK.pattern, *map(re.escape, names)]))
    for part in re.split(r"(?<=; )", source):
        if met := _CITED.search(part):
            yield part[: met.start(2)], ""
            yield from _linked(
                met[2], re.compile(r"\d+"), {name.rpartition(" ")[2]: to for name, to in anchors.items()}
            )
            yield part[met.end(2) :], ""
        else:
            yield from _linked(part, parts if part.startswith("page: ") else _WORK, anchors)


def _linked(text: str, names: re.Pattern[str], anchors: dict[str, str]) -> Iterator[tuple[str, str]]:
    end = 0
    for met in names.finditer(text):
        yield text[end : met.start()], ""
        yield met.group(), anchors.get(met.group(), "")
        end = met.end()
    yield text[end:], ""


def _anchor(name: str) -> str:
    return f"source-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"


def _plain(text: str) -> str:
    """The text without its markup, and without a last sentence that leads to a table."""
    plain = re.sub(r"\s+", " ", re.sub(r"[`*]", "", text)).strip()
    return plain if plain.endswith(".") or ". " not in plain else plain[: plain.rindex(". ") + 1]
