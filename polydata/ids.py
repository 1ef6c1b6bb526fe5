"""Identifiers that are the same on every machine: hashes of what the thing is, not of when it was seen."""

from __future__ import annotations

import hashlib
from pathlib import Path

from polydata.types import Box

ID_DIGITS = 16  # 64 bits: at ten million panels the chance of any collision is 3e-6


def sha256_bytes(data: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def is_text(text: str) -> bool:
    """Whether a text can be written down; what a shell hands over as broken UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def content_id(prefix: str, *parts: object) -> str:
    """``prefix-`` and 16 hex digits that depend on ``parts`` alone, in their order."""
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:ID_DIGITS]}"


def paper_id(pdf_sha256: str) -> str:
    """Id of a paper from the SHA-256 of its PDF."""
    return f"paper-{pdf_sha256[:ID_DIGITS]}"


def figure_id(pdf_sha256: str, page: int, box: Box) -> str:
    """Id of a figure from its PDF, 1-based page and box rounded to whole points."""
    return content_id("figure", pdf_sha256, page, *box.rounded())


def figure_picture(figure_id: str) -> str:
    """64 digits for the picture of a figure."""
    return sha256_bytes(figure_id.encode())


def panel_id(pdf_sha256: str, page: int, figure_box: Box, box: Box) -> str:
    """Id of a panel: its own rounded box and that of its figure (a lone panel has the figure's box)."""
    return content_id("panel", pdf_sha256, page, *figure_box.rounded(), *box.rounded())
