"""Makes text that a target controls harmless and legible: what would act on a reader's screen is written out.

The only place where that is decided; every view goes through it. It escapes no markup, which is each format's
own business.
"""

import re
import unicodedata
from collections.abc import Iterator

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_ACTS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, invisible and bidirectional formats, lone surrogates, line and paragraph separators."""


def visible(text: str, keep: str = "\n\t") -> str:
    r"""``text`` with each acting character written as an escape (``\x1b``), but those in ``keep``."""
    return _SUSPECT.sub(lambda met: _shown(met.group(), keep), text)


def one_line(text: str) -> str:
    """``text`` as one line: breaks and tabs are written out as well."""
    return visible(text, keep="")


def command(line: str) -> str:
    r"""A shell command that still does the same: an acting character becomes ``'$'\x1b''``.

    Right where the character stands between single quotes, which is where :func:`shlex.quote` puts it.
    """
    return _SUSPECT.sub(lambda met: _quoted(met.group()), line)


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in runs: ``(as it stands, False)`` and ``(an escape, True)``, for a view that shows both."""
    end = 0
    for met in _SUSPECT.finditer(text):
        if (shown := _shown(met.group(), "\n\t")) != met.group():
            yield text[end : met.start()], False
            yield shown, True
            end = met.end()
    yield text[end:], False


def _shown(character: str, keep: str) -> str:
    if character in keep or not _acts(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


def _quoted(character: str) -> str:
    if character in "\n\t" or not _acts(character):
        return character
    octets = character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "replace")
    return "'$'" + "".join(f"\\x{octet:02x}" for octet in octets) + "''"


def _acts(character: str) -> bool:
    point = ord(character)
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return noncharacter or unicodedata.category(character) in _ACTS
