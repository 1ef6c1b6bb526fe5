"""DOIs in texts: the one way in which every part of the program reads them, so that equal ones compare equal."""

from __future__ import annotations

import re

# Old DOIs of one publisher hold angle brackets; elsewhere these end the DOI, as in HTML.
DOI = re.compile(r"\b10\.\d{4,9}/(?:\(SICI\)[^\s\"{}|\\^`]{1,200}|[^\s\"<>{}|\\^`]{1,200})", re.IGNORECASE)
"""A DOI and the signs that stand close after it."""

_CLOSING = ".,;:'’”»"


def find_doi(text: str | None) -> str | None:
    """The first DOI in a text, in lower case, without a resolver's address or the signs after it.

    Full stops, commas, quotes and brackets that were not opened within the DOI belong to the sentence around it:
    ``(doi:10.1016/S0032-3861(99)00123-4).`` gives ``10.1016/s0032-3861(99)00123-4``.

    Returns:
        None where there is no DOI.
    """
    match = DOI.search(text or "")
    if match is None:
        return None
    doi = match[0].rstrip(_CLOSING)
    while doi.endswith((")", "]")) and doi.count("(") + doi.count("[") < doi.count(")") + doi.count("]"):
        doi = doi[:-1].rstrip(_CLOSING)
    return None if doi.endswith("/") else doi.lower()
