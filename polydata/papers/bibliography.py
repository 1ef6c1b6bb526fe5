"""What is said of papers beside their files: references resolved over the network, and the user's word on licences.

Resolving is opt-in and cached; its answers stand beside what the files say and never replace it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rapidfuzz import fuzz

from polydata.catalogue.lookup import find_papers
from polydata.catalogue.metadata import papers_of, papers_to_resolve, save_licence, save_resolution, tie_supplements
from polydata.catalogue.session import Session
from polydata.errors import UsageError
from polydata.papers.crossref import ROOT, Crossref, Refused
from polydata.text.licences import check_licence
from polydata.text.reference import Reference, find_doi
from polydata.types import Progress, quiet, tracked
from polydata.workspace import Workspace

VARIABLE = "POLYDATA_CROSSREF_URL"
"""Environment variable with the address of another server that speaks Crossref's language."""
SAME_TITLE = 90.0
"""Similarity, 0 to 100, from which two titles are the same."""
OTHER_TITLE = 50.0
"""Similarity under which the title that stands in a file makes its DOI doubtful."""
YEARS_APART = 1
"""An article appears online up to so many years before its volume."""
SHORTEST_TITLE = 15


@dataclass(frozen=True)
class Resolved:
    """What one ``polydata papers resolve`` did.

    Attributes:
        papers: papers resolved now, each with id, file, resolved fields, source, method and score.
        leftovers: papers that were not, each with id, file and the reason.
        asked: questions that went over the network; the others were answered from disk.
        supplements: papers that are supplements of others, which are not asked for.
    """

    papers: tuple[dict[str, Any], ...]
    leftovers: tuple[dict[str, Any], ...]
    asked: int
    supplements: int


def crossref_server(workspace: Workspace, mailto: str | None, root: str | None = None) -> Crossref:
    """The server to ask, with its cache in the workspace.

    Args:
        root: its address; None takes the environment's POLYDATA_CROSSREF_URL, else Crossref's own.

    Raises:
        UsageError: if either address is none.
    """
    root = root or os.environ.get(VARIABLE) or ROOT
    if mailto is not None and not re.fullmatch(r"[^\s@<>();,]{1,64}@[A-Za-z0-9.-]{1,255}", mailto):
        raise UsageError(f"{mailto!r} is no mail address.", "Write it like name@example.org.")
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{root!r} is no address of a server.", f"It begins with https://; the usual one is {ROOT}")
    return Crossref(workspace.root / "cache" / "crossref", root=root, mailto=mailto)


def resolve_papers(session: Session, service: Crossref, *, again: bool = False, progress: Progress = quiet) -> Resolved:
    """Look up every paper that was not resolved before, by its DOI, else by its title. Each is written at once.

    Args:
        again: also papers that were resolved before; questions asked before are answered from disk.

    Raises:
        ServerError: if the server cannot be reached; what was resolved until then is kept.
    """
    catalogue = session.catalogue
    count = tie_supplements(catalogue)
    papers, leftovers = [], []
    wanted = papers_to_resolve(catalogue, again=again)
    for paper in tracked(wanted, "Resolving", progress, len(wanted)):
        named = {"paper_id": paper["paper_id"], "file": paper["file_name"]}
        try:
            found = _look_up(service, paper)
        except Refused as reason:
            found = f"the server's answer is of no use: {reason}"
        if isinstance(found, str):
            leftovers.append({**named, "reason": found})
        else:
            reference, method, score = found
            save_resolution(catalogue, paper["paper_id"], reference, source="crossref", method=method, score=score)
            papers.append({**named, **vars(reference), "source": "crossref", "method": method, "score": score})
    return Resolved(tuple(papers), tuple(leftovers), service.asked, count)


def _look_up(service: Crossref, paper: Mapping[str, Any]) -> tuple[Reference, str, float] | str:
    """The work, how it was found and how well the titles agree, 0 to 1; or why there is none."""
    doi, title = find_doi(paper["doi"]), paper["title"]
    if doi:
        found = service.by_doi(doi)
        likeness = _likeness(title, found.title) if found else None
        if found and (likeness is None or likeness >= OTHER_TITLE):
            return found, "doi", round((100.0 if likeness is None else likeness) / 100, 4)
    if not title or len(title) < SHORTEST_TITLE:
        return "its DOI is unknown or belongs to another title" if doi else "it has neither a DOI nor a title"
    scored = [(_likeness(title, one.title) or 0.0, one) for one in service.by_title(title)]
    same = sorted((found for found in scored if found[0] >= SAME_TITLE), key=lambda found: (-found[0], found[1].doi))
    if not same:
        return "no title is like its own"
    year = paper["year"]
    near = [found for found in same if None in (year, found[1].year) or abs(year - found[1].year) <= YEARS_APART]
    if not near:
        return f"a work of its title is of another year ({same[0][1].year})"
    return near[0][1], "title", round(near[0][0] / 100, 4)


def _likeness(one: str | None, other: str | None) -> float | None:
    """How like two titles are, 0 to 100, whatever their signs and capitals; None where one is missing."""
    plain = [re.sub(r"[\W_]+", " ", (text or "")[:500]).casefold().strip() for text in (one, other)]
    return float(fuzz.ratio(*plain)) if all(plain) else None


TAKE_BACK = "none"


def set_licence(session: Session, licence: str, papers: Sequence[str], source: str | None = None) -> int:
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
    chosen = [*find_papers(session.catalogue, papers), *(papers_of(session.catalogue, source) if source else ())]
    if not chosen:
        raise UsageError(
            f"No paper has the source {source!r}." if source else "No paper was named.",
            "Name papers by their ids (polydata list papers), or all of one source with --source.",
        )
    save_licence(session.catalogue, chosen, name)
    return len(set(chosen))
