"""PDF file -> document: what is too large, locked or broken is told apart here, before anything is decoded."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polydata.errors import PolydataError
from polydata.files.find import MARK_WITHIN, PDF
from polydata.ids import sha256_bytes, sha256_file
from polydata.types import Failure
from polydata.workspace import ExtractSettings

ADD_ONS = ("pymupdf.layout", "pymupdf4llm")
"""What the PDF library loads beside it by itself: unused here, half a second and 60 MB a process."""

if "pymupdf" not in sys.modules:
    absent = [name for name in ADD_ONS if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it fails, which the library expects
    import pymupdf

    for name in absent:
        del sys.modules[name]

import pymupdf  # noqa: E402 - where it was loaded before

__all__ = ["pymupdf"]

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

TAIL_BYTES = 2048
"""A PDF ends with its cross-reference's place; where these bytes lack it, the end is missing."""


class ExtractionFailure(PolydataError):
    """A PDF that cannot be extracted.

    Args:
        reason: ``broken``, ``encrypted``, ``too-large`` or ``unreadable``.
        sha256: of the file, where it was read.
    """

    def __init__(self, reason: str, message: str, hint: str = "", sha256: str | None = None) -> None:
        super().__init__(message, hint)
        self.reason = reason
        self.sha256 = sha256

    def of(self, path: Path) -> Failure:
        """What is recorded of the file."""
        return Failure(self.sha256, str(path), self.reason, self.message)


@contextmanager
def _readable(path: Path, limits: ExtractSettings) -> Iterator[None]:
    """A regular file within the limits, for reading: pipes and devices never end, huge files are not even hashed."""
    try:
        status, most = path.stat(), limits.max_megabytes * 1_000_000
        if not stat.S_ISREG(status.st_mode):
            raise ExtractionFailure("unreadable", f"{path} is no regular file")
        if status.st_size > most:
            raise ExtractionFailure("too-large", f"{path} has {status.st_size} bytes; the limit is {most}")
        yield
    except OSError as error:
        raise ExtractionFailure("unreadable", f"{path} cannot be read: {error.strerror}") from error


def file_digest(path: Path, limits: ExtractSettings) -> str:
    """SHA-256 of a file.

    Raises:
        ExtractionFailure: ``unreadable`` or ``too-large``.
    """
    with _readable(path, limits):
        return sha256_file(path)


@contextmanager
def opened(path: Path, limits: ExtractSettings, sha256: str | None = None) -> Iterator[tuple[pymupdf.Document, str]]:
    """Open a PDF; yields the document and the SHA-256 of its bytes.

    Args:
        path: of the PDF.
        limits: larger files are refused before they are decoded.
        sha256: that its bytes must have; None for whatever they are.

    Raises:
        ExtractionFailure: see there; ``unreadable`` for other bytes than ``sha256`` says, ``broken`` where it is no PDF
            at all. Also for errors of the PDF library while the document is in use.
        MemoryError: where the library ran out of memory.
    """
    with _readable(path, limits):
        data = path.read_bytes()
    digest = sha256_bytes(data)
    if PDF not in data[:MARK_WITHIN]:
        raise ExtractionFailure("broken", f"{path} is not a PDF file", "Check how it was saved.", digest)
    if sha256 not in (None, digest):
        raise ExtractionFailure("unreadable", f"{path} holds other bytes than when it was read", "", digest)
    document = None
    try:
        document = pymupdf.open(stream=data, filetype="pdf")
        if document.needs_pass and not document.authenticate(""):
            raise ExtractionFailure("encrypted", f"{path} needs a password", "Save a copy without a password.", digest)
        if document.is_repaired and b"startxref" not in data[-TAIL_BYTES:]:
            # A repaired stump still counts its pages, but what stood on them is gone.
            raise ExtractionFailure("broken", f"{path} is cut short", "Fetch the file again.", digest)
        pages = document.page_count
        if pages < 1:
            raise ExtractionFailure("broken", f"{path} has no pages", "Fetch the file again.", digest)
        if pages > limits.max_pages:
            raise ExtractionFailure(
                "too-large", f"{path} has {pages} pages; the limit is {limits.max_pages}", "", digest
            )
        yield document, digest
    except (RuntimeError, ValueError, IndexError, pymupdf.mupdf.FzErrorBase) as error:
        if isinstance(error, PolydataError):
            raise
        text = " ".join(str(error).split())
        if "alloc" in text or "memory" in text.lower():  # malloc, realloc, calloc: the library names what failed
            raise MemoryError(text) from error
        said = f"{path} could not be read ({type(error).__name__}: {text[:200]})"
        hint = "Fetch the file again; where other programs open it, report it as a fault of this one."
        raise ExtractionFailure("broken", said, hint, digest) from error
    finally:
        if document is not None:
            document.close()
