"""Which encoding the text of a file is in: told by the file or the user, or shown by its bytes; never guessed."""

from __future__ import annotations

import re

from polydata.errors import InputError, UsageError

OTHERS = ("shift_jis", "gbk", "euc_jp", "euc_kr", "big5", "cp1251", "cp1250", "cp1252")
"""Encodings that are named to the user where a text is in none that its bytes show."""

_RUN = re.compile(rb"[\x80-\xff]+")
_WESTERN = re.compile(
    r"[\u00c0-\u00ff\u00b0-\u00b3\u00b5\u00b7\u00b9\u00bc-\u00be\u00a0\u00a7\u00a9\u00ab\u00ae\u00bb\u2026\u2122\u20ac]"
    r"|\u00a0[\u00b5\u00b0\u00b1\u2013]|[\u00e4\u00f6\u00fc]\u00df|\u00e9\u00e9"
    r"|(?<![A-Za-z])[\u2018\u201c](?=[A-Za-z0-9])|(?<=[A-Za-z0-9.,)!?])[\u2019\u201d](?![0-9])"
    r"|(?<=\d)[\u2013\u2014](?=\d)|(?<=\s)[\u2013\u2014](?=\s)|(?<=[A-Za-z0-9)])[\u2013\u2014](?=[A-Za-z(])"
)
"""What Windows-1252 adds to a text of Latin letters, sign by sign. East Asian texts hold pairs of such bytes."""
_LETTERS_AND_MARKS = re.compile(
    r"[\u2018\u201c\u201e\u00ab\u2013\u2014\u00a0]?[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]{1,2}"
    r"[\u2019\u201d\u00bb\u2013\u2014\u2026\u00a0]?"
)
"""Such letters side by side with each other or with marks, where the file is no East Asian text."""
EAST_ASIAN = ("gb2312", "shift_jis", "euc_jp", "euc_kr", "big5")
_NO_SCRIPT = re.compile(r"[\u0180-\u0233\u0250-\u036f\u0530-\u07ff]")
"""Two-byte signs that GBK leaves where it happens to be valid UTF-8, and tables of samples do not hold."""


def _western(line: bytes, *, surely: bool) -> str | None:
    """A line in which single bytes are Windows-1252 and the others UTF-8; None where they can be something else.

    Args:
        surely: whether the file is no East Asian text.
    """
    text = ""
    at = 0
    for run in _RUN.finditer(line):
        text += line[at : run.start()].decode("ascii")
        at = run.end()
        try:
            text += run[0].decode("utf-8")
            continue
        except UnicodeDecodeError:
            pass
        around = (line[run.start() - 1 : run.start()], line[run.end() : run.end() + 1])
        try:
            signs = run[0].decode("cp1252")
            before, after = (byte.decode("ascii") for byte in around)
        except UnicodeDecodeError:
            return None
        found = _WESTERN.search(f"{before}{signs}{after}", len(before))
        single = found is not None and found.span() == (len(before), len(before) + len(signs))
        if not single and not (surely and _LETTERS_AND_MARKS.fullmatch(signs)):
            return None
        text += signs
    return text + line[at:].decode("ascii")


def _ask(data: bytes, line: int, place: str) -> InputError:
    fitting = []
    for name in OTHERS:
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        fitting.append(name)
    return InputError(
        f"{place}, line {line}: its bytes are not UTF-8, and which other encoding they are in cannot be told.",
        f"Say which it is with --encoding; these fit: {', '.join(fitting) or 'none that is common'}.",
    )


def read_text(data: bytes, place: str, encoding: str | None = None, *, foreign: bool = False) -> tuple[str, str]:
    """The text of a file, lines ended by ``\\n``, and the encoding that was taken.

    A byte-order mark decides, then zero bytes in every other place (UTF-16), then UTF-8; single bytes that are no
    UTF-8 are Windows-1252 where all of them are signs of Latin texts.

    Args:
        place: what messages call the file.
        encoding: as the user says.
        foreign: whether others wrote the file, so that what happens to be valid UTF-8 may be another encoding.

    Raises:
        InputError: if the bytes do not fit the encoding, or none that is sure.
        UsageError: if there is no such encoding.
    """
    taken = encoding or _shown(data)
    if taken is None:
        surely = not any(_fits(data, name) for name in EAST_ASIAN)
        lines = [_western(line, surely=surely) for line in re.split(rb"\r\n|\r|\n", data)]
        if None in lines:
            raise _ask(data, lines.index(None) + 1, place)
        return "\n".join(line for line in lines if line is not None).removeprefix("\ufeff"), "Windows-1252"
    try:
        text = data.decode(taken).removeprefix("\ufeff")
    except LookupError as error:
        raise UsageError(f"There is no encoding {taken!r}.", f"Some: utf-8, {', '.join(OTHERS)}.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{place}, line {line}: its bytes are no {taken}.", "Say another one: --encoding") from error
    except UnicodeError as error:
        raise InputError(f"{place} is no {taken}: {error}.") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if foreign and encoding is None and taken == "utf-8" and (odd := _NO_SCRIPT.search(text)) and _fits(data, "gbk"):
        raise _ask(data, text[: odd.start()].count("\n") + 1, place)
    return text, taken


def _shown(data: bytes) -> str | None:
    """The encoding that the bytes themselves show."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    half = len(data) // 4
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half and data[place::2].count(0) > half and len(data) % 2 == 0:
            return name
    return "utf-8" if _fits(data, "utf-8") else None


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
