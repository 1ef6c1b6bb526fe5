"""The filter of ``build-split --where``: a small language that can only compare columns of a list with constants.

    technique = 'SEM' and year > 2000 and size >= 200
    not (journal contains 'polym' or doi is null)
    label_source in ('review', 'file')

The text is taken apart here and never becomes part of a query: columns are looked up, constants are parameters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal

from polydata.catalogue.splits import COLUMNS, OPERATORS, Column, Combined, Comparison, Condition
from polydata.errors import UsageError
from polydata.ids import is_text

MAX_LENGTH = 2000
MAX_DEPTH = 50
WORDS = frozenset(("and", "or", "not", "in", "is", "null", "contains"))

TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")"""
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)(?![\w.])"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))"
)


def read_where(text: str) -> Condition:
    """Take a filter apart.

    Raises:
        UsageError: naming the place that cannot be read, or the columns that there are.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(f"The filter is longer than {MAX_LENGTH} characters.")
    if not is_text(text):
        raise UsageError("The filter holds bytes that are no text.", "Write it in UTF-8.")
    reader = _Reader(text)
    found = reader.either(0)
    if reader.kind is not None:
        raise reader.error("it should end")
    return found


class _Reader:
    """Reads word by word; ``kind`` and ``word`` are the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self.end = 0
        self.kind: str | None = None
        self.word = ""
        self.advance()

    def error(self, wanted: str) -> UsageError:
        where = f"before {self.text[self.at :][:20]!r}" if self.text[self.at :].strip() else "at its end"
        return UsageError(
            f"The filter cannot be read {where}: {wanted}.",
            f"Example: technique = 'SEM' and year > 2000 and size >= 200. Columns: {', '.join(COLUMNS)}.",
        )

    def advance(self) -> None:
        self.at = self.end
        if not self.text[self.end :].strip():
            self.kind, self.word = None, ""
            return
        match = TOKEN.match(self.text, self.end)
        if match is None:
            raise self.error("only names, numbers, texts in quotes and signs can stand there")
        self.kind, self.end = match.lastgroup, match.end()
        self.word = match[str(self.kind)]
        if self.kind == "word" and self.word.lower() in WORDS:
            self.kind, self.word = "key", self.word.lower()

    def takes(self, kind: str, *words: str) -> bool:
        """Whether the next word is one of these; it is passed over then."""
        if self.kind == kind and self.word in words:
            self.advance()
            return True
        return False

    def either(self, depth: int) -> Condition:
        return self.joined("or", lambda: self.joined("and", lambda: self.single(depth)))

    def joined(self, word: Literal["and", "or"], part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self.takes("key", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Combined(word, tuple(parts))

    def single(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self.error("it is nested too deeply")
        if self.takes("key", "not"):
            return Combined("not", (self.single(depth + 1),))
        if self.takes("sign", "("):
            inside = self.either(depth + 1)
            self.demand("sign", ")")
            return inside
        return self.comparison()

    def demand(self, kind: str, word: str) -> None:
        if not self.takes(kind, word):
            raise self.error(f"{word!r} should stand there")

    def comparison(self) -> Condition:
        name, column = self.word.lower(), COLUMNS.get(self.word.lower())
        if self.kind != "word" or column is None:
            raise self.error("a column should stand there")
        self.advance()
        is_null = self.takes("key", "is")
        turned = self.takes("key", "not")
        if is_null:
            self.demand("key", "null")
            found = Comparison(name, "null", ())
        elif self.takes("key", "in"):
            self.demand("sign", "(")
            values = [self.constant(name, column)]
            while self.takes("sign", ","):
                values.append(self.constant(name, column))
            self.demand("sign", ")")
            found = Comparison(name, "in", tuple(values))
        else:
            operator = "!=" if self.word == "<>" else self.word
            if turned or operator not in (*OPERATORS, "contains") or (operator == "contains" and column.is_number):
                raise self.error("an operator should stand there")
            self.advance()
            found = Comparison(name, operator, (self.constant(name, column),))
        return Combined("not", (found,)) if turned else found

    def constant(self, name: str, column: Column) -> str | float:
        word, kind = self.word, self.kind
        if kind == "text" and not column.is_number:
            self.advance()
            return word[1:-1].replace(word[0] * 2, word[0])
        if kind == "number" and column.is_number and math.isfinite(float(word)):
            self.advance()
            return float(word)
        raise self.error(f"{name} is compared with {'a number' if column.is_number else 'a text in quotes'}")
