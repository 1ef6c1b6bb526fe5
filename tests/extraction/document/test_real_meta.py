"""Title, DOI, journal and year of real papers."""

from __future__ import annotations

from pathlib import Path

import pytest

from polydata.extraction.document.meta import paper_meta
from polydata.extraction.document.open import opened
from polydata.extraction.document.page import Sheet, read_page
from polydata.extraction.document.textlines import join_fragments
from polydata.types import PaperMeta
from polydata.workspace import ExtractSettings

pytestmark = pytest.mark.realdata


def meta_of(path: Path) -> PaperMeta:
    with opened(path, ExtractSettings()) as (document, _):
        page = read_page(Sheet(document[0]))
        return paper_meta(document, join_fragments(page))


def test_most_papers_say_what_they_are(shared_data: Path) -> None:
    found = [meta_of(path) for path in sorted((shared_data / "papers").glob("*.pdf"))]
    assert len(found) == 15
    assert all(meta.title for meta in found)
    assert sum(meta.doi is not None for meta in found) >= 11
    assert sum(meta.journal is not None for meta in found) >= 11
    assert sum(meta.year is not None for meta in found) >= 12
    assert not any("publishing" in (meta.journal or "").lower() for meta in found)
