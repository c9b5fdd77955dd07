"""Serves a WSGI application on a free port of the loopback interface until the standard input ends."""

import json
import sys
import threading
from typing import Any

from cheroot.wsgi import Server
from frameworks.state import STATE


def serve(application: Any, name: str) -> None:
    """The first line written is a target description."""
    server = Server(("127.0.0.1", 0), application, numthreads=8)
    server.prepare()
    print(json.dumps(STATE.description(name, f"http://127.0.0.1:{server.bind_addr[1]}")), flush=True)  # noqa: T201
    thread = threading.Thread(target=server.serve)
    thread.start()
    sys.stdin.read()
    server.stop()
    thread.join()
