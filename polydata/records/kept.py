"""Taking records out of a workspace, and looking at one whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polydata.catalogue.by_hand import settle_manual_links
from polydata.catalogue.lookup import find
from polydata.catalogue.records import HANGING, remove_records, what_hangs_on, whole_record
from polydata.catalogue.session import Session
from polydata.records.rules import write_votes


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
