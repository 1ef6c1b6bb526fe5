"""The user's word on the licences of papers."""

from __future__ import annotations

from collections.abc import Sequence

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import papers_of, save_licence
from polydata.catalogue.removal import papers_named
from polydata.errors import UsageError
from polydata.text.licences import check_licence

TAKE_BACK = "none"


def set_licence(catalogue: Catalogue, licence: str, papers: Sequence[str], source: str | None = None) -> int:
    """Write the licence of papers; returns how many there are.

    Args:
        licence: SPDX name, or ``none`` to take back what was said before.
        papers: ids, or beginnings of ids.
        source: all papers of this source too.

    Raises:
        UsageError: if no paper is meant, or the licence can be none.
        InputError: if an id names nothing or several papers.
    """
    name = None if licence == TAKE_BACK else check_licence(licence)
    chosen = [*papers_named(catalogue, papers), *(papers_of(catalogue, source) if source else ())]
    if not chosen:
        raise UsageError(
            f"No paper has the source {source!r}." if source else "No paper was named.",
            "Name papers by their ids (polydata list papers), or all of one source with --source.",
        )
    save_licence(catalogue, chosen, name)
    return len(set(chosen))
