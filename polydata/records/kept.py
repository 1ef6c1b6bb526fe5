"""Taking records out of a workspace, and looking at one whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polydata.catalogue.by_hand import ManualLink, settle_manual_links
from polydata.catalogue.lookup import find
from polydata.catalogue.records import HANGING, place_of, records_by_id, remove_records, what_hangs_on, whole_record
from polydata.catalogue.session import Session
from polydata.records.evidence import letters_of, record_evidence
from polydata.records.rules import write_votes
from polydata.text.figure_labels import QUOTED_LABEL
from polydata.text.reference import file_key, find_doi, paper_named


def plan_removal(session: Session, identifiers: Sequence[str]) -> list[dict[str, Any]]:
    """Records that are to go, each once, with what hangs on them (see ``catalogue.records.what_hangs_on``).

    Args:
        identifiers: keys of records, their ids, or the beginnings of these.

    Raises:
        InputError: if one names no record, or several.
    """
    catalogue = session.catalogue
    return what_hangs_on(catalogue, list(dict.fromkeys(find(catalogue, one, "record")[1] for one in identifiers)))


def remove(session: Session, records: Iterable[Mapping[str, Any]]) -> None:
    """Take records out with all that joins made of them, and the labels that followed, in one transaction.

    Links by hand stay: they wait until the record is imported again.
    """
    with session.catalogue.transaction():
        remove_records(session.catalogue, [record["record_id"] for record in records])
        settle_manual_links(session.catalogue)
        write_votes(session)


def told(record: Mapping[str, Any]) -> str:
    """A record that is to go, in one line."""
    counts = ", ".join(f"{record[what]} {what}" for what in HANGING if record[what]) or "nothing on it"
    return f"{record['record_key'] or record['record_id']} of {record['source']} ({record['record_id']}): {counts}"


def show(session: Session, identifier: str) -> dict[str, Any]:
    """One record whole: its fields, its row as it was read (``raw``), its parts, and what it is linked to.

    Args:
        identifier: its key, its id, or the beginning of it.

    Raises:
        InputError: if it names no record, or several.
    """
    record = whole_record(session.catalogue, find(session.catalogue, identifier, "record")[1])
    return record | {"raw": json.loads(record["raw"] or "{}")}


def objections(session: Session, link: ManualLink) -> list[str]:
    """What a record says of itself that is not so of the panel or figure to which it was linked by hand.

    Only what both say counts: the paper by file name or DOI, the figure's number, the panel's letter.
    """
    if link.target == "nothing" or not link.there:
        return []
    place = place_of(session.catalogue, link.target, link.target_id)
    record = records_by_id(session.catalogue, [link.record_id])[link.record_id]
    said, found = record_evidence(record), []
    name, doi = paper_named(record["reference"]), find_doi(record["doi"])
    is_file = ".pdf" in (record["reference"] or "").lower()
    if name and is_file and name != file_key(place["file_name"]):
        found.append(f"the record names {name}.pdf, and this stands in {place['file_name']}")
    elif doi and place["doi"] and doi != find_doi(place["doi"]):
        found.append(f"the record's DOI is {doi}, and that of this paper {place['doi']}")
    label = QUOTED_LABEL.match(place["figure"] or "")
    number = label["number"].lstrip("sS").lstrip("0") if label and label["number"] else None
    if said.named and number and said.named != number:
        found.append(f"the record says {record['figure']}, and this is {place['figure']}")
    letters = letters_of(place["panel"])
    if said.letters and letters and not set(said.letters) & set(letters):
        found.append(f"the record says panel {record['panel']}, and this is panel {place['panel']}")
    return found
