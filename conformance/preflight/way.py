"""Checks of the way to the target: its services, the encryption, the clocks, and how long the way is."""

from __future__ import annotations

import email.utils
import ipaddress
import statistics
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from conformance.client import passing
from conformance.evidence import Exchange
from conformance.preflight.checklist import Check, Status
from conformance.preflight.cost import COSTS, Durations, in_words
from conformance.preflight.reads import ATTEMPTS, Reads

FEW_DAYS = 14
DAY_SECONDS = 86400.0
SKEW_SECONDS = 5.0
"""A Date is in whole seconds, and written before the answer has arrived: less than this is no skew."""


def services(reads: Reads) -> Iterator[Check]:
    """One read on each service: does it answer, and does it take the token?"""
    target = reads.target
    yield _service("network", target.network, reads.addresses())
    if target.servers:
        yield _service("compute", target.compute, reads.associations(target.servers[0]))
    else:
        yield Check("compute", Status.UNCHECKED, "no server is known to ask for")


def _service(service: str, url: str, exchange: Exchange) -> Check:
    if exchange.status == 401:
        words = f"{service} at {url} refuses the token: {exchange.outcome}"
        return Check(service, Status.PROBLEM, words, "is it current, and of this cloud?")
    if passing(exchange):
        words = f"{service} at {url} cannot be judged: {exchange.outcome}"
        return Check(service, Status.PROBLEM, words, _advice(exchange))
    return Check(service, Status.OK, f"{url} answers, and takes the token")


def _advice(exchange: Exchange) -> str:
    if exchange.response:
        return f"answered so {ATTEMPTS} times in a row"
    if exchange.failure.startswith("TLS"):
        return "is the certificate valid for this host, and its authority known here?"
    return "is the URL right, and the service up?"


def encryption(reads: Reads) -> Iterator[Check]:
    """Is the way to the services private, and for how long yet?"""
    places = {urlsplit(url)[:2]: url for url in (reads.target.network, reads.target.compute)}
    for (scheme, place), url in places.items():
        if scheme == "http":
            yield _in_clear(place, urlsplit(url).hostname or "")
        elif (ends := reads.client.certificate_ends(url)) is None:
            yield Check("TLS", Status.UNCHECKED, f"no certificate of {place} was accepted")
        else:
            yield _lasting(place, (ends - time.time()) / DAY_SECONDS)


def _in_clear(place: str, host: str) -> Check:
    if _on_this_machine(host):
        return Check("TLS", Status.UNCHECKED, f"plain HTTP to {place}, on this machine")
    return Check("TLS", Status.WARNING, f"plain HTTP to {place}", "anyone on the way can read the token; use https")


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lasting(place: str, days: float) -> Check:
    words = f"the certificate of {place} is accepted, and valid for {days:.0f} more days"
    if days < FEW_DAYS:
        return Check("TLS", Status.WARNING, words, "renew it in time")
    return Check("TLS", Status.OK, words)


def clock(reads: Reads) -> Iterator[Check]:
    """Do the two sides agree on the time?"""
    quickest = {urlsplit(one.request.url).netloc: one for one in sorted(reads.answered, key=_seconds, reverse=True)}
    skews = [skew for skew in map(_skew, quickest.values()) if skew is not None]
    if not skews:
        yield Check("clock", Status.UNCHECKED, "no answer carries a Date")
        return
    skew = max(skews, key=abs)
    if abs(skew) >= SKEW_SECONDS:
        words = f"the target's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this one"
        yield Check("clock", Status.WARNING, words, "a Retry-After with a date will be misread; set the clocks by NTP")
    else:
        yield Check("clock", Status.OK, f"both sides agree within {SKEW_SECONDS:.0f} s")


def _skew(exchange: Exchange) -> float | None:
    """Seconds by which the target's clock is ahead (RFC 9110, 6.6.1); None when the answer does not say."""
    date = exchange.response.header("Date") if exchange.response else None
    try:
        theirs = email.utils.parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return theirs - (exchange.at + _seconds(exchange) / 2)


def _seconds(exchange: Exchange) -> float:
    return exchange.finished - exchange.started


def price(reads: Reads, writes: Mapping[str, float]) -> Iterator[Check]:
    """How long is the way, and how long will a run take?

    Args:
        writes: as :class:`Durations` has them; what was not tried is taken to last no longer than a read.
    """
    if not reads.answered:
        return
    latency = statistics.median(map(_seconds, reads.answered))
    pacer = reads.client.pacer
    paced = f"; no more than {pacer.per_second:g} requests a second are sent" if pacer.per_second else ""
    unknown = "" if writes else "; how long changes take is not known without --allocate"
    words = f"{latency * 1000:.0f} ms, the median of {len(reads.answered)} reads{paced}{unknown}"
    yield Check("latency", Status.OK, words)
    for depth, cost in COSTS.items():
        taken = in_words(cost.seconds(reads.target, Durations(latency, writes), pacer))
        words = f"about {cost.requests:,} requests, {taken} or more, one after the other"
        yield Check(depth, Status.OK, words)
