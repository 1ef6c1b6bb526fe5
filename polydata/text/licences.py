"""Licences by their SPDX names: found in a text, checked, and whether they allow images to be passed on."""

from __future__ import annotations

import re

from polydata.errors import UsageError

PERMISSION = "LicenseRef-permission"
"""The user's own word that the rights holder permits in writing to pass the images on."""

_OPEN = re.compile(rf"CC0-1\.0|CC-PDDC|PDDL-1\.0|CC-BY(-NC)?(-SA)?-\d\.\d(-[A-Z]{{2,3}})?|{PERMISSION}")
_ADDRESS = re.compile(r"creativecommons\.org/(?:licenses/(by(?:-nc)?(?:-nd|-sa)?)/(\d\.\d)|publicdomain/(zero)/1\.0)")
_WORDS = re.compile(r"\bcc[- ](by(?:-nc)?(?:-nd|-sa)?)[- ](\d\.\d)\b")


def may_be_passed_on(licence: str | None) -> bool:
    """Whether images under this licence may be published again, cut out and labelled.

    Licences that forbid changed copies (ND) do not: a panel is cut out of its figure.
    """
    return bool(licence and _OPEN.fullmatch(licence))


def find_licence(text: str | None) -> str | None:
    """The Creative Commons licence that a text names by address or in short; None for none, or several that differ."""
    plain = (text or "").lower()
    addresses = {"CC0-1.0" if m[3] else f"CC-{m[1].upper()}-{m[2]}" for m in _ADDRESS.finditer(plain)}
    found = addresses or {f"CC-{m[1].upper()}-{m[2]}" for m in _WORDS.finditer(plain)}
    return found.pop() if len(found) == 1 else None


def check_licence(licence: str) -> str:
    """A licence's name, if it can be one.

    Raises:
        UsageError: if it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,99}", licence):
        raise UsageError(
            f"{licence!r} is no name of a licence.",
            f"Use its SPDX name, such as CC-BY-4.0, or {PERMISSION} for a written permission.",
        )
    return licence
