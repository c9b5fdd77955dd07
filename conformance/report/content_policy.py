"""What a page admits: its own style and script, by their hashes, and nothing from elsewhere."""

import base64
import hashlib


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page that has this style, this script and nothing else."""
    scripts = f"script-src {_source(script)}; " if script else ""
    return f"default-src 'none'; style-src {_source(style)}; {scripts}base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
