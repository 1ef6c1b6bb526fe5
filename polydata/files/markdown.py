"""Values from outside as Markdown text that cannot become markup."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence


def plain(value: object) -> str:
    """A value as text in one line in which no sign means anything."""
    return re.sub(r"([\\`*_\[\]|#<>])", r"\\\1", html.escape(" ".join(str(value).split()), quote=False))


def table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Rows of the same keys as the lines of a table; None is an empty cell."""
    if not rows:
        return []
    lines = [" | ".join(map(plain, rows[0])), " | ".join("---" for _ in rows[0])]
    lines += [" | ".join("" if v is None else plain(v) for v in row.values()) for row in rows]
    return [f"| {line} |" for line in lines]
