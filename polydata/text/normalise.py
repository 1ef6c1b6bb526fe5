"""Text as it comes from exports: any encoding, entities, stray control characters, words that mean nothing."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata

EMPTY_WORDS = frozenset({"", "none", "null", "nan", "n/a", "na", "-", "–", "—", "empty"})
"""What people write into a field that they leave empty, in lower case."""

_SLASH = re.compile("&slash;", re.IGNORECASE)  # the database writes it, though it is no HTML entity
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200d\u2060\ufeff]")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 read as Windows-1252, the rest of the text left as it is."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error("polydata-windows", _as_windows)


def decode(data: bytes) -> str:
    """Text of a file: by its byte-order mark, else UTF-8; single bytes that are none are read as Windows-1252.

    So a file that was put together from pieces of both is read right. Line ends come out as ``\\n``.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        text = data.decode("utf-8", errors="polydata-windows").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean(text: str) -> str | None:
    """One line of readable text: HTML entities resolved, control characters gone, single spaces.

    Returns:
        None where nothing is left or only a word that stands for an empty field (``none``, ``n/a``).
    """
    text = _CONTROL.sub("", html.unescape(_SLASH.sub("/", text)))
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return None if text.lower() in EMPTY_WORDS else text


def fold(text: str) -> str:
    """For comparing: lower case, compatibility forms and accents resolved, dashes and spaces alike."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
        text = re.sub(r"[\u2010-\u2015\u2212]", "-", text)
    return " ".join(text.casefold().split())
