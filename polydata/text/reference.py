"""A paper's place in the literature."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A paper as a bibliographic service knows it."""

    doi: str
    title: str | None
    journal: str | None
    year: int | None
    volume: str | None
    pages: str | None
    authors: str | None

    def text(self) -> str:
        """All of it as a citation: ``A. Author; B. Author, Journal, 12, 34-56 (2001)``."""
        parts = [part for part in (self.authors, self.title, self.journal, self.volume, self.pages) if part]
        return ", ".join(parts) + (f" ({self.year})" if self.year else "")
