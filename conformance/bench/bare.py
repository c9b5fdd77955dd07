"""``python -m conformance.bench.bare URL SERVER COUNT``: what so many requests cost without a suite around them.

A program of its own, so that nothing but the loop is in its process. Reads and refused removals take turns.
"""

from __future__ import annotations

import json
import os
import sys
import time

import requests

NOBODYS = "00000000-0000-4000-8000-000000000000"
TIMEOUT_SECONDS = 30.0


def loop(url: str, server: str, count: int) -> None:
    """Send ``count`` requests one after the other on one connection, and read each answer."""
    associations = f"{url}/v2/servers/{server}/ip_associations"
    with requests.Session() as session:
        session.headers["X-Auth-Token"] = os.environ["CONFORMANCE_TOKEN"]
        for number in range(count):
            method, place = ("DELETE", f"{associations}/{NOBODYS}") if number % 2 else ("GET", associations)
            session.request(method, place, timeout=TIMEOUT_SECONDS).content  # noqa: B018  # read to its end


def main() -> None:
    """Send, and write the seconds of wall and processor time as JSON."""
    url, server, count = sys.argv[1:]
    began, busy = time.monotonic(), time.process_time()
    loop(url, server, int(count))
    told = {"wall": time.monotonic() - began, "cpu": time.process_time() - busy}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
