"""Makes ``reports/sample/`` again: the report of a faulty deployment, its page, and a picture of the page.

``python3 -m tox -e sample`` judges the deployment and renders the report; with ``-- --page`` it renders the kept
report again, which is enough after a change of the page. The deployment's identifiers and port and the run's seed are
the same every time; times are not.
"""

import hashlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib
from pathlib import Path
from unittest import mock

import yaml
from run_processes import CHECKOUT, TOKENS, run

from conformance import report
from conformance.reference.server import Reference, Settings
from conformance.reference.store import Tokens

FOLDER = CHECKOUT / "reports" / "sample"
PICTURE = "screenshot.png"
NAME = "sample-dfw"
FAULTS = (
    "third-removal-does-nothing",
    "reassociation-after-a-refusal-is-lost",
    "two-winners-30-ms",
    "empty-object-is-ignored",
)
"""The first two show in sequences that nobody tries by hand, the third where requests overlap; the last is waived."""

WAIVERS = {
    "waivers": [
        {
            "clause": "body.refused",
            "reason": "the front end drops empty objects until it is replaced",
            "owner": "network team",
            "ticket": "NET-123",
            "expires": "2099-12-31",
        }
    ]
}
DEPTH = "standard"
PORT = 8774
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = (1100, 1000)
KEYWORD = "Page-SHA256"
"""Under this word the picture says which page it shows."""


def judge(folder: Path, depth: str = DEPTH) -> None:
    """Judge the deployment and leave ``report.json`` in ``folder``."""
    numbers = random.Random(0)
    tokens = Tokens(*(TOKENS[f"CONFORMANCE_{role}TOKEN"] for role in ("", "RESTRICTED_", "FOREIGN_")))
    with (
        mock.patch("uuid.uuid4", side_effect=lambda: uuid.UUID(int=numbers.getrandbits(128), version=4)),
        tempfile.TemporaryDirectory() as scratch,
        Reference(Settings(tokens=tokens), faults=FAULTS) as reference,
    ):
        described = reference.target() | {"name": NAME, "policy": {"settle_seconds": 1}}
        del described["auth"]["foreign_token"]  # so that something is untested
        target, waivers = Path(scratch, "target.yaml"), Path(scratch, "waivers.yaml")
        target.write_text(yaml.safe_dump(described))
        waivers.write_text(yaml.safe_dump(WAIVERS))
        ran = run(Path(scratch, "run"), "--target", target, "--waivers", waivers, "--depth", depth)
        saved = ran.reports / "report.json"
        if not saved.exists():
            raise SystemExit(ran.output)
        port = reference.compute.rpartition(":")[2].partition("/")[0]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / saved.name).write_text(saved.read_text().replace(f"127.0.0.1:{port}", f"127.0.0.1:{PORT}"))


def render(folder: Path) -> Path:
    """Render the page from the report that is kept in ``folder``."""
    (page,) = report.write(report.read(folder / "report.json"), folder, ["html"])
    return page


def photograph(page: Path) -> Path:
    """Take a picture of the page's beginning; it says which page it shows."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no picture was taken: none of {', '.join(BROWSERS)} is installed")
    picture = page.with_name(PICTURE)
    with tempfile.TemporaryDirectory() as profile:
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        options = ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}", size)
        command = [browser, *options, f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    picture.write_bytes(_labelled(picture.read_bytes(), hashlib.sha256(page.read_bytes()).hexdigest()))
    return picture


def label(picture: bytes) -> str:
    """The digest of the page that a picture says it shows; empty if it says nothing."""
    found = picture.partition(f"tEXt{KEYWORD}\0".encode())[2]
    return found[: hashlib.sha256().digest_size * 2].decode("ascii", "replace")


def _labelled(picture: bytes, digest: str) -> bytes:
    """The picture with a text chunk (PNG, third edition, 11.3.3.2) after its header, which always has 33 bytes."""
    content = b"tEXt" + f"{KEYWORD}\0{digest}".encode()
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return picture[:33] + chunk + picture[33:]


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--page"]):
        raise SystemExit("expected nothing, or --page to render the kept report again")
    if not sys.argv[1:]:
        judge(FOLDER)
    print(photograph(render(FOLDER)))  # noqa: T201  # a command
