"""Bringing the annotations of another catalogue into this one.

Annotations are numbered by their server, and a server is known by its address. ``http://127.0.0.1:8080`` is another
server on each machine, so one number may mean two people's answers: neither may be lost, or taken for the other.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.merging import bring, columns

FROM = " of "
LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - names to compare with

SAME = """JOIN other.annotations theirs USING (server, project, annotation_id) WHERE server = ?"""
OTHER_ANSWER = """own.image_sha256 <> theirs.image_sha256 OR own.task <> theirs.task
                  OR own.annotator <> theirs.annotator
                  OR json_extract_string(own.raw, '$.created_at')
                     IS DISTINCT FROM json_extract_string(theirs.raw, '$.created_at')"""


def merge_annotations(catalogue: Catalogue, here: str, there: str) -> int:
    """Bring in annotations; of one that both have, the later state stays. Call it inside a transaction.

    Answers of a server of the other's machine stand here under its address and the other workspace's name.

    Args:
        here: what this workspace is called.
        there: what the other one is called.

    Returns:
        The number of annotations that came or changed.
    """
    count = 0
    for (server,) in catalogue.tuples("SELECT DISTINCT server FROM other.annotations ORDER BY server"):
        if server.endswith(f"{FROM}{here}"):
            continue  # they once came from here
        if FROM in server or _is_same_server(catalogue, server):
            count += _update(catalogue, server, server) + _bring(catalogue, server, server)
        else:
            name = f"{server}{FROM}{there}"
            count += _update(catalogue, server, name) + _bring(catalogue, server, name)
    return count


def _is_same_server(catalogue: Catalogue, server: str) -> bool:
    """Whether an address means one server to both: what both have of it agrees; for local addresses there is such."""
    both, other_answers = catalogue.tuples(
        f"SELECT count(*), count(*) FILTER ({OTHER_ANSWER}) FROM main.annotations own {SAME}",  # noqa: S608
        [server],
    )[0]
    return not other_answers and bool(both or urlsplit(server).hostname not in LOOPBACK)


def _bring(catalogue: Catalogue, server: str, name: str) -> int:
    quoted = [text.replace("'", "''") for text in (server, name)]
    return bring(catalogue, "annotations", f"server = '{quoted[0]}'", {"server": f"'{quoted[1]}'"})


def _update(catalogue: Catalogue, server: str, name: str) -> int:
    """Replace annotations whose state over there is later; one that vanished from its server stays so."""
    named = ", ".join(
        "? AS server" if column == "server" else f'theirs."{column}"' for column in columns(catalogue, "annotations")
    )
    later = catalogue.rows(
        f"""SELECT {named} FROM main.annotations own JOIN other.annotations theirs USING (project, annotation_id)
            WHERE own.server = ? AND theirs.server = ?
              AND (theirs.updated_at, theirs.deleted) > (own.updated_at, own.deleted)""",  # noqa: S608
        [name, name, server],
    )
    catalogue.upsert("annotations", later)
    return len(later)
